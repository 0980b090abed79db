/** Waiting: a clock that a test can replace, pauses that can be cut short, and how long to wait before the next try. */

/** @import { Clock } from './types.js' */

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

const LONGEST_WAIT_MS = 60_000;

/**
 * A wait that can be cut short: `const { over, end } = pause(clock, 1000); await over;`.
 *
 * @param {Clock} clock
 * @param {number} ms
 */
export function pause(clock, ms) {
  let end = () => {};
  /** @type {Promise<void>} */
  const over = new Promise((resolve) => {
    const timer = clock.setTimeout(resolve, ms);
    end = () => {
      clock.clearTimeout(timer);
      resolve();
    };
  });
  return { over, end };
}

/**
 * Settle as `promise` does, or reject with `onTimeout()` after `ms`.
 *
 * @template T
 * @param {Clock} clock
 * @param {number} ms
 * @param {Promise<T>} promise
 * @param {() => Error} onTimeout
 * @returns {Promise<T>}
 */
export function withTimeLimit(clock, ms, promise, onTimeout) {
  /** @type {unknown} */
  let timer;
  const limit = /** @type {Promise<never>} */ (new Promise((_, reject) => {
    timer = clock.setTimeout(() => reject(onTimeout()), ms);
  }));
  return Promise.race([promise, limit]).finally(() => clock.clearTimeout(timer));
}

/**
 * Settle as `promise` does, or reject with the reason of a signal that ends the waiting.
 *
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function unlessAborted(signal, promise) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * Milliseconds before the next try: what the server asked for, otherwise `first`, doubled for each failure up to
 * `most`. The half of it is random, so that the clients of a restarted server do not come back in step.
 *
 * @param {unknown} error
 * @param {number} failures
 * @param {{first?: number, most?: number}} [backoff]
 */
export function delayBefore(error, failures, { first = 1_000, most = 30_000 } = {}) {
  const own = Math.min(most, first * 2 ** (failures - 1));
  const asked = Math.min((/** @type {any} */ (error)?.retryAfter ?? 0) * 1000, LONGEST_WAIT_MS);
  return Math.max(asked, own * (0.5 + Math.random() / 2));
}
