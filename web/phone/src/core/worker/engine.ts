/** Keeps the core's memory and the disk in agreement: what the core wants kept is on the disk before its reply counts. */

import { Refused } from '../protocol.ts';
import { changesSomething, type Bytes, type Reply, type StoreOrder } from './framing.ts';
import type { CoreModule, StartCore } from './instance.ts';
import { problem, type Language } from '../problems.ts';
import {
  StorageFailure,
  TakenOver,
  type Changes,
  type Storage,
  type VaultState,
} from './storage.ts';
import { decryptRecord, encryptRecord } from './vault.ts';

/** What the core answered, once it is durable. */
export interface Answer {
  value: unknown;
  parts: Bytes[];
  /** Whether changes were sealed that wait to be sent. */
  sealed: boolean;
}

/** What the core says when it has started. */
interface Started {
  enrolled: boolean;
  /** Records whose content it cannot use. */
  damaged?: number[];
}

/** The core over the opened records. */
export class Engine {
  readonly #storage: Storage;
  readonly #startCore: StartCore;
  readonly #key: CryptoKey;
  readonly #language: () => Language;
  readonly #restarted: () => void;
  #module: CoreModule | null = null;
  #vault: VaultState;
  #damaged: number[] = [];
  /** The request that opened the interview that is open. */
  #opening: { unit: string } | null = null;

  constructor(
    storage: Storage,
    startCore: StartCore,
    key: CryptoKey,
    vault: VaultState,
    language: () => Language,
    restarted: () => void,
  ) {
    this.#storage = storage;
    this.#startCore = startCore;
    this.#key = key;
    this.#vault = vault;
    this.#language = language;
    this.#restarted = restarted;
  }

  /** The vault as it is on the disk. */
  get vault(): VaultState {
    return this.#vault;
  }

  /** The numbers of the records that cannot be read. */
  get damaged(): readonly number[] {
    return this.#damaged;
  }

  /** Reads all records and starts the core with them. */
  async start(): Promise<void> {
    await this.#started();
  }

  async #started(): Promise<CoreModule> {
    const [module, records] = await Promise.all([this.#loadCore(), this.#readRecords()]);
    const reply = this.#call(
      module,
      'start',
      { language: this.#language(), records: records.ids, damaged: records.damaged },
      records.contents,
    );
    if (reply.problem !== null) throw new Refused(reply.problem);
    const { enrolled, damaged = [] } = reply.value as Started;
    await this.#keep(reply.order, { enrolled });
    this.#damaged = [...records.damaged, ...damaged];
    this.#module = module;
    return module;
  }

  /**
   * Asks the core. Afterwards memory and disk agree, whatever happened.
   *
   * @throws Refused when the core refuses, fails, or what it wants kept cannot be kept.
   */
  async ask(name: string, argument: unknown, parts: readonly Uint8Array[] = []): Promise<Answer> {
    const module = this.#module ?? (await this.#started());
    let reply: Reply;
    try {
      reply = this.#call(module, name, argument, parts);
      await this.#keep(reply.order, {});
    } catch (error) {
      this.#module = null;
      if (error instanceof TakenOver) throw error;
      await this.#restart();
      if (error instanceof StorageFailure) this.#refuse('storage-full');
      throw error;
    }
    if (reply.problem !== null) throw new Refused(reply.problem);
    if (name === 'open_interview') this.#opening = argument as { unit: string };
    if (name === 'leave_interview' || name === 'leave_draft') this.#opening = null;
    return { value: reply.value, parts: reply.parts, sealed: reply.order.sealed.length > 0 };
  }

  /** Writes down that a server knows this phone. */
  async enrolled(): Promise<void> {
    await this.#keep(null, { enrolled: true });
  }

  /**
   * The core may know what the disk does not, or be broken: a new one is told what is on the disk. The interview that is
   * open stays so.
   */
  async #restart(): Promise<void> {
    try {
      const module = await this.#started();
      if (this.#opening !== null) {
        const reply = this.#call(module, 'open_interview', this.#opening, []);
        await this.#keep(reply.order, {});
      }
    } catch (error) {
      this.#module = null;
      // Whoever asks next tries again, and is told then.
      console.error('the core does not start', error);
    }
    this.#restarted();
  }

  #call(module: CoreModule, name: string, argument: unknown, parts: readonly Uint8Array[]): Reply {
    try {
      return module.call(name, argument, parts);
    } catch (error) {
      console.error(`the core failed at ${name}`, error);
      return this.#refuse('core-failed');
    }
  }

  #refuse(name: 'core-failed' | 'core-missing' | 'storage-full'): never {
    throw new Refused(problem(name, this.#language()));
  }

  async #loadCore(): Promise<CoreModule> {
    try {
      return await this.#startCore();
    } catch (error) {
      console.error('the core cannot be loaded', error);
      return this.#refuse('core-missing');
    }
  }

  async #readRecords(): Promise<{ ids: number[]; contents: Bytes[]; damaged: number[] }> {
    const records = await this.#storage.records();
    const opened = await Promise.all(
      records.map(async ([id, record]) => ({
        id,
        content: await decryptRecord(this.#key, id, record),
      })),
    );
    const ids: number[] = [];
    const contents: Bytes[] = [];
    const damaged: number[] = [];
    for (const { id, content } of opened) {
      if (content === null) {
        damaged.push(id);
      } else {
        ids.push(id);
        contents.push(content);
      }
    }
    return { ids, contents, damaged };
  }

  async #keep(order: StoreOrder | null, known: Partial<VaultState>): Promise<void> {
    const draft = order?.draft ?? this.#vault.draft;
    const vault = { ...this.#vault, draft, ...known };
    const vaultChanges =
      vault.draft !== this.#vault.draft || vault.enrolled !== this.#vault.enrolled;
    if (!vaultChanges && (order === null || !changesSomething(order))) return;
    const changes: Changes = vaultChanges ? { vault } : {};
    if (order !== null) {
      const put = order.put.map(
        async ([id, content]) => [id, await encryptRecord(this.#key, id, content)] as const,
      );
      Object.assign(changes, { ...order, put: await Promise.all(put) });
    }
    await this.#storage.commit(changes);
    this.#vault = vault;
  }
}
