/** Reads the whole list of chats in the background: page after page, with a pause in which the page lives on. */
import { pause, persist } from './patience.js';

const FIRST_PAGE = 50; // fills the sidebar at once
const NEXT_PAGES = 200;
const PAUSE_MS = 250;

export class ChatPages {
  #ask; #onPage; #onEnd; #onError; #pauseMs;
  #run = 0;
  #touched = new Set();

  /**
   * `ask(query)` answers `{data, page: {nextCursor}}`, `onPage(chats)` takes each page, `onEnd(isThere)` the
   * knowledge of which chats there are.
   */
  constructor({ ask, onPage, onEnd, onError, pauseMs = PAUSE_MS }) {
    this.#ask = ask;
    this.#onPage = onPage;
    this.#onEnd = onEnd;
    this.#onError = onError;
    this.#pauseMs = pauseMs;
  }

  /** Begins at the first page; a reading that is under way ends. */
  async start() {
    const run = this.#run += 1;
    const isCurrent = () => run === this.#run;
    this.#touched.clear();
    try {
      await this.#read(isCurrent);
    } catch (error) {
      if (isCurrent()) this.#onError(error);
    }
  }

  stop() {
    this.#run += 1;
  }

  /** A push told of this chat: whatever a page says of it may be older. */
  touch(chatId) {
    this.#touched.add(chatId);
  }

  isTouched(chatId) {
    return this.#touched.has(chatId);
  }

  async #read(isCurrent) {
    const seen = new Set();
    const next = async (cursor, limit) => {
      const query = new URLSearchParams(cursor === null ? { limit } : { limit, cursor });
      const answer = await persist(() => this.#ask(query), isCurrent);
      if (!answer || !isCurrent()) return null;
      for (const { id } of answer.data) seen.add(id);
      this.#onPage(answer.data);
      return answer.page.nextCursor;
    };

    let cursor = await next(null, FIRST_PAGE);
    const isLong = cursor !== null;
    while (cursor !== null) {
      await pause(this.#pauseMs);
      if (!isCurrent()) return;
      cursor = await next(cursor, NEXT_PAGES);
    }
    // What moved up while the pages were read is on the first page now.
    if (isLong && isCurrent()) await next(null, NEXT_PAGES);
    if (isCurrent()) this.#onEnd((chatId) => seen.has(chatId) || this.#touched.has(chatId));
  }
}
