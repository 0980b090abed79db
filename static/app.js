/** The demo page: signs somebody in, keeps the session of this tab, and shows the chat. */
import { html, render, useCallback, useEffect, useState } from './vendor/htm-preact-3.1.1.module.js';
import { ChatClient } from './chat-client.js';
import { ChatStore } from './ui/store.js';
import { ChatScreen } from './ui/chat-screen.js';
import { SignIn } from './ui/sign-in.js';
import { Toasts, useToasts } from './ui/toasts.js';
import * as session from './ui/session.js';

function startChat(current, { onError, onRefused }) {
  const client = new ChatClient({ getToken: ({ fresh }) => session.token({ fresh }) });
  client.on('error', onError);
  client.on('state', ({ error }) => error && onRefused(error));
  const store = new ChatStore(client, { preferredChatId: current.chatId, onError });
  client.connect();
  return { client, store };
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

  const signOut = useCallback(() => {
    session.clear();
    setCurrent(null);
  }, []);

  useEffect(() => {
    if (!current) return undefined;
    const onRefused = (error) => {
      setRefusal(error);
      signOut();
    };
    const started = startChat(current, { onError: showError, onRefused });
    setChat(started);
    return () => {
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
