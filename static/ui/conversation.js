/** The open chat: its head, the log of messages, who is typing, and the composer. */
import { html, useEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { Composer } from './composer.js';
import { listNames, plural } from './format.js';
import { Icon } from './parts.js';
import { nameIn, statusOf } from './people.js';
import { Timeline } from './timeline.js';

const CONNECTION_TEXT = {
  connecting: 'Connecting…',
  online: 'Connected',
  reconnecting: 'Reconnecting…',
  offline: 'Offline',
  closed: 'Disconnected',
};

/** The browser knows at once that the network is gone; the connection finds out only after a missed heartbeat. */
function useNetwork() {
  const [isUp, setUp] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setUp(navigator.onLine);
    window.addEventListener('online', update);
    window.addEventListener('offline', update);
    return () => {
      window.removeEventListener('online', update);
      window.removeEventListener('offline', update);
    };
  }, []);
  return isUp;
}

function Head({ state, title, drawerOpen, onOpenPeople, connection }) {
  const peopleButton = useRef(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && !drawerOpen) peopleButton.current.focus();
    wasOpen.current = drawerOpen;
  }, [drawerOpen]);

  const online = state.people.filter(({ userId }) => statusOf(state, userId) === 'online').length;
  return html`
    <header class="conversation-head">
      <div class="conversation-title">
        <h1>${title}</h1>
        <p>${state.people.length ? `${plural(state.people.length, 'person', 'people')}, ${online} online` : '\u00a0'}</p>
      </div>
      <p class="connection" role="status" data-testid="connection-state" data-state=${connection}>${CONNECTION_TEXT[connection]}</p>
      <button type="button" class="icon-button people-button" ref=${peopleButton} aria-label="Chats and people" aria-expanded=${String(drawerOpen)}
        aria-controls="sidebar" onClick=${onOpenPeople}><${Icon} name="people" /></button>
    </header>`;
}

/** Only after having been connected: the first second of a page needs no alarm. */
function Banner({ connection, wasOnline }) {
  if (connection === 'online' || (connection === 'connecting' && !wasOnline)) return null;
  const text = connection === 'offline' ? 'You are offline.' : 'The connection was lost and is being restored.';
  return html`<p class="banner"><${Icon} name="clock" /><span>${text} What you write is kept and sent afterwards.</span></p>`;
}

function Typing({ state }) {
  const names = [...state.typing.keys()]
    .filter((userId) => userId !== state.user?.id)
    .map((userId) => nameIn(state, userId));
  return html`
    <div class="typing" role="status">
      ${names.length > 0 && html`
        <p data-testid="typing-indicator">
          <span class="typing-dots" aria-hidden="true"><i /><i /><i /></span>
          ${listNames(names)} ${names.length === 1 ? 'is' : 'are'} typing…
        </p>`}
    </div>`;
}

export function Conversation({ state, title, client, store, demo, drawerOpen, onOpenPeople }) {
  const networkIsUp = useNetwork();
  const connection = networkIsUp || state.connection === 'online' ? state.connection : 'offline';
  const scrollToEnd = useRef(() => {});

  const send = (text) => {
    client.send(state.chatId, text);
    scrollToEnd.current();
  };

  return html`
    <main class="conversation" inert=${drawerOpen}>
      <${Head} state=${state} title=${title} drawerOpen=${drawerOpen} onOpenPeople=${onOpenPeople} connection=${connection} />
      <${Banner} connection=${connection} wasOnline=${state.wasOnline} />
      <${Timeline} state=${state} client=${client} store=${store} demo=${demo} scrollToEnd=${scrollToEnd} />
      <${Typing} state=${state} />
      <${Composer} client=${client} chatId=${state.chatId} disabled=${state.chatId === null} title=${title} onSend=${send}
        onTyping=${() => client.typing(state.chatId)} onStopTyping=${() => client.stopTyping(state.chatId)} />
    </main>`;
}
