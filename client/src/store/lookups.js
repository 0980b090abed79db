/** Questions about people: who is here, and how those are called who have no seat in the chat. */
import { Batches } from './batches.js';

const PRESENCE_AT_ONCE = 200; // the most that getPresence takes
const NAMES_AT_ONCE = 100;    // they go into a URL

export class Lookups {
  #presence; #names;
  #asked = new Set(); // who was asked for and may be unknown: once is enough

  /** `askPresence(ids)` and `askNames(ids)` ask and make use of the answer; `onError` hears of a refusal. */
  constructor({ askPresence, askNames, onError }) {
    this.#presence = new Batches({ ask: askPresence, size: PRESENCE_AT_ONCE, onError });
    this.#names = new Batches({ ask: askNames, size: NAMES_AT_ONCE, onError });
  }

  presenceOf(userIds) {
    this.#presence.add(userIds);
  }

  /** The presence of these people, and of nobody who was waiting for it. */
  presenceOfOnly(userIds) {
    this.#presence.clear();
    this.#presence.add(userIds);
  }

  nameOf(userId) {
    if (this.#asked.has(userId)) return;
    this.#asked.add(userId);
    this.#names.add([userId]);
  }

  /** After a reconnect it may be known who was not. */
  forget() {
    this.#asked.clear();
  }

  stop() {
    this.#presence.stop();
    this.#names.stop();
  }
}
