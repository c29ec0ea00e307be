/**
 * Keys: a random master key encrypts the records, and the PIN, by way of Argon2id, encrypts the master key (AES-GCM with 256
 * bits, NIST SP 800-38D). The master key is never written down in clear.
 */

import type { Bytes } from './framing.ts';
import type { EncryptedRecord, VaultState } from './storage.ts';

/** Derives 32 bytes from a PIN by Argon2id; the core does it. */
export type DeriveKey = (
  pin: string,
  salt: Bytes,
  cost: { memoryKib: number; iterations: number },
) => Promise<Bytes>;

/** What stands in the way of guessing. */
export interface Attempts {
  wrongPins: number;
  pauseUntil: number | null;
}

/** The first recommendation of OWASP for phones: 19 MiB, two passes. */
const COST = { memoryKib: 19_456, iterations: 2 };
const SALT = 16;
const IV = 12;
const MASTER_KEY = 32;
const ALGORITHM = 'AES-GCM';
/** Bound to each record, so that neither another record nor another format passes for it. */
const RECORD_VERSION = 1;
/** Bound to the wrapped master key for the same reason. */
const WRAPPED_VERSION: Bytes = Uint8Array.of(1);

const MINUTE = 60_000;
/** Pauses after so many wrong PINs in a row; the last one holds for all that follow. */
const FIRST_PAUSE_AFTER = 4;
const PAUSES = [MINUTE / 2, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE];
/** After so many wrong PINs in a row the records are forgotten, unless something is in them alone. */
export const WIPED_AFTER = 15;

/** What a PIN must be. */
const PIN = /^\d{4,12}$/;

/** Whether a PIN may be set: 4 to 12 digits, not all the same. */
export function isAcceptable(pin: string): boolean {
  return PIN.test(pin) && new Set(pin).size > 1;
}

/** How long no PIN is taken after so many wrong ones in a row, in milliseconds. */
export function pauseAfter(wrongPins: number): number {
  if (wrongPins < FIRST_PAUSE_AFTER) return 0;
  return PAUSES[Math.min(wrongPins - FIRST_PAUSE_AFTER, PAUSES.length - 1)] as number;
}

/** The attempts once one more was made that has not proved right yet. */
export function oneMoreAttempt(attempts: Attempts, now: number): Attempts {
  const wrongPins = attempts.wrongPins + 1;
  const pause = pauseAfter(wrongPins);
  return { wrongPins, pauseUntil: pause === 0 ? null : now + pause };
}

/**
 * Until when no PIN is taken, or null. A clock that was set back must not make a pause longer than it was meant.
 */
export function pausedUntil(attempts: Attempts, now: number): number | null {
  if (attempts.pauseUntil === null || attempts.pauseUntil <= now) return null;
  return Math.min(attempts.pauseUntil, now + pauseAfter(attempts.wrongPins));
}

/** Makes a master key and what opens it by this PIN. */
export async function createVault(
  pin: string,
  derive: DeriveKey,
): Promise<{ key: CryptoKey; state: VaultState }> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  const master = crypto.getRandomValues(new Uint8Array(MASTER_KEY));
  const pinKey = await importKey(await derive(pin, salt, COST));
  const wrapped = await encrypt(pinKey, WRAPPED_VERSION, master);
  const state: VaultState = {
    version: 1,
    salt,
    ...COST,
    wrapped,
    wrongPins: 0,
    pauseUntil: null,
    draft: false,
    enrolled: false,
  };
  return { key: await importKey(master), state };
}

/** The master key, or null when the PIN is wrong. */
export async function openVault(
  pin: string,
  state: VaultState,
  derive: DeriveKey,
): Promise<CryptoKey | null> {
  const pinKey = await importKey(await derive(pin, state.salt, state));
  try {
    return await importKey(await decrypt(pinKey, WRAPPED_VERSION, state.wrapped));
  } catch {
    return null;
  }
}

/** Encrypts the content of a record. */
export function encryptRecord(
  key: CryptoKey,
  id: number,
  content: Bytes,
): Promise<EncryptedRecord> {
  return encrypt(key, recordData(id), content);
}

/** The content of a record, or null when it is not what was written. */
export async function decryptRecord(
  key: CryptoKey,
  id: number,
  record: unknown,
): Promise<Bytes | null> {
  try {
    return await decrypt(key, recordData(id), record as EncryptedRecord);
  } catch {
    return null;
  }
}

/** The data that AES-GCM authenticates along with a record: its number, 64 bits in big-endian order, and the version. */
function recordData(id: number): Bytes {
  const data = new Uint8Array(9);
  new DataView(data.buffer).setBigUint64(0, BigInt(id));
  data[8] = RECORD_VERSION;
  return data;
}

/** Takes bytes over as a key that nobody gets out again, and overwrites them. */
async function importKey(bytes: Bytes): Promise<CryptoKey> {
  const key = await crypto.subtle.importKey('raw', bytes, ALGORITHM, false, ['encrypt', 'decrypt']);
  bytes.fill(0);
  return key;
}

async function encrypt(key: CryptoKey, data: Bytes, content: Bytes): Promise<EncryptedRecord> {
  const iv = crypto.getRandomValues(new Uint8Array(IV));
  const algorithm = { name: ALGORITHM, iv, additionalData: data };
  return { iv, data: await crypto.subtle.encrypt(algorithm, key, content) };
}

async function decrypt(key: CryptoKey, data: Bytes, record: EncryptedRecord): Promise<Bytes> {
  const algorithm = { name: ALGORITHM, iv: record.iv, additionalData: data };
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, record.data));
}
