// Before a script (`node --import`): the packages that it imports are where KHAOSAT_AUTOMERGE says, which need not be
// beside it.

import { register } from 'node:module';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

register('./resolving.js', import.meta.url, {
  data: {
    scripts: pathToFileURL(`${dirname(resolve(process.argv[1]))}/`).href,
    packages: pathToFileURL(`${process.env.KHAOSAT_AUTOMERGE}/package.json`).href,
  },
});
