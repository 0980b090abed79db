/** One message: its text, its state, and what its sender may do with it. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { isSendKey, useAutoHeight } from './composer.js';
import { fullTime, time } from './format.js';
import { Avatar, Icon } from './parts.js';
import { MessageText } from './text.js';

const MENU_HEIGHT_PX = 110;

/** A button that opens "Edit" and "Delete". Deleting asks once more in the same place. */
function Actions({ message, store, onEdit }) {
  const [open, setOpen] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const [below, setBelow] = useState(false);
  const root = useRef(null);
  const button = useRef(null);

  const show = () => {
    // Above the message, unless there is no room between it and the top of the log.
    const top = root.current.closest('[role=log]').getBoundingClientRect().top;
    setBelow(root.current.getBoundingClientRect().top - top < MENU_HEIGHT_PX);
    setOpen(true);
  };

  const close = () => {
    setOpen(false);
    setConfirming(false);
  };

  const remove = () => {
    root.current.closest('[role=log]').focus(); // this menu goes away with the message
    store.delete(message.id);
  };

  useEffect(() => {
    if (!open) return undefined;
    const outside = (event) => !root.current.contains(event.target) && close();
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);

  const onKeyDown = (event) => {
    if (event.key !== 'Escape' || !open) return;
    event.stopPropagation();
    close();
    button.current.focus();
  };

  return html`
    <div class=${`actions${open ? ' is-open' : ''}`} ref=${root} onKeyDown=${onKeyDown}>
      <button type="button" class="icon-button" ref=${button} aria-label="Message actions" aria-expanded=${String(open)}
        data-testid="message-actions" onClick=${() => (open ? close() : show())}><${Icon} name="more" /></button>
      ${open && html`
        <div class=${`menu${below ? ' is-below' : ''}`}>
          <button type="button" data-testid="edit-message" onClick=${onEdit}><${Icon} name="edit" />Edit</button>
          <button type="button" class="is-danger" data-testid="delete-message"
            onClick=${() => (confirming ? remove() : setConfirming(true))}>
            <${Icon} name="trash" />${confirming ? 'Delete for everyone?' : 'Delete'}
          </button>
        </div>`}
    </div>`;
}

function Editor({ message, store, onDone }) {
  const [text, setText] = useState(message.message);
  const field = useRef(null);
  useAutoHeight(field, text);

  useLayoutEffect(() => {
    field.current.focus();
    field.current.setSelectionRange(text.length, text.length);
  }, []);

  const save = async (event) => {
    event.preventDefault();
    const next = text.trim();
    if (!next) return;
    if (next === message.message || await store.edit(message.id, next)) onDone();
  };

  const onKeyDown = (event) => {
    if (isSendKey(event)) save(event);
    if (event.key === 'Escape') onDone();
  };

  return html`
    <form class="editor" onSubmit=${save}>
      <textarea ref=${field} class="field" aria-label="Edit message" data-testid="edit-input" rows="1" value=${text}
        onInput=${(event) => setText(event.target.value)} onKeyDown=${onKeyDown} />
      <div class="editor-buttons">
        <button type="button" class="button is-quiet" onClick=${onDone}>Cancel</button>
        <button class="button" data-testid="save-edit">Save</button>
      </div>
    </form>`;
}

function Failed({ message, client }) {
  return html`
    <p class="failed" data-testid="message-failed">
      <span><${Icon} name="alert" /> Not sent. ${message.error?.message}</span>
      <button type="button" class="link" data-testid="retry-button" onClick=${() => client.retry(message.clientMessageId)}>Try again</button>
      <button type="button" class="link" onClick=${() => client.discard(message.clientMessageId)}>Discard</button>
    </p>`;
}

function Foot({ message, receipt, last }) {
  if (message.delivery === 'pending') return last && html`<p class="foot"><${Icon} name="clock" />Sending…</p>`;
  if (message.delivery || !(last || receipt)) return null;
  return html`
    <p class="foot">
      <time datetime=${message.createdAt} title=${fullTime(message.createdAt)}>${time(message.createdAt)}</time>
      ${receipt && html`<span class=${`receipt${receipt.seen ? ' is-seen' : ''}`} data-testid="receipt"><${Icon} name="check" />${receipt.text}</span>`}
    </p>`;
}

function Body({ message }) {
  if (message.deletedAt) return html`<p class="bubble is-deleted"><span data-testid="message-text">Message deleted</span></p>`;
  const text = message.message ?? message.content;
  return html`
    <div class="bubble">
      ${message.replyTo && html`<blockquote class="quote">${message.replyTo.message || 'Message deleted'}</blockquote>`}
      <p class="text" data-testid="message-text"><${MessageText} text=${text} /></p>
      ${message.editedAt && html`<span class="edited">edited</span>`}
    </div>`;
}

export function Message({ message, own, first, last, senderName, receipt, client, store }) {
  const [editing, setEditing] = useState(false);
  const item = useRef(null);
  const stopEditing = () => {
    setEditing(false);
    // The focused field is gone; the keyboard goes on from the button that opened it.
    requestAnimationFrame(() => item.current?.querySelector('.actions button')?.focus());
  };
  const state = message.delivery ?? (message.deletedAt ? 'deleted' : 'stored');
  const classes = ['message', own ? 'is-own' : 'is-theirs', first && 'is-first', last && 'is-last', `is-${state}`].filter(Boolean).join(' ');
  return html`
    <li class=${classes} ref=${item} data-testid="message" data-message-id=${message.id} data-state=${state}>
      ${!own && first && html`<${Avatar} userId=${message.senderId} name=${senderName} />`}
      <div class="message-main">
        ${!own && first
          ? html`<p class="sender">${senderName}</p>`
          : html`<span class="sr-only">${own ? 'You' : senderName}:</span>`}
        <div class="message-row">
          ${editing
            ? html`<${Editor} message=${message} store=${store} onDone=${stopEditing} />`
            : html`<${Body} message=${message} />`}
          ${own && state === 'stored' && !editing && html`
            <${Actions} message=${message} store=${store} onEdit=${() => setEditing(true)} />`}
        </div>
        ${state === 'failed' && html`<${Failed} message=${message} client=${client} />`}
        <${Foot} message=${message} receipt=${receipt} last=${last} />
      </div>
    </li>`;
}
