/** The log of messages: days, groups, earlier pages, and staying at the end while one is there. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { day, listNames, plural } from './format.js';
import { Message } from './message.js';
import { layOut, receiptOf } from './messages.js';
import { Icon, Mark } from './parts.js';
import { nameIn, nameOf } from './people.js';

const AT_END_PX = 60;

function Empty({ demo }) {
  return html`
    <div class="empty">
      <${Mark} />
      <h2>Nothing said yet</h2>
      <p>Write the first message.${demo && html` It shows up at once in <a href="./" target="_blank" rel="noopener">a second window</a> where you are somebody else.`}</p>
    </div>`;
}

/** Keeps the end in view while the reader is there, and the same message in view while earlier ones are put above it. */
function useScroll(log, messages, outbox) {
  const [atEnd, setAtEnd] = useState(true);
  const previous = useRef({ firstId: undefined, height: 0, atEnd: true });

  const toEnd = () => {
    log.current.scrollTop = log.current.scrollHeight;
  };

  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = log.current;
    previous.current.atEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    setAtEnd(previous.current.atEnd);
  };

  useLayoutEffect(() => {
    const { firstId, height } = previous.current;
    const first = messages[0]?.id;
    if (previous.current.atEnd) toEnd();
    else if (firstId !== undefined && first < firstId) log.current.scrollTop += log.current.scrollHeight - height;
    Object.assign(previous.current, { firstId: first, height: log.current.scrollHeight });
  }, [messages, outbox]);

  // The on-screen keyboard, a turned phone, a growing composer: what was the end stays the end.
  useEffect(() => {
    const observer = new ResizeObserver(() => previous.current.atEnd && toEnd());
    observer.observe(log.current);
    return () => observer.disconnect();
  }, []);

  return { atEnd, toEnd, onScroll };
}

/** Marks as read what is in view: the page is in front and the reader is at the end. */
function useReading({ messages, user, chatId, connection }, client, atEnd) {
  const newest = messages.findLast(({ senderId }) => senderId !== user?.id)?.id;
  useEffect(() => {
    const read = () => {
      if (newest && atEnd && connection === 'online' && document.visibilityState === 'visible') client.markRead(chatId, newest);
    };
    read();
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, [newest, atEnd, connection]);
}

/** How many messages of others came since the reader scrolled up. */
function useUnseen({ messages, user }, atEnd) {
  const seenUpTo = useRef(0);
  const newest = messages.at(-1)?.id ?? 0;
  if (atEnd) seenUpTo.current = newest;
  return messages.filter(({ id, senderId }) => id > seenUpTo.current && senderId !== user?.id).length;
}

function seenText({ readers }, people) {
  if (people.length <= 2) return 'Seen';
  const names = readers.map((id) => nameOf(people.find(({ userId }) => userId === id) ?? { userId: id }));
  return readers.length === people.length - 1 ? 'Seen by everyone' : `Seen by ${listNames(names)}`;
}

function receiptFor(receipt, people) {
  const seen = receipt.readers.length > 0;
  return { seen, text: seen ? seenText(receipt, people) : 'Sent' };
}

function Earlier({ store }) {
  const [busy, setBusy] = useState(false);
  const load = async () => {
    setBusy(true);
    await store.loadEarlier();
    setBusy(false);
  };
  return html`
    <button type="button" class="pill load-earlier" data-testid="load-earlier" disabled=${busy} onClick=${load}>
      ${busy ? 'Loading…' : 'Load earlier messages'}
    </button>`;
}

export function Timeline({ state, client, store, demo, scrollToEnd }) {
  const { messages, outbox, people, user, chatId } = state;
  const log = useRef(null);
  const waiting = outbox.filter((item) => item.chatId === chatId);
  const { atEnd, toEnd, onScroll } = useScroll(log, messages, outbox);
  const unseen = useUnseen(state, atEnd);
  useReading(state, client, atEnd);
  scrollToEnd.current = () => requestAnimationFrame(toEnd);

  const receipt = receiptOf(messages, state.reads, user?.id);
  const nameFor = (userId) => nameIn(state, userId);
  const days = layOut(messages, waiting, user?.id);
  return html`
    <div class="timeline">
      <div class="log" ref=${log} role="log" aria-label="Messages" aria-live="polite" aria-busy=${String(state.loading)} tabindex="0" onScroll=${onScroll}>
        <div class="log-inner">
          ${state.hasBefore && html`<${Earlier} store=${store} />`}
          ${!state.loading && days.length === 0 && html`<${Empty} demo=${demo} />`}
          ${days.map(({ day: date, rows }) => html`
            <section key=${date.toDateString()} class="day" aria-label=${day(date)}>
              <h2 class="day-name"><span>${day(date)}</span></h2>
              <ol>
                ${rows.map(({ key, ...row }) => html`
                  <${Message} key=${key} ...${row} senderName=${nameFor(row.message.senderId)} client=${client} store=${store}
                    receipt=${row.message.id && row.message.id === receipt?.messageId ? receiptFor(receipt, people) : null} />`)}
              </ol>
            </section>`)}
        </div>
      </div>
      ${!atEnd && html`
        <button type="button" class=${`pill jump${unseen ? ' is-new' : ''}`} data-testid="jump-to-end" onClick=${toEnd}>
          <${Icon} name="down" />${unseen ? plural(unseen, 'new message', 'new messages') : 'Latest'}
        </button>`}
    </div>`;
}
