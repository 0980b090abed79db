/** Messages laid out for reading: in days, and in groups of one sender. Linear; what did not change is the same object. */

const GROUP_GAP_MS = 5 * 60_000;

const moments = new WeakMap(); // message -> {at, day}
const rows = new WeakMap();    // message -> its row

/** A message never changes, so its date is parsed once. */
function momentOf(message) {
  let moment = moments.get(message);
  if (!moment) {
    const date = new Date(message.createdAt);
    moment = { at: date.getTime(), day: date.toDateString() };
    moments.set(message, moment);
  }
  return moment;
}

// The clientMessageId as key keeps one element from "pending" to "stored", so it is neither redrawn nor read twice.
const keyOf = ({ id, senderId, clientMessageId }) => (clientMessageId ? `${senderId}/${clientMessageId}` : `id/${id}`);

function rowOf(message, own, first, last) {
  const known = rows.get(message);
  if (known && known.own === own && known.first === first && known.last === last) return known;
  const row = { key: keyOf(message), message, own, first, last };
  rows.set(message, row);
  return row;
}

function continues(previous, message) {
  return previous.senderId === message.senderId && !previous.system && !message.system
    && momentOf(previous).day === momentOf(message).day
    && momentOf(message).at - momentOf(previous).at < GROUP_GAP_MS;
}

/** `days`, with each day that is as it was replaced by the very same object. */
function keepSame(days, previous) {
  const known = new Map(previous.map((each) => [each.key, each]));
  return days.map((each) => {
    const before = known.get(each.key);
    const isSame = before?.rows.length === each.rows.length && each.rows.every((row, index) => row === before.rows[index]);
    return isSame ? before : each;
  });
}

/**
 * [{key, date, rows: [{key, message, own, first, last}]}]: first and last within a group of one sender. `previous` is
 * the layout before this one: its rows and days are used again where nothing changed.
 */
export function layOut(messages, userId, previous = []) {
  const days = [];
  let continued = false;
  messages.forEach((message, index) => {
    const next = messages[index + 1];
    const goesOn = next !== undefined && continues(message, next);
    const { at, day } = momentOf(message);
    if (days.at(-1)?.key !== day) days.push({ key: day, date: new Date(at), rows: [] });
    days.at(-1).rows.push(rowOf(message, message.senderId === userId, !continued, !goesOn));
    continued = goesOn;
  });
  return keepSame(days, previous);
}
