/** The lines of the timeline: what was done to the chat, and by whom. */
import { html } from '../vendor/htm-preact-3.1.1.module.js';
import { fullTime, listNames } from './format.js';
import { memo } from './memo.js';

const ROLES = { owner: 'an owner', moderator: 'a moderator', member: 'a member', readonly: 'a reader' };

const TEXTS = {
  participantsAdded: ({ by, whom }) => `${by} added ${whom}`,
  participantRemoved: ({ by, whom }) => `${by} removed ${whom}`,
  participantLeft: ({ by }) => `${by} left`,
  roleChanged: ({ by, whom, role }) => `${by} made ${whom} ${ROLES[role] ?? role}`,
  titleChanged: ({ by, title }) => (title ? `${by} named the chat “${title}”` : `${by} took the chat's name away`),
};

/** A kind of a later server has the server's own words, to be read behind the name. */
export function lineText({ system, message }, nameFor) {
  const by = nameFor(system.by);
  const text = TEXTS[system.kind];
  return text ? text({ ...system, by, whom: listNames(system.userIds.map(nameFor)) }) : `${by} ${message}`;
}

export const Line = memo(({ message, nameFor }) => html`
  <li class="line" data-testid="line" data-message-id=${message.id}>
    <p dir="auto" title=${fullTime(message.createdAt)}>${lineText(message, nameFor)}</p>
  </li>`);
