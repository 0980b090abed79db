/** What the client's parts are tried with in place of a browser and a server: everything stands still until told. */
import { BrowserStorage } from '../../src/storage.js';

/** Let all promises that can settle do so. */
export async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
}

export class FakeClock {
  #now = 1_700_000_000_000;
  #timers = new Map();
  #lastId = 0;

  now = () => this.#now;

  setTimeout = (run, ms) => {
    this.#lastId += 1;
    this.#timers.set(this.#lastId, { run, at: this.#now + ms });
    return this.#lastId;
  };

  clearTimeout = (timer) => { this.#timers.delete(timer); };

  get waiting() { return this.#timers.size; }

  /** Let time pass; what becomes due runs in its order, with its consequences. */
  async advance(ms) {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].run();
      await settle();
    }
    this.#now = end;
  }
}

/** Storage that nothing outlives, as where a browser forbids it; two outboxes with the same one share it. */
export const memoryStorage = () => new BrowserStorage({ indexedDB: () => undefined });

/** Storage that keeps: as IndexedDB, but at once. */
export function keptStorage() {
  const entries = new Map();
  return {
    entries,
    put: async (key, value) => { entries.set(JSON.stringify(key), structuredClone(value)); },
    delete: async (key) => { entries.delete(JSON.stringify(key)); },
    list: async (account, kind) => [...entries]
      .filter(([key]) => JSON.parse(key)[0] === account && JSON.parse(key)[1] === kind)
      .map(([, value]) => structuredClone(value)),
    isKept: () => true,
  };
}

/** The locks of one browser: the first who asks holds it, until its signal or its promise ends it. */
export class FakeLocks {
  #queues = new Map();

  request(name, { signal, steal }, hold) {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const entry = { hold, resolve, reject, isHeld: false };
      if (steal && queue[0]?.isHeld) queue.shift().reject(new DOMException('stolen', 'AbortError'));
      if (steal) queue.unshift(entry);
      else queue.push(entry);
      signal?.addEventListener('abort', () => {
        if (entry.isHeld) return;
        queue.splice(queue.indexOf(entry), 1);
        reject(signal.reason);
      });
      this.#grant(queue);
    });
  }

  #grant(queue) {
    const [first] = queue;
    if (!first || first.isHeld) return;
    first.isHeld = true;
    Promise.resolve().then(first.hold).then((value) => {
      if (queue[0] === first) queue.shift();
      first.resolve(value);
      this.#grant(queue);
    });
  }
}

/** The channels of one browser: what one posts, the others of its name hear. */
export class FakeChannels {
  #open = new Set();

  open = (name) => {
    const channel = {
      name,
      onmessage: null,
      postMessage: (data) => {
        const copy = structuredClone(data);
        for (const other of this.#open) {
          if (other !== channel && other.name === name) queueMicrotask(() => other.onmessage?.({ data: copy }));
        }
      },
      close: () => this.#open.delete(channel),
    };
    this.#open.add(channel);
    return channel;
  };
}

const DEFAULT_ACKS = {
  authenticate: () => ({ success: true, userId: 1, data: { user: { id: 1 } } }),
  getPresence: () => ({ success: true, data: [] }),
  joinChat: ({ chatId }) => ({
    success: true, data: { chatId, epoch: 'e1', seq: 0, sync: { chatId, messages: [], fromSeq: 0, toSeq: 0, hasMore: false, reset: false } },
  }),
};

/** A server of sockets. `answer(event, payload, socket)` gives the ack, null for the usual one, or 'lost' for none. */
export class FakeServer {
  sockets = [];
  /** What a new socket meets: 'accept', 'fail', 'hang', or the data of a refusal. */
  atConnect = () => 'accept';
  answer = () => null;
  asked = []; // [event, payload]

  io = (address, options) => {
    const socket = new FakeSocket(this, address, options);
    this.sockets.push(socket);
    queueMicrotask(() => socket.arrive(this.atConnect(options.auth.token)));
    return socket;
  };

  get last() { return this.sockets.at(-1); }
  get open() { return this.sockets.filter(({ connected }) => connected); }
  payloads(event) { return this.asked.filter(([name]) => name === event).map(([, payload]) => payload); }

  ackOf(socket, event, payload) {
    this.asked.push([event, payload]);
    return this.answer(event, payload, socket) ?? DEFAULT_ACKS[event]?.(payload) ?? { success: true, data: {} };
  }
}

class FakeSocket {
  connected = false;
  #server; #listeners = new Map(); #any = []; #isEnded = false; #lost = new Set();
  volatile = { emit: (event, payload) => { if (this.connected) this.#server.asked.push([event, payload]); } };

  constructor(server, address, options) {
    this.#server = server;
    this.address = address;
    this.options = options;
  }

  on(event, listener) {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener]);
  }

  onAny(listener) { this.#any.push(listener); }
  push(event, data) { this.#any.forEach((listener) => listener(event, data)); }

  arrive(what) {
    if (this.#isEnded || what === 'hang') return;
    if (what === 'accept') {
      this.connected = true;
      this.#tell('connect');
    } else if (what === 'fail') {
      this.#tell('connect_error', new Error('websocket error'));
    } else {
      this.#tell('connect_error', Object.assign(new Error(what.message), { data: what }));
    }
  }

  /** The connection is lost, with all answers that are still to come. */
  drop(reason = 'transport close') {
    if (!this.connected) return;
    this.connected = false;
    this.#lost.forEach((reject) => reject(new Error('disconnected')));
    this.#tell('disconnect', reason);
  }

  disconnect() {
    this.#isEnded = true;
    this.drop('io client disconnect');
  }

  timeout() {
    return {
      emitWithAck: (event, payload) => new Promise((resolve, reject) => {
        this.#lost.add(reject);
        const ack = this.#server.ackOf(this, event, payload);
        if (ack !== 'lost') Promise.resolve(ack).then(resolve);
      }),
    };
  }

  #tell(event, ...args) { this.#listeners.get(event)?.forEach((listener) => listener(...args)); }
}

/** An answer of fetch. */
export const response = (status, body, headers = {}) => ({
  status,
  headers: new Headers(headers),
  json: async () => (typeof body === 'string' ? JSON.parse(body) : body),
});

export const good = (data, more = {}) => response(200, { success: true, data, ...more });
export const refusal = (code, more = {}) => ({ success: false, message: code, error: { code, message: code, retryable: false, ...more } });

/** Where an error of a listener is reported: browsers have a function for it, Node 20 has not. */
export const REPORTER = globalThis.reportError ? [globalThis, 'reportError'] : [console, 'error'];
