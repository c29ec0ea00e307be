import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { compression } from '../compression.ts';
import { fixtureApi } from './fixtures/development.ts';

export default defineConfig({
  // Relative addresses let the server (or a hub) mount the console below any path.
  base: './',
  plugins: [svelte(), fixtureApi(), compression()],
  build: {
    target: 'es2022',
    // The policy `default-src 'self'` forbids `data:` addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
