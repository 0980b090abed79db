/** "Ada is typing": the others are told at most every two seconds, and it ends by itself. */
/** @import { Connection } from './connection.js' */
/** @import { Clock } from './types.js' */

const RENEW_MS = 2_000;
const IDLE_MS = 3_000;

export class Typing {
  #connection; #clock;
  /** @type {Map<number, {sentAt: number, timer: unknown}>} by chat */
  #chats = new Map();

  /** @param {{connection: Connection, clock: Clock}} parts */
  constructor({ connection, clock }) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** @param {number} chatId */
  renew(chatId) {
    const typing = this.#chats.get(chatId) ?? { sentAt: -Infinity, timer: 0 };
    this.#chats.set(chatId, typing);
    this.#clock.clearTimeout(typing.timer);
    typing.timer = this.#clock.setTimeout(() => this.stop(chatId), IDLE_MS);
    if (this.#clock.now() - typing.sentAt < RENEW_MS) return;
    typing.sentAt = this.#clock.now();
    this.#tell(chatId, true);
  }

  /** @param {number} chatId */
  stop(chatId) {
    const typing = this.#chats.get(chatId);
    if (!typing) return;
    this.#clock.clearTimeout(typing.timer);
    this.#chats.delete(chatId);
    this.#tell(chatId, false);
  }

  /**
   * @param {number} chatId
   * @param {boolean} isTyping
   */
  #tell(chatId, isTyping) {
    // Volatile: a "typing" that waited for a reconnect would be a lie.
    this.#connection.socket?.volatile.emit('typing', { chatId, isTyping });
  }
}
