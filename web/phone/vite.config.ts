import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { compression } from '../compression.ts';
import { precaching } from './build/precaching.ts';

export default defineConfig({
  // Relative addresses let the server (or a hub) mount the app below any path.
  base: './',
  plugins: [
    svelte(),
    compression(),
    precaching(join(import.meta.dirname, 'src/service-worker/service-worker.ts')),
  ],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // The policy `default-src 'self'` forbids `data:` addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
