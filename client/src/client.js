/**
 * A client for ChatGateway without any user interface. It gets `io` of socket.io-client by its options; index.js
 * brings the one that is installed.
 */
/** @import { ChatClientOptions, ChatEvents, ClientState, OutboxItem, Place, RequestOptions } from './types.js' */
/** @import { SendOptions, RestRequest, StateChange } from './types.js' */
/** @import { ByExternalRef, Message, Presence, User, UserId } from './wire.js' */
import { Asker } from './asker.js';
import { Connection } from './connection.js';
import { Drafts } from './drafts.js';
import { Emitter } from './emitter.js';
import { asChatError, ChatError, noConnection } from './errors.js';
import { Outbox } from './outbox.js';
import { Renewal } from './renewal.js';
import { Rest } from './rest.js';
import { Rooms } from './rooms.js';
import { Routes } from './routes.js';
import { BrowserStorage } from './storage.js';
import { systemClock, unlessAborted } from './time.js';
import { TokenSource } from './token-source.js';
import { Typing } from './typing.js';

const PRESENCE_AT_ONCE = 200;

/**
 * A client that gets its `io` as an option.
 *
 * @template {object} [PluginEvents={}] the events that plugins of the server push, with their payloads
 */
export class ClientCore extends Routes {
  /**
   * The signed-in user, known from the first connect on.
   *
   * @type {(Partial<User> & {id: UserId}) | null}
   */
  user = null;

