/**
 * Where the outbox and the drafts are kept: IndexedDB, and memory for what cannot be written there. A browser may
 * forbid storage, be full, or never answer; then the page works as before, for as long as it is open.
 *
 * A key is [account, kind, id]: what one user wrote is never listed for another.
 */
/** @import { Clock, StorageKey } from './types.js' */
import { systemClock, withTimeLimit } from './time.js';

const DATABASE = 'chatgateway';
const ENTRIES = 'entries';
const OPENING_LIMIT_MS = 3_000;

/** @param {StorageKey} key */
const nameOf = (key) => JSON.stringify(key);

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const answerOf = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
  /** @type {any} */ (request).onblocked = () => reject(new Error('the database is blocked'));
});

/** IndexedDB where there is one, otherwise memory. Give one to the clients of one page that follow each other. */
export class BrowserStorage {
  #clock; #factory;
  /** @type {Promise<IDBDatabase> | null} rejected for good where there is no storage */
  #database = null;
  /** @type {Map<string, {key: StorageKey, value: unknown, failed: boolean}>} newer than the database; undefined: deleted */
  #unwritten = new Map();

  /**
   * `indexedDB` is a function, since the mere access may throw.
   *
   * @param {{indexedDB?: () => IDBFactory | undefined, clock?: Clock}} [parts]
   */
  constructor({ indexedDB = () => globalThis.indexedDB, clock = systemClock } = {}) {
    this.#factory = indexedDB;
    this.#clock = clock;
  }

  /**
   * Keep a value, which can be cloned.
   *
   * @param {StorageKey} key
   * @param {unknown} value
   */
  put(key, value) { return this.#write(key, value, (entries) => entries.put(value, key)); }
  /**
   * Delete a value.
   *
   * @param {StorageKey} key
   */
  delete(key) { return this.#write(key, undefined, (entries) => entries.delete(key)); }

  /**
   * The values of one kind of one account, in the order of their ids.
   *
   * @param {string} account
   * @param {string} kind
   * @returns {Promise<unknown[]>}
   */
  async list(account, kind) {
    /** @type {Map<string, unknown>} */
    const found = new Map();
    try {
      const range = globalThis.IDBKeyRange.bound([account, kind], [account, kind, []]);
      const entries = (await this.#open()).transaction(ENTRIES).objectStore(ENTRIES);
      const [keys, values] = await Promise.all([answerOf(entries.getAllKeys(range)), answerOf(entries.getAll(range))]);
      keys.forEach((key, index) => found.set(nameOf(/** @type {any} */ (key)), values[index]));
    } catch {
      // No storage: what is in memory is all there is.
    }
    for (const [name, { key, value }] of this.#unwritten) {
      if (key[0] === account && key[1] === kind) found.set(name, value);
    }
    return [...found.values()].filter((value) => value !== undefined);
  }

  /**
   * Whether the value will outlive this page, as far as is known.
   *
   * @param {StorageKey} key
   */
  isKept(key) {
    return !this.#unwritten.get(nameOf(key))?.failed;
  }

  /**
   * Never rejects. The entry stays in memory until the database has it, so a failure loses nothing while the page lives.
   *
   * @param {StorageKey} key
   * @param {unknown} value
   * @param {(entries: IDBObjectStore) => void} change
   */
  async #write(key, value, change) {
    const name = nameOf(key);
    const entry = { key, value, failed: false };
    this.#unwritten.set(name, entry);
    try {
      const transaction = (await this.#open()).transaction(ENTRIES, 'readwrite');
      const done = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      change(transaction.objectStore(ENTRIES));
      transaction.commit?.(); // now, and not when the page gets round to it: it may be closed in this moment
      await done;
      if (this.#unwritten.get(name) === entry) this.#unwritten.delete(name);
    } catch {
      entry.failed = true;
    }
  }

  #open() {
    this.#database ??= withTimeLimit(
      this.#clock, OPENING_LIMIT_MS, this.#openNow(), () => new Error('the database does not open'),
    );
    return this.#database;
  }

  async #openNow() {
    const request = /** @type {IDBFactory} */ (this.#factory()).open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(ENTRIES);
    const database = await answerOf(request);
    const forget = () => {
      this.#database = null; // the next use opens it again
    };
    database.onclose = forget;
    database.onversionchange = () => {
      database.close();
      forget();
    };
    return database;
  }
}
