/** The signed-in page: the sidebar and the open conversation. */
import { html, useEffect, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { Conversation } from './conversation.js';
import { Sidebar } from './sidebar.js';

/** A direct chat has no title of its own: it is named after the other one. */
export function chatTitle(state) {
  const chat = state.chats?.find(({ id }) => id === state.chatId);
  const others = state.people.filter(({ userId }) => userId !== state.user?.id);
  return chat?.title || others.map(({ name }) => name).join(', ') || 'Chat';
}

function useStore(store) {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.subscribe(setState);
  }, [store]);
  return state;
}

export function ChatScreen({ client, store, demo, onSignOut }) {
  const state = useStore(store);
  const [drawerOpen, setDrawerOpen] = useState(false);
  const title = chatTitle(state);

  useEffect(() => {
    document.title = `${title} · ChatGateway`;
  }, [title]);

  // Escape closes the drawer, and so does a window that became wide enough to need none.
  useEffect(() => {
    const onKey = (event) => event.key === 'Escape' && setDrawerOpen(false);
    const onWidth = () => setDrawerOpen(false);
    const narrow = window.matchMedia('(max-width: 52rem)');
    window.addEventListener('keydown', onKey);
    narrow.addEventListener('change', onWidth);
    return () => {
      window.removeEventListener('keydown', onKey);
      narrow.removeEventListener('change', onWidth);
    };
  }, []);

  const select = (chatId) => {
    setDrawerOpen(false);
    store.select(chatId);
  };

  return html`
    <div class="shell">
      <${Sidebar} state=${state} demo=${demo} open=${drawerOpen} onSelect=${select}
        onClose=${() => setDrawerOpen(false)} onSignOut=${onSignOut} />
      ${drawerOpen && html`<div class="scrim" onClick=${() => setDrawerOpen(false)} />`}
      <${Conversation} key=${state.chatId} state=${state} title=${title} client=${client} store=${store} demo=${demo}
        drawerOpen=${drawerOpen} onOpenPeople=${() => setDrawerOpen(true)} />
    </div>`;
}
