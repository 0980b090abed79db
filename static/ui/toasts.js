/** Errors, told once and out loud: the text from the server, and its code for those who look it up. */
import { html, useCallback, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { focusComposer } from './focus.js';
import { Icon } from './parts.js';

const SHOWN_MS = 10_000;
const AT_MOST = 3;

const TITLES = {
  RATE_LIMITED: 'A little slower, please',
  REJECTED: 'Message not accepted',
  NOT_PARTICIPANT: 'You are not in this chat',
  FORBIDDEN: 'Not allowed',
  EDIT_WINDOW_CLOSED: 'Too late to edit',
  EDIT_CONFLICT: 'Somebody else edited it',
  MESSAGE_DELETED: 'Message already deleted',
  PAYLOAD_TOO_LARGE: 'Message too long',
  VALIDATION_ERROR: 'That cannot be sent',
  TOKEN_EXPIRED: 'Session expired',
  TIMEOUT: 'No answer from the server',
  DISCONNECTED: 'Not connected',
  STORAGE_UNAVAILABLE: 'Server not ready',
  SHUTTING_DOWN: 'Server restarting',
};

const isSame = (a, b) => a.code === b.code && a.message === b.message;

export const titleOf = (error) => TITLES[error.code] ?? 'Something went wrong';

let lastId = 0;

export function useToasts() {
  const [toasts, setToasts] = useState([]);
  const dismiss = useCallback((id) => setToasts((list) => list.filter((toast) => toast.id !== id)), []);
  const showError = useCallback((error) => {
    lastId += 1;
    const id = lastId;
    // The same error again takes the place of the first: it is told once more, not twice.
    setToasts((list) => [...list.filter((toast) => !isSame(toast.error, error)), { id, error }].slice(-AT_MOST));
    setTimeout(() => dismiss(id), SHOWN_MS);
  }, []);
  return { toasts, showError, dismiss };
}

function Toast({ error, onDismiss }) {
  const dismiss = () => {
    onDismiss();
    focusComposer(); // the button goes away
  };
  const title = titleOf(error);
  const text = error.message ?? '';
  return html`
    <div class="toast" role="alert" data-testid="error-toast" data-code=${error.code}>
      <${Icon} name="alert" />
      <div class="toast-body">
        <p class="toast-title">${title}</p>
        ${text.replace(/\.$/, '') !== title && html`<p class="toast-text" dir="auto">${text}</p>`}
        <p class="toast-code">${error.code}</p>
      </div>
      <button type="button" class="icon-button" aria-label="Dismiss" onClick=${dismiss}><${Icon} name="close" /></button>
    </div>`;
}

export function Toasts({ toasts, onDismiss }) {
  return html`
    <div class="toasts">
      ${toasts.map(({ id, error }) => html`<${Toast} key=${id} error=${error} onDismiss=${() => onDismiss(id)} />`)}
    </div>`;
}
