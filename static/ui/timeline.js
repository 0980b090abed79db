/** The log of messages: days, groups, earlier pages, and what stands there when there are none. */
import { html, useEffect, useMemo, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { Announcer } from './announcer.js';
import { focusLog } from './focus.js';
import { day, listNames, plural } from './format.js';
import { Line } from './lines.js';
import { layOut } from './log-rows.js';
import { useLog } from './log-scroll.js';
import { memo } from './memo.js';
import { Message } from './message.js';
import { receiptOf } from '../vendor/chatgateway-client/src/store/messages.js';
import { unsent } from '../vendor/chatgateway-client/src/store/unsent.js';
import { Icon } from './parts.js';
import { Incomplete, Placeholder } from './placeholder.js';

/** Marks as read what is in view: the page is in front and the reader is at the end. */
function useReading({ messages, user, chatId, connection, client }, atEnd) {
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
  if (atEnd) seenUpTo.current = messages.at(-1)?.id ?? 0;
  let count = 0;
  for (let at = messages.length - 1; at >= 0 && messages[at].id > seenUpTo.current; at -= 1) {
    if (messages[at].senderId !== user?.id && !messages[at].system) count += 1;
  }
  return count;
}

function seenText({ readers }, people, nameFor) {
  if (people.length <= 2) return 'Seen';
  return readers.length === people.length - 1 ? 'Seen by everyone' : `Seen by ${listNames(readers.map(nameFor))}`;
}

function Earlier({ store, hasBefore }) {
  const [busy, setBusy] = useState(false);
  const button = useRef(null);
  const load = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await store.loadEarlier();
    } finally {
      setBusy(false);
    }
  };

  // When nothing earlier is left the button goes, and the keyboard goes on in the log.
  const hadFocus = document.activeElement !== null && document.activeElement === button.current;
  useEffect(() => {
    if (!hasBefore && hadFocus) focusLog();
  }, [hasBefore]);

  // Not `disabled` while it loads: a disabled button loses the focus.
  return hasBefore && html`
    <button type="button" class="pill load-earlier" data-testid="load-earlier" ref=${button} aria-disabled=${String(busy)} onClick=${load}>
      ${busy ? 'Loading…' : 'Load earlier messages'}
    </button>`;
}

const Day = memo(({ label, rows, nameFor, receiptId, receiptText, isSeen, held, client, store }) => html`
  <section class="day" aria-label=${label}>
    <h2 class="day-name"><span>${label}</span></h2>
    <ol>
      ${rows.map(({ key, message, own, first, last }) => {
        if (message.system) return html`<${Line} key=${key} message=${message} nameFor=${nameFor} />`;
        const hasReceipt = message.id !== null && message.id === receiptId;
        return html`
          <${Message} key=${key} message=${message} own=${own} first=${first} last=${last} senderName=${nameFor(message.senderId)}
            receipt=${hasReceipt ? receiptText : null} isSeen=${hasReceipt && isSeen} held=${held} client=${client} store=${store} />`;
      })}
    </ol>
  </section>`);

export const Timeline = memo((props) => {
  const { messages, outbox, people, reads, user, chatId, hasBefore, phase, canWrite, nameFor, client, store, demo, onRetry, scrollToEnd } = props;
  const log = useRef(null);
  const held = useRef(0); // how many messages are being edited
  const { start, end, atEnd, toEnd, onScroll } = useLog(log, messages, held);
  const unseen = useUnseen(props, atEnd);
  useReading(props, atEnd);
  scrollToEnd.current = toEnd;

  const waiting = useMemo(() => unsent(outbox.filter((item) => item.chatId === chatId), messages, user?.id), [outbox, messages, chatId, user?.id]);
  const shown = useRef([]);
  const days = useMemo(
    () => layOut([...messages.slice(start, end), ...waiting], user?.id, shown.current),
    [messages, start, end, waiting, user?.id],
  );
  shown.current = days;
  const receipt = receiptOf(messages, reads, user?.id);
  const isSeen = Boolean(receipt?.readers.length);
  const receiptText = isSeen ? seenText(receipt, people, nameFor) : 'Sent';

  const retry = () => {
    focusLog(); // the button goes away
    onRetry();
  };

  const jump = () => {
    focusLog(); // the button goes away
    toEnd();
  };

  return html`
    <div class="timeline">
      <div class="log" ref=${log} role="log" aria-label="Messages" aria-live="off" aria-busy=${String(phase === 'loading')} tabindex="0" onScroll=${onScroll}>
        <div class="log-inner">
          ${phase !== 'loading' && start === 0 && html`<${Earlier} store=${store} hasBefore=${hasBefore} />`}
          ${days.length === 0 && html`<${Placeholder} phase=${phase} canWrite=${canWrite} demo=${demo} onRetry=${retry} />`}
          ${days.map(({ key, date, rows }) => html`
            <${Day} key=${key} label=${day(date)} rows=${rows} nameFor=${nameFor} receiptId=${receipt?.messageId ?? null} receiptText=${receiptText} isSeen=${isSeen}
              held=${held} client=${client} store=${store} />`)}
          ${days.length > 0 && phase === 'failed' && html`<${Incomplete} onRetry=${retry} />`}
        </div>
      </div>
      <${Announcer} messages=${messages} userId=${user?.id} nameFor=${nameFor} isReady=${phase === 'ready'} />
      ${!atEnd && html`
        <button type="button" class=${`pill jump${unseen ? ' is-new' : ''}`} data-testid="jump-to-end" onClick=${jump}>
          <${Icon} name="down" />${unseen ? plural(unseen, 'new message', 'new messages') : 'Latest'}
        </button>`}
    </div>`;
});
