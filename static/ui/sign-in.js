/** The first screen: what this is, and a name to come in with (or a token, where there is no demo mode). */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { isNowhere } from './focus.js';
import { Avatar, Icon, Mark } from './parts.js';
import { demo, signInByName } from './session.js';

const NAME_MAX = 40;
const isDemo = () => document.querySelector('meta[name=chatgateway-demo]')?.content !== 'off';
const OFFLINE = { code: 'DISCONNECTED', message: 'The server cannot be reached. Try again in a moment.' };

/** Messages on their way through a row of arches. */
function Arches() {
  const radii = [330, 260, 190, 120];
  return html`
    <svg class="arches" viewBox="0 0 720 520" aria-hidden="true" focusable="false">
      ${radii.map((r, i) => html`
        <path key=${r} class=${`arch arch-${i}`} d=${`M${360 - r} 520V${370}a${r} ${r} 0 0 1 ${2 * r} 0v150z`} />`)}
      <g class="flight flight-theirs">
        <path d="M150 262h150a26 26 0 0 1 26 26v28a26 26 0 0 1-26 26H164l-34 26v-80a26 26 0 0 1 20-26z" />
        <path class="flight-line" d="M166 292h112M166 314h72" />
      </g>
      <g class="flight flight-own">
        <path d="M572 386H420a26 26 0 0 0-26 26v28a26 26 0 0 0 26 26h138l34 26v-80a26 26 0 0 0-20-26z" />
        <path class="flight-line" d="M426 416h116M426 438h60" />
      </g>
    </svg>`;
}

function Problem({ error, onRetry }) {
  return html`
    <div id="sign-in-problem" role="alert">
      ${error && html`
        <p class="problem" data-testid="sign-in-error" data-code=${error.code}>
          <${Icon} name="alert" /><span>${error.message}</span>
        </p>`}
    </div>
    ${onRetry && html`<button type="button" class="pill" data-testid="sign-in-retry" onClick=${onRetry}><${Icon} name="again" />Try again</button>`}`;
}

function NameForm({ users, busy, onName }) {
  const [name, setName] = useState('');
  const submit = (event) => {
    event.preventDefault();
    if (name.trim() && !busy) onName(name.trim());
  };
  return html`
    <h2 id="people-heading">Sign in as</h2>
    <ul class="demo-users" aria-labelledby="people-heading">
      ${users.map((user) => html`
        <li key=${user.id}>
          <button type="button" class="demo-user" data-testid="demo-user" aria-disabled=${String(busy)} onClick=${() => busy || onName(user.name)}>
            <${Avatar} userId=${user.id} name=${user.name} />
            <span class="demo-user-name" dir="auto">${user.name}</span>
          </button>
        </li>`)}
    </ul>
    <form onSubmit=${submit}>
      <label for="name">Or use your own name</label>
      <div class="field-row">
        <input id="name" class="field" dir="auto" data-testid="name-input" value=${name} maxlength=${NAME_MAX} autocomplete="nickname"
          aria-describedby="sign-in-problem" required onInput=${(event) => setName(event.target.value)} />
        <button class="button" data-testid="sign-in-button" aria-disabled=${String(busy)}>Open chat</button>
      </div>
    </form>
    <p class="second-window">
      A chat takes two. <a href="./" target="_blank" rel="noopener">Open a second window</a> and sign in there as somebody else.
    </p>`;
}

function TokenForm({ busy, onToken }) {
  const [token, setToken] = useState('');
  const submit = (event) => {
    event.preventDefault();
    if (token.trim() && !busy) onToken(token.trim());
  };
  return html`
    <form onSubmit=${submit}>
      <label for="token">Your access token</label>
      <p class="hint" id="token-hint">A JSON Web Token signed by your application, with the user’s id in <code>id</code> or <code>sub</code>.</p>
      <textarea id="token" class="field token-field" data-testid="token-input" rows="5" value=${token} spellcheck="false" required
        autocomplete="off" autocapitalize="off" aria-describedby="token-hint sign-in-problem" onInput=${(event) => setToken(event.target.value)} />
      <button class="button" data-testid="sign-in-button" aria-disabled=${String(busy)}>Open chat</button>
    </form>`;
}

function Waiting() {
  return html`<p class="hint" role="status" data-testid="sign-in-loading">Asking the server who is here…</p>`;
}

let wasShown = false; // in this page: a second sign-in screen comes after a sign-out or a refusal

export function SignIn({ refusal, onSignIn }) {
  const [offer, setOffer] = useState(undefined); // undefined: not known yet; null: no demo mode; 'failed': no answer
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(refusal);
  const card = useRef(null);

  const ask = () => {
    setOffer(undefined);
    const offered = isDemo() ? demo() : Promise.resolve(null);
    offered.then(setOffer, (problem) => {
      setError(problem.retryable ? OFFLINE : problem);
      setOffer('failed');
    });
  };

  const retry = () => {
    setError(null);
    card.current.focus(); // the button goes away
    ask();
  };

  useEffect(() => {
    document.title = 'Sign in · ChatGateway';
    ask();
  }, []);

  // What had the focus went with the chat: the keyboard goes on in the field that was wrong, or at the way in.
  useLayoutEffect(() => {
    if (wasShown && offer !== undefined && (isNowhere() || document.activeElement === card.current)) {
      (card.current.querySelector(error ? '.field' : 'button, .field') ?? card.current).focus();
    }
    if (offer !== undefined) wasShown = true;
  }, [offer]);

  const signIn = async (name) => {
    setBusy(true);
    setError(null);
    try {
      onSignIn(await signInByName(name));
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };

  return html`
    <main class="sign-in">
      <div class="welcome">
        <p class="brand"><${Mark} /> ChatGateway</p>
        <h1>Chat for your app, on your own server.</h1>
        <p class="lead">A self-hosted real-time chat server for small teams. This page is its demo: every message here goes through it.</p>
        <${Arches} />
      </div>
      <div class="entrance">
        <div class="entrance-card" ref=${card} tabindex="-1" aria-busy=${String(offer === undefined || busy)}>
          <${Problem} error=${error} onRetry=${offer === 'failed' && retry} />
          ${offer === undefined && html`<${Waiting} />`}
          ${offer?.users && html`<${NameForm} users=${offer.users} busy=${busy} onName=${signIn} />`}
          ${offer === null && html`<${TokenForm} busy=${busy} onToken=${(token) => onSignIn({ token })} />`}
        </div>
      </div>
    </main>`;
}
