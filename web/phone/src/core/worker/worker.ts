/** The worker's entry: the service over the core that was built. */

import { startCoreModule } from './module.ts';
import { serve } from './serve.ts';

serve(startCoreModule);