  #emitter = new Emitter();
  #base; #rest; #connection; #rooms; #outbox; #drafts; #typing;
  /** @type {Asker} */
  #asker;
  /** @type {Renewal} */
  #renewal;
  /** @type {Map<number, number>} chatId -> messageId */
  #lastRead = new Map();
  #wake = () => this.#connection.wake();
  #onVisibility = () => {
    if (globalThis.document.visibilityState !== 'visible') return;
    this.#connection.wake();
    this.#outbox.takeOver();
  };

  /** @param {ChatClientOptions & {io: NonNullable<ChatClientOptions['io']>}} options */
  constructor({
    getToken, io, url = '', path, userId,
    clock = systemClock,
    storage = new BrowserStorage({ clock }),
    fetch = (...request) => globalThis.fetch(...request),
    locks = () => globalThis.navigator?.locks,
    openChannel = (name) => new globalThis.BroadcastChannel(name),
  }) {
    super();
    const base = new URL(url || '/', globalThis.location?.href);
    const folder = base.pathname.replace(/\/*$/, '');
    this.#base = base.origin + folder;
    const tokens = new TokenSource({ getToken, clock });
    this.#rest = new Rest({
      base: this.#base, fetch, clock, token: () => tokens.ask(), renew: () => this.#renewal.now(),
    });
    this.#rooms = new Rooms({
      clock,
      request: (event, payload) => this.#asker.ask(event, payload),
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
      tokens,
      onConnect: (socket) => this.#onConnect(socket),
      onLost: () => this.#onLost(),
      onPush: (event, data) => this.#onPush(event, data),
      onState: (change) => this.#onState(change),
    });
    this.#asker = new Asker({ connection: this.#connection, clock, renew: () => this.#renewal.now() });
    this.#renewal = new Renewal({
      connection: this.#connection, asker: this.#asker, tokens, clock, onFailure: (error) => this.#emit('error', error),
    });
    this.#typing = new Typing({ connection: this.#connection, clock });
    if (userId !== undefined && userId !== null) this.#openAccount(userId);
  }

  /** What the connection does. @returns {ClientState} */
  get state() { return this.#connection.state; }

  /**
   * Listen to an event of the server, or to one of the client's own. Returns the function that stops it. A listener that
   * throws does not disturb the others.
   *
   * @template {keyof (ChatEvents & PluginEvents)} Name
   * @param {Name} event
   * @param {(data: (ChatEvents & PluginEvents)[Name]) => void} listener
   * @returns {() => void}
   */
  on(event, listener) {
    return this.#emitter.on(/** @type {string} */ (event), listener);
  }

  /** Connect, and stay connected until `disconnect()`. Called again it makes no second socket. */
  connect() {
    globalThis.addEventListener?.('online', this.#wake);
    globalThis.document?.addEventListener('visibilitychange', this.#onVisibility);
    if (this.user && this.state === 'closed') this.#openAccount(this.user.id);
    this.#connection.start();
  }

  /** Close, also while it connects. What waits to be sent stays where it is kept. */
  disconnect() { this.#connection.stop(); }
  /** Close the socket while the application is in the background. That is no error; what is written meanwhile waits. */
  pause() { this.#connection.pause(); }

  /** Connect again after `pause()`, and get what the followed chats missed. Without a pause it does nothing. */
  resume() { if (this.state === 'paused') this.#connection.start(); }

  /**
   * Follow a chat: join its room now and after every reconnect, and emit 'history' each time. With a `place` that
   * `placeOf` gave before, only what changed since is told. By its `externalRef`, the server makes the chat where the
   * token or the host gives the user a seat in it. Answers the chat's id.
   *
   * @param {number | ByExternalRef} chat
   * @param {Place | null} [place]
   * @returns {Promise<number>}
   */
  async open(chat, place) {
    const request = { method: 'POST', body: chat, idempotent: true };
    const chatId = typeof chat === 'number' ? chat : (await this.request('/chats/join', request)).data.id;
    await this.#rooms.open(chatId, place);
    return chatId;
  }

  /**
   * Up to where a chat that is followed was told; null before its first history.
   *
   * @param {number} chatId
   */
  placeOf(chatId) {
    return this.#rooms.placeOf(chatId);
  }

  /**
   * Stop following a chat. The user stays its participant.
   *
   * @param {number} chatId
   */
  async leave(chatId) {
    this.stopTyping(chatId);
    if (this.#rooms.close(chatId)) await this.#asker.ask('leaveChat', { chatId });
  }

  // ---- what a user does

  /**
   * Send now, or after the next reconnect, the next reload or in another tab. Answers the clientMessageId; 'outbox'
   * tells what becomes of it. Throws a ChatError, and emits it, when too much waits already.
   *
   * @param {number} chatId
   * @param {string} content
   * @param {SendOptions} [options]
   */
  send(chatId, content, { replyToId, metadata } = {}) {
    this.stopTyping(chatId);
    return this.#loudly(() => this.#outbox.add({ chatId, content, replyToId, metadata }));
  }

  /** Send a failed message again. @param {string} clientMessageId */
  retry(clientMessageId) { this.#outbox.retry(clientMessageId); }
  /** Delete a message that is not sent. @param {string} clientMessageId */
  discard(clientMessageId) { this.#outbox.remove(clientMessageId); }

  /** What waits to be sent, and what failed: what 'outbox' told last. */
  get outbox() { return this.#outbox.items; }

  /** Whether closing the page now would lose what waits to be sent: it waits, and could not be stored. */
  get hasUnstored() { return this.#outbox.isAtRisk; }

  /**
   * What was begun in a chat and not sent. It is read at the start: 'drafts' tells when it is there.
   *
   * @param {number} chatId
   */
  draft(chatId) { return this.#drafts.get(chatId); }
  /**
   * Keep what was begun in a chat; an empty text deletes it.
   *
   * @param {number} chatId
   * @param {string} text
   */
  setDraft(chatId, text) { this.#drafts.set(chatId, text); }

  /** Delete all that this user left in this browser: unsent messages and drafts. */
  forget() {
    this.#outbox.clear();
    this.#drafts.clear();
  }

  /**
   * Change the text of a message. Edits and deletions are not queued: without a connection they are refused, and 'error'
   * tells that, too. With `expectedRevision` an edit of somebody else in between is a refusal.
   *
   * @param {number} messageId
   * @param {string} content
   * @param {RequestOptions & {expectedRevision?: number | undefined}} [options]
   * @returns {Promise<Message>} as it is stored then
   */
  async edit(messageId, content, { expectedRevision, signal } = {}) {
    const payload = { messageId, content, expectedRevision };
    return (await unlessAborted(signal, this.#change('editMessage', payload, 'edited'))).data;
  }

  /**
   * Turn a message into a tombstone.
   *
   * @param {number} messageId
   * @param {RequestOptions} [options]
   * @returns {Promise<Message>} the tombstone
   */
  async delete(messageId, { signal } = {}) {
    return (await unlessAborted(signal, this.#change('deleteMessage', { messageId }, 'deleted'))).data;
  }

  /**
   * Who is online, in the order asked.
   *
   * @param {UserId[]} userIds
   * @param {RequestOptions} [options]
   * @returns {Promise<Presence[]>}
   */
  presence(userIds, { signal } = {}) { return unlessAborted(signal, this.#presence(userIds)); }

  /** @param {UserId[]} userIds */
  async #presence(userIds) {
    /** @type {Presence[]} */
    const found = [];
    for (let start = 0; start < userIds.length; start += PRESENCE_AT_ONCE) {
      const some = userIds.slice(start, start + PRESENCE_AT_ONCE);
      found.push(...(await this.#asker.patiently(() => this.#asker.ask('getPresence', { userIds: some }))).data);
    }
    return found;
  }

  /**
   * Move the read cursor. It only moves forward, so an older id costs nothing.
   *
   * @param {number} chatId
   * @param {number} messageId
   */
  async markRead(chatId, messageId) {
    if (this.state !== 'online' || messageId <= (this.#lastRead.get(chatId) ?? 0)) return;
    this.#lastRead.set(chatId, messageId);
    const isNewest = () => this.#lastRead.get(chatId) === messageId;
    const read = () => (isNewest() ? this.#asker.ask('markAsRead', { chatId, messageId }) : null);
    await this.#asker.patiently(read).catch(() => isNewest() && this.#lastRead.delete(chatId));
  }

  /**
   * Call it for each keystroke: it tells the others at most every two seconds, and stops by itself.
   *
   * @param {number} chatId
   */
  typing(chatId) { this.#typing.renew(chatId); }

  /**
   * Tell the others that the user writes no longer.
   *
   * @param {number} chatId
   */
  stopTyping(chatId) { this.#typing.stop(chatId); }

  /**
   * Ask any route, such as one of a plugin, with the token: `request('/polls', {method: 'POST', body})` answers the body
   * of the answer. A GET is tried again while the failure may pass; another method only with `idempotent`.
   *
   * @override
   * @param {string} path
   * @param {RestRequest} [request]
   */
  request(path, request) { return this.#rest.request(path, request); }

  // ---- connection

  /** @param {any} socket */
  async #onConnect(socket) {
    const isCurrent = () => this.#connection.socket === socket;
    const { data, userId } = await this.#asker.patiently(() => this.#asker.ask('authenticate'), isCurrent);
    if (!isCurrent()) return;
    const user = data?.user ?? { id: userId };
    this.user = user;
    this.#openAccount(user.id);
  }

  /** @param {StateChange} change */
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

  /**
   * What one user wrote is kept apart from what others did, and apart for each server.
   *
   * @param {UserId} userId
   */
  #openAccount(userId) {
    const account = `${this.#base} ${JSON.stringify(userId)}`;
    this.#drafts.open(account);
    this.#outbox.open(account);
  }

  /**
   * @param {string} event
   * @param {any} data
   */
  #onPush(event, data) {
    if (event === 'error') return this.#emit('error', new ChatError(data));
    if (event === 'tokenExpiring') this.#renewal.inTime();
    if (event === 'sessionExpired' && data?.code === 'TOKEN_EXPIRED') this.#connection.expectFreshToken();
    if (event === 'newMessage' && data.message.senderId === this.user?.id) {
      this.#outbox.remove(data.message.clientMessageId, data.message);
    }
    this.#rooms.push(event, data);
  }

  // ---- plumbing

  /** @param {OutboxItem} item */
  async #deliver({ chatId, content, clientMessageId, replyToId, metadata }) {
    return (await this.#asker.ask('sendMessage', { chatId, content, clientMessageId, replyToId, metadata })).data;
  }

  /**
   * @param {string} event
   * @param {object} payload
   * @param {string} done
   */
  async #change(event, payload, done) {
    try {
      return await this.#asker.ask(event, payload);
    } catch (error) {
      if (asChatError(error).code !== 'DISCONNECTED') throw error;
      return this.#loudly(() => {
        throw noConnection(`The message was not ${done}: there is no connection to the server. Try again when it is back.`);
      });
    }
  }

  /**
   * @template T
   * @param {() => T} action
   */
  #loudly(action) {
    try {
      return action();
    } catch (error) {
      this.#emit('error', error);
      throw error;
    }
  }

  /**
   * @param {string} event
   * @param {unknown} [data]
   */
  #emit(event, data) {
    this.#emitter.emit(event, data);
  }
}
