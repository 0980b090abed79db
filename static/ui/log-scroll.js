/** The place of the reader in the log: the end stays the end, and elsewhere the message in view stays where it is. */
import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { atTheEnd, earlier, fit, later, rangeOf, WHOLE } from './log-window.js';

const AT_END_PX = 60;
const ROWS = '[data-testid=message], [data-testid=line]';

/** The first message that reaches into view, found by halving. Its lower edge is what keeps its place: above it, a name may come or go. */
function firstInView(log) {
  const rows = log.querySelectorAll(ROWS);
  const top = log.getBoundingClientRect().top;
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
    else high = middle;
  }
  return rows[low];
}

/**
 * Answers which part of the messages is shown, and keeps the place while that part and its rows change. `held.current`
 * is true while a message is being edited: then nothing leaves the DOM, or the editor might go with it.
 */
export function useLog(log, messages, held) {
  const place = useRef({ atBottom: true, isLowest: true, anchor: null, bottom: 0, scrollTop: 0 });
  const wanted = useRef(WHOLE);
  const [, setAtBottom] = useState(true);
  const [, redraw] = useState(null);

  /** Keeps where the reader is now: at the end, or at a message. */
  const look = (isWhole) => {
    const { scrollHeight, scrollTop, clientHeight } = log.current;
    const anchor = firstInView(log.current);
    const atBottom = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    place.current = { atBottom, isLowest: atBottom && isWhole, anchor, bottom: anchor?.getBoundingClientRect().bottom, scrollTop };
  };

  // The reader may have scrolled since the last `scroll` event, which comes only with the next frame.
  const wasWhole = useRef(true);
  if (log.current && log.current.scrollTop !== place.current.scrollTop) look(wasWhole.current);

  const most = held.current ? Infinity : undefined;
  const window = fit(messages, wanted.current, { atEnd: place.current.isLowest, most });
  const { start, end } = rangeOf(messages, window);
  const isWhole = end === messages.length;
  wanted.current = window;
  wasWhole.current = isWhole;

  const scrollToEnd = () => {
    log.current.scrollTop = log.current.scrollHeight;
  };

  const remember = () => {
    look(isWhole);
    setAtBottom(place.current.atBottom);
  };

  const move = (next) => {
    const { firstId, lastId } = wanted.current;
    if (next.firstId === firstId && next.lastId === lastId) return;
    wanted.current = next;
    redraw(next);
  };

  const onScroll = () => {
    if (!log.current) return; // the event of a log that has gone
    remember();
    const { scrollHeight, scrollTop, clientHeight } = log.current;
    if (scrollTop < clientHeight && start > 0) move(earlier(messages, window, most));
    else if (scrollHeight - scrollTop - 2 * clientHeight < 0 && !isWhole) move(later(messages, window, most));
  };

  /** Shows the newest message, also when it is not in the DOM. */
  const toEnd = () => {
    place.current.isLowest = true;
    if (!isWhole) move(atTheEnd(messages));
    scrollToEnd();
  };

  useLayoutEffect(() => {
    const { isLowest: stays, anchor, bottom } = place.current;
    if (stays) scrollToEnd();
    else if (anchor?.isConnected) log.current.scrollTop += anchor.getBoundingClientRect().bottom - bottom;
    remember();
  });

  // The on-screen keyboard, a turned phone, a growing composer, a font that came late: what was the end stays the end.
  useEffect(() => {
    const observer = new ResizeObserver(() => place.current.isLowest && scrollToEnd());
    observer.observe(log.current);
    observer.observe(log.current.firstElementChild);
    return () => observer.disconnect();
  }, []);

  return { start, end, atEnd: place.current.atBottom && isWhole, toEnd, onScroll };
}
