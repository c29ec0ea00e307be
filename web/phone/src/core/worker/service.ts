/** The worker as pages see it: who may ask for what now, and one request after the other. */

import type { WorkerEvent, WorkerStatus } from '../messages.ts';
import { Refused, type RequestName, type SyncState } from '../protocol.ts';
import { Engine, type Answer } from './engine.ts';
import { Exchange } from './exchange.ts';
import { TabLock } from './lock.ts';
import type { StartCore } from './instance.ts';
import { problem, type Language, type ProblemName } from '../problems.ts';
import { Storage, StorageFailure, TakenOver, type VaultState } from './storage.ts';
import {
  createVault,
  isAcceptable,
  oneMoreAttempt,
  openVault,
  pausedUntil,
  WIPED_AFTER,
  type DeriveKey,
} from './vault.ts';

/** The costs of a derivation that is only to be practised: enough for the browser to take notice. */
const WARM_UP = { memoryKib: 1024, iterations: 1 };

/** The opened records and what exchanges them with the server. */
interface Unlocked {
  engine: Engine;
  exchange: Exchange;
}

/** Answers the requests of one page. */
export class Service {
  readonly #startCore: StartCore;
  readonly #tell: (event: WorkerEvent) => void;
  readonly #lock: TabLock;
  #queue: Promise<unknown> = Promise.resolve();
  #language: Language = 'vi';
  /** Null while another tab holds the data. */
  #storage: Storage | null = null;
  /** As on the disk, while locked. */
  #vault: VaultState | null = null;
  #unlocked: Unlocked | null = null;
  #heldElsewhere = false;
  #beginning: Promise<void> | null = null;

