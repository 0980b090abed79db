/** Where the keyboard goes on when what had the focus is gone. */

export const isNowhere = () => document.activeElement === null || document.activeElement === document.body;

/** To the log of messages: arrow keys scroll it, and Tab goes on to the composer. */
export function focusLog() {
  document.querySelector('[role=log]')?.focus({ preventScroll: true });
}

/** To where one writes, or to the log where one cannot. */
export function focusComposer() {
  const field = document.getElementById('message');
  if (field && !field.disabled) field.focus({ preventScroll: true });
  else focusLog();
}
