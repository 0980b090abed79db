/** Small parts that several screens share: icons, the mark, avatars. */
import { html } from '../vendor/htm-preact-3.1.1.module.js';
import { hue, initials } from './format.js';

const PATHS = {
  send: 'M12 19V5m0 0-6 6m6-6 6 6',
  more: 'M12 6v.01M12 12v.01M12 18v.01',
  close: 'M6 6l12 12M18 6 6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  down: 'M12 5v14m0 0 6-6m-6 6-6-6',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 13.8a6.5 6.5 0 0 1 3.5 6.2',
  signOut: 'M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h10m0 0-3.5-3.5M20 12l-3.5 3.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7.5V12l3 2',
  alert: 'M12 8v5m0 3.5v.01M10.6 4 2.8 17.5A1.6 1.6 0 0 0 4.2 20h15.6a1.6 1.6 0 0 0 1.4-2.5L13.4 4a1.6 1.6 0 0 0-2.8 0Z',
  edit: 'M4 20h4L19.5 8.5a2.1 2.1 0 0 0-3-3L5 17l-1 3ZM14 8l3 3',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5m4-5v5',
  again: 'M20 12a8 8 0 1 1-2.6-5.9L20 8.5M20 4v4.5h-4.5',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  window: 'M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5',
};

export function Icon({ name }) {
  return html`
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"
      fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
      <path d=${PATHS[name]} />
    </svg>`;
}

/** An arch with a message passing through. */
export function Mark() {
  return html`
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path class="mark-arch" d="M1 23V12a11 11 0 0 1 22 0v11h-7V12a4 4 0 0 0-8 0v11z" />
      <circle class="mark-message" cx="12" cy="20.4" r="2.6" />
    </svg>`;
}

/** `status` is 'online' or 'offline' where presence is shown, else left out. It is spoken by the text beside it. */
export function Avatar({ userId, name, status }) {
  const classes = ['avatar', hue(userId), status && `is-${status}`].filter(Boolean).join(' ');
  return html`<span class=${classes} aria-hidden="true">${initials(name)}</span>`;
}
