/** The application's `getToken`, asked with a time limit: it may fail, hang, or give what is no token. */
/** @import { ChatClientOptions, Clock } from './types.js' */
import { ChatError } from './errors.js';
import { withTimeLimit } from './time.js';

const TIME_LIMIT_MS = 10_000;

/**
 * A token that cannot be had says nothing about the session of the user, so it is always worth another try.
 *
 * @param {string} why
 * @param {any} [cause]
 */
function unavailable(why, cause) {
  const message = `Your sign-in could not be confirmed: ${why}`;
  return new ChatError({ code: 'AUTH_UNAVAILABLE', message, retryable: true, retryAfter: cause?.retryAfter, cause });
}

export class TokenSource {
  #getToken; #clock;
  /** @type {Map<boolean, Promise<string>>} fresh -> promise: calls at the same time share one */
  #asked = new Map();

  /** @param {{getToken: ChatClientOptions['getToken'], clock: Clock}} parts */
  constructor({ getToken, clock }) {
    this.#getToken = getToken;
    this.#clock = clock;
  }

  /** Ask once. Rejects with a retryable ChatError. */
  ask({ fresh = false } = {}) {
    const known = this.#asked.get(fresh);
    if (known) return known;
    const forget = () => this.#asked.delete(fresh);
    const asked = this.#askNow(fresh);
    this.#asked.set(fresh, asked);
    asked.then(forget, forget);
    return asked;
  }

  /** @param {boolean} fresh */
  async #askNow(fresh) {
    const tooSlow = () => unavailable('there was no token in time.');
    let token;
    try {
      const answer = Promise.resolve().then(() => this.#getToken({ fresh }));
      token = await withTimeLimit(this.#clock, TIME_LIMIT_MS, answer, tooSlow);
    } catch (cause) {
      const error = /** @type {any} */ (cause);
      throw error?.code === 'AUTH_UNAVAILABLE' ? error : unavailable(error?.message ?? String(error), error);
    }
    if (typeof token !== 'string' || token === '') throw unavailable('there was no token.');
    return token;
  }
}
