/**
 * The chats that are followed: joined after every connect, and brought up to date whenever something was missed.
 * What may pass is tried again for as long as the connection stands; only the server's word that the chat is not the
 * user's ends the following.
 */
/** @import { Clock, Place } from './types.js' */
/** @import { CatchUp, JoinedChat, MessagesAnswer } from './wire.js' */
import { asChatError, ChatError } from './errors.js';
import { delayBefore, pause } from './time.js';

const JOINS_AT_ONCE = 8;
const PAGE_LIMIT = 200; // the most that the server gives
const MOST_PAGES = 20; // whoever missed more begins anew at the latest page
const GONE = new Set(['NOT_PARTICIPANT', 'NOT_FOUND']);

/**
 * A chat that is followed.
 *
 * @typedef {object} Room
 * @property {number} chatId
 * @property {number | null} cursor
 * @property {string | null} epoch
 * @property {boolean} joined
 * @property {[event: string, data: any][] | null} held
 * @property {Promise<void> | null} settling
 */

export class Rooms {
  #request; #history; #emit; #clock;
  /** @type {Map<number, Room>} */
  #rooms = new Map();
  /** @type {object | null} a new object for each connection, so that what began on an older one is known by it */
  #connection = null;

  /**
   * `request(event, payload)` asks over the socket; `history(chatId)` reads the latest page over REST.
   *
   * @param {object} parts
   * @param {(event: string, payload: object) => Promise<any>} parts.request
   * @param {(chatId: number) => Promise<MessagesAnswer>} parts.history
   * @param {(event: string, data: any) => void} parts.emit
   * @param {Clock} parts.clock
   */
  constructor({ request, history, emit, clock }) {
    this.#request = request;
    this.#history = history;
    this.#emit = emit;
    this.#clock = clock;
  }

  /**
   * Follow a chat, from `place` on. Resolves when it is joined and read, or when there is no connection to do so.
   *
   * @param {number} chatId
   * @param {Place | null} [place]
   */
  async open(chatId, place) {
    if (this.#rooms.has(chatId)) return;
    /** @type {Room} */
    const room = { chatId, cursor: null, epoch: null, ...place, joined: false, held: null, settling: null };
    this.#rooms.set(chatId, room);
    if (this.#connection) await this.#settle(room);
  }

  /**
   * @param {number} chatId
   * @returns {Place | null}
   */
  placeOf(chatId) {
    const { cursor = null, epoch = null } = this.#rooms.get(chatId) ?? {};
    return cursor === null ? null : { cursor, epoch };
  }

  /**
   * Forget a chat. Answers whether the server has to hear of it.
   *
   * @param {number} chatId
   */
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

  /**
   * A push of the server: told at once, or after what was missed before it.
   *
   * @param {string} event
   * @param {any} data
   */
  push(event, data) {
    const room = this.#rooms.get(data?.chatId);
    if (event === 'removedFromChat' || event === 'chatDeleted') this.#rooms.delete(data.chatId);
    if (!room || !data.seq || event === 'unreadUpdated') return this.#emit(event, data);
    const held = () => (room.held ??= []).push([event, data]);
    if (room.held) return void held();
    // Between two tries of a join or a catch-up: the page to come has it too, so the cursor stays.
    if (room.settling || !room.joined) return this.#emit(event, data);
    // Every lasting change of a chat has the next number, so a number left out is a change that was missed.
    const cursor = room.cursor ?? 0;
    if (data.seq > cursor + 1) {
      this.#settle(room);
      return void held();
    }
    room.cursor = Math.max(cursor, data.seq);
    this.#emit(event, data);
  }

  // ---- joining and catching up

  /**
   * The first try of a room after a connect. If it has to wait, it does so without holding up other rooms.
   *
   * @param {Room} room
   */
  async #firstTry(room) {
    if (room.settling || !this.#isOpen(room)) return;
    await /** @type {Promise<void>} */ (new Promise((resolve) => { this.#settle(room, resolve); }));
  }

  /** @param {Room} room */
  #settle(room, onTry = () => {}) {
    const settling = room.settling ??= this.#tryUntilSettled(room, onTry).finally(() => {
      if (room.settling === settling) room.settling = null;
    });
    return settling;
  }

  /**
   * @param {Room} room
   * @param {() => void} onTry
   */
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

  /**
   * What may pass is told only where there is nothing to show until then.
   *
   * @param {Room} room
   * @param {ChatError} error
   */
  #tellFailure({ chatId, cursor }, error) {
    if (GONE.has(error.code) && !error.retryable) {
      this.#rooms.delete(chatId);
      return this.#emit('roomLost', { chatId, error });
    }
    if (cursor === null) this.#emit('roomFailed', { chatId, error });
    if (!error.retryable) this.#emit('error', error);
  }

  /**
   * Pushes that come meanwhile wait until the history is told. The cursor passes them only after a success.
   *
   * @param {Room} room
   */
  async #tryOnce(room) {
    /** @type {[event: string, data: any][]} */
    const held = room.held = [];
    /** @type {ChatError | null} */
    let error = null;
    try {
      await (room.joined ? this.#sync(room) : this.#join(room));
      for (const [, data] of held) room.cursor = Math.max(room.cursor ?? 0, data.seq);
    } catch (caught) {
      error = asChatError(caught);
    }
    if (room.held === held) room.held = null;
    held.forEach(([event, data]) => this.#emit(event, data));
    return error;
  }

  /**
   * Join first, then read, so that nothing falls between the two.
   *
   * @param {Room} room
   */
  async #join(room) {
    const since = room.cursor === null ? {} : { since: room.cursor, epoch: room.epoch, limit: PAGE_LIMIT };
    const { data } = await this.#request('joinChat', { chatId: room.chatId, ...since });
    await this.#catchUp(room, data.sync, data);
    room.joined = true;
  }

  /** @param {Room} room */
  async #sync(room) {
    await this.#catchUp(room, await this.#nextPage(room));
  }

  /**
   * Tell the changes since the cursor if the server has them all, otherwise the latest page in place of everything.
   *
   * @param {Room} room
   * @param {CatchUp} first
   * @param {JoinedChat | null} [joined]
   */
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

  /** @param {Room} room */
  async #nextPage({ chatId, cursor, epoch }) {
    const { data } = await this.#request('sync', { epoch, chats: [{ chatId, since: cursor }], limit: PAGE_LIMIT });
    const [page] = data.chats;
    if (page.error) throw new ChatError(page.error);
    return page;
  }

  /**
   * @param {Room} room
   * @param {object} history
   */
  #tell(room, history) {
    if (this.#isOpen(room)) this.#emit('history', { chatId: room.chatId, ...history });
  }

  /** @param {Room} room */
  #isOpen(room) {
    return this.#rooms.get(room.chatId) === room;
  }
}
