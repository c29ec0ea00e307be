/** What is known of a build, and what the service worker and pages say to each other. */

/** A file of the build. */
export interface Precached {
  /** Its path within the app. */
  path: string;
  /** SHA-256 of its content, in hexadecimal digits. */
  sha256: string;
  /** Its size as it goes over the network. */
  bytes: number;
}

/** What a page asks of the service worker, through a message with a port for the answer. */
export type Question = { kind: 'installation' } | { kind: 'activate' };

/** How much of the app is on the phone. */
export interface Installation {
  /** Whether every file of the build is. */
  complete: boolean;
  /** How many bytes all of them take over the network. */
  bytes: number;
}

/** What the service worker tells pages by itself: the network is back, or missing files have been fetched. */
export interface Notice {
  kind: 'wake' | 'mended';
}

/** The tag under which a page asks to be woken when the network is back (Background Sync). */
export const SYNC_TAG = 'khaosat-sync';
