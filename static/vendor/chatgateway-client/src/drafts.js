/** What was begun and not sent: one text for each chat, kept for the user who wrote it. */
/** @import { ClientStorage, Clock, StorageKey } from './types.js' */
const KIND = 'draft';
const KEPT_MS = 30 * 24 * 3600_000;

/**
 * @param {any} value
 * @returns {value is {chatId: number, text: string, at: number}}
 */
const isDraft = (value) => Number.isInteger(value?.chatId) && typeof value.text === 'string' && Number.isFinite(value.at);

export class Drafts {
  #storage; #clock; #onChange;
  /** @type {string | null} */
  #account = null;
  /** @type {Map<number, string>} chatId -> text */
  #texts = new Map();

  /** @param {{storage: ClientStorage, clock: Clock, onChange: () => void}} parts */
  constructor({ storage, clock, onChange }) {
    this.#storage = storage;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /**
   * Read what this user left. Texts typed before the user was known are the user's.
   *
   * @param {string} account
   */
  async open(account) {
    if (account === this.#account) return;
    const typed = this.#account === null ? [...this.#texts] : [];
    this.#account = account;
    this.#texts = new Map();
    typed.forEach(([chatId, text]) => this.set(chatId, text));
    const stored = await this.#storage.list(account, KIND);
    if (account !== this.#account) return;
    for (const draft of stored.filter(isDraft)) {
      if (this.#clock.now() - draft.at > KEPT_MS) this.#storage.delete([account, KIND, draft.chatId]);
      else if (!this.#texts.has(draft.chatId)) this.#texts.set(draft.chatId, draft.text);
    }
    this.#onChange();
  }

  /** @param {number} chatId */
  get(chatId) {
    return this.#texts.get(chatId) ?? '';
  }

  /**
   * An empty text ends the draft.
   *
   * @param {number} chatId
   * @param {string} text
   */
  set(chatId, text) {
    if (text === this.get(chatId)) return;
    this.#texts.set(chatId, text); // '' as well: what is read later must not bring the old text back
    if (this.#account === null) return;
    /** @type {StorageKey} */
    const key = [this.#account, KIND, chatId];
    if (text === '') this.#storage.delete(key);
    else this.#storage.put(key, { chatId, text, at: this.#clock.now() });
  }

  /** Delete all of this user's. */
  clear() {
    [...this.#texts.keys()].forEach((chatId) => this.set(chatId, ''));
    this.#onChange();
  }
}
