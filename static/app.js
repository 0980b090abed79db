/** The demo page: signs somebody in, keeps the session of this tab, and shows the chat. */
import { html, render, useCallback, useEffect, useState } from './vendor/htm-preact-3.1.1.module.js';
import { BrowserStorage, ChatClient } from './chat-client.js';
import { BASE } from './ui/base.js';
import { ChatStore } from './ui/store.js';
import { ChatScreen } from './ui/chat-screen.js';
import { SignIn } from './ui/sign-in.js';
import { Toasts, useToasts } from './ui/toasts.js';
import * as session from './ui/session.js';

// One for all sessions of this page: where it is memory, the drafts of who signs out are there at the next sign-in.
const storage = new BrowserStorage();

function startChat(current, { onError, onRefused }) {
  const client = new ChatClient({
    url: BASE,
    userId: current.userId,
    storage,
    getToken: (wanted) => session.tokenOf(current, wanted),
  });
  client.on('error', onError);
  client.on('state', ({ state, reason, cause, error }) => {
    if (error) onRefused(error);
    else if (reason === 'token' && cause.retryable) onError(cause);
    if (state === 'online') session.update(current, { userId: client.user.id });
  });
  const store = new ChatStore(client, { preferredChatId: current.chatId, onError });
  client.connect();
  return { client, store };
}

/** The browser asks before it closes a page with messages that are neither sent nor stored. */
function warnBeforeLoss(client) {
  const onLeave = (event) => client.hasUnstored && event.preventDefault();
  window.addEventListener('beforeunload', onLeave);
  return () => window.removeEventListener('beforeunload', onLeave);
}

function App() {
  const [current, setCurrent] = useState(session.load);
  const [chat, setChat] = useState(null);
  const [refusal, setRefusal] = useState(null);
  const { toasts, showError, dismiss } = useToasts();

  const signIn = useCallback((next) => {
    session.save(next);
    setRefusal(null);
    setCurrent(next);
  }, []);

  // What waits to be sent is kept for the user who wrote it, and sent after the next sign-in as the same user.
  const signOut = useCallback(() => {
    session.clear();
    setCurrent(null);
  }, []);

  useEffect(() => {
    if (!current) return undefined;
    const shown = new WeakSet(); // the client and the store may both tell of one error
    const onError = (error) => {
      if (!shown.has(error)) showError(error);
      shown.add(error);
    };
    const onRefused = (error) => {
      setRefusal(error);
      signOut();
    };
    const started = startChat(current, { onError, onRefused });
    const stopWarning = warnBeforeLoss(started.client);
    setChat(started);
    return () => {
      stopWarning();
      started.store.stop();
      started.client.disconnect();
      setChat(null);
    };
  }, [current]);

  return html`
    ${current && chat && html`<${ChatScreen} ...${chat} demo=${Boolean(current.name)} onSignOut=${signOut} />`}
    ${!current && html`<${SignIn} refusal=${refusal} onSignIn=${signIn} />`}
    <${Toasts} toasts=${toasts} onDismiss=${dismiss} />
  `;
}

render(html`<${App} />`, document.getElementById('app'));
