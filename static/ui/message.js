/** One message: its text, its state, and what its sender may do with it. */
import { html, useEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { isNowhere } from './focus.js';
import { fullTime, time } from './format.js';
import { memo } from './memo.js';
import { Editor, LostEdit } from './message-editor.js';
import { Actions } from './message-menu.js';
import { Avatar, Icon } from './parts.js';
import { isBlank, MessageText, textOf } from './text.js';

const NOTHING_VISIBLE = 'Message without visible text';

function Failed({ message, client }) {
  return html`
    <p class="failed" data-testid="message-failed">
      <span><${Icon} name="alert" /> Not sent: ${message.error?.message}</span>
      <button type="button" class="link" data-testid="retry-button" onClick=${() => client.retry(message.clientMessageId)}>Try again</button>
      <button type="button" class="link" onClick=${() => client.discard(message.clientMessageId)}>Discard</button>
    </p>`;
}

function Foot({ message, receipt, isSeen, last }) {
  if (message.delivery === 'pending') return last && html`<p class="foot"><${Icon} name="clock" />Sending…</p>`;
  if (message.delivery || !(last || receipt)) return null;
  return html`
    <p class="foot">
      <time datetime=${message.createdAt} title=${fullTime(message.createdAt)}>${time(message.createdAt)}</time>
      ${receipt && html`<span class=${`receipt${isSeen ? ' is-seen' : ''}`} data-testid="receipt"><${Icon} name="check" />${receipt}</span>`}
    </p>`;
}

/** The message that is answered. */
function Quote({ message }) {
  const text = textOf(message);
  const shown = text === '' ? 'Message deleted' : isBlank(text) ? NOTHING_VISIBLE : text;
  return html`<blockquote class="quote" dir="auto">${shown}</blockquote>`;
}

function Body({ message }) {
  if (message.deletedAt) return html`<p class="bubble is-deleted"><span data-testid="message-text">Message deleted</span></p>`;
  return html`
    <div class="bubble">
      ${message.replyTo && html`<${Quote} message=${message.replyTo} />`}
      ${isBlank(textOf(message))
        ? html`<p class="text is-blank" data-testid="message-text">${NOTHING_VISIBLE}</p>`
        : html`<p class="text" dir="auto" data-testid="message-text"><${MessageText} message=${message} /></p>`}
      ${message.editedAt && html`<span class="edited">edited</span>`}
    </div>`;
}

export const Message = memo(({ message, own, first, last, senderName, receipt, isSeen, held, client, store }) => {
  const [editing, setEditing] = useState(false);
  const item = useRef(null);
  const written = useRef('');
  const state = message.delivery ?? (message.deletedAt ? 'deleted' : 'stored');
  const isEditing = editing && state === 'stored';

  // The focused field or button is gone; the keyboard goes on from the button that opened the editor, or in the log.
  const wasEditing = useRef(false);
  useEffect(() => {
    if (wasEditing.current && !editing && isNowhere()) {
      (item.current.querySelector('.actions button') ?? item.current.closest('[role=log]'))?.focus({ preventScroll: true });
    }
    wasEditing.current = editing;
  }, [editing]);

  const classes = ['message', own ? 'is-own' : 'is-theirs', first && 'is-first', last && 'is-last', `is-${state}`].filter(Boolean).join(' ');
  return html`
    <li class=${classes} ref=${item} data-testid="message" data-message-id=${message.id} data-state=${state}>
      ${!own && first && html`<${Avatar} userId=${message.senderId} name=${senderName} />`}
      <div class="message-main">
        ${!own && first
          ? html`<p class="sender" dir="auto">${senderName}</p>`
          : html`<span class="sr-only"><bdi>${own ? 'You' : senderName}</bdi>:</span>`}
        <div class="message-row">
          ${isEditing
            ? html`<${Editor} message=${message} store=${store} held=${held} written=${written} onDone=${() => setEditing(false)} />`
            : html`<${Body} message=${message} />`}
          ${own && state === 'stored' && !editing && html`
            <${Actions} message=${message} store=${store} onEdit=${() => setEditing(true)} />`}
        </div>
        ${editing && state === 'deleted' && html`<${LostEdit} text=${written.current} onDone=${() => setEditing(false)} />`}
        ${state === 'failed' && html`<${Failed} message=${message} client=${client} />`}
        <${Foot} message=${message} receipt=${receipt} isSeen=${isSeen} last=${last} />
      </div>
    </li>`;
});
