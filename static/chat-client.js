/**
 * A small client for ChatGateway. It needs socket.io-client and chat-outbox.js and knows nothing of any user
 * interface: copy the two files into your own application.
 *
 *   const chat = new ChatClient({ getToken: () => session.token });
 *   chat.on('history', ({ messages, reset }) => ...);   // the latest page, or what was missed while away
 *   chat.on('newMessage', ({ message }) => ...);        // every event of the server comes by its own name
 *   chat.on('outbox', (items) => ...);                  // what is not stored yet: pending or failed
 *   chat.connect();  chat.open(1);
 *   chat.send(1, 'Hello');
 *
 * Merge messages by `id` and keep the one with the higher `updatedSeq`: then the order in which answers and events
 * arrive does not matter.
 */
import { io } from './vendor/socket.io-4.8.4.esm.min.js';
import { Outbox } from './chat-outbox.js';

const ACK_TIMEOUT_MS = 10_000; // the server answers within 8 s; beyond that the answer was lost
const TYPING_RENEW_MS = 2_000;
const TYPING_IDLE_MS = 3_000;

/** The server's error model as an exception. Decide by `code`, show `message`. */
export class ChatError extends Error {
  constructor({ code, message, retryable, retryAfter, details, requestId } = {}) {
    super(message || 'Something went wrong.');
    this.name = 'ChatError';
    Object.assign(this, { code: code ?? 'INTERNAL_ERROR', retryable: retryable ?? false, retryAfter, details, requestId });
  }
}

const noConnection = () => new ChatError({ code: 'DISCONNECTED', message: 'There is no connection to the server.', retryable: true });

export class ChatClient {
  /** 'connecting' | 'online' | 'reconnecting' | 'closed' */
  state = 'closed';
  /** The signed-in user, known from the first connect on. */
  user = null;

  #url; #getToken; #outbox;
  #socket = null;
  #needsFreshToken = false;
  #listeners = new Map(); // event -> Set of listeners
  #rooms = new Map();     // chatId -> {chatId, cursor, epoch, held}
  #typing = new Map();    // chatId -> {sentAt, timer}
  #lastRead = new Map();  // chatId -> messageId

