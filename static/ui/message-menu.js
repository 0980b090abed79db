/** A button that opens "Edit" and "Delete". Deleting asks once more in the same place. */
import { html, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { focusLog } from './focus.js';
import { Icon } from './parts.js';

const MARGIN_PX = 8;

/** The menu opens above its message if it fits there, or else where there is more room; what does not fit scrolls. */
function place(menu, row) {
  const log = row.closest('[role=log]').getBoundingClientRect();
  const { top, bottom } = row.getBoundingClientRect();
  const above = top - log.top - MARGIN_PX;
  const below = log.bottom - bottom - MARGIN_PX;
  const isBelow = above < menu.scrollHeight && below > above;
  menu.classList.toggle('is-below', isBelow);
  const room = Math.max(above, below, 0);
  // In a window of a few lines neither side has room: then the log scrolls to the menu.
  menu.style.maxHeight = `${Math.max(isBelow ? below : above, Math.min(menu.scrollHeight, log.height - 2 * MARGIN_PX))}px`;
  if (room < menu.scrollHeight) menu.scrollIntoView({ block: 'nearest' });
}

export function Actions({ message, store, onEdit }) {
  const [open, setOpen] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const root = useRef(null);
  const button = useRef(null);
  const menu = useRef(null);

  const close = () => {
    setOpen(false);
    setConfirming(false);
  };

  const remove = () => {
    focusLog(); // this menu goes away with the message
    store.delete(message.id);
  };

  useLayoutEffect(() => {
    if (open) place(menu.current, root.current.closest('.message-row'));
  }, [open]);

  // Before the menu is painted: whoever sees it can close it.
  useLayoutEffect(() => {
    if (!open) return undefined;
    const outside = (event) => !root.current.contains(event.target) && close();
    const onKeyDown = (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      close();
      button.current.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    // On the document and first: a browser that does not focus a pressed button sends the key to the body.
    document.addEventListener('keydown', onKeyDown, true);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
      document.removeEventListener('keydown', onKeyDown, true);
    };
  }, [open]);

  return html`
    <div class=${`actions${open ? ' is-open' : ''}`} ref=${root}>
      <button type="button" class="icon-button" ref=${button} aria-label="Message actions" aria-expanded=${String(open)}
        data-testid="message-actions" onClick=${() => (open ? close() : setOpen(true))}><${Icon} name="more" /></button>
      ${open && html`
        <div class="menu" ref=${menu}>
          <button type="button" data-testid="edit-message" onClick=${onEdit}><${Icon} name="edit" />Edit</button>
          <button type="button" class="is-danger" data-testid="delete-message"
            onClick=${() => (confirming ? remove() : setConfirming(true))}>
            <${Icon} name="trash" />${confirming ? 'Delete for everyone?' : 'Delete'}
          </button>
        </div>`}
    </div>`;
}
