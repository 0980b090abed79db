/** A whole client between a fake server and a fake clock. */
import { ClientCore } from '../../src/client.js';
import { FakeChannels, FakeClock, FakeLocks, FakeServer, good, keptStorage, settle } from './fakes.mjs';

/** What the client emitted, by event. */
class Heard {
  #events = {};

  listenTo(client, ...events) {
    for (const event of events) client.on(event, (data) => (this.#events[event] ??= []).push(data));
  }

  of(event) { return this.#events[event] ?? []; }
  codes() { return this.of('error').map(({ code }) => code); }
}

/** A page of REST history: {messages with these seqs, cursor}. */
export const page = (seqs) => good(seqs.map((seq) => ({ id: seq, seq, updatedSeq: seq })), { page: { hasBefore: false, seq: seqs.at(-1) ?? 0 } });

export const joined = (chatId, sync) => ({ success: true, data: { chatId, epoch: 'e1', seq: sync.toSeq, sync } });

export const syncPage = (chatId, seqs, more = {}) => ({
  chatId, fromSeq: 0, toSeq: seqs.at(-1), hasMore: false, reset: false, messages: seqs.map((seq) => ({ id: seq, seq })), ...more,
});

export function aClient({ getToken = () => 'token', fetch = async () => page([]), ...more } = {}) {
  const server = new FakeServer();
  const clock = new FakeClock();
  const heard = new Heard();
  const locks = new FakeLocks();
  const client = new ClientCore({
    url: 'http://chat.example', io: server.io, getToken, fetch, clock,
    storage: keptStorage(), locks: () => locks, openChannel: new FakeChannels().open, ...more,
  });
  heard.listenTo(client, 'state', 'error', 'history', 'newMessage', 'outbox', 'sent', 'drafts', 'roomLost', 'roomFailed');
  const states = () => heard.of('state').map(({ state, reason }) => (reason ? `${state} (${reason})` : state));
  const connect = async () => {
    client.connect();
    await settle();
  };
  return { client, server, clock, heard, states, connect };
}
