/** Events with an answer: asked over the socket that there is, with the token renewed once when it has run out. */
/** @import { Connection } from './connection.js' */
/** @import { Clock } from './types.js' */
import { asChatError, noAnswer, noConnection, refusalIn } from './errors.js';
import { delayBefore, pause } from './time.js';

const ACK_TIMEOUT_MS = 10_000; // the server answers within 8 s; beyond that the answer was lost
const MOST_TRIES = 5;

export class Asker {
  #connection; #clock; #renew;

  /** @param {{connection: Connection, clock: Clock, renew: () => Promise<string>}} parts */
  constructor({ connection, clock, renew }) {
    this.#connection = connection;
    this.#clock = clock;
    this.#renew = renew;
  }

  /**
   * Answers the ack of a success.
   *
   * @param {string} event
   * @param {...object} payload
   */
  async ask(event, ...payload) {
    try {
      return await this.once(event, ...payload);
    } catch (error) {
      if (asChatError(error).code !== 'TOKEN_EXPIRED') throw error;
      await this.#renew();
      return this.once(event, ...payload);
    }
  }

  /**
   * @param {string} event
   * @param {...object} payload
   * @returns {Promise<any>}
   */
  async once(event, ...payload) {
    const { socket } = this.#connection;
    if (!socket?.connected) throw noConnection();
    const ack = await socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, ...payload).catch(() => {
      throw socket.connected ? noAnswer() : noConnection();
    });
    if (!ack?.success) throw refusalIn(ack);
    return ack;
  }

  /**
   * Try again what may be tried again, a few times, while there is a connection to do so.
   *
   * @param {() => Promise<any> | null} action
   */
  async patiently(action, isWorthIt = () => this.#connection.socket !== null) {
    for (let failures = 1; ; failures += 1) {
      try {
        return await action();
      } catch (caught) {
        const error = asChatError(caught);
        if (!error.retryable || failures === MOST_TRIES || !isWorthIt()) throw error;
        await pause(this.#clock, delayBefore(error, failures)).over;
        if (!isWorthIt()) throw error;
      }
    }
  }
}
