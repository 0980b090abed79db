// src/outbox.js: what was written reaches the server once, in order, whatever becomes of tab and connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChatError } from '../src/errors.js';
import { Outbox } from '../src/outbox.js';
import { FakeChannels, FakeClock, FakeLocks, keptStorage, memoryStorage, settle } from './support/fakes.mjs';

const DAY_MS = 24 * 3600_000;
const error = (code, more) => new ChatError({ code, message: code, ...more });
const transient = (code) => error(code, { retryable: true });

/** An outbox in a tab of its own; `shared` is what the tabs of a browser have in common. */
function tab(shared, deliver) {
  const seen = { failures: [], sent: [] };
  const outbox = new Outbox({
    deliver,
    storage: shared.storage,
    clock: shared.clock,
    locks: () => shared.locks,
    openChannel: (name) => shared.channels.open(name),
    onChange: () => {},
    onSent: (message) => seen.sent.push(message),
    onFailure: (failure) => seen.failures.push(failure.code),
  });
  return Object.assign(outbox, { seen });
}

const browser = (more) => ({
  storage: keptStorage(), clock: new FakeClock(), locks: new FakeLocks(), channels: new FakeChannels(), ...more,
});

/** A server that stores once by clientMessageId, unless `fault(item)` throws. */
function server(fault = () => {}) {
  const texts = [];
  const ids = [];
  const deliver = async (item) => {
    await fault(item);
    if (!ids.includes(item.clientMessageId)) {
      ids.push(item.clientMessageId);
      texts.push(item.content);
    }
    return { message: item.content };
  };
  return { texts, ids, deliver };
}

async function online(outbox, account = 'ada') {
  await outbox.open(account);
  outbox.start();
  await settle();
}

test('what was not sent is there after a reload, and is sent under the same clientMessageId', async () => {
  const shared = browser();
  const before = tab(shared, server().deliver);
  await before.open('ada');
  const id = before.add({ chatId: 1, content: 'in the tunnel' });
  before.close();

  const { ids, deliver } = server();
  const after = tab(shared, deliver);
  await online(after);
  assert.deepEqual(ids, [id]);
  assert.deepEqual(after.items, []);
  assert.equal(shared.storage.entries.size, 0);
});

test('what was sent but not answered is sent again under the same clientMessageId, after a reload, too', async () => {
  const shared = browser();
  const attempts = [];
  const before = tab(shared, (item) => { attempts.push(item.clientMessageId); return new Promise(() => {}); });
  await online(before);
  before.add({ chatId: 1, content: 'once' });
  await settle();
  before.close();

  const after = tab(shared, async (item) => { attempts.push(item.clientMessageId); return {}; });
  await online(after);
  assert.equal(attempts.length, 2);
  assert.equal(attempts[0], attempts[1]);
});

test('a chat keeps its order through failures, and does not hold up another chat', async () => {
  const shared = browser();
  let isDown = true;
  const { texts, deliver } = server((item) => { if (isDown && item.chatId === 1) throw transient('PLUGIN_ERROR'); });
  const outbox = tab(shared, deliver);
  await online(outbox);
  for (const content of ['1a', '1b']) outbox.add({ chatId: 1, content });
  for (const content of ['2a', '2b']) outbox.add({ chatId: 2, content });
  await shared.clock.advance(300_000);
  assert.deepEqual(texts, ['2a', '2b']);
  assert.deepEqual(outbox.items.map(({ status }) => status), ['pending', 'pending']);

  isDown = false;
  outbox.add({ chatId: 1, content: '1c' });
  await shared.clock.advance(60_000);
  assert.deepEqual(texts, ['2a', '2b', '1a', '1b', '1c']);
});

test('a refusal that may pass never makes a message failed; a fault of its own does in the end', async () => {
  const shared = browser();
  let code = 'STORAGE_UNAVAILABLE';
  const outbox = tab(shared, async () => { throw transient(code); });
  await online(outbox);
  outbox.add({ chatId: 1, content: 'patience' });
  await shared.clock.advance(3600_000);
  assert.equal(outbox.items[0].status, 'pending');
  code = 'INTERNAL_ERROR';
  await shared.clock.advance(3600_000);
  assert.equal(outbox.items[0].status, 'failed');
});

