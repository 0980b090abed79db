/** A new token in the place of one that has run out or is about to, for the socket as well. */
/** @import { Asker } from './asker.js' */
/** @import { Connection } from './connection.js' */
/** @import { ChatError } from './errors.js' */
/** @import { TokenSource } from './token-source.js' */
/** @import { Clock } from './types.js' */
import { asChatError } from './errors.js';
import { delayBefore, pause } from './time.js';

export class Renewal {
  #connection; #asker; #tokens; #clock; #onFailure;
  /** @type {Promise<string> | null} */
  #underWay = null;

  /**
   * @param {object} parts
   * @param {Connection} parts.connection
   * @param {Asker} parts.asker
   * @param {TokenSource} parts.tokens
   * @param {Clock} parts.clock
   * @param {(error: ChatError) => void} parts.onFailure
   */
  constructor({ connection, asker, tokens, clock, onFailure }) {
    this.#connection = connection;
    this.#asker = asker;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /**
   * Those who ask at the same time share one renewal.
   *
   * @returns {Promise<string>}
   */
  now() {
    this.#underWay ??= this.#renew().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #renew() {
    this.#connection.expectFreshToken(); // until it is here
    const token = await this.#tokens.ask({ fresh: true });
    if (this.#connection.socket?.connected) {
      await this.#asker.once('authenticate', { token });
      this.#connection.expectFreshToken(false);
    }
    return token;
  }

  /** Tried until it succeeds or the server ends the connection, which is when the token has run out. */
  async inTime() {
    const { socket } = this.#connection;
    for (let failures = 1; this.#connection.socket === socket; failures += 1) {
      try {
        await this.now();
        return;
      } catch (caught) {
        const error = asChatError(caught);
        if (failures === 1) this.#onFailure(error);
        await pause(this.#clock, delayBefore(error, failures, { most: 10_000 })).over;
      }
    }
  }
}
