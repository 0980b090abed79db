// A client that loses nothing and shows nothing twice, in Node 20 or newer.
//   npm install socket.io-client
//   TOKEN=$(python server.py token --user 1 --name Ada) node docs/examples/client.mjs "Hello, world!"
import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';

const SERVER = process.env.CHAT_URL ?? 'http://127.0.0.1:3000';
const TOKEN = process.env.TOKEN;
const chatId = Number(process.env.CHAT_ID ?? 1);

const messages = new Map(); // id -> message; the one with the higher updatedSeq wins
let cursor; // up to which number of the chat everything is here
let epoch; // of which life of the database the number is

function merge(message) {
  const known = messages.get(message.id);
  if (known && known.updatedSeq >= message.updatedSeq) return;
  messages.set(message.id, message);
  console.log(known ? 'changed' : 'new', message.senderId, message.deletedAt ? '(deleted)' : message.message);
}

// Asks until there is an answer that settles it. A message bears a clientMessageId, so it is stored once all the same.
async function ask(event, payload) {
  for (;;) {
    const answer = await socket.timeout(10_000).emitWithAck(event, payload).catch(() => null);
    if (answer?.success) return answer.data;
    if (answer && !answer.error.retryable) throw new Error(answer.error.code);
    await new Promise((resolve) => setTimeout(resolve, (answer?.error.retryAfter ?? 1) * 1000));
  }
}

// A page of what changed since the cursor, and those after it. The cursor moves when a page is applied, never before.
async function catchUp(page) {
  for (;;) {
    if (page.reset) messages.clear();
    page.messages.forEach(merge);
    cursor = page.toSeq;
    if (!page.hasMore) return;
    const more = await ask('sync', { epoch, chats: [{ chatId, since: cursor }] });
    page = more.chats[0];
    if (page.error) throw new Error(page.error.code);
  }
}

const socket = io(`${SERVER}/chat`, { auth: { token: TOKEN }, transports: ['websocket', 'polling'] });

// The server forgets the rooms of a lost connection: join again on every connect. The ack has what was missed.
socket.on('connect', async () => {
  try {
    const joined = await ask('joinChat', { chatId, since: cursor, epoch });
    epoch = joined.epoch;
    await catchUp(joined.sync);
    console.log('joined', joined.role);
  } catch (error) {
    console.error('not joined:', error.message); // final, such as NOT_PARTICIPANT
  }
});
socket.on('connect_error', (error) => console.error(error.data?.code ?? error.message));
socket.on('newMessage', ({ message }) => merge(message));
socket.on('messageUpdated', ({ message }) => merge(message));
socket.on('messageDeleted', ({ messageId, seq, timestamp }) => {
  const message = messages.get(messageId);
  if (message) merge({ ...message, message: '', updatedSeq: seq, deletedAt: timestamp });
});

if (process.argv[2]) {
  const content = process.argv[2];
  const stored = await ask('sendMessage', { chatId, content, clientMessageId: randomUUID() });
  console.log('stored', stored.id);
}
