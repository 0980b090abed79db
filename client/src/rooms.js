/**
 * The chats that are followed: joined after every connect, and brought up to date whenever something was missed.
 * What may pass is tried again for as long as the connection stands; only the server's word that the chat is not the
 * user's ends the following.
 */
import { ChatError } from './errors.js';
import { delayBefore, pause } from './time.js';

const JOINS_AT_ONCE = 8;
const PAGE_LIMIT = 200; // the most that the server gives
const MOST_PAGES = 20; // whoever missed more begins anew at the latest page
const GONE = new Set(['NOT_PARTICIPANT', 'NOT_FOUND']);

export class Rooms {
  #request; #history; #emit; #clock;
  #rooms = new Map(); // chatId -> {chatId, cursor, epoch, joined, held, settling}
  #connection = null; // a new object for each connection, so that what began on an older one is known by it

  /** `request(event, payload)` asks over the socket; `history(chatId)` reads the latest page over REST. */
  constructor({ request, history, emit, clock }) {
    this.#request = request;
    this.#history = history;
    this.#emit = emit;
    this.#clock = clock;
  }

  /** Follow a chat, from `place` on. Resolves when it is joined and read, or when there is no connection to do so. */
  async open(chatId, place) {
    if (this.#rooms.has(chatId)) return;
    const room = { chatId, cursor: null, epoch: null, ...place, joined: false, held: null, settling: null };
    this.#rooms.set(chatId, room);
    if (this.#connection) await this.#settle(room);
  }

  placeOf(chatId) {
    const { cursor, epoch } = this.#rooms.get(chatId) ?? { cursor: null };
    return cursor === null ? null : { cursor, epoch };
  }

  /** Forget a chat. Answers whether the server has to hear of it. */
  close(chatId) {
    return this.#rooms.delete(chatId) && this.#connection !== null;
  }

  async connected() {
    const connection = this.#connection = {};
    const waiting = [...this.#rooms.values()];
    const work = async () => {
      for (let room; connection === this.#connection && (room = waiting.shift());) await this.#firstTry(room);
    };
    await Promise.all(Array.from({ length: JOINS_AT_ONCE }, work));
  }

  disconnected() {
    this.#connection = null;
    this.#rooms.forEach((room) => Object.assign(room, { joined: false, settling: null }));
  }

  /** A push of the server: told at once, or after what was missed before it. */
  push(event, data) {
    const room = this.#rooms.get(data?.chatId);
    if (event === 'removedFromChat' || event === 'chatDeleted') this.#rooms.delete(data.chatId);
    if (!room || !data.seq || event === 'unreadUpdated') return this.#emit(event, data);
    if (room.held) return void room.held.push([event, data]);
    // Between two tries of a join or a catch-up: the page to come has it too, so the cursor stays.
    if (room.settling || !room.joined) return this.#emit(event, data);
    // Every lasting change of a chat has the next number, so a number left out is a change that was missed.
    if (data.seq > room.cursor + 1) {
      this.#settle(room);
      return void room.held.push([event, data]);
    }
    room.cursor = Math.max(room.cursor, data.seq);
    this.#emit(event, data);
  }

  // ---- joining and catching up

  /** The first try of a room after a connect. If it has to wait, it does so without holding up other rooms. */
  async #firstTry(room) {
    if (room.settling || !this.#isOpen(room)) return;
    let tried;
    const firstTry = new Promise((resolve) => { tried = resolve; });
    this.#settle(room, tried);
    await firstTry;
  }

  #settle(room, onTry = () => {}) {
    const settling = room.settling ??= this.#tryUntilSettled(room, onTry).finally(() => {
      if (room.settling === settling) room.settling = null;
    });
    return settling;
  }

  async #tryUntilSettled(room, onTry) {
    const connection = this.#connection;
    for (let failures = 0; connection && connection === this.#connection && this.#isOpen(room);) {
      const error = await this.#tryOnce(room);
      onTry();
      if (!error) return;
      if (connection === this.#connection && this.#isOpen(room)) this.#tellFailure(room, error);
      if (!error.retryable) return;
      failures += 1;
      await pause(this.#clock, delayBefore(error, failures)).over;
    }
    onTry();
  }

  /** What may pass is told only where there is nothing to show until then. */
  #tellFailure({ chatId, cursor }, error) {
    if (GONE.has(error.code) && !error.retryable) {
      this.#rooms.delete(chatId);
      return this.#emit('roomLost', { chatId, error });
    }
    if (cursor === null) this.#emit('roomFailed', { chatId, error });
    if (!error.retryable) this.#emit('error', error);
  }

  /** Pushes that come meanwhile wait until the history is told. The cursor passes them only after a success. */
  async #tryOnce(room) {
    const held = room.held = [];
    let error = null;
    try {
      await (room.joined ? this.#sync(room) : this.#join(room));
      for (const [, data] of held) room.cursor = Math.max(room.cursor, data.seq);
    } catch (caught) {
      error = caught;
    }
    if (room.held === held) room.held = null;
    held.forEach(([event, data]) => this.#emit(event, data));
    return error;
  }

  /** Join first, then read, so that nothing falls between the two. */
  async #join(room) {
    const since = room.cursor === null ? {} : { since: room.cursor, epoch: room.epoch, limit: PAGE_LIMIT };
    const { data } = await this.#request('joinChat', { chatId: room.chatId, ...since });
    await this.#catchUp(room, data.sync, data);
    room.joined = true;
  }

  async #sync(room) {
    await this.#catchUp(room, await this.#nextPage(room));
  }

  /** Tell the changes since the cursor if the server has them all, otherwise the latest page in place of everything. */
  async #catchUp(room, first, joined = null) {
    room.epoch = joined?.epoch ?? room.epoch;
    let page = first;
    for (let pages = 1; room.cursor !== null && page && !page.reset && pages <= MOST_PAGES; pages += 1) {
      this.#tell(room, { messages: page.messages, participants: page.participants, chat: page.chat, reset: false, joined });
      room.cursor = Math.max(room.cursor, page.toSeq);
      if (!page.hasMore) return;
      page = await this.#nextPage(room);
      joined = null; // told with the first page
    }
    const { data, page: { hasBefore, seq } } = await this.#history(room.chatId);
    this.#tell(room, { messages: data, hasBefore, reset: true, joined });
    room.cursor = seq;
  }

  async #nextPage({ chatId, cursor, epoch }) {
    const { data } = await this.#request('sync', { epoch, chats: [{ chatId, since: cursor }], limit: PAGE_LIMIT });
    const [page] = data.chats;
    if (page.error) throw new ChatError(page.error);
    return page;
  }

  #tell(room, history) {
    if (this.#isOpen(room)) this.#emit('history', { chatId: room.chatId, ...history });
  }

  #isOpen(room) {
    return this.#rooms.get(room.chatId) === room;
  }
}
