// Compiled, never run: what a front end in TypeScript may write, and what the compiler has to refuse.
import { BrowserStorage, ChatClient, ChatError } from '@chatgateway/client';
import type { Chat, ChatClientOptions, ClientEvents, ErrorCode, Message, ServerEvents, UserId } from '@chatgateway/client';
import { io } from 'socket.io-client';

const options: ChatClientOptions = { getToken: async ({ fresh }) => (fresh ? 'new' : 'known') };
const chat = new ChatClient({ ...options, url: 'https://chat.example.com', io, storage: new BrowserStorage() });

// An event's name gives its payload.
const stop: () => void = chat.on('newMessage', (event) => {
  const text: string = event.message.message;
  const sender: UserId = event.message.senderId;
  // @ts-expect-error a message that is received has `message`; `content` is what is sent
  return [text, sender, event.message.content];
});
chat.on('history', ({ messages, reset }) => { const all: Message[] = reset ? messages : []; return all; });
chat.on('state', ({ state, error }) => { if (state === 'closed') error?.message.trim(); });
chat.on('removedFromChat', ({ reason }) => { const why: 'removed' | 'left' | 'deleted' | 'expired' = reason; return why; });
chat.on('error', (error) => { const known: ChatError = error; return known.requestId; });
// @ts-expect-error a misspelt event
chat.on('newMesage', () => {});
// @ts-expect-error no state of the client
chat.on('state', ({ state }) => state === 'connected');

// The events of plugins.
const withPolls = new ChatClient<{ pollClosed: { pollId: string } }>(options);
withPolls.on('pollClosed', ({ pollId }) => pollId.length);
withPolls.on('newMessage', ({ chatId }) => chatId.toFixed());

// Errors are told apart by their code. A newer server may have codes that this client does not know.
const newer: ErrorCode = 'QUOTA_EXCEEDED';
function explain(error: ChatError): string {
  switch (error.code) {
    case 'RATE_LIMITED': return `again in ${error.retryAfter ?? 1} s`;
    case 'OUTBOX_FULL': return 'too much is waiting';
    default: return error.message;
  }
}

// Lists in pages, and signals.
const { signal } = new AbortController();
const first: Chat[] = await chat.chats({ limit: 20, signal });
for await (const each of chat.chats()) each.unreadCount.toFixed();
const made: Chat = await chat.createChat({ type: 'direct', participantIds: [2] }, { signal });
const edited: Message = await chat.edit(1, 'Hello', { expectedRevision: 1, signal });
const id: string = chat.send(made.id, 'Hello', { replyToId: edited.id, metadata: { order: 1001 } });
const opened: number = await chat.open({ externalRef: 'order:1001' });
// @ts-expect-error a chat has a number
chat.send('1', 'Hello');
// @ts-expect-error getToken is required
new ChatClient({ url: 'https://chat.example.com' });

// Who speaks Socket.IO has the types of payloads and acks.
const join: ClientEvents['joinChat']['payload'] = { externalRef: 'order:1001' };
const present = ({ data }: ClientEvents['joinChat']['ack']): UserId[] => data.present;
const knows = ({ data }: ClientEvents['authenticate']['ack'], feature: string): boolean => data.features.includes(feature);
chat.on('newMessage', ({ message: { system } }) => (system?.kind === 'roleChanged' ? system.role : system?.userIds));

export type Payload = ServerEvents['newMessage'];
export { explain, first, id, join, knows, newer, opened, present, stop };
