/**
 * What was written and is not stored yet. Every item keeps its `clientMessageId` through all attempts, so the server
 * answers a repeat with the message it already has, and a lost answer never makes a message twice.
 */
const MAX_ATTEMPTS = 6;

// Not crypto.randomUUID(): that one is missing on plain http, where a phone on the office network may well be.
function newClientMessageId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Outbox {
  /** {clientMessageId, chatId, content, replyToId, metadata, status: 'pending'|'failed', error, createdAt}, oldest first */
  items = [];
  #deliver; #isReady; #onChange; #onFailure;
  #flushing = false;

  /** `deliver(item)` sends one item and rejects with a ChatError; `isReady()` says whether there is a connection. */
  constructor({ deliver, isReady, onChange, onFailure }) {
    this.#deliver = deliver;
    this.#isReady = isReady;
    this.#onChange = onChange;
    this.#onFailure = onFailure;
  }

  add(message) {
    const item = {
      ...message,
      clientMessageId: newClientMessageId(),
      status: 'pending', error: null, attempts: 0, createdAt: new Date().toISOString(),
    };
    this.#replace([...this.items, item]);
    this.flush();
    return item.clientMessageId;
  }

  retry(clientMessageId) {
    this.#change(clientMessageId, { status: 'pending', error: null, attempts: 0 });
    this.flush();
  }

  remove(clientMessageId) {
    if (!this.items.some((item) => item.clientMessageId === clientMessageId)) return;
    this.#replace(this.items.filter((item) => item.clientMessageId !== clientMessageId));
  }

  /** One message at a time: that keeps the order in which they were written, through retries too. */
  async flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    let item;
    while (this.#isReady() && (item = this.items.find(({ status }) => status === 'pending'))) await this.#attempt(item);
    this.#flushing = false;
  }

  async #attempt(item) {
    try {
      await this.#deliver(item);
      this.remove(item.clientMessageId);
    } catch (error) {
      if (error.code === 'DISCONNECTED') return; // stays pending until the next flush
      const again = error.retryable && item.attempts + 1 < MAX_ATTEMPTS;
      this.#change(item.clientMessageId, again ? { attempts: item.attempts + 1 } : { status: 'failed', error });
      if (!again) return this.#onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, (error.retryAfter ?? 1) * 1000));
    }
  }

  #change(clientMessageId, patch) {
    this.#replace(this.items.map((item) => (item.clientMessageId === clientMessageId ? { ...item, ...patch } : item)));
  }

  #replace(items) {
    this.items = items;
    this.#onChange(items);
  }
}