  constructor(startCore: StartCore, tell: (event: WorkerEvent) => void) {
    this.#startCore = startCore;
    this.#tell = tell;
    this.#lock = new TabLock({
      gained: () => void this.#inTurn(() => this.#open()).catch(report),
      asked: () => this.#inTurn(() => this.#giveUp()).catch(report),
      lost: () => void this.#inTurn(() => this.#giveUp()).catch(report),
    });
  }

  /**
   * Answers a request.
   *
   * @throws Refused when it is refused; nothing was changed then.
   */
  async ask(name: RequestName, argument: unknown): Promise<unknown> {
    if (!isSecureContext) this.#refuse('insecure');
    await this.#begin();
    switch (name) {
      case 'status':
        return this.#status();
      case 'take_over':
        if (this.#heldElsewhere) {
          await this.#lock.takeOver();
          await this.#inTurn(() => this.#open());
        }
        return this.#status();
      case 'set_language':
        return this.#setLanguage((argument as { language: Language }).language);
      case 'create_pin':
        return this.#inTurn(() => this.#createPin((argument as { pin: string }).pin));
      case 'unlock':
        return this.#inTurn(() => this.#unlock((argument as { pin: string }).pin));
      case 'lock':
        await this.#inTurn(() => this.#lockUp());
        return this.#tellStatus();
      case 'invitation':
        return this.#invitation((argument as { code: string }).code);
      case 'enrol':
        return this.#enrol(argument as { code: string; name?: string });
      case 'sync':
        return this.#opened().exchange.sync();
      case 'sync_state': {
        const { exchange } = this.#opened();
        return exchange.withRetry((await this.#askCore(name, null)).value as SyncState);
      }
      default:
        return withBytes(await this.#askCore(name, ...withParts(argument)));
    }
  }

  /** Now may be a good time to reach the server. */
  wake(): void {
    if (this.#unlocked?.engine.vault.enrolled === true) this.#unlocked.exchange.wake();
  }

  #opened(): Unlocked {
    if (this.#heldElsewhere) this.#refuse('held-elsewhere');
    return this.#unlocked ?? this.#refuse(this.#vault === null ? 'no-pin' : 'locked');
  }

  /** Opens the storage once, if no other tab holds it; where that fails, the next request tries again. */
  #begin(): Promise<void> {
    this.#beginning ??= (async () => {
      if (await this.#lock.acquire()) await this.#open();
      else this.#heldElsewhere = true;
    })();
    return this.#beginning.catch((error: unknown) => {
      this.#beginning = null;
      report(error);
      return this.#refuse('storage-unreadable');
    });
  }

  async #open(): Promise<void> {
    this.#storage = await Storage.open();
    this.#vault = await this.#storage.vault();
    this.#heldElsewhere = false;
    this.#tellStatus();
    if (this.#vault !== null) void this.#warmUp();
  }

  /**
   * Uses the time in which the PIN is being entered: the core is fetched and compiled, and a key that nobody needs is
   * derived at little cost. The browser then compiles what derives keys a second time, for speed, before the real one.
   * Before there is a PIN, the app's files are still on their way, and must not be fetched twice.
   */
  async #warmUp(): Promise<void> {
    try {
      const derive = await this.#deriver();
      await derive('', crypto.getRandomValues(new Uint8Array(16)), WARM_UP);
    } catch {
      // Whoever needs the core tries again, and is told why it fails.
    }
  }

  /** Another tab takes the data over. */
  async #giveUp(): Promise<void> {
    await this.#lockUp();
    this.#storage?.close();
    this.#storage = null;
    this.#heldElsewhere = true;
    this.#tellStatus();
  }

  async #createPin(pin: string): Promise<WorkerStatus> {
    const storage = this.#held();
    if (this.#unlocked !== null || this.#vault !== null) this.#refuse('pin-exists');
    if (!isAcceptable(pin)) this.#refuse('weak-pin');
    const { key, state } = await createVault(pin, await this.#deriver());
    await this.#commit(storage, state);
    await this.#start(storage, key, state);
    return this.#tellStatus();
  }

  async #unlock(pin: string): Promise<WorkerStatus> {
    const storage = this.#held();
    if (this.#unlocked !== null) return this.#status();
    const vault = this.#vault ?? this.#refuse('no-pin');
    if (pausedUntil(vault, Date.now()) !== null) this.#refuse('pin-pause');
    const derive = await this.#deriver();
    // Counted before it is tried: to close the app in between must not give an attempt for nothing.
    const counted = { ...vault, ...oneMoreAttempt(vault, Date.now()) };
    await this.#commit(storage, counted);
    let key: CryptoKey | null;
    try {
      key = await openVault(pin, counted, derive);
    } catch (error) {
      // The PIN was not tried, for example for want of memory.
      await this.#commit(storage, vault);
      report(error);
      return this.#refuse('core-failed');
    }
    if (key === null) return this.#wrongPin(storage, counted);
    const right = { ...counted, wrongPins: 0, pauseUntil: null };
    await this.#commit(storage, right);
    await this.#start(storage, key, right);
    // Not at once: to prepare what is to be sent would keep the list waiting.
    if (right.enrolled) this.#opened().exchange.soon();
    return this.#tellStatus();
  }

  async #wrongPin(storage: Storage, vault: VaultState): Promise<never> {
    const wipe = vault.wrongPins >= WIPED_AFTER && !vault.draft;
    if (wipe) {
      await storage.wipe();
      this.#vault = null;
    }
    this.#tellStatus();
    return this.#refuse(wipe ? 'wiped' : 'wrong-pin');
  }

  async #start(storage: Storage, key: CryptoKey, vault: VaultState): Promise<void> {
    const engine = new Engine(
      storage,
      this.#startCore,
      key,
      vault,
      () => this.#language,
      () => this.#tellStatus(),
    );
    await engine.start();
    const exchange: Exchange = new Exchange(
      (name, argument, parts) =>
        this.#inTurn(() => {
          // The core may be another by now.
          if (this.#unlocked?.exchange !== exchange) this.#refuse('locked');
          return engine.ask(name, argument, parts);
        }),
      this.#tell,
    );
    this.#unlocked = { engine, exchange };
  }

  async #lockUp(): Promise<void> {
    if (this.#unlocked === null) return;
    const { engine, exchange } = this.#unlocked;
    exchange.stop();
    try {
      // What was answered becomes a change. Where that fails, the draft stays as it is on the disk.
      await engine.ask('leave_draft', null);
    } catch (error) {
      report(error);
    }
    this.#vault = engine.vault;
    this.#unlocked = null;
  }

  async #invitation(code: string): Promise<unknown> {
    const state = await this.#opened().exchange.begin({
      name: 'begin_invitation',
      argument: { code },
    });
    if (state.problem !== null) throw new Refused(state.problem);
    return (await this.#askCore('invited', null)).value;
  }

  async #enrol({ code, name }: { code: string; name?: string }): Promise<unknown> {
    const { engine, exchange } = this.#opened();
    const taken = name ?? null;
    const state = await exchange.begin({
      name: 'begin_enrolment',
      argument: { code, name: taken },
    });
    if (state.problem !== null) throw new Refused(state.problem);
    await this.#inTurn(() => engine.enrolled());
    this.#tellStatus();
    exchange.soon();
    return (await this.#askCore('assignment', null)).value;
  }

  async #setLanguage(language: Language): Promise<null> {
    // A core is told the language when it is started.
    if (language === this.#language) return null;
    this.#language = language;
    if (this.#unlocked !== null) await this.#askCore('set_language', { language });
    return null;
  }

  /** Asks the core on behalf of a page. */
  async #askCore(
    name: string,
    argument: unknown,
    parts: readonly Uint8Array[] = [],
  ): Promise<Answer> {
    const answer = await this.#inTurn(() => this.#opened().engine.ask(name, argument, parts));
    // Whoever is told that it is done reads in the same moment that it is unsent. Decisions wait to be sent as well, though
    // nothing is sealed for them.
    if (answer.sealed || name === 'decide') await this.#announce();
    return answer;
  }

  /** Something waits to be sent: pages learn that, and it is sent soon. */
  async #announce(): Promise<void> {
    const exchange = this.#unlocked?.exchange;
    if (exchange === undefined) return;
    try {
      const { value } = await this.#askCore('sync_state', null);
      this.#tell({ kind: 'sync', state: exchange.withRetry(value as SyncState) });
      exchange.soon();
    } catch (error) {
      report(error);
    }
  }

  /** Derives keys by a core of its own: the memory that Argon2id takes is given back with it. */
  async #deriver(): Promise<DeriveKey> {
    try {
      const core = await this.#startCore();
      return async (pin, salt, { memoryKib, iterations }) => {
        const { value, parts } = core.call('derive_key', { pin, salt: 1, memoryKib, iterations }, [
          salt,
        ]);
        const key = parts[(value as { key: number }).key];
        if (key === undefined) throw new Error('the core derived no key');
        return key;
      };
    } catch (error) {
      report(error);
      return this.#refuse('core-missing');
    }
  }

  async #commit(storage: Storage, vault: VaultState): Promise<void> {
    await storage.commit({ vault });
    this.#vault = vault;
  }

  #held(): Storage {
    return this.#storage ?? this.#refuse('held-elsewhere');
  }

  /** Does things one after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work).catch((error: unknown) => this.#explain(error));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  #explain(error: unknown): never {
    if (error instanceof StorageFailure) {
      report(error);
      this.#refuse('storage-full');
    }
    if (error instanceof TakenOver) {
      void this.#inTurn(() => this.#giveUp()).catch(report);
      this.#refuse('held-elsewhere');
    }
    throw error;
  }

  #status(): WorkerStatus {
    const vault = this.#unlocked?.engine.vault ?? this.#vault;
    const record = this.#language === 'vi' ? 'bản ghi' : 'record';
    return {
      enrolled: vault?.enrolled ?? false,
      pinSet: vault !== null,
      locked: vault !== null && this.#unlocked === null,
      wrongPins: vault?.wrongPins ?? 0,
      pinPauseUntil: vault === null ? null : pausedUntil(vault, Date.now()),
      damaged: (this.#unlocked?.engine.damaged ?? []).map((id) => `${record} ${id}`),
      heldElsewhere: this.#heldElsewhere,
    };
  }

  #tellStatus(): WorkerStatus {
    const status = this.#status();
    this.#tell({ kind: 'status', status });
    return status;
  }

  #refuse(name: ProblemName): never {
    throw new Refused(problem(name, this.#language));
  }
}

/** A page's bytes go to the core as parts, which the argument names by their numbers; part 0 is never a page's. */
function withParts(argument: unknown): [argument: unknown, parts: Uint8Array[]] {
  if (argument === null || typeof argument !== 'object') return [argument, []];
  const parts: Uint8Array[] = [];
  const members = Object.entries(argument).map(([name, member]: [string, unknown]) => [
    name,
    member instanceof Uint8Array ? parts.push(member) : member,
  ]);
  return [Object.fromEntries(members), parts];
}

/** The core's bytes go to a page in the member `bytes`, where the core has put the number of their part. */
function withBytes({ value, parts }: Answer): unknown {
  if (value === null || typeof value !== 'object' || !('bytes' in value)) return value;
  return { ...value, bytes: parts[value.bytes as number] };
}

function report(error: unknown): void {
  console.error(error);
}
