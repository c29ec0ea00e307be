import { mount } from 'svelte';
import App from './App.svelte';
import { startCore } from './core/client.ts';
import type { Core } from './core/protocol.ts';
import StartFailure from './pages/StartFailure.svelte';
import './theme.css';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element with the id "app"');

let core: Core | null = null;
let failure: unknown = null;
try {
  core = startCore();
} catch (error) {
  // A browser without module workers, for example: saved answers can still be rescued.
  failure = error;
}

if (core === null) mount(StartFailure, { target, props: { error: failure } });
else mount(App, { target, props: { core } });
