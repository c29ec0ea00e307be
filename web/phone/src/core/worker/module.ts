/** The module of the core as it was built: fetched and compiled once. */

import address from '../../../generated/phone_core.wasm?url';
import { WebAssemblyCore, type CoreModule } from './instance.ts';

let compiled: Promise<WebAssembly.Module> | null = null;

/** Starts the module that was built; it is fetched and compiled once. */
export async function startCoreModule(): Promise<CoreModule> {
  compiled ??= compile();
  try {
    return new WebAssemblyCore(await WebAssembly.instantiate(await compiled, {}));
  } catch (error) {
    // The next attempt fetches it again.
    compiled = null;
    throw error;
  }
}

async function compile(): Promise<WebAssembly.Module> {
  const response = await fetch(new URL(address, import.meta.url));
  if (!response.ok) throw new Error(`the core could not be fetched: ${response.status}`);
  return WebAssembly.compileStreaming(response);
}