test('the server\'s retryAfter is waited for', async () => {
  const shared = browser();
  let tries = 0;
  const outbox = tab(shared, async () => {
    tries += 1;
    if (tries === 1) throw error('RATE_LIMITED', { retryable: true, retryAfter: 20 });
    return {};
  });
  await online(outbox);
  outbox.add({ chatId: 1, content: 'slower' });
  await shared.clock.advance(19_000);
  assert.equal(tries, 1);
  await shared.clock.advance(2_000);
  assert.equal(tries, 2);
});

test('a token that is refused leaves the message pending', async () => {
  for (const code of ['TOKEN_EXPIRED', 'TOKEN_INVALID', 'UNAUTHENTICATED', 'TOKEN_REVOKED']) {
    const shared = browser();
    const outbox = tab(shared, async () => { throw error(code); });
    await online(outbox);
    outbox.add({ chatId: 1, content: 'mine' });
    await shared.clock.advance(60_000);
    assert.equal(outbox.items[0].status, 'pending', code);
  }
});

test('what was refused for good stays visible after a reload, with its reason, until it is tried again or discarded', async () => {
  const shared = browser();
  const before = tab(shared, async () => { throw error('REJECTED'); });
  await online(before);
  before.add({ chatId: 1, content: 'HELLO' });
  before.add({ chatId: 1, content: 'WORLD' });
  await settle();
  assert.deepEqual(before.seen.failures, ['REJECTED', 'REJECTED']);
  before.close();

  const { texts, deliver } = server();
  const after = tab(shared, deliver);
  await online(after);
  assert.deepEqual(after.items.map(({ status, error: reason }) => [status, reason.code]), [['failed', 'REJECTED'], ['failed', 'REJECTED']]);
  assert.deepEqual(texts, []);
  after.retry(after.items[0].clientMessageId);
  after.remove(after.items[1].clientMessageId);
  await settle();
  assert.deepEqual(texts, ['HELLO']);
  assert.equal(shared.storage.entries.size, 0);
});

test('another user neither sees nor sends it', async () => {
  const shared = browser();
  const ada = tab(shared, server().deliver);
  await ada.open('ada');
  ada.add({ chatId: 1, content: 'Ada\'s' });
  ada.close();

  const { texts, deliver } = server();
  const tabOfBoth = tab(shared, deliver);
  await online(tabOfBoth, 'grace');
  assert.deepEqual(tabOfBoth.items, []);
  assert.deepEqual(texts, []);
  tabOfBoth.stop();
  await online(tabOfBoth, 'ada');
  assert.deepEqual(texts, ['Ada\'s']);
});

test('a wrong guess of the user sends nothing of theirs', async () => {
  const shared = browser();
  const ada = tab(shared, server().deliver);
  await ada.open('ada');
  ada.add({ chatId: 1, content: 'Ada\'s' });
  ada.close();

  const { texts, deliver } = server();
  const guessed = tab(shared, deliver);
  await guessed.open('ada');
  assert.equal(guessed.items.length, 1);
  await online(guessed, 'grace');
  assert.deepEqual([guessed.items, texts], [[], []]);
});

test('what was written before the user was known is the user\'s', async () => {
  const shared = browser();
  const { texts, deliver } = server();
  const outbox = tab(shared, deliver);
  outbox.add({ chatId: 1, content: 'early' });
  assert.equal(outbox.isAtRisk, true);
  await outbox.open('ada');
  assert.equal(shared.storage.entries.size, 1);
  outbox.start();
  await settle();
  assert.deepEqual(texts, ['early']);
});

test('one tab sends for all, and when it closes another takes over', async () => {
  const shared = browser();
  let isDown = false;
  const senders = [];
  const tabNamed = (name, fault) => tab(shared, server((item) => {
    senders.push(`${name}: ${item.content}`);
    fault?.();
  }).deliver);
  const first = tabNamed('first', () => { if (isDown) throw transient('STORAGE_UNAVAILABLE'); });
  const second = tabNamed('second');
  await online(first);
  await online(second);
  second.add({ chatId: 1, content: 'a' });
  await settle();
  assert.deepEqual(senders, ['first: a']);
  assert.deepEqual(second.seen.sent, [{ message: 'a' }]);
  assert.deepEqual([first.items, second.items], [[], []]);

  isDown = true;
  second.add({ chatId: 1, content: 'b' });
  await settle();
  assert.deepEqual(first.items.map(({ content }) => content), ['b']);
  first.close();
  await settle();
  assert.deepEqual(senders, ['first: a', 'first: b', 'second: b']);
  assert.deepEqual(second.items, []);
});