  /**
   * @param {{url?: string, getToken: (wanted: {fresh: boolean}) => string | Promise<string>}} options
   * `getToken` is asked before every connect; with `fresh: true` when the last token has run out or is about to.
   */
  constructor({ url = '', getToken }) {
    this.#url = url;
    this.#getToken = getToken;
    this.#outbox = new Outbox({
      deliver: (item) => this.#deliver(item),
      isReady: () => this.state === 'online',
      onChange: (items) => this.#emit('outbox', items),
      onFailure: (error) => this.#emit('error', error),
    });
  }

  /** Listens to an event of the server, or to 'state', 'history', 'outbox', 'sent', 'error'. Returns the way to stop. */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.#listeners.get(event).delete(listener);
  }

  connect() {
    this.#setState('connecting');
    const token = async () => this.#getToken({ fresh: this.#needsFreshToken });
    const socket = this.#socket = io(`${this.#url}/chat`, {
      auth: (answer) => token().then((value) => answer({ token: value }), () => answer({})),
      transports: ['websocket', 'polling'],
      tryAllTransports: true, // behind a proxy that lets no WebSocket through it falls back to long polling
      reconnectionDelayMax: 5_000,
      multiplex: false,
    });
    socket.on('connect', () => this.#onConnect());
    socket.on('disconnect', (reason) => this.#onDisconnect(reason));
    socket.on('connect_error', (error) => this.#onConnectError(error));
    socket.onAny((event, data) => this.#onPush(event, data));
  }

  disconnect() {
    this.#socket?.disconnect();
    this.#setState('closed');
  }

  /** Follows a chat: joins its room now and after every reconnect, and emits 'history' each time. */
  async open(chatId) {
    if (this.#rooms.has(chatId)) return;
    const room = { chatId, cursor: null, epoch: null, held: null };
    this.#rooms.set(chatId, room);
    if (this.state === 'online') await this.#persist(() => this.#rooms.get(chatId) === room && this.#enter(room));
  }

  async leave(chatId) {
    this.stopTyping(chatId);
    this.#rooms.delete(chatId);
    if (this.state === 'online') await this.#request('leaveChat', { chatId });
  }

  // ---- what a user does

  /** Sends now, or after the next reconnect. Answers the clientMessageId; watch 'outbox' for what becomes of it. */
  send(chatId, content, { replyToId, metadata } = {}) {
    this.stopTyping(chatId);
    return this.#outbox.add({ chatId, content, replyToId, metadata });
  }

  retry(clientMessageId) { this.#outbox.retry(clientMessageId); }
  discard(clientMessageId) { this.#outbox.remove(clientMessageId); }
  async edit(messageId, content) { return (await this.#request('editMessage', { messageId, content })).data; }
  async delete(messageId) { return (await this.#request('deleteMessage', { messageId })).data; }
  async presence(userIds) { return (await this.#request('getPresence', { userIds })).data; }

  /** Moves the read cursor. It only moves forward, so an older id costs nothing. */
  async markRead(chatId, messageId) {
    if (this.state !== 'online' || messageId <= (this.#lastRead.get(chatId) ?? 0)) return;
    this.#lastRead.set(chatId, messageId);
    await this.#request('markAsRead', { chatId, messageId }).catch(() => this.#lastRead.delete(chatId));
  }

  /** Call it for each keystroke: it tells the others at most every two seconds, and stops by itself. */
  typing(chatId) {
    const typing = this.#typing.get(chatId) ?? { sentAt: 0, timer: 0 };
    this.#typing.set(chatId, typing);
    clearTimeout(typing.timer);
    typing.timer = setTimeout(() => this.stopTyping(chatId), TYPING_IDLE_MS);
    if (Date.now() - typing.sentAt < TYPING_RENEW_MS) return;
    typing.sentAt = Date.now();
    // Volatile: a "typing" that waited for a reconnect would be a lie.
    this.#socket?.volatile.emit('typing', { chatId, isTyping: true });
  }

  stopTyping(chatId) {
    if (!this.#typing.has(chatId)) return;
    clearTimeout(this.#typing.get(chatId).timer);
    this.#typing.delete(chatId);
    this.#socket?.volatile.emit('typing', { chatId, isTyping: false });
  }

  // ---- REST

  async chats() { return (await this.#get('/chats')).data; }
  async participants(chatId) { return (await this.#get(`/chats/${chatId}/participants`)).data; }
  /** A page of messages, oldest first: {data, page: {hasBefore, oldestId, seq, ...}} */
  history(chatId, { before, limit = 50 } = {}) {
    return this.#get(`/chat-messages?${new URLSearchParams({ chatId, limit, ...(before && { before }) })}`);
  }

  async #get(path) {
    const headers = { Authorization: `Bearer ${await this.#getToken({ fresh: false })}` };
    const response = await fetch(this.#url + path, { headers }).catch(() => { throw noConnection(); });
    const body = await response.json().catch(() => null);
    if (!body?.success) throw new ChatError({ message: body?.message, ...body?.error });
    return body;
  }

  // ---- connection

  async #onConnect() {
    await this.#persist(async () => {
      const { data, userId } = await this.#request('authenticate');
      this.#needsFreshToken = false;
      this.user = data?.user ?? { id: userId };
      for (const room of this.#rooms.values()) await this.#enter(room);
      this.#setState('online');
      this.#outbox.flush();
    });
  }

  /** Tries again what may be tried again, as long as this connection stands; the next one starts over anyway. */
  async #persist(work) {
    const { id } = this.#socket;
    while (this.#socket.id === id) {
      try {
        return await work();
      } catch (error) {
        if (!error.retryable) return this.#emit('error', error);
        await new Promise((resolve) => setTimeout(resolve, (error.retryAfter ?? 2) * 1000));
      }
    }
  }

  #onDisconnect(reason) {
    this.#setState(reason === 'io client disconnect' ? 'closed' : 'reconnecting');
    // The library takes a disconnect said by the server for final. It need not be: who is unwelcome is told at connect.
    if (reason === 'io server disconnect') setTimeout(() => this.state === 'reconnecting' && this.#socket.connect(), 1_000);
  }

  #onConnectError(cause) {
    if (this.#socket.active) return this.#setState('reconnecting'); // no server there: the library tries again
    const error = new ChatError({ message: cause.message, ...cause.data });
    if (error.code !== 'TOKEN_EXPIRED' || this.#needsFreshToken) return this.#setState('closed', error);
    this.#needsFreshToken = true;
    this.#socket.connect();
  }

  async #renewToken() {
    try {
      await this.#request('authenticate', { token: await this.#getToken({ fresh: true }) });
    } catch (error) {
      this.#emit('error', error);
    }
  }

  // ---- rooms: join first, then read, so that nothing falls between the two

  #enter(room) {
    return this.#whileHolding(room, async () => {
      const since = room.cursor === null ? {} : { since: room.cursor, epoch: room.epoch };
      const { data } = await this.#request('joinChat', { chatId: room.chatId, ...since });
      await this.#catchUp(room, data.sync, data);
    });
  }

  /** Every lasting change of a chat has the next number, so a number left out is a change that was missed. */
  #fillGap(room) {
    return this.#whileHolding(room, async () => {
      const { data } = await this.#request('sync', { epoch: room.epoch, chats: [{ chatId: room.chatId, since: room.cursor }] });
      await this.#catchUp(room, data.chats[0]);
    });
  }

  /** Tells the changes since the cursor if the server has them all, else the latest page in place of everything. */
  async #catchUp(room, sync, joined = null) {
    const { chatId } = room;
    if (room.cursor !== null && sync && !sync.error && !sync.reset && !sync.hasMore) {
      this.#emit('history', { chatId, messages: sync.messages, reset: false, joined });
      room.cursor = Math.max(room.cursor, sync.toSeq);
    } else {
      const { data, page } = await this.history(chatId);
      this.#emit('history', { chatId, messages: data, hasBefore: page.hasBefore, reset: true, joined });
      room.cursor = page.seq;
    }
    room.epoch = joined?.epoch ?? room.epoch;
  }

  /** What is pushed during `work` waits until the history is told. The cursor passes it only if `work` succeeded. */
  async #whileHolding(room, work) {
    const held = room.held = [];
    try {
      await work();
      for (const [, data] of held) room.cursor = Math.max(room.cursor, data.seq);
    } catch (error) {
      if (error.retryable) throw error;
      this.#rooms.delete(room.chatId);
      this.#emit('error', error);
    } finally {
      if (room.held === held) room.held = null;
      held.forEach(([event, data]) => this.#emit(event, data));
    }
  }

  #onPush(event, data) {
    if (event === 'error') return this.#emit('error', new ChatError(data));
    if (event === 'tokenExpiring') this.#renewToken();
    if (event === 'newMessage' && data.message.senderId === this.user?.id) this.#outbox.remove(data.message.clientMessageId);
    const room = this.#rooms.get(data?.chatId);
    if (!room || !data.seq || event === 'unreadUpdated') return this.#emit(event, data);
    if (room.held) return room.held.push([event, data]);
    if (data.seq > room.cursor + 1) {
      this.#fillGap(room).catch(() => {}); // tried again with the next push or the next connect
      return room.held.push([event, data]);
    }
    room.cursor = Math.max(room.cursor, data.seq);
    this.#emit(event, data);
  }

  // ---- plumbing

  async #deliver({ chatId, content, clientMessageId, replyToId, metadata }) {
    const { data } = await this.#request('sendMessage', { chatId, content, clientMessageId, replyToId, metadata });
    this.#emit('sent', data);
  }

  async #request(event, ...payload) {
    const socket = this.#socket;
    if (!socket?.connected) throw noConnection();
    const ack = await socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, ...payload).catch(() => {
      if (!socket.connected) throw noConnection();
      throw new ChatError({ code: 'TIMEOUT', message: 'The server did not answer in time.', retryable: true });
    });
    if (!ack?.success) throw new ChatError({ message: ack?.message, ...ack?.error });
    return ack;
  }

  #setState(state, error = null) {
    if (state === this.state && !error) return;
    this.state = state;
    this.#emit('state', { state, error });
  }

  #emit(event, data) {
    this.#listeners.get(event)?.forEach((listener) => listener(data));
  }
}
