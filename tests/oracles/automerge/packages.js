// Before a script (`node --import`): the packages that it imports are where KHAOSAT_AUTOMERGE says, which need not be
// beside it.

import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

register('./resolving.js', import.meta.url, {
  data: {
    scripts: new URL('.', import.meta.url).href,
    packages: pathToFileURL(`${process.env.KHAOSAT_AUTOMERGE}/package.json`).href,
  },
});
