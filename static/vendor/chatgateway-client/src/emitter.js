/** Listeners by event. One that throws harms nobody: its error is reported, and the others are called. */

// In a browser an error reported like this looks like any uncaught one; Node 20 has no reportError.
const report = (error) => (globalThis.reportError ?? console.error)(error);

export class Emitter {
  #listeners = new Map(); // event -> Set of listeners

  /** Returns the function that ends the listening. */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.#listeners.get(event).delete(listener);
  }

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
