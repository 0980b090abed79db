/** Chats, people and oneself. On a phone it is a drawer. */
import { html, useEffect, useMemo, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { lastSeen } from './format.js';
import { Avatar, Icon, Mark } from './parts.js';
import { nameOf, sortPeople, statusOf, titleOf } from './people.js';

const ROWS_AT_ONCE = 100; // a thousand rows would take long to draw, and nobody reads them

/** The first rows of a list, and a button for the next ones. */
function Rows({ list, row, more }) {
  const [most, setMost] = useState(ROWS_AT_ONCE);
  const root = useRef(null);
  const left = list.length - most;
  const show = () => {
    setMost(most + ROWS_AT_ONCE);
    root.current.focus(); // the button may go away
  };
  return html`
    <ul ref=${root} tabindex="-1">${list.slice(0, most).map(row)}</ul>
    ${left > 0 && html`<button type="button" class="more-rows" onClick=${show}>${more} (${left})</button>`}`;
}

function Person({ person, status, lastSeenAt, isTyping, isMe }) {
  const name = nameOf(person);
  return useMemo(() => {
    const away = isMe ? 'Offline' : lastSeen(lastSeenAt);
    return html`
      <li class="person" data-testid="person" data-user-id=${person.userId} data-status=${status}>
        <${Avatar} userId=${person.userId} name=${name} status=${status} />
        <span class="person-text">
          <span class="person-name" dir="auto">${name}${isMe && html` <span class="you">you</span>`}</span>
          <span class="person-detail">${isTyping ? 'Typing…' : status === 'online' ? 'Online' : away}</span>
        </span>
      </li>`;
  }, [person, status, lastSeenAt, isTyping, isMe]);
}

function People({ state }) {
  const { people, presence, user, typing } = state;
  const sorted = useMemo(() => sortPeople(state), [people, presence, user]);
  if (people.length === 0) return null;
  const row = (person) => html`
    <${Person} key=${person.userId} person=${person} status=${statusOf(state, person.userId)} isMe=${person.userId === user?.id}
      lastSeenAt=${presence.get(person.userId)?.lastSeenAt} isTyping=${typing.has(person.userId)} />`;
  return html`
    <section aria-labelledby="people-heading">
      <h2 id="people-heading">People${people.length > ROWS_AT_ONCE && html` <span class="count-of">${people.length}</span>`}</h2>
      <${Rows} key=${state.chatId} list=${sorted} row=${row} more="More people" />
    </section>`;
}

function ChatItem({ chat, title, isOpen, onSelect }) {
  return useMemo(() => {
    const preview = chat.lastMessage?.deletedAt ? 'Message deleted' : chat.lastMessage?.message;
    return html`
      <li>
        <button type="button" class="chat-item" data-testid="chat-item" data-chat-id=${chat.id} aria-current=${isOpen ? 'true' : undefined}
          onClick=${() => onSelect(chat.id)}>
          <span class="chat-item-title" dir="auto">${title}</span>
          <span class="chat-item-preview" dir="auto">${preview || 'No messages yet'}</span>
          ${!isOpen && chat.unreadCount > 0 && html`
            <span class="badge">${chat.unreadCount > 99 ? '99+' : chat.unreadCount}<span class="sr-only"> unread</span></span>`}
        </button>
      </li>`;
  }, [chat, title, isOpen, onSelect]);
}

/** One chat that is open needs no list of it. */
function Chats({ state, onSelect }) {
  const { chats, chatId } = state;
  if (!chats || chats.every(({ id }) => id === chatId)) return null;
  const row = (chat) => html`<${ChatItem} key=${chat.id} chat=${chat} title=${titleOf(chat, state)} isOpen=${chat.id === chatId} onSelect=${onSelect} />`;
  return html`
    <nav aria-labelledby="chats-heading">
      <h2 id="chats-heading">Chats</h2>
      <${Rows} list=${chats} row=${row} more="More chats" />
    </nav>`;
}

export function Sidebar({ state, demo, open, onSelect, onClose, onSignOut }) {
  const closeButton = useRef(null);
  useEffect(() => {
    if (open) closeButton.current.focus();
  }, [open]);

  const { user, users } = state;
  const self = user && { userId: user.id, name: users.get(user.id)?.name ?? user.name };
  return html`
    <aside class=${`sidebar${open ? ' is-open' : ''}`} id="sidebar" aria-label="Chats and people">
      <div class="sidebar-head">
        <p class="brand"><${Mark} /> ChatGateway</p>
        <button type="button" class="icon-button drawer-close" ref=${closeButton} aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
      </div>
      <div class="sidebar-scroll">
        <${Chats} state=${state} onSelect=${onSelect} />
        <${People} state=${state} />
      </div>
      ${demo && html`
        <a class="invite" href="./" target="_blank" rel="noopener">
          <${Icon} name="window" />
          <span>Open a second window and be somebody else in it</span>
        </a>`}
      <div class="sidebar-foot">
        ${self && html`
          <${Avatar} userId=${self.userId} name=${nameOf(self)} />
          <span class="person-text"><span class="person-detail">Signed in as</span><span class="person-name" dir="auto">${nameOf(self)}</span></span>`}
        <button type="button" class="icon-button" data-testid="sign-out" aria-label="Sign out" title="Sign out" onClick=${onSignOut}>
          <${Icon} name="signOut" />
        </button>
      </div>
    </aside>`;
}
