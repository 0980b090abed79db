/** Who is typing in the open chat. */
import { systemClock } from '../time.js';

const LASTS_MS = 8_000; // the server ends it after 6 s; this is for the event that got lost

export class Typing {
  #timers = new Map();
  #onChange;
  #clock;

  /** `onChange(typing)` gets a new Map of user ids with each change. */
  constructor(onChange, clock = systemClock) {
    this.#onChange = onChange;
    this.#clock = clock;
  }

  set(userId, isTyping) {
    const wasTyping = this.#timers.has(userId);
    this.#clock.clearTimeout(this.#timers.get(userId));
    this.#timers.delete(userId);
    if (isTyping) this.#timers.set(userId, this.#clock.setTimeout(() => this.set(userId, false), LASTS_MS));
    if (isTyping !== wasTyping) this.#tell();
  }

  clear() {
    this.#timers.forEach((timer) => this.#clock.clearTimeout(timer));
    if (this.#timers.size === 0) return;
    this.#timers.clear();
    this.#tell();
  }

  #tell() {
    this.#onChange(new Map([...this.#timers.keys()].map((userId) => [userId, true])));
  }
}
