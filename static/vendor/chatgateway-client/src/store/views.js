/** The chats that are followed: what is known of each, in a map that never changes. */

/**
 * `failed` is the error of a chat that could not be loaded, `gone` is why the user is no longer in it ('removed', 'left'
 * or 'deleted').
 */
export const UNREAD_YET = Object.freeze({
  chat: null, loading: true, failed: null, gone: null, messages: [], hasBefore: false, people: [], typing: new Map(), reads: new Map(),
});

/** The map after `patchOf(view, chatId)`. A view of which nothing changes stays the same object, and so does the map. */
export function withPatches(followed, patchOf) {
  let isChanged = false;
  const next = [...followed].map(([chatId, view]) => {
    const patch = patchOf(view, chatId);
    const isSame = Object.keys(patch).every((key) => patch[key] === view[key]);
    isChanged ||= !isSame;
    return [chatId, isSame ? view : { ...view, ...patch }];
  });
  return isChanged ? new Map(next) : followed;
}
