"""The life of a token while its socket is connected: warned of, refused, refreshed, ended."""

from functools import partial

import pytest

from chat.gateway.timers import Wheel
from chat.timings import Timings
from tests.support.delivery.chats import gone, say
from tests.support.gateway.servers import MovableClock
from tests.support.gateway.tokens import hours, signed
from tests.support.gateway.wire import RawSocket
from tests.support.waiting import eventually


@pytest.fixture
def serve(serve):
    """Tokens are looked at every 0.05 s, so that a moved clock is noticed soon."""
    return partial(serve, timings=Timings(token_tick_s=0.05))


@pytest.fixture
def ticks(monkeypatch):
    """`await ticks()` returns after three more looks."""
    looked = []

    class CountedWheel(Wheel):
        def _tick(self):
            looked.append(self)
            super()._tick()

    async def wait():
        wanted = len(looked) + 3
        await eventually(lambda: len(looked) >= wanted)

    monkeypatch.setattr("chat.gateway.token_expiry.Wheel", CountedWheel)
    return wait


async def test_a_token_that_ends_within_a_minute_is_warned_of(serve, ticks):
    """`tokenExpiring {expiresAt, expiresIn}` from 60 s before, once, and nothing earlier."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        ada = await chat.connect(1)
        expires_at = (await ada.call("authenticate"))["data"]["expiresAt"]
        clock.move(seconds=3530)
        await ticks()
        assert ada.of("tokenExpiring") == []
        clock.move(seconds=15)
        told = await ada.next("tokenExpiring")
        assert told["expiresAt"] == expires_at
        assert 50 <= told["expiresIn"] <= 60
        await ticks()
        assert len(ada.of("tokenExpiring")) == 1


async def test_the_warning_comes_at_sixty_seconds(serve, ticks):
    """Not a moment before the last minute begins."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        ada = await chat.connect(token=chat.token(1, valid_s=75))
        await ticks()
        assert ada.of("tokenExpiring") == []
        clock.move(seconds=15)
        assert 45 <= (await ada.next("tokenExpiring"))["expiresIn"] <= 60


@pytest.mark.parametrize("left_s", [55, 20])
async def test_a_token_with_less_than_a_minute_left_is_warned_of_at_once(serve, left_s):
    """A client that connects late has to know right away."""
    async with serve() as chat:
        ada = await chat.connect(token=chat.token(1, valid_s=left_s))
        told = await ada.next("tokenExpiring")
        assert left_s - 15 <= told["expiresIn"] <= left_s


async def test_a_fresh_token_in_time_is_not_warned_of_and_goes_on(serve, ticks):
    """`authenticate {token}` moves the warning and the end to the new token's."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        clock.move(seconds=3560)
        await ada.next("tokenExpiring")
        answer = await ada.call("authenticate", {"token": signed(id=1, exp=hours(3))})
        assert answer["success"] is True
        clock.move(seconds=120)
        await ticks()
        await say(ada, chat_id, "still here")
        assert len(ada.of("tokenExpiring")) == 1
        assert ada.of("sessionExpired") == []
        clock.move(seconds=7090)
        again = await ada.next("tokenExpiring")
        assert again["expiresAt"] == answer["data"]["expiresAt"]


async def test_a_refresh_with_a_short_token_is_warned_of_again(serve):
    """Less than a minute left of the new one: that is told at once too."""
    async with serve() as chat:
        ada = await chat.connect(1)
        await ada.call("authenticate", {"token": chat.token(1, valid_s=30)})
        assert (await ada.next("tokenExpiring"))["expiresIn"] <= 30


async def test_fifteen_seconds_after_the_end_the_socket_is_closed(serve, ticks):
    """Refused with TOKEN_EXPIRED from `exp`, `sessionExpired {code, message}` 15 s later, then
    closed."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        clock.move(seconds=3610)
        refused = await ada.call("sendMessage", {"chatId": chat_id, "content": "late"})
        assert refused["error"]["code"] == "TOKEN_EXPIRED"
        await ticks()
        assert ada.of("sessionExpired") == []
        assert ada.socket.connected
        clock.move(seconds=6)
        ended = await ada.next("sessionExpired")
        assert ended["code"] == "TOKEN_EXPIRED"
        assert ended["message"]
        await gone(ada)
        assert chat.app.gateway.get_user_sockets(1) == []


async def test_session_expired_is_the_last_thing_that_a_socket_hears(serve):
    """Then the transport is closed, without a DISCONNECT packet that would keep the client away."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        raw = await RawSocket.enter(chat, 1)
        clock.move(seconds=3616)
        await raw.until('42/chat,["sessionExpired"')
        await raw.until_end()
        after = raw.frames[-1]
        assert str(after).startswith(('42/chat,["sessionExpired"', "1"))
        await raw.close()


async def test_a_refresh_within_the_fifteen_seconds_saves_the_socket(serve, ticks):
    """The same socket, in its rooms, goes on; nothing is ended later."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        clock.move(seconds=3605)
        assert (await ada.call("ping"))["error"]["code"] == "TOKEN_EXPIRED"
        assert (await ada.call("authenticate", {"token": signed(id=1, exp=hours(3))}))["success"]
        clock.move(seconds=20)
        await ticks()
        await say(ada, chat_id, "still here")
        assert (await ada.next("newMessage"))["message"]["message"] == "still here"


async def test_an_expired_socket_still_hears_what_is_said_until_it_is_closed(serve):
    """The 15 s are for a refresh without a gap: pushes go on."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        clock.move(seconds=3603)
        grace = await chat.connect(token=signed(id=2, exp=hours(5)), join=chat_id)
        await say(grace, chat_id, "hi")
        assert (await ada.next("newMessage"))["message"]["message"] == "hi"


async def test_the_token_of_another_user_neither_refreshes_nor_stays(serve):
    """TOKEN_INVALID, and the connection is cut: a socket that changes hands is nobody's."""
    async with serve() as chat:
        ada = await chat.connect(1)
        answer = await ada.call("authenticate", {"token": chat.token(2)})
        assert answer["error"]["code"] == "TOKEN_INVALID"
        await gone(ada)
        assert chat.app.gateway.get_user_sockets(1) == []
        assert chat.app.gateway.get_user_sockets(2) == []


async def test_a_refresh_that_takes_rights_away_takes_the_rooms_away(serve):
    """Who was in a room as an admin, and is none by the new token, hears no more of that chat."""
    async with serve() as chat:
        others, mine = await chat.create_chat([2]), await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        boss = await chat.connect(1, "admin")
        for chat_id in (others, mine):
            assert (await boss.call("joinChat", {"chatId": chat_id}))["success"]
        lowered = await boss.call("authenticate", {"token": chat.token(1, "employee")})
        assert lowered["data"]["user"]["type"] == "employee"
        await say(grace, others, "not for the former boss")
        await say(grace, mine, "for everybody here")
        await boss.settle()
        assert [each["chatId"] for each in boss.of("newMessage")] == [mine]
