/** What stands in the log when there is no message to show: why there is none, and what one can do about it. */
import { html } from '../vendor/htm-preact-3.1.1.module.js';
import { Icon, Mark } from './parts.js';

const WIDTHS = ['is-long', 'is-short', 'is-own is-short', 'is-long', 'is-own is-long'];

function Skeleton() {
  return html`
    <div class="skeleton" data-testid="log-loading">
      <p class="sr-only">Loading messages…</p>
      ${WIDTHS.map((width, index) => html`<span key=${index} class=${`ghost ${width}`} aria-hidden="true" />`)}
    </div>`;
}

function Empty({ state, title, children }) {
  return html`
    <div class="empty" data-testid="log-empty" data-phase=${state}>
      <${Mark} />
      <h2>${title}</h2>
      ${children}
    </div>`;
}

/** Messages are there, but the newest may be missing. */
export function Incomplete({ onRetry }) {
  return html`
    <p class="incomplete" role="alert" data-testid="log-incomplete">
      <${Icon} name="alert" /><span>Newer messages could not be loaded.</span>
      <button type="button" class="link" data-testid="log-retry" onClick=${onRetry}>Try again</button>
    </p>`;
}

/** `phase`: 'loading' | 'ready' | 'failed' | 'gone' | 'none'. */
export function Placeholder({ phase, canWrite, demo, onRetry }) {
  if (phase === 'loading') return html`<${Skeleton} />`;
  if (phase === 'failed') {
    return html`
      <${Empty} state=${phase} title="The messages could not be loaded">
        <p>The server did not answer as it should.</p>
        <button type="button" class="pill" data-testid="log-retry" onClick=${onRetry}><${Icon} name="again" />Try again</button>
      <//>`;
  }
  if (phase === 'gone') return html`<${Empty} state=${phase} title="This chat is closed to you"><p>Choose another one, or wait until somebody adds you again.</p><//>`;
  if (phase === 'none') return html`<${Empty} state=${phase} title="No chats yet"><p>As soon as somebody adds you to one, it opens here.</p><//>`;
  if (!canWrite) return html`<${Empty} state=${phase} title="Nothing said yet"><p>You can read along here as soon as somebody writes.</p><//>`;
  return html`
    <${Empty} state=${phase} title="Nothing said yet">
      <p>Write the first message.${demo && html` It shows up at once in <a href="./" target="_blank" rel="noopener">a second window</a> where you are somebody else.`}</p>
    <//>`;
}