test('the tab that the user looks at takes over from one that sleeps, and gives the lead back to nobody else', async () => {
  const shared = browser();
  const senders = [];
  const sleeping = tab(shared, (item) => { senders.push(`sleeping: ${item.content}`); return new Promise(() => {}); });
  const looked = tab(shared, async (item) => { senders.push(`looked at: ${item.content}`); return {}; });
  await online(sleeping);
  await online(looked);
  looked.add({ chatId: 1, content: 'a' });
  await settle();
  looked.takeOver();
  looked.takeOver();
  await settle();
  looked.add({ chatId: 1, content: 'b' });
  await settle();
  assert.deepEqual(senders, ['sleeping: a', 'looked at: a', 'looked at: b']);
  assert.deepEqual([sleeping.items, looked.items], [[], []]);

  looked.close(); // the other one has waited for its turn
  await settle();
  sleeping.add({ chatId: 2, content: 'c' });
  await settle();
  assert.equal(senders.at(-1), 'sleeping: c');
});

test('a tab that lost its connection lets a connected one send', async () => {
  const shared = browser();
  const { texts, deliver } = server();
  const first = tab(shared, server(() => assert.fail('it is not connected')).deliver);
  const second = tab(shared, deliver);
  await online(first);
  await online(second);
  first.stop();
  await settle();
  first.add({ chatId: 1, content: 'for the other' });
  await settle();
  assert.deepEqual(texts, ['for the other']);
  assert.deepEqual(first.items, []);
});

test('where the browser has no locks or refuses them, each tab sends, under the same clientMessageId', async () => {
  const refusing = { request: async () => { throw new DOMException('no', 'SecurityError'); } };
  for (const locks of [undefined, refusing]) {
    const shared = browser({ locks });
    const { texts, deliver } = server();
    const [first, second] = [tab(shared, deliver), tab(shared, deliver)];
    await online(first);
    await online(second);
    first.add({ chatId: 1, content: 'once' });
    await settle();
    assert.deepEqual(texts, ['once']);
    assert.deepEqual([first.items, second.items], [[], []]);
  }
});

test('without storage and without channels it works while the page lives, and knows what would be lost', async () => {
  const shared = browser({ storage: memoryStorage(), channels: { open: () => { throw new Error('forbidden'); } } });
  const { texts, deliver } = server();
  const outbox = tab(shared, deliver);
  await outbox.open('ada');
  outbox.add({ chatId: 1, content: 'only here' });
  await settle();
  assert.equal(outbox.isAtRisk, true);
  await online(outbox);
  assert.deepEqual(texts, ['only here']);
  assert.equal(outbox.isAtRisk, false);
});

test('it is bounded: the item after the 500th is refused aloud', async () => {
  const outbox = tab(browser(), server().deliver);
  await outbox.open('ada');
  for (let number = 0; number < 500; number += 1) outbox.add({ chatId: 1, content: String(number) });
  assert.throws(() => outbox.add({ chatId: 1, content: 'too many' }), { code: 'OUTBOX_FULL' });
  assert.deepEqual(outbox.items.map(({ content }) => Number(content)), [...Array(500).keys()]);
});

test('what waited for over a week is not sent unasked, and is forgotten after a month', async () => {
  const shared = browser();
  const before = tab(shared, server().deliver);
  await before.open('ada');
  before.add({ chatId: 1, content: 'old' });
  before.close();
  await shared.clock.advance(8 * DAY_MS);

  const { texts, deliver } = server();
  const after = tab(shared, deliver);
  await online(after);
  assert.deepEqual(texts, []);
  assert.equal(after.items[0].status, 'failed');
  after.stop();
  after.retry(after.items[0].clientMessageId);
  await online(after);
  assert.deepEqual(texts, ['old']);

  after.stop();
  after.add({ chatId: 1, content: 'ancient' });
  after.close();
  await shared.clock.advance(31 * DAY_MS);
  const last = tab(shared, deliver);
  await online(last);
  assert.deepEqual([last.items, shared.storage.entries.size], [[], 0]);
});

test('a damaged entry is passed over', async () => {
  const shared = browser();
  for (const [index, value] of [null, 'text', {}, { clientMessageId: 'x', chatId: 1 }, { content: 5 }].entries()) {
    await shared.storage.put(['ada', 'outbox', String(index)], value);
  }
  const { texts, deliver } = server();
  const outbox = tab(shared, deliver);
  await online(outbox);
  outbox.add({ chatId: 1, content: 'fine' });
  await settle();
  assert.deepEqual([outbox.items, texts], [[], ['fine']]);
});
