/**
 * The session of this tab. sessionStorage and not localStorage: a reload stays signed in, while two tabs can be two
 * people. Where the browser forbids storage or has no room, the session lasts until the page is closed.
 */
import { ChatError } from '../chat-client.js';
import { BASE } from './base.js';

const KEY = 'chatgateway.session';
const TIME_LIMIT_MS = 15_000;
let session = read();

function withStorage(action) {
  try {
    return action(sessionStorage);
  } catch {
    return null; // forbidden or full: `session` is all there is
  }
}

/** What was stored may be damaged: that is as good as nothing. */
function read() {
  return withStorage((storage) => {
    const found = JSON.parse(storage.getItem(KEY) ?? 'null');
    return typeof found?.token === 'string' ? found : null;
  });
}

export const load = () => session;

export function save(next) {
  session = next;
  withStorage((storage) => storage.setItem(KEY, JSON.stringify(next)));
}

export function clear() {
  session = null;
  withStorage((storage) => storage.removeItem(KEY));
}

const unreachable = (code, message) => new ChatError({ code, message, retryable: true });

const ask = (path, options) => fetch(`${BASE}${path}`, { ...options, signal: AbortSignal.timeout(TIME_LIMIT_MS) }).catch(() => {
  throw unreachable('DISCONNECTED', 'The server cannot be reached.');
});

/** What a good answer holds. What is no JSON was written by something between here and the server. */
async function dataOf(response) {
  const answer = await response.json().catch(() => null);
  if (answer?.success) return answer.data;
  if (answer?.error?.code) throw new ChatError(answer.error);
  throw unreachable('UNREACHABLE', `The server cannot be reached at the moment (HTTP ${response.status}).`);
}

/** The demo's users, or null where the server does not run in demo mode. */
export async function demo() {
  const response = await ask('/demo');
  return response.status === 404 ? null : dataOf(response);
}

export async function signInByName(name) {
  const response = await ask('/demo/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  const { token, user, chatId } = await dataOf(response);
  return { token, chatId, userId: user.id, name: user.name };
}

/**
 * The token of the session that the chat was started with. In demo mode a new one can be had for the same name; a
 * pasted one cannot be renewed.
 */
export async function tokenOf(current, { fresh }) {
  if (fresh && current.name) {
    const renewed = await signInByName(current.name);
    if (renewed.userId === current.userId) update(current, renewed);
  }
  return current.token;
}

/** Learn more about a session: it is stored only while it is the one of this tab. */
export function update(current, more) {
  Object.assign(current, more);
  if (session === current) save(current);
}
