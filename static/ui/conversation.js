/** The open chat: its head, the log of messages, who is typing, and the composer. */
import { html, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { closedText, phaseOf } from './chat-phase.js';
import { Composer } from './composer.js';
import { focusComposer, focusLog, isNowhere } from './focus.js';
import { plural } from './format.js';
import { memo } from './memo.js';
import { Icon } from './parts.js';
import { nameIn, statusOf } from './people.js';
import { Timeline } from './timeline.js';

const Writing = memo(Composer);

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

/** (userId) => name, also of people who have left; the same function as long as the names are the same. */
function useNames(users) {
  return useMemo(() => (userId) => nameIn({ users }, userId), [users]);
}

function useOnlineCount(state) {
  const { people, presence, user, connection } = state;
  return useMemo(() => people.filter(({ userId }) => statusOf(state, userId) === 'online').length, [people, presence, user, connection]);
}

/** The function of the last render under one name, so that a new closure renders nothing again. */
function useStable(action) {
  const last = useRef(action);
  last.current = action;
  return useCallback((...args) => last.current(...args), []);
}

/** A drawer that closes gives the focus back to the button that opened it, before it takes the focus with it. */
function useDrawerFocus(drawerOpen, button) {
  const wasOpen = useRef(false);
  useLayoutEffect(() => {
    const isLeft = wasOpen.current || document.getElementById('sidebar')?.contains(document.activeElement);
    const isShown = button.current.getClientRects().length > 0; // a wide window has no such button
    if (!drawerOpen && isLeft && isShown) button.current.focus();
    else if (!drawerOpen && wasOpen.current) focusLog();
    wasOpen.current = drawerOpen;
  }, [drawerOpen]);
}

const Head = memo(({ title, count, online, drawerOpen, onOpenPeople, connection }) => {
  const peopleButton = useRef(null);
  useDrawerFocus(drawerOpen, peopleButton);
  return html`
    <header class="conversation-head">
      <div class="conversation-title">
        <h1 dir="auto">${title}</h1>
        <p>${count ? `${plural(count, 'person', 'people')}, ${online} online` : '\u00a0'}</p>
      </div>
      <p class="connection" role="status" data-testid="connection-state" data-state=${connection}>${CONNECTION_TEXT[connection]}</p>
      <button type="button" class="icon-button people-button" ref=${peopleButton} aria-label="Chats and people" aria-expanded=${String(drawerOpen)}
        aria-controls="sidebar" onClick=${onOpenPeople}><${Icon} name="people" /></button>
    </header>`;
});

/** Only after having been connected: the first second of a page needs no alarm. */
function Banner({ connection, wasOnline }) {
  if (connection === 'online' || (connection === 'connecting' && !wasOnline)) return null;
  const text = connection === 'offline' ? 'You are offline.' : 'The connection was lost and is being restored.';
  return html`<p class="banner"><${Icon} name="clock" /><span>${text} What you write is kept and sent afterwards.</span></p>`;
}

/** "Ada", "Ada and Grace", "Ada, Grace and 2 others", each name with its own direction of writing. */
function Names({ names }) {
  const shown = names.length <= 3 ? names : names.slice(0, 2);
  const rest = names.length - shown.length;
  return shown.map((name, index) => {
    const isLast = index === shown.length - 1;
    const before = index === 0 ? '' : isLast && rest === 0 ? ' and ' : ', ';
    return html`${before}<bdi>${name}</bdi>${isLast && rest > 0 ? ` and ${rest} others` : ''}`;
  });
}

const Typing = memo(({ typing, userId, nameFor }) => {
  const names = [...typing.keys()].filter((id) => id !== userId).map(nameFor);
  return html`
    <div class="typing" role="status">
      ${names.length > 0 && html`
        <p data-testid="typing-indicator">
          <span class="typing-dots" aria-hidden="true"><i /><i /><i /></span>
          <span class="typing-text"><${Names} names=${names} /> ${names.length === 1 ? 'is' : 'are'} typing…</span>
        </p>`}
    </div>`;
});

export function Conversation({ state, title, client, store, demo, drawerOpen, onOpenPeople }) {
  const { chatId, messages, outbox, people, reads, user, typing, hasBefore } = state;
  const networkIsUp = useNetwork();
  const connection = networkIsUp || state.connection === 'online' ? state.connection : 'offline';
  const scrollToEnd = useRef(() => {});
  const nameFor = useNames(state.users);
  const phase = phaseOf(state);
  const closed = closedText(state);
  const canWrite = closed === null && chatId !== null;

  const send = useCallback((text) => {
    client.send(chatId, text);
    scrollToEnd.current();
  }, [client, chatId]);
  const type = useCallback(() => client.typing(chatId), [client, chatId]);
  const stopTyping = useCallback(() => client.stopTyping(chatId), [client, chatId]);
  const openPeople = useStable(onOpenPeople);
  const retry = useCallback(() => store.retry(), [store]);

  // Whoever signs in, or chooses a chat, can write at once; and a composer that closes takes no focus with it.
  useEffect(() => {
    if (!isNowhere() || drawerOpen) return;
    if (canWrite) focusComposer();
    else if (closed !== null) focusLog();
  }, [canWrite, closed]);

  return html`
    <main class="conversation" inert=${drawerOpen}>
      <${Head} title=${title} count=${people.length} online=${useOnlineCount(state)} drawerOpen=${drawerOpen} onOpenPeople=${openPeople} connection=${connection} />
      <${Banner} connection=${connection} wasOnline=${state.wasOnline} />
      <${Timeline} messages=${messages} outbox=${outbox} people=${people} reads=${reads} user=${user} chatId=${chatId} hasBefore=${hasBefore}
        connection=${state.connection} phase=${phase} canWrite=${canWrite} nameFor=${nameFor}
        client=${client} store=${store} demo=${demo} onRetry=${retry} scrollToEnd=${scrollToEnd} />
      <${Typing} typing=${typing} userId=${user?.id} nameFor=${nameFor} />
      ${closed !== null && html`<p class="closed" data-testid="composer-closed"><${Icon} name="lock" /><span>${closed}</span></p>`}
      <div class="writing" hidden=${closed !== null}>
        <${Writing} client=${client} chatId=${chatId} disabled=${!canWrite} title=${title} onSend=${send} onTyping=${type} onStopTyping=${stopTyping} />
      </div>
    </main>`;
}
