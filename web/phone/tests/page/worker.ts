import { serve } from '../../src/core/worker/serve.ts';
import { StoredLines } from './stored-lines.ts';

serve(() => Promise.resolve(new StoredLines()));
