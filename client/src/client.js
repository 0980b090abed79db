/**
 * A client for ChatGateway without any user interface. It gets `io` of socket.io-client by its options; index.js
 * brings the one that is installed.
 */
import { Connection } from './connection.js';
import { Drafts } from './drafts.js';
import { Emitter } from './emitter.js';
import { ChatError, noAnswer, noConnection, refusalIn } from './errors.js';
import { Outbox } from './outbox.js';
import { Rest } from './rest.js';
import { Rooms } from './rooms.js';
import { BrowserStorage } from './storage.js';
import { delayBefore, pause, systemClock } from './time.js';
import { TokenSource } from './token-source.js';

const ACK_TIMEOUT_MS = 10_000; // the server answers within 8 s; beyond that the answer was lost
const TYPING_RENEW_MS = 2_000;
const TYPING_IDLE_MS = 3_000;
const PRESENCE_AT_ONCE = 200;
const MOST_TRIES = 5;

export class ChatClient {
  /** The signed-in user, known from the first connect on. */
  user = null;

  #emitter = new Emitter();
  #clock; #base; #tokens; #rest; #connection; #rooms; #outbox; #drafts;
  #renewal = null;        // the renewal of the token that is under way
  #typing = new Map();    // chatId -> {sentAt, timer}
  #lastRead = new Map();  // chatId -> messageId
  #wake = () => this.#connection.wake();
  #onVisibility = () => {
    if (globalThis.document.visibilityState !== 'visible') return;
    this.#connection.wake();
    this.#outbox.takeOver();
  };

  /**
   * @param {object} options
   * @param {(wanted: {fresh: boolean}) => string | Promise<string>} options.getToken asked before every connect and
   *   every REST request; with `fresh: true` when the last token has run out, is about to, or was refused. It may fail
   *   or hang: it is asked again.
   * @param {Function} options.io `io` of socket.io-client
   * @param {string} [options.url] where the server is, with the path it is under; without it, the host of the page
   * @param {string} [options.path] the path of Socket.IO, otherwise `socket.io/` under that of `url`
   * @param {number | string} [options.userId] the user, where it is known before the first connect: then unsent
   *   messages and drafts are there at once
   * @param {object} [options.storage] {put, delete, list, isKept}: where they are kept, otherwise IndexedDB
   * @param {Function} [options.fetch] otherwise the global one
   * @param {() => LockManager} [options.locks] otherwise navigator.locks
   * @param {(name: string) => BroadcastChannel} [options.openChannel] otherwise a BroadcastChannel
   * @param {object} [options.clock] {now, setTimeout, clearTimeout}
   */
  constructor({
    getToken, io, url = '', path, userId,
    clock = systemClock,
    storage = new BrowserStorage({ clock }),
    fetch = (...request) => globalThis.fetch(...request),
    locks = () => globalThis.navigator?.locks,
    openChannel = (name) => new globalThis.BroadcastChannel(name),
  }) {
    const base = new URL(url || '/', globalThis.location?.href);
    const folder = base.pathname.replace(/\/*$/, '');
    this.#clock = clock;
    this.#base = base.origin + folder;
    this.#tokens = new TokenSource({ getToken, clock });
    this.#rest = new Rest({
      base: this.#base, fetch, clock, token: () => this.#tokens.ask(), renew: () => this.#renewToken(),
    });
    this.#rooms = new Rooms({
      clock,
      request: (event, payload) => this.#request(event, payload),
      history: (chatId) => this.history(chatId),
      emit: (event, data) => this.#emit(event, data),
    });
    this.#drafts = new Drafts({ storage, clock, onChange: () => this.#emit('drafts') });
    this.#outbox = new Outbox({
      storage, clock, locks, openChannel,
      deliver: (item) => this.#deliver(item),
      onChange: (items) => this.#emit('outbox', items),
      onSent: (message) => this.#emit('sent', message),
      onFailure: (error) => this.#emit('error', error),
    });
    this.#connection = new Connection({
      io, clock,
      address: `${base.origin}/chat`,
      path: path ?? `${folder}/socket.io/`,
      tokens: this.#tokens,
      onConnect: (socket) => this.#onConnect(socket),
      onLost: () => this.#onLost(),
      onPush: (event, data) => this.#onPush(event, data),
      onState: (change) => this.#onState(change),
    });
    if (userId !== undefined && userId !== null) this.#openAccount(userId);
  }

  /** 'connecting' | 'online' | 'reconnecting' | 'closed' */
  get state() {
    return this.#connection.state;
  }

  /** Listen to an event of the server, or to one of the client's own. Returns the way to stop. */
  on(event, listener) {
    return this.#emitter.on(event, listener);
  }

  /** Connect, and stay connected until `disconnect()`. Called again it makes no second socket. */
  connect() {
    globalThis.addEventListener?.('online', this.#wake);
    globalThis.document?.addEventListener('visibilitychange', this.#onVisibility);
    if (this.user && this.state === 'closed') this.#openAccount(this.user.id);
    this.#connection.start();
  }

  disconnect() {
    this.#connection.stop();
  }

  /**
   * Follow a chat: join its room now and after every reconnect, and emit 'history' each time. With a `place` that
   * `placeOf` gave before, only what changed since is told.
   */
  open(chatId, place) {
    return this.#rooms.open(chatId, place);
  }

  /** Up to where a chat that is followed was told: {cursor, epoch}, or null before its first history. */
  placeOf(chatId) {
    return this.#rooms.placeOf(chatId);
  }

  async leave(chatId) {
    this.stopTyping(chatId);
    if (this.#rooms.close(chatId)) await this.#request('leaveChat', { chatId });
  }

  // ---- what a user does

  /**
   * Send now, or after the next reconnect, the next reload or in another tab. Answers the clientMessageId; 'outbox'
   * tells what becomes of it. Throws a ChatError, and emits it, when too much waits already.
   */
  send(chatId, content, { replyToId, metadata } = {}) {
    this.stopTyping(chatId);
    return this.#loudly(() => this.#outbox.add({ chatId, content, replyToId, metadata }));
  }

  retry(clientMessageId) { this.#outbox.retry(clientMessageId); }
  discard(clientMessageId) { this.#outbox.remove(clientMessageId); }

  /** Whether closing the page now would lose what waits to be sent: it waits, and could not be stored. */
  get hasUnstored() { return this.#outbox.isAtRisk; }

  /** What was begun in a chat and not sent. It is read at the start: 'drafts' tells when it is there. */
  draft(chatId) { return this.#drafts.get(chatId); }
  setDraft(chatId, text) { this.#drafts.set(chatId, text); }

  /** Delete all that this user left in this browser: unsent messages and drafts. */
  forget() {
    this.#outbox.clear();
    this.#drafts.clear();
  }

  /** Edits and deletions are not queued. Without a connection they are refused, and that is told by 'error', too. */
  async edit(messageId, content) { return (await this.#change('editMessage', { messageId, content }, 'edited')).data; }
  async delete(messageId) { return (await this.#change('deleteMessage', { messageId }, 'deleted')).data; }

  async presence(userIds) {
    const found = [];
    for (let start = 0; start < userIds.length; start += PRESENCE_AT_ONCE) {
      const some = userIds.slice(start, start + PRESENCE_AT_ONCE);
      found.push(...(await this.#patiently(() => this.#request('getPresence', { userIds: some }))).data);
    }
    return found;
  }

  /** Move the read cursor. It only moves forward, so an older id costs nothing. */
  async markRead(chatId, messageId) {
    if (this.state !== 'online' || messageId <= (this.#lastRead.get(chatId) ?? 0)) return;
    this.#lastRead.set(chatId, messageId);
    const isNewest = () => this.#lastRead.get(chatId) === messageId;
    const read = () => (isNewest() ? this.#request('markAsRead', { chatId, messageId }) : null);
    await this.#patiently(read).catch(() => isNewest() && this.#lastRead.delete(chatId));
  }

  /** Call it for each keystroke: it tells the others at most every two seconds, and stops by itself. */
  typing(chatId) {
    const typing = this.#typing.get(chatId) ?? { sentAt: -Infinity, timer: 0 };
    this.#typing.set(chatId, typing);
    this.#clock.clearTimeout(typing.timer);
    typing.timer = this.#clock.setTimeout(() => this.stopTyping(chatId), TYPING_IDLE_MS);
    if (this.#clock.now() - typing.sentAt < TYPING_RENEW_MS) return;
    typing.sentAt = this.#clock.now();
    // Volatile: a "typing" that waited for a reconnect would be a lie.
    this.#connection.socket?.volatile.emit('typing', { chatId, isTyping: true });
  }

  stopTyping(chatId) {
    if (!this.#typing.has(chatId)) return;
    this.#clock.clearTimeout(this.#typing.get(chatId).timer);
    this.#typing.delete(chatId);
    this.#connection.socket?.volatile.emit('typing', { chatId, isTyping: false });
  }

  // ---- REST

  /** Read any route: `get('/chats?limit=200')` answers the body. */
  get(path) { return this.#rest.get(path); }
  async chats() { return (await this.get('/chats')).data; }
  async participants(chatId) {
    const all = [];
    for (let next = '0'; next; ) {
      const { data, page } = await this.get(`/chats/${chatId}/participants?cursor=${next}`);
      all.push(...data);
      next = page?.nextCursor;
    }
    return all;
  }
  /** A page of messages, oldest first: {data, page: {hasBefore, oldestId, seq, ...}} */
  history(chatId, { before, limit = 50 } = {}) {
    return this.get(`/chat-messages?${new URLSearchParams({ chatId, limit, ...(before && { before }) })}`);
  }

  // ---- connection

  async #onConnect(socket) {
    const isCurrent = () => this.#connection.socket === socket;
    const { data, userId } = await this.#patiently(() => this.#request('authenticate'), isCurrent);
    if (!isCurrent()) return;
    this.user = data?.user ?? { id: userId };
    this.#openAccount(this.user.id);
  }

  #onState(change) {
    if (change.state === 'online') {
      this.#rooms.connected();
      this.#outbox.start();
    }
    if (change.state === 'closed') {
      globalThis.removeEventListener?.('online', this.#wake);
      globalThis.document?.removeEventListener('visibilitychange', this.#onVisibility);
      this.#outbox.close();
    }
    this.#emit('state', change);
  }

  #onLost() {
    this.#rooms.disconnected();
    this.#outbox.stop();
  }

  /** What one user wrote is kept apart from what others did, and apart for each server. */
  #openAccount(userId) {
    const account = `${this.#base} ${JSON.stringify(userId)}`;
    this.#drafts.open(account);
    this.#outbox.open(account);
  }

  #onPush(event, data) {
    if (event === 'error') return this.#emit('error', new ChatError(data));
    if (event === 'tokenExpiring') this.#renewInTime();
    if (event === 'sessionExpired' && data?.code === 'TOKEN_EXPIRED') this.#connection.expectFreshToken();
    if (event === 'newMessage' && data.message.senderId === this.user?.id) {
      this.#outbox.remove(data.message.clientMessageId, data.message);
    }
    this.#rooms.push(event, data);
  }

  // ---- tokens

  /** A new token, for the socket as well. Those who ask at the same time share one renewal. */
  #renewToken() {
    this.#renewal ??= this.#renewNow().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renewNow() {
    this.#connection.expectFreshToken(); // until it is here
    const token = await this.#tokens.ask({ fresh: true });
    if (this.#connection.socket?.connected) {
      await this.#requestOnce('authenticate', { token });
      this.#connection.expectFreshToken(false);
    }
    return token;
  }

  /** Tried until it succeeds or the server ends the connection, which is when the token has run out. */
  async #renewInTime() {
    const { socket } = this.#connection;
    for (let failures = 1; this.#connection.socket === socket; failures += 1) {
      try {
        return await this.#renewToken();
      } catch (error) {
        if (failures === 1) this.#emit('error', error);
        await pause(this.#clock, delayBefore(error, failures, { most: 10_000 })).over;
      }
    }
  }

  // ---- plumbing

  async #deliver({ chatId, content, clientMessageId, replyToId, metadata }) {
    return (await this.#request('sendMessage', { chatId, content, clientMessageId, replyToId, metadata })).data;
  }

  async #change(event, payload, done) {
    try {
      return await this.#request(event, payload);
    } catch (error) {
      if (error.code !== 'DISCONNECTED') throw error;
      return this.#loudly(() => {
        throw noConnection(`The message was not ${done}: there is no connection to the server. Try again when it is back.`);
      });
    }
  }

  #loudly(action) {
    try {
      return action();
    } catch (error) {
      this.#emit('error', error);
      throw error;
    }
  }

  /** Try again what may be tried again, a few times, while there is a connection to do so. */
  async #patiently(action, isWorthIt = () => this.#connection.socket !== null) {
    for (let failures = 1; ; failures += 1) {
      try {
        return await action();
      } catch (error) {
        if (!error.retryable || failures === MOST_TRIES || !isWorthIt()) throw error;
        await pause(this.#clock, delayBefore(error, failures)).over;
        if (!isWorthIt()) throw error;
      }
    }
  }

  /** Ask over the socket; if the token has run out, renew it and ask once more. */
  async #request(event, ...payload) {
    try {
      return await this.#requestOnce(event, ...payload);
    } catch (error) {
      if (error.code !== 'TOKEN_EXPIRED') throw error;
      await this.#renewToken();
      return this.#requestOnce(event, ...payload);
    }
  }

  async #requestOnce(event, ...payload) {
    const { socket } = this.#connection;
    if (!socket?.connected) throw noConnection();
    const ack = await socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, ...payload).catch(() => {
      throw socket.connected ? noAnswer() : noConnection();
    });
    if (!ack?.success) throw refusalIn(ack);
    return ack;
  }

  #emit(event, data) {
    this.#emitter.emit(event, data);
  }
}
