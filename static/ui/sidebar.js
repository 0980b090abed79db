/** Chats, people and oneself. On a phone it is a drawer. */
import { html, useEffect, useRef } from '../vendor/htm-preact-3.1.1.module.js';
import { lastSeen } from './format.js';
import { Avatar, Icon, Mark } from './parts.js';

/** Oneself first, then who is online, then by name. */
export function sortPeople({ people, presence, user }) {
  const rank = ({ userId }) => (userId === user?.id ? 0 : presence.get(userId)?.status === 'online' ? 1 : 2);
  return [...people].sort((a, b) => rank(a) - rank(b) || nameOf(a).localeCompare(nameOf(b)));
}

export const nameOf = (person) => person?.name || `User ${person?.userId ?? ''}`.trim();

/** One's own presence is the state of this very connection, so it needs no telling by the server. */
export function statusOf(state, userId) {
  if (userId === state.user?.id) return state.connection === 'online' ? 'online' : 'offline';
  return state.presence.get(userId)?.status ?? 'offline';
}

function Person({ person, state }) {
  const status = statusOf(state, person.userId);
  const isMe = person.userId === state.user?.id;
  const name = nameOf(person);
  const isTyping = state.typing.has(person.userId);
  const away = isMe ? 'Offline' : lastSeen(state.presence.get(person.userId)?.lastSeenAt);
  const detail = isTyping ? 'Typing…' : status === 'online' ? 'Online' : away;
  return html`
    <li class="person" data-testid="person" data-user-id=${person.userId} data-status=${status}>
      <${Avatar} userId=${person.userId} name=${name} status=${status} />
      <span class="person-text">
        <span class="person-name">${name}${isMe && html` <span class="you">you</span>`}</span>
        <span class="person-detail">${detail}</span>
      </span>
    </li>`;
}

function ChatItem({ chat, isOpen, onSelect }) {
  const preview = chat.lastMessage?.deletedAt ? 'Message deleted' : chat.lastMessage?.message;
  return html`
    <li>
      <button type="button" class="chat-item" aria-current=${isOpen ? 'true' : undefined} onClick=${onSelect}>
        <span class="chat-item-title">${chat.title || `Chat ${chat.id}`}</span>
        <span class="chat-item-preview">${preview || 'No messages yet'}</span>
        ${!isOpen && chat.unreadCount > 0 && html`
          <span class="badge">${chat.unreadCount > 99 ? '99+' : chat.unreadCount}<span class="sr-only"> unread</span></span>`}
      </button>
    </li>`;
}

export function Sidebar({ state, demo, open, onSelect, onClose, onSignOut }) {
  const closeButton = useRef(null);
  useEffect(() => {
    if (open) closeButton.current.focus();
  }, [open]);

  const me = state.user && { userId: state.user.id, name: state.user.name };
  const self = me && (state.people.find(({ userId }) => userId === me.userId) ?? me);
  return html`
    <aside class=${`sidebar${open ? ' is-open' : ''}`} id="sidebar" aria-label="Chats and people">
      <div class="sidebar-head">
        <p class="brand"><${Mark} /> ChatGateway</p>
        <button type="button" class="icon-button drawer-close" ref=${closeButton} aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
      </div>
      <div class="sidebar-scroll">
        ${state.chats?.length > 1 && html`
          <nav aria-labelledby="chats-heading">
            <h2 id="chats-heading">Chats</h2>
            <ul>${state.chats.map((chat) => html`
              <${ChatItem} key=${chat.id} chat=${chat} isOpen=${chat.id === state.chatId} onSelect=${() => onSelect(chat.id)} />`)}
            </ul>
          </nav>`}
        <section aria-labelledby="people-heading">
          <h2 id="people-heading">People</h2>
          <ul>${sortPeople(state).map((person) => html`<${Person} key=${person.userId} person=${person} state=${state} />`)}</ul>
        </section>
      </div>
      ${demo && html`
        <a class="invite" href="./" target="_blank" rel="noopener">
          <${Icon} name="window" />
          <span>Open a second window and be somebody else in it</span>
        </a>`}
      <div class="sidebar-foot">
        ${self && html`
          <${Avatar} userId=${self.userId} name=${nameOf(self)} />
          <span class="person-text"><span class="person-detail">Signed in as</span><span class="person-name">${nameOf(self)}</span></span>`}
        <button type="button" class="icon-button" data-testid="sign-out" aria-label="Sign out" title="Sign out" onClick=${onSignOut}>
          <${Icon} name="signOut" />
        </button>
      </div>
    </aside>`;
}
