/**
 * What was written and is not stored by the server yet. It is kept in the browser until then, over reloads and closed
 * tabs, and sent by one tab only. An item keeps its `clientMessageId` through all tries, so the server answers a repeat
 * with the message it already has, and a lost answer never makes a message twice.
 */
/** @import { ClientStorage, Clock, OutboxItem, StorageKey } from './types.js' */
/** @import { Message } from './wire.js' */
import { asChatError, ChatError } from './errors.js';
import { Tabs } from './tabs.js';
import { delayBefore, pause } from './time.js';

const KIND = 'outbox';
const MOST_ITEMS = 500;
const DAY_MS = 24 * 3600_000;
const SENT_WITHIN_MS = 7 * DAY_MS; // what is older is not sent unasked: the moment for it has passed
const KEPT_MS = 30 * DAY_MS;
const MOST_FAULTS = 6; // INTERNAL_ERROR may be this message's own fault, and must not hold up the chat for ever
const FAULT = 'INTERNAL_ERROR';
// They speak of the user's token and not of the message, which waits for the next connection.
const OF_THE_TOKEN = new Set(['UNAUTHENTICATED', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'TOKEN_REVOKED', 'USER_BLOCKED']);

// Not crypto.randomUUID(): that one is missing on plain http, where a phone on the office network may well be.
function newClientMessageId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const TOO_OLD = new ChatError({ code: 'TOO_OLD', message: 'It waited for more than a week. Send it now?', retryable: true }).toJSON();

/**
 * What was read may be damaged, or of another version of this file.
 *
 * @param {any} value
 * @returns {value is OutboxItem}
 */
const isItem = (value) => typeof value?.clientMessageId === 'string' && Number.isInteger(value.chatId)
  && typeof value.content === 'string' && Number.isFinite(value.order) && Number.isFinite(value.queuedAt)
  && ['pending', 'failed'].includes(value.status);

/** @type {(a: OutboxItem, b: OutboxItem) => number} */
const byOrder = (a, b) => a.order - b.order;

export class Outbox {
  /**
   * Oldest first.
   *
   * @type {OutboxItem[]}
   */
  items = [];

  #deliver; #storage; #clock; #tabsOptions; #onChange; #onSent; #onFailure;
  /** @type {string | null} */
  #account = null;
  /** @type {Tabs | null} */
  #tabs = null;
  #isConnected = false;
  /** @type {Set<number>} the chats with a loop that sends */
  #sending = new Set();
  /** @type {Set<{end: () => void}>} */
  #pauses = new Set();

  /**
   * `deliver(item)` sends one item, answers the stored message, and rejects with a ChatError. `onSent(message)` is
   * called in each tab, `onFailure(error)` when an item has failed for good.
   *
   * @param {object} parts
   * @param {(item: OutboxItem) => Promise<Message>} parts.deliver
   * @param {ClientStorage} parts.storage
   * @param {Clock} parts.clock
   * @param {() => LockManager | undefined} parts.locks
   * @param {(name: string) => BroadcastChannel} parts.openChannel
   * @param {(items: OutboxItem[]) => void} parts.onChange
   * @param {(message: Message) => void} parts.onSent
   * @param {(error: ChatError) => void} parts.onFailure
   */
  constructor({ deliver, storage, clock, locks, openChannel, onChange, onSent, onFailure }) {
    this.#deliver = deliver;
    this.#storage = storage;
    this.#clock = clock;
    this.#tabsOptions = { locks, openChannel };
    this.#onChange = onChange;
    this.#onSent = onSent;
    this.#onFailure = onFailure;
  }

  // ---- whose it is, and who sends

