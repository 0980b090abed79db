/** Where a message is written: Enter sends, Shift+Enter makes a new line, and what is not sent stays as a draft. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { ChatError } from '../chat-client.js';
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

/**
 * The key belongs to an input method that is choosing a word. Safari ends the composition before the keydown of the
 * Enter that chose it, so isComposing is false there, and only the key code tells.
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

export function isSendKey(event) {
  return event.key === 'Enter' && !event.shiftKey && !isComposing(event);
}

/** The text of the field. The client keeps it, and may have read it only after the field was shown. */
function useDraft(client, chatId) {
  const [text, setText] = useState(() => client.draft(chatId));
  useEffect(() => {
    const show = () => setText(client.draft(chatId));
    show();
    return client.on('drafts', show);
  }, [client, chatId]);
  const write = (next) => {
    client.setDraft(chatId, next);
    setText(next);
  };
  return [text, write];
}

function Count({ length }) {
  if (length < COUNT_FROM) return null;
  const left = MESSAGE_MAX - length;
  const text = left >= 0 ? `${left} characters left` : `${-left} characters too many`;
  return html`<p class=${`count${left < 0 ? ' is-over' : ''}`} id="count" role="status">${text}</p>`;
}

export function Composer({ client, chatId, disabled, title, onSend, onTyping, onStopTyping }) {
  const [text, setText] = useDraft(client, chatId);
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
    try {
      onSend(text.trim());
    } catch (error) {
      if (error instanceof ChatError) return; // not taken, and the client has told why: the text stays
      throw error;
    }
    setText('');
    field.current.focus();
  };

  return html`
    <form class="composer" onSubmit=${submit}>
      <div class="composer-box">
        <label class="sr-only" for="message">Message to ${title}</label>
        <textarea id="message" ref=${field} dir="auto" rows="1" data-testid="message-input" placeholder="Write a message" enterkeyhint="send"
          value=${text} disabled=${disabled} aria-describedby=${length >= COUNT_FROM ? 'count' : undefined}
          onInput=${input} onKeyDown=${(event) => isSendKey(event) && submit(event)} />
        <button class="send" aria-label="Send" data-testid="send-button" disabled=${!canSend}><${Icon} name="send" /></button>
      </div>
      <${Count} length=${length} />
    </form>`;
}
