/**
 * The tabs of one account in one browser: they tell one another what changes, and one of those that are connected
 * leads, which is the one that sends. When it closes, the next one leads.
 *
 * Where the browser has no locks or no channel (plain http, forbidden storage), each tab leads itself. That is safe,
 * since the server stores a message with the same clientMessageId once.
 */
export class Tabs {
  /** Whether this tab is the one that sends. */
  leads = false;

  #name; #locks; #channel; #onLead;
  /** @type {(() => void) | null} ends the waiting for the lock, or the holding of it */
  #giveUp = null;

  /**
   * `locks` and `openChannel` are functions, since the mere access may throw.
   *
   * @param {object} parts
   * @param {string} parts.name
   * @param {() => LockManager | undefined} parts.locks
   * @param {(name: string) => BroadcastChannel} parts.openChannel
   * @param {(message: any) => void} parts.onMessage
   * @param {() => void} parts.onLead
   */
  constructor({ name, locks, openChannel, onMessage, onLead }) {
    this.#name = name;
    this.#onLead = onLead;
    this.#channel = attempt(() => openChannel(name));
    this.#locks = this.#channel && attempt(locks);
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }) => onMessage(data);
    /** @type {any} */ (this.#channel).unref?.(); // in Node it would keep the process alive
  }

  /**
   * Tell the other tabs.
   *
   * @param {unknown} message
   */
  tell(message) {
    attempt(() => this.#channel?.postMessage(message));
  }

  /** Lead from now on, or as soon as the tab that leads gives up. */
  lead() {
    if (!this.#giveUp) this.#claim();
  }

  /** Take the lead from another tab. It may be asleep: browsers stop the tabs that nobody looks at. */
  takeOver() {
    if (!this.#giveUp || this.leads || !this.#locks) return;
    this.yield();
    this.#claim({ steal: true });
  }

  #claim({ steal = false } = {}) {
    const abort = new AbortController();
    const giveUp = this.#giveUp = () => abort.abort();
    const take = () => /** @type {Promise<void>} */ (new Promise((release) => {
      if (abort.signal.aborted) return release();
      abort.signal.addEventListener('abort', () => release());
      this.leads = true;
      this.#onLead();
    }));
    const locks = this.#locks;
    if (!locks) return void take();
    const options = steal ? { steal } : { signal: abort.signal };
    new Promise((resolve) => resolve(locks.request(this.#name, options, take))).catch(() => {
      if (this.#giveUp !== giveUp) return;
      // Either another tab took over, or locks are refused where storage is, and nothing is shared between tabs anyway.
      if (!this.leads) return void take();
      this.leads = false;
      this.#claim();
    });
  }

  yield() {
    this.leads = false;
    this.#giveUp?.();
    this.#giveUp = null;
  }

  close() {
    this.yield();
    attempt(() => this.#channel?.close());
    this.#channel = null;
  }
}

/**
 * @template T
 * @param {() => T} action
 */
function attempt(action) {
  try {
    return action() ?? null;
  } catch {
    return null;
  }
}
