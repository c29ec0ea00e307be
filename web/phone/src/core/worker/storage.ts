/**
 * What is on the disk: IndexedDB `khaosat` with `records`, which are encrypted, `sealed`, which only the server can read,
 * and `vault`, which holds the way from the PIN to the records' key.
 */

import type { Bytes } from './framing.ts';

/** An encrypted record. */
export interface EncryptedRecord {
  iv: Bytes;
  data: ArrayBuffer;
}

/** What is kept beside the records to open them, none of it secret from the phone's owner. */
export interface VaultState {
  version: 1;
  /** The salt and the costs of Argon2id (RFC 9106), by which the PIN becomes a key. */
  salt: Bytes;
  memoryKib: number;
  iterations: number;
  /** The records' key, encrypted by the PIN's. */
  wrapped: EncryptedRecord;
  /** Wrong PINs in a row, counted before each attempt. */
  wrongPins: number;
  /** Until when no further PIN is taken, in milliseconds since 1970-01-01T00:00:00Z. */
  pauseUntil: number | null;
  /** Whether records hold answers that no sealed entry has. */
  draft: boolean;
  /** Whether a server knows this phone. */
  enrolled: boolean;
}

/** What one transaction changes, all of it or nothing. */
export interface Changes {
  put?: readonly (readonly [id: number, record: EncryptedRecord])[];
  delete?: readonly number[];
  sealed?: readonly (readonly [id: number, content: Bytes])[];
  unsealed?: readonly number[];
  vault?: VaultState;
}

/** The disk did not take something: it is full, or fails. */
export class StorageFailure extends Error {}

/** Another tab has taken the data over: what this one wants to write is out of date. */
export class TakenOver extends Error {}

const DATABASE = 'khaosat';
const VERSION = 1;
const [RECORDS, SEALED, VAULT] = ['records', 'sealed', 'vault'];
const STORES = [RECORDS, SEALED, VAULT];
const STATE = 'state';
const HOLDER = 'holder';
/** What stands before the number of a sealed entry that outlived its records. */
const KEPT = 'kept';

/** The opened database. Every write is refused once another tab holds the data. */
export class Storage {
  readonly #database: IDBDatabase;
  readonly #holder: string;

  private constructor(database: IDBDatabase, holder: string) {
    this.#database = database;
    this.#holder = holder;
    // A newer version of the app in another tab may change the database's shape; this one then has to start again.
    database.onversionchange = () => database.close();
  }

  /** Opens the database and writes down that from now on this tab holds it. */
  static async open(): Promise<Storage> {
    const opening = indexedDB.open(DATABASE, VERSION);
    opening.onupgradeneeded = () => {
      for (const store of STORES) opening.result.createObjectStore(store);
    };
    const storage = new Storage(await result(opening), crypto.randomUUID());
    await storage.#write([VAULT], (transaction) => {
      transaction.objectStore(VAULT).put(storage.#holder, HOLDER);
    });
    return storage;
  }

  /** Lets the database go. */
  close(): void {
    this.#database.close();
  }

  /** What opens the records, or null before the first PIN. */
  async vault(): Promise<VaultState | null> {
    const store = this.#database.transaction(VAULT).objectStore(VAULT);
    return ((await result(store.get(STATE))) as VaultState | undefined) ?? null;
  }

  /** All records by their numbers; what is in them is not looked at. */
  async records(): Promise<[id: number, record: unknown][]> {
    const store = this.#database.transaction(RECORDS).objectStore(RECORDS);
    const [ids, records] = await Promise.all([result(store.getAllKeys()), result(store.getAll())]);
    return ids.map((id, index) => [id as number, records[index]]);
  }

  /**
   * Makes changes durable, all of them or none.
   *
   * @throws StorageFailure when the disk does not take them.
   * @throws TakenOver when another tab holds the data.
   */
  async commit(changes: Changes): Promise<void> {
    await this.#commit((transaction) => {
      const records = transaction.objectStore(RECORDS);
      const sealed = transaction.objectStore(SEALED);
      for (const [id, record] of changes.put ?? []) records.put(record, id);
      for (const id of changes.delete ?? []) records.delete(id);
      for (const [id, content] of changes.sealed ?? []) sealed.put(content, id);
      for (const id of changes.unsealed ?? []) sealed.delete(id);
      if (changes.vault !== undefined) transaction.objectStore(VAULT).put(changes.vault, STATE);
    });
  }

  /**
   * Forgets the records and their key. Sealed entries stay: they get names that no later core gives, and the rescue page
   * finds them.
   */
  async wipe(): Promise<void> {
    const wipedAt = Date.now();
    await this.#commit((transaction) => {
      transaction.objectStore(RECORDS).clear();
      transaction.objectStore(VAULT).delete(STATE);
      const sealed = transaction.objectStore(SEALED);
      // Numbers come before all other kinds of keys.
      const walk = sealed.openCursor(IDBKeyRange.upperBound(Infinity));
      walk.onsuccess = () => {
        const cursor = walk.result;
        if (cursor === null) return;
        sealed.put(cursor.value, [KEPT, wipedAt, cursor.key as number]);
        cursor.delete();
        cursor.continue();
      };
    });
  }

  #commit(change: (transaction: IDBTransaction) => void): Promise<void> {
    return this.#write(STORES, (transaction, refuse) => {
      // Read within the transaction: locks alone do not stop a tab that was only slow.
      const holder = transaction.objectStore(VAULT).get(HOLDER);
      holder.onsuccess = () => {
        if (holder.result !== this.#holder) refuse(new TakenOver());
        else change(transaction);
      };
    });
  }

  #write(
    stores: string[],
    change: (transaction: IDBTransaction, refuse: (reason: Error) => void) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let transaction: IDBTransaction;
      try {
        transaction = this.#database.transaction(stores, 'readwrite', { durability: 'strict' });
      } catch (error) {
        reject(new StorageFailure(String(error)));
        return;
      }
      let refusal: Error | null = null;
      transaction.oncomplete = () => resolve();
      transaction.onabort = () =>
        reject(refusal ?? new StorageFailure(String(transaction.error ?? 'aborted')));
      change(transaction, (reason) => {
        refusal = reason;
        transaction.abort();
      });
    });
  }
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new StorageFailure(String(request.error)));
  });
}
