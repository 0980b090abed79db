"""A journal over a store in memory, with one chat, and short words for what is asked of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from chat.entities import Message
from chat.errors import ChatError
from chat.services.chat_states import ChatState, ChatStates
from chat.services.journal.entries import Append
from chat.services.journal.journal import Journal
from tests.support.pace import no_limits
from tests.support.rest.store import FakeChats, FakeIds, FakeMessages, draft, new_chat, seat


@dataclass(slots=True, eq=False)
class Sending(Append):
    """A message that anybody may send."""

    on_commit: Callable[[Message], None]

    def check(self):
        pass

    def commit(self, message):
        self.on_commit(message)


class Desk:
    """`async with desk:` starts the journal and stops it; `pushed` are the numbers of all
    commits.
    """

    def __init__(self, reserved=1_000):
        self.chats, self.ids = FakeChats(), FakeIds()
        self.messages = FakeMessages(self.chats, self.ids)
        states = ChatStates(self.chats, self.messages, no_limits(), lambda _identity: None)
        self.states = states
        self.state = self._open(reserved)
        self.pushed = []
        self.journal = None

    async def __aenter__(self):
        self.journal = Journal(self.states, self.messages, self.chats, self.ids)
        self.journal.start()
        return self

    async def __aexit__(self, *_):
        await self.journal.stop(5)

    def another_chat(self):
        return self._open(1_000)

    async def send(self, text, *, key=None, state=None, commit=None):
        """What became of a message."""
        state = state or self.state
        done = asyncio.get_running_loop().create_future()
        message = draft(state.chat.id, text, key)
        self.journal.append(Sending(state, message, done, commit or self._pushed))
        return await done

    async def change(self, write=None):
        """The number of a change; `write(seq)` is what it does in the store."""

        async def nothing(seq):
            await asyncio.sleep(0)  # a turn of the loop, as every write takes
            return seq

        return await self.journal.change(
            self.state, lambda: None, write or nothing, self.pushed.append
        )

    def _pushed(self, message):
        self.pushed.append(message.seq)

    def _open(self, reserved):
        chat = new_chat(self.chats, reserved)
        return ChatState(chat, [seat(chat.id)], 2, [])


async def code_of(work):
    """The error code with which it is refused, None when it is not."""
    try:
        await work
    except ChatError as error:
        return error.code.value
    return None
