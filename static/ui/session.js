/**
 * The session of this tab. sessionStorage and not localStorage: a reload stays signed in, while two tabs can be two
 * people.
 */
import { ChatError } from '../chat-client.js';
import { BASE } from './base.js';

const KEY = 'chatgateway.session';

export const load = () => JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
export const save = (session) => sessionStorage.setItem(KEY, JSON.stringify(session));
export const clear = () => sessionStorage.removeItem(KEY);

async function answerOf(request) {
  const response = await request.catch(() => {
    throw new ChatError({ code: 'DISCONNECTED', message: 'The server cannot be reached.', retryable: true });
  });
  const body = await response.json().catch(() => null);
  if (!body?.success) throw new ChatError({ message: body?.message, ...body?.error });
  return body.data;
}

/** The demo's users, or null where the server does not run in demo mode. */
export async function demo() {
  const response = await fetch(`${BASE}/demo`);
  return response.status === 404 ? null : answerOf(Promise.resolve(response));
}

export async function signInByName(name) {
  const { token, user, chatId } = await answerOf(fetch(`${BASE}/demo/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  }));
  return { token, chatId, userId: user.id, name: user.name };
}

/** The token to connect with. In demo mode a new one can be had for the same name; a pasted one cannot be renewed. */
export async function token({ fresh }) {
  const session = load();
  if (!fresh || !session?.name) return session?.token;
  const renewed = await signInByName(session.name);
  if (renewed.userId === session.userId) save(renewed);
  return load().token;
}
