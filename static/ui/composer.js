/** Where a message is written: Enter sends, Shift+Enter makes a new line. */
import { html, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { Icon } from './parts.js';

export const MESSAGE_MAX = 10_000;
const COUNT_FROM = 9_500;
const TALLEST_PX = 180;

const lengthOf = (text) => [...text].length; // as the server counts: an emoji is one, not two

export function useAutoHeight(field, text) {
  useLayoutEffect(() => {
    field.current.style.height = 'auto';
    field.current.style.height = `${Math.min(field.current.scrollHeight, TALLEST_PX)}px`;
  }, [text]);
}

export function isSendKey(event) {
  return event.key === 'Enter' && !event.shiftKey && !event.isComposing;
}

function Count({ length }) {
  if (length < COUNT_FROM) return null;
  const left = MESSAGE_MAX - length;
  const text = left >= 0 ? `${left} characters left` : `${-left} characters too many`;
  return html`<p class=${`count${left < 0 ? ' is-over' : ''}`} id="count" role="status">${text}</p>`;
}

export function Composer({ disabled, title, onSend, onTyping, onStopTyping }) {
  const [text, setText] = useState('');
  const field = useRef(null);
  useAutoHeight(field, text);

  const length = lengthOf(text);
  const canSend = !disabled && text.trim() !== '' && length <= MESSAGE_MAX;

  const input = (event) => {
    setText(event.target.value);
    if (event.target.value.trim()) onTyping();
    else onStopTyping();
  };

  const submit = (event) => {
    event.preventDefault();
    if (!canSend) return;
    onSend(text.trim());
    setText('');
    field.current.focus();
  };

  return html`
    <form class="composer" onSubmit=${submit}>
      <div class="composer-box">
        <label class="sr-only" for="message">Message to ${title}</label>
        <textarea id="message" ref=${field} rows="1" data-testid="message-input" placeholder="Write a message" enterkeyhint="send"
          value=${text} disabled=${disabled} aria-describedby=${length >= COUNT_FROM ? 'count' : undefined}
          onInput=${input} onKeyDown=${(event) => isSendKey(event) && submit(event)} />
        <button class="send" aria-label="Send" data-testid="send-button" disabled=${!canSend}><${Icon} name="send" /></button>
      </div>
      <${Count} length=${length} />
    </form>`;
}
