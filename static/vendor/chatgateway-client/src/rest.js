/** REST: what may pass is tried again where that does no harm, with the token renewed once when it has run out. */
/** @import { Clock, Fetch, RestRequest } from './types.js' */
import { asChatError, ChatError, noAnswer, noConnection, refusalIn } from './errors.js';
import { delayBefore, pause, systemClock, unlessAborted, withTimeLimit } from './time.js';

const MOST_TRIES = 5;
const TIME_LIMIT_MS = 15_000;
const BACKOFF = { first: 500, most: 8_000 };

/**
 * Retry-After is in seconds, or a date.
 *
 * @param {Response} response
 * @param {Clock} clock
 */
function retryAfterOf(response, clock) {
  const header = response.headers?.get('Retry-After');
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - clock.now()) / 1000);
}

/**
 * The body of a good answer. What is no JSON was written by something between here and the server.
 *
 * @param {Response} response
 * @param {Clock} [clock]
 */
export async function bodyOf(response, clock = systemClock) {
  const body = await response.json().catch(() => null);
  if (body?.success) return body;
  const retryAfter = retryAfterOf(response, clock);
  if (body?.error?.code) throw Object.assign(refusalIn(body), { retryAfter: body.error.retryAfter ?? retryAfter });
  if (response.status === 413) {
    throw new ChatError({ code: 'PAYLOAD_TOO_LARGE', message: 'That is too large for the server, or for what is before it.' });
  }
  const message = `The server cannot be reached at the moment (HTTP ${response.status}).`;
  throw new ChatError({ code: 'UNREACHABLE', message, retryable: true, retryAfter });
}

export class Rest {
  #base; #fetch; #token; #renew; #clock;

  /**
   * `token()` gives the token to send; `renew()` a new one, after TOKEN_EXPIRED.
   *
   * @param {object} parts
   * @param {string} parts.base
   * @param {Fetch} parts.fetch
   * @param {() => Promise<string>} parts.token
   * @param {() => Promise<string>} parts.renew
   * @param {Clock} parts.clock
   */
  constructor({ base, fetch, token, renew, clock }) {
    this.#base = base;
    this.#fetch = fetch;
    this.#token = token;
    this.#renew = renew;
    this.#clock = clock;
  }

  /**
   * @param {string} path
   * @param {RestRequest} [request]
   */
  request(path, request = {}) {
    return unlessAborted(request.signal, this.#repeatedly(path, request));
  }

  /**
   * @param {string} path
   * @param {RestRequest} request
   */
  async #repeatedly(path, request) {
    const { method = 'GET', idempotent = method === 'GET', signal } = request;
    for (let tries = 1; ; tries += 1) {
      try {
        signal?.throwIfAborted();
        return await this.#withToken(path, request);
      } catch (caught) {
        const error = asChatError(caught);
        if (signal?.aborted || !idempotent || !error.retryable || tries === MOST_TRIES) throw error;
        const wait = pause(this.#clock, delayBefore(error, tries, BACKOFF));
        await unlessAborted(signal, wait.over).finally(wait.end);
      }
    }
  }

  /**
   * @param {string} path
   * @param {RestRequest} request
   */
  async #withToken(path, request) {
    try {
      return await this.#once(path, request, await this.#token());
    } catch (error) {
      if (asChatError(error).code !== 'TOKEN_EXPIRED') throw error;
      return this.#once(path, request, await this.#renew());
    }
  }

  /**
   * @param {string} path
   * @param {RestRequest} request
   * @param {string} token
   */
  async #once(path, { method = 'GET', body, signal }, token) {
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal?.addEventListener('abort', onAbort);
    const answer = (async () => {
      const response = await this.#fetch(this.#base + path, {
        method,
        headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: stop.signal,
      }).catch(() => { throw noConnection(); });
      return bodyOf(response, this.#clock);
    })();
    const onTimeout = () => {
      stop.abort();
      return noAnswer();
    };
    return withTimeLimit(this.#clock, TIME_LIMIT_MS, answer, onTimeout)
      .finally(() => signal?.removeEventListener('abort', onAbort));
  }
}
