/** What fails in the background fails for many at once: one error of a kind is enough for a while. */

const TOLD_AGAIN_MS = 10_000; // as long as a toast is shown

export class Told {
  #told = new Map(); // error code -> when it was told

  isNews({ code }) {
    const now = Date.now();
    if (now - (this.#told.get(code) ?? -Infinity) < TOLD_AGAIN_MS) return false;
    this.#told.set(code, now);
    return true;
  }
}
