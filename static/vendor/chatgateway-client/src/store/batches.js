/** Gathers ids for a moment and asks about them together: in few questions, one after the other. */
import { pause, persist } from './patience.js';

export class Batches {
  #ask; #onError; #size; #gatherMs; #restMs;
  #waiting = new Set();
  #isRunning = false;
  #isStopped = false;

  /**
   * `ask(ids)` is given up to `size` ids, `gatherMs` after the first of them was added; it uses the answer itself. What
   * does not fill a question waits until `restMs` after the one before: people may be added one by one for long.
   */
  constructor({ ask, onError, size, gatherMs = 200, restMs = 1_000 }) {
    this.#ask = ask;
    this.#onError = onError;
    this.#size = size;
    this.#gatherMs = gatherMs;
    this.#restMs = restMs;
  }

  add(ids) {
    for (const id of ids) this.#waiting.add(id);
    if (this.#waiting.size > 0) this.#run();
  }

  /** Forgets what was not asked yet. */
  clear() {
    this.#waiting.clear();
  }

  stop() {
    this.#isStopped = true;
    this.clear();
  }

  async #run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await pause(this.#gatherMs);
    while (this.#waiting.size > 0 && !this.#isStopped) {
      const ids = [...this.#waiting].slice(0, this.#size);
      for (const id of ids) this.#waiting.delete(id);
      try {
        await persist(() => this.#ask(ids), () => !this.#isStopped);
      } catch (error) {
        this.#onError(error, ids);
      }
      await pause(this.#waiting.size < this.#size ? this.#restMs : this.#gatherMs);
    }
    this.#isRunning = false;
  }
}
