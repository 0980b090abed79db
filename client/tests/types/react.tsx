// Compiled, never run: what a front end may write with the hooks. The snippet of react/README.md, with types.
import { ChatClient } from '@chatgateway/client';
import type { Chat as WireChat } from '@chatgateway/client';
import { ChatProvider, useChats, useComposer, useConnection, useMessages, usePresence } from '../../react/src/index.js';

const client = new ChatClient({ getToken: () => 'token' });

function Chat({ chatId }: { chatId: number }) {
  const { messages, loading, people, loadEarlier } = useMessages(chatId);
  const { text, setText, send } = useComposer(chatId);
  const titles = useChats()?.map(({ title, unreadCount }: Pick<WireChat, 'title' | 'unreadCount'>) => `${title} ${unreadCount}`);
  const online = useConnection() === 'online' && usePresence(2)?.status === 'online';
  if (loading) return 'One moment …';
  return <>
    <h1 onClick={() => void loadEarlier()}>{titles} {people.length} {online}</h1>
    <ul>{messages.map((m) => <li key={m.clientMessageId ?? m.id}>{m.message} {m.delivery}</li>)}</ul>
    <input value={text} onChange={(event) => setText(event.target.value)} />
    <button onClick={() => send({ replyToId: 1 })}>Send</button>
  </>;
}

export const App = () => <ChatProvider client={client} onError={(error) => error.code}><Chat chatId={1} /></ChatProvider>;
// @ts-expect-error a chat has a number
export const wrong = () => <Chat chatId="1" />;
// @ts-expect-error a client is required
export const bare = () => <ChatProvider />;
// @ts-expect-error a presence has no name
export const nameless = () => usePresence(2)?.name;
