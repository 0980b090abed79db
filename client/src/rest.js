/** Reading over REST: tried again while the failure may pass, with the token renewed once when it has run out. */
import { ChatError, noAnswer, noConnection, refusalIn } from './errors.js';
import { delayBefore, pause, systemClock, withTimeLimit } from './time.js';

const MOST_TRIES = 5;
const TIME_LIMIT_MS = 15_000;
const BACKOFF = { first: 500, most: 8_000 };

/** Retry-After is in seconds, or a date. */
function retryAfterOf(response, clock) {
  const header = response.headers?.get('Retry-After');
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - clock.now()) / 1000);
}

/** The body of a good answer. What is no JSON was written by something between here and the server. */
export async function bodyOf(response, clock = systemClock) {
  const body = await response.json().catch(() => null);
  if (body?.success) return body;
  const retryAfter = retryAfterOf(response, clock);
  if (body?.error?.code) throw Object.assign(refusalIn(body), { retryAfter: body.error.retryAfter ?? retryAfter });
  const message = `The server cannot be reached at the moment (HTTP ${response.status}).`;
  throw new ChatError({ code: 'UNREACHABLE', message, retryable: true, retryAfter });
}

export class Rest {
  #base; #fetch; #token; #renew; #clock;

  /** `token()` gives the token to send; `renew()` a new one, after TOKEN_EXPIRED. */
  constructor({ base, fetch, token, renew, clock }) {
    this.#base = base;
    this.#fetch = fetch;
    this.#token = token;
    this.#renew = renew;
    this.#clock = clock;
  }

  async get(path) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#withToken(path);
      } catch (error) {
        if (!error.retryable || tries === MOST_TRIES) throw error;
        await pause(this.#clock, delayBefore(error, tries, BACKOFF)).over;
      }
    }
  }

  async #withToken(path) {
    try {
      return await this.#once(path, await this.#token());
    } catch (error) {
      if (error.code !== 'TOKEN_EXPIRED') throw error;
      return this.#once(path, await this.#renew());
    }
  }

  async #once(path, token) {
    const stop = new AbortController();
    const answer = (async () => {
      const options = { headers: { Authorization: `Bearer ${token}` }, signal: stop.signal };
      const response = await this.#fetch(this.#base + path, options).catch(() => { throw noConnection(); });
      return bodyOf(response, this.#clock);
    })();
    return withTimeLimit(this.#clock, TIME_LIMIT_MS, answer, () => {
      stop.abort();
      return noAnswer();
    });
  }
}
