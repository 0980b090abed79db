/** What can be said of the open chat as a whole: whether its messages are there, and whether one may write. */

/** 'loading' | 'ready' | 'failed' | 'gone' | 'none'; none: there is no chat at all. */
export function phaseOf({ chats, chatId, loading, failed, gone }) {
  if (gone) return 'gone';
  if (chatId === null) return chats === null ? 'loading' : 'none';
  if (failed) return 'failed';
  return loading ? 'loading' : 'ready';
}

function isReader({ chats, chatId, people, user }) {
  const seat = people.find(({ userId }) => userId === user?.id) ?? chats?.find(({ id }) => id === chatId);
  return seat?.role === 'readonly';
}

/** Why there is no composer, or null where there is one. */
export function closedText(state) {
  const phase = phaseOf(state);
  if (phase === 'gone') return state.gone === 'deleted' ? 'This chat was deleted.' : 'You are no longer in this chat.';
  if (phase === 'none') return 'There is no chat to write in yet.';
  if (state.chatId !== null && isReader(state)) return 'You can read this chat, but not write in it.';
  return null;
}
