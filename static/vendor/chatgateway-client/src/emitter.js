/** Listeners by event. One that throws harms nobody: its error is reported, and the others are called. */

// In a browser an error reported like this looks like any uncaught one; Node 20 has no reportError.
/** @param {unknown} error */
const report = (error) => (globalThis.reportError ?? console.error)(error);

export class Emitter {
  /** @type {Map<string, Set<(data: any) => void>>} */
  #listeners = new Map();

  /**
   * Returns the function that ends the listening.
   *
   * @param {string} event
   * @param {(data: any) => void} listener
   */
  on(event, listener) {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /**
   * @param {string} event
   * @param {unknown} data
   */
  emit(event, data) {
    for (const listener of [...this.#listeners.get(event) ?? []]) {
      try {
        listener(data);
      } catch (error) {
        report(error);
      }
    }
  }
}
