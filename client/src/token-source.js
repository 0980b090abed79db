/** The application's `getToken`, asked with a time limit: it may fail, hang, or give what is no token. */
import { ChatError } from './errors.js';
import { withTimeLimit } from './time.js';

const TIME_LIMIT_MS = 10_000;

/** A token that cannot be had says nothing about the session of the user, so it is always worth another try. */
function unavailable(why, cause) {
  const message = `Your sign-in could not be confirmed: ${why}`;
  return new ChatError({ code: 'AUTH_UNAVAILABLE', message, retryable: true, retryAfter: cause?.retryAfter, cause });
}

export class TokenSource {
  #getToken; #clock;
  #asked = new Map(); // fresh -> promise: calls at the same time share one

  constructor({ getToken, clock }) {
    this.#getToken = getToken;
    this.#clock = clock;
  }

  /** Ask once. Rejects with a retryable ChatError. */
  ask({ fresh = false } = {}) {
    if (!this.#asked.has(fresh)) {
      const forget = () => this.#asked.delete(fresh);
      const asked = this.#askNow(fresh);
      this.#asked.set(fresh, asked);
      asked.then(forget, forget);
    }
    return this.#asked.get(fresh);
  }

  async #askNow(fresh) {
    const tooSlow = () => unavailable('there was no token in time.');
    let token;
    try {
      const answer = Promise.resolve().then(() => this.#getToken({ fresh }));
      token = await withTimeLimit(this.#clock, TIME_LIMIT_MS, answer, tooSlow);
    } catch (error) {
      throw error?.code === 'AUTH_UNAVAILABLE' ? error : unavailable(error?.message ?? String(error), error);
    }
    if (typeof token !== 'string' || token === '') throw unavailable('there was no token.');
    return token;
  }
}
