/** Where one's own message is changed, and what becomes of the change when the message is deleted meanwhile. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { isComposing, isSendKey, MESSAGE_MAX, useAutoHeight } from './composer.js';
import { isNowhere } from './focus.js';
import { isBlank, textOf } from './text.js';

function problemOf(text) {
  if (isBlank(text)) return 'A message needs at least one visible character. Delete the message if it should go.';
  const over = [...text.trim()].length - MESSAGE_MAX;
  return over > 0 ? `${over} characters too many` : null;
}

/** `written.current` holds the text as it is being written; `held` counts the open editors of the log. */
export function Editor({ message, store, held, written, onDone }) {
  const [text, setText] = useState(textOf(message));
  const [wasRefused, setRefused] = useState(false);
  const field = useRef(null);
  useAutoHeight(field, text);
  written.current = text;

  useLayoutEffect(() => {
    field.current.focus();
    field.current.setSelectionRange(text.length, text.length);
    field.current.form.scrollIntoView({ block: 'nearest' });
  }, []);

  useEffect(() => {
    held.current += 1;
    return () => {
      held.current -= 1;
    };
  }, []);

  const problem = problemOf(text);
  const shownProblem = wasRefused || (problem && !isBlank(text)) ? problem : null;

  const save = async (event) => {
    event.preventDefault();
    setRefused(Boolean(problem));
    if (problem) return;
    const next = text.trim();
    if (next === textOf(message) || await store.edit(message.id, next)) onDone();
  };

  const onKeyDown = (event) => {
    if (isSendKey(event)) save(event);
    if (event.key === 'Escape' && !isComposing(event)) {
      event.stopPropagation();
      onDone();
    }
  };

  return html`
    <form class="editor" onSubmit=${save}>
      <textarea ref=${field} class="field" dir="auto" aria-label="Edit message" data-testid="edit-input" rows="1" value=${text}
        aria-invalid=${shownProblem ? 'true' : undefined} aria-describedby=${shownProblem ? `edit-problem-${message.id}` : undefined}
        onInput=${(event) => setText(event.target.value)} onKeyDown=${onKeyDown} />
      ${shownProblem && html`<p class="editor-problem" id=${`edit-problem-${message.id}`} role="alert" data-testid="edit-problem">${shownProblem}</p>`}
      <div class="editor-buttons">
        <button type="button" class="button is-quiet" onClick=${onDone}>Cancel</button>
        <button class="button" data-testid="save-edit">Save</button>
      </div>
    </form>`;
}

/** The message went while it was being edited: says so, and gives back what was written. */
export function LostEdit({ text, onDone }) {
  const button = useRef(null);
  useLayoutEffect(() => {
    if (isNowhere()) button.current.focus();
  }, []);
  return html`
    <div class="lost-edit" role="alert" data-testid="edit-lost">
      <p>This message was deleted while you were editing it. Your text was not saved:</p>
      <p class="lost-text" dir="auto">${text}</p>
      <button type="button" class="link" ref=${button} onClick=${onDone}>Dismiss</button>
    </div>`;
}
