/** The signed-in page: the sidebar and the open conversation. */
import { html, useCallback, useEffect, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { titleOf } from './people.js';
import { Conversation } from './conversation.js';
import { Sidebar } from './sidebar.js';

/** What the page is called, also while there is no chat in it, or the open one is not known yet. */
export function titleIn(state) {
  if (state.chat) return titleOf(state.chat, state);
  return state.chats?.length === 0 && state.chatId === null ? 'No chats yet' : 'Chat';
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
  const title = titleIn(state);

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

  const select = useCallback((chatId) => {
    setDrawerOpen(false);
    store.select(chatId);
  }, [store]);

  return html`
    <div class="shell">
      <${Sidebar} state=${state} demo=${demo} open=${drawerOpen} onSelect=${select}
        onClose=${() => setDrawerOpen(false)} onSignOut=${onSignOut} />
      ${drawerOpen && html`<div class="scrim" onClick=${() => setDrawerOpen(false)} />`}
      <${Conversation} key=${state.chatId} state=${state} title=${title} client=${client} store=${store} demo=${demo}
        drawerOpen=${drawerOpen} onOpenPeople=${() => setDrawerOpen(true)} />
    </div>`;
}