  /**
   * Read what this user left unsent. Items written before the user was known are the user's.
   *
   * @param {string} account
   */
  async open(account) {
    if (account === this.#account && this.#tabs) return;
    this.#tabs?.close();
    const written = this.#account === null ? this.items : [];
    this.#account = account;
    this.#tabs = new Tabs({
      ...this.#tabsOptions,
      name: `chatgateway-outbox:${account}`,
      onMessage: (message) => this.#hear(message),
      onLead: () => this.#read().then(() => this.flush()),
    });
    this.#replace(written);
    written.forEach((item) => this.#put(item));
    if (this.#isConnected) this.#tabs.lead();
    await this.#read();
  }

  /** The user is connected as the account that is open: send, unless another tab does. */
  start() {
    this.#isConnected = true;
    this.#tabs?.lead();
    this.flush();
  }

  /** The user looks at this tab, so it sends from now on. */
  takeOver() {
    if (this.#isConnected) this.#tabs?.takeOver();
  }

  stop() {
    this.#isConnected = false;
    this.#tabs?.yield();
    this.#pauses.forEach((each) => each.end());
  }

  /** Let go of the other tabs; what is pending stays where it is kept. */
  close() {
    this.stop();
    this.#tabs?.close();
    this.#tabs = null;
  }

  /** Whether something waits that would be lost if this page were closed now. */
  get isAtRisk() {
    return this.items.some((item) => item.status === 'pending'
      && !(this.#account !== null && this.#storage.isKept(this.#keyOf(item.clientMessageId))));
  }

  // ---- what the user does

  /**
   * Throws a ChatError when the outbox is full.
   *
   * @param {Pick<OutboxItem, 'chatId' | 'content' | 'replyToId' | 'metadata'>} message
   */
  add(message) {
    if (this.items.length >= MOST_ITEMS) {
      throw new ChatError({ code: 'OUTBOX_FULL', message: `${MOST_ITEMS} messages are waiting to be sent already.` });
    }
    const now = this.#clock.now();
    /** @type {OutboxItem} */
    const item = {
      ...message,
      clientMessageId: newClientMessageId(),
      status: 'pending',
      error: null,
      createdAt: new Date(now).toISOString(),
      queuedAt: now,
      order: Math.max(now, (this.items.at(-1)?.order ?? 0) + 1),
    };
    this.#put(item);
    this.flush();
    return item.clientMessageId;
  }

  /** @param {string} clientMessageId */
  retry(clientMessageId) {
    this.#change(clientMessageId, { status: 'pending', error: null, queuedAt: this.#clock.now() });
    this.flush();
  }

  /**
   * @param {string | null} clientMessageId
   * @param {Message | null} [sent] the message, where the server has it
   */
  remove(clientMessageId, sent = null) {
    if (clientMessageId === null || !this.#find(clientMessageId)) return;
    if (this.#account !== null) this.#storage.delete(this.#keyOf(clientMessageId));
    this.#tabs?.tell({ remove: clientMessageId, sent });
    this.#drop(clientMessageId);
  }

  /** Discard all. */
  clear() {
    this.items.forEach(({ clientMessageId }) => this.remove(clientMessageId));
  }

  // ---- sending: one message of a chat at a time, which keeps the order in which they were written

  flush() {
    if (!this.#isReady()) return;
    for (const { chatId, status } of this.items) {
      if (status === 'pending' && !this.#sending.has(chatId)) this.#sendAllOf(chatId);
    }
  }

  #isReady() {
    return this.#isConnected && this.#tabs !== null && this.#tabs.leads;
  }

  /** @param {number} chatId */
  async #sendAllOf(chatId) {
    this.#sending.add(chatId);
    const next = () => this.items.find((item) => item.chatId === chatId && item.status === 'pending');
    let failures = 0;
    /** @type {OutboxItem | undefined} */
    let item;
    while (this.#isReady() && (item = next())) {
      const error = await this.#attempt(item);
      failures = error ? failures + 1 : 0;
      if (!error || !this.#isReady()) continue;
      const mayPass = error.retryable ? error.code !== FAULT || failures < MOST_FAULTS : OF_THE_TOKEN.has(error.code);
      if (mayPass) await this.#wait(delayBefore(error, failures));
      else failures = this.#fail(item, error);
    }
    this.#sending.delete(chatId);
  }

  /**
   * Answers the error, or null.
   *
   * @param {OutboxItem} item
   */
  async #attempt(item) {
    try {
      this.#finish(item, await this.#deliver(item));
      return null;
    } catch (error) {
      return asChatError(error);
    }
  }

  /**
   * @param {OutboxItem} item
   * @param {Message} message
   */
  #finish({ clientMessageId }, message) {
    this.#onSent(message);
    this.remove(clientMessageId, message);
  }

  /**
   * @param {OutboxItem} item
   * @param {ChatError} error
   */
  #fail({ clientMessageId }, error) {
    this.#change(clientMessageId, { status: 'failed', error: error.toJSON() });
    this.#onFailure(error);
    return 0;
  }

  /** @param {number} ms */
  async #wait(ms) {
    const wait = pause(this.#clock, ms);
    this.#pauses.add(wait);
    await wait.over;
    this.#pauses.delete(wait);
  }

  // ---- keeping

  /**
   * @param {string} clientMessageId
   * @returns {StorageKey}
   */
  #keyOf(clientMessageId) {
    return [/** @type {string} */ (this.#account), KIND, clientMessageId];
  }

  /** @param {string} clientMessageId */
  #find(clientMessageId) {
    return this.items.find((item) => item.clientMessageId === clientMessageId);
  }

  async #read() {
    const account = /** @type {string} */ (this.#account);
    const stored = await this.#storage.list(account, KIND);
    if (account !== this.#account) return;
    this.#replace(stored.filter(isItem).sort(byOrder));
    this.items.forEach((item) => this.#age(item));
  }

  /** @param {OutboxItem} item */
  #age({ clientMessageId, status, queuedAt }) {
    const age = this.#clock.now() - queuedAt;
    if (age > KEPT_MS) this.remove(clientMessageId);
    else if (age > SENT_WITHIN_MS && status === 'pending') this.#change(clientMessageId, { status: 'failed', error: TOO_OLD });
  }

  /** @param {OutboxItem} item */
  #save(item) {
    if (this.#account !== null) this.#storage.put(this.#keyOf(item.clientMessageId), item);
  }

  /**
   * What another tab did.
   *
   * @param {{put?: OutboxItem, remove?: string, sent?: Message | null}} message
   */
  #hear({ put, remove, sent }) {
    if (put) {
      this.#take(put);
      if (put.status === 'failed') this.#onFailure(new ChatError(put.error ?? {}));
      this.flush();
    }
    if (remove) {
      if (sent) this.#onSent(sent);
      this.#drop(remove);
    }
  }

  /**
   * @param {string} clientMessageId
   * @param {Partial<OutboxItem>} patch
   */
  #change(clientMessageId, patch) {
    const item = this.#find(clientMessageId);
    if (item) this.#put({ ...item, ...patch });
  }

  /** @param {OutboxItem} item */
  #put(item) {
    this.#save(item);
    this.#tabs?.tell({ put: item });
    this.#take(item);
  }

  /** @param {OutboxItem} item */
  #take(item) {
    const others = this.items.filter(({ clientMessageId }) => clientMessageId !== item.clientMessageId);
    this.#replace([...others, item].sort(byOrder));
  }

  /** @param {string} clientMessageId */
  #drop(clientMessageId) {
    this.#replace(this.items.filter((item) => item.clientMessageId !== clientMessageId));
  }

  /** @param {OutboxItem[]} items */
  #replace(items) {
    this.items = items;
    this.#onChange(items);
  }
}
