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
  #giveUp = null; // ends the waiting for the lock, or the holding of it

  /** `locks` and `openChannel` are functions, since the mere access may throw. */
  constructor({ name, locks, openChannel, onMessage, onLead }) {
    this.#name = name;
    this.#onLead = onLead;
    this.#channel = attempt(() => openChannel(name));
    this.#locks = this.#channel && attempt(locks);
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }) => onMessage(data);
    this.#channel.unref?.(); // in Node it would keep the process alive
  }

  /** Tell the other tabs. */
  tell(message) {
    attempt(() => this.#channel?.postMessage(message));
  }

  /** Lead from now on, or as soon as the tab that leads gives up. */
  lead() {
    if (this.#giveUp) return;
    const abort = new AbortController();
    const take = () => new Promise((release) => {
      if (abort.signal.aborted) return release();
      abort.signal.addEventListener('abort', () => release());
      this.leads = true;
      this.#onLead();
    });
    this.#giveUp = () => abort.abort();
    if (!this.#locks) return void take();
    // Refused where storage is forbidden: then nothing is shared between tabs anyway.
    new Promise((resolve) => resolve(this.#locks.request(this.#name, { signal: abort.signal }, take)))
      .catch(() => abort.signal.aborted || take());
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

function attempt(action) {
  try {
    return action() ?? null;
  } catch {
    return null;
  }
}
