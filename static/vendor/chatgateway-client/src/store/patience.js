/** Asking again: what failed for the moment is repeated, what is refused for good is not. */

const LONGEST_MS = 30_000;
const FIRST_MS = 1_000;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** INTERNAL_ERROR is also what a client makes of an answer that is none, such as a proxy's page about a restart. */
const mayHelp = (error) => error.retryable || !error.code || error.code === 'INTERNAL_ERROR';

/** The answer to `ask()`, or undefined once `isWanted()` no longer holds. Rejects with a refusal that is final. */
export async function persist(ask, isWanted, wait = pause) {
  for (let delay = FIRST_MS; isWanted(); delay = Math.min(delay * 2, LONGEST_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (!mayHelp(error)) throw error;
      await wait(error.retryAfter ? error.retryAfter * 1_000 : delay);
    }
  }
  return undefined;
}
