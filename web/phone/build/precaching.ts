/** Builds the service worker last, with the list of everything that the app needs offline. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'vite';
import { encodedSize, filesBelow, writeCompressed } from '../../compression.ts';
import type { Precached } from '../src/service-worker/precache.ts';

const OUTPUT = 'service-worker.js';
/** Pictures for the home screen: the browser fetches them when it puts the app there, and the app never shows them. */
const HOME_SCREEN = /^icon-/;

/**
 * Vite's plugin. `entry` is where the service worker's source is. The plugin must stand after the one that compresses, whose
 * sizes it tells.
 */
export function precaching(entry: string): Plugin {
  let root = '';
  let folder = '';
  return {
    name: 'khaosat-precaching',
    apply: 'build',
    configResolved(config) {
      root = config.root;
      folder = resolve(root, config.build.outDir);
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const files = await listed(folder);
        const version = createHash('sha256')
          .update(JSON.stringify(files))
          .digest('hex')
          .slice(0, 16);
        await build({
          configFile: false,
          root,
          publicDir: false,
          logLevel: 'warn',
          define: { PRECACHED: JSON.stringify(files), VERSION: JSON.stringify(version) },
          build: {
            target: 'es2022',
            outDir: folder,
            emptyOutDir: false,
            modulePreload: false,
            rollupOptions: {
              input: entry,
              output: { format: 'iife', entryFileNames: OUTPUT },
            },
          },
        });
        await writeCompressed(join(folder, OUTPUT));
      },
    },
  };
}

async function listed(folder: string): Promise<Precached[]> {
  const paths = (await filesBelow(folder)).filter(
    (path) => path !== OUTPUT && !HOME_SCREEN.test(path),
  );
  return Promise.all(
    paths.map(async (path) => {
      const content = await readFile(join(folder, path));
      const sha256 = createHash('sha256').update(content).digest('hex');
      return { path, sha256, bytes: await encodedSize(join(folder, path)) };
    }),
  );
}
