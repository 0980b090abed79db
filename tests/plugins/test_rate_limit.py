"""The rate_limit plugin: what each limit refuses, for whom, and when it lets pass again."""

import pytest

from chat.limits import Limit
from chat.timings import Timings
from plugins.rate_limit import RateLimit
from tests.support.gateway.servers import UNLIMITED, limits


@pytest.fixture
def clock(monkeypatch):
    """The limits' clock, in the test's hands."""

    class Time:
        now = 1000.0

        def monotonic(self):
            return self.now

    time = Time()
    monkeypatch.setattr(Limit.__init__, "__defaults__", (time.monotonic,))
    return time


def _limited(**settings):
    return {"plugin_names": UNLIMITED, "plugins": [limits(**settings)]}


def _check_limited(answer, most_s):
    error = answer["error"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert 0 < error["retryAfter"] <= most_s


async def test_sends_are_limited_by_user_over_all_sockets_and_doors(serve):
    """5/s, burst 10 by default; another user is not held back, nor the host's back end."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, tab, grace = [await chat.connect(number) for number in (1, 1, 2)]
        payload = {"chatId": chat_id, "content": "x"}
        answers = [
            await (ada, tab)[number % 2].call("sendMessage", payload) for number in range(20)
        ]
        refused = [answer for answer in answers if not answer["success"]]
        assert 20 - len(refused) >= 10
        assert len(refused) >= 5
        _check_limited(refused[0], 0.2)
        over_rest = await chat.request("POST", "/chat-messages", 1, json=payload)
        assert (over_rest.status, over_rest.code) == (429, "RATE_LIMITED")
        assert int(over_rest.headers["Retry-After"]) >= 1
        assert (await grace.call("sendMessage", payload))["success"] is True
        service = await chat.connect("host", "service")
        sent = [await service.call("sendMessage", payload) for _ in range(15)]
        assert all(answer["success"] for answer in sent)


@pytest.mark.parametrize(
    ("settings", "event", "payload", "burst"),
    [
        ({"join_per_s": 0.1, "join_burst": 2}, "joinChat", {"chatId": 1}, 2),
        ({"read_per_s": 0.1}, "markAsRead", {"chatId": 1, "messageId": 1}, 1),
        ({"action_per_s": 0.1, "action_burst": 3}, "getPresence", {"userIds": [1]}, 3),
        ({"action_per_s": 0.1, "action_burst": 3}, "ping", None, 3),
    ],
)
async def test_each_limit_refuses_its_own_events(serve, settings, event, payload, burst):
    """After the burst RATE_LIMITED with the seconds to wait; other events are not held back by
    it."""
    async with serve(**_limited(**settings)) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        for number in range(burst + 1):
            answer = await ada.call(event, payload)
            if event == "joinChat":
                await ada.call("leaveChat", payload)
            code = answer.get("error", {}).get("code")
            assert (code == "RATE_LIMITED") is (number == burst), answer
        _check_limited(answer, 10)
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "still"})
        assert sent["success"] is True


@pytest.mark.parametrize("door", ["socket", "rest"])
async def test_an_edit_costs_what_a_message_costs(serve, door):
    """Both push a whole message to a whole chat, so they share one limit, at both doors; new
    settings of a chat, which are as long, share it too.
    """
    async with serve(**_limited(send_per_s=0.1, send_burst=3)) as chat:
        chat_id = await chat.create_chat([1])
        await chat.request(
            "PATCH", f"/chats/{chat_id}/participants/1", "host", "service", json={"role": "owner"}
        )
        ada = await chat.connect(1)
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "x"})
        message_id = sent["data"]["id"]
        titled = await chat.request("PATCH", f"/chats/{chat_id}", 1, json={"title": "x"})
        assert titled.status == 200
        codes = []
        for _ in range(3):
            if door == "socket":
                answer = await ada.call("editMessage", {"messageId": message_id, "content": "y"})
                codes.append(answer.get("error", {}).get("code"))
            else:
                path = f"/chat-messages/{message_id}"
                codes.append((await chat.request("PATCH", path, 1, json={"content": "y"})).code)
        assert codes == [None, "RATE_LIMITED", "RATE_LIMITED"]
        again = await ada.call("sendMessage", {"chatId": chat_id, "content": "x"})
        _check_limited(again, 10)


async def test_joining_a_room_one_is_in_already_costs_nothing(serve):
    """A client that rejoins all its rooms after every hiccup is not held back."""
    async with serve(**_limited(join_per_s=0.01, join_burst=1)) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        answers = [await ada.call("joinChat", {"chatId": chat_id}) for _ in range(5)]
        assert all(answer["success"] for answer in answers)


async def test_typing_over_the_limit_is_dropped_in_silence_and_its_end_never_is(serve):
    """A keystroke deserves no error; a `false` that got lost would be an indicator that stays."""
    async with serve(
        timings=Timings(typing_push_every_s=0), **_limited(typing_per_s=0.001)
    ) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        for _ in range(6):
            for is_typing in (True, False):
                answer = await ada.call("typing", {"chatId": chat_id, "isTyping": is_typing})
                assert answer == {"success": True}
        await grace.settle()
        heard = [each["isTyping"] for each in grace.of("userTyping")]
        assert heard == [True, False] * 3
        await ada.settle()
        assert ada.of("error") == []


async def test_after_the_wait_that_was_told_the_event_passes(serve, clock):
    """`retryAfter` is honest."""
    async with serve(**_limited(send_per_s=2, send_burst=1)) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        payload = {"chatId": chat_id, "content": "x"}
        assert (await ada.call("sendMessage", payload))["success"] is True
        refused = await ada.call("sendMessage", payload)
        _check_limited(refused, 0.5)
        clock.now += refused["error"]["retryAfter"]
        assert (await ada.call("sendMessage", payload))["success"] is True


def test_the_defaults_are_those_of_the_contract():
    """Send 5/s burst 10, typing 1/s, markAsRead 10/s, joins 5/s burst 30."""
    settings = RateLimit.Settings()
    assert (settings.send_per_s, settings.send_burst) == (5, 10)
    assert (settings.typing_per_s, settings.read_per_s) == (1, 10)
    assert (settings.join_per_s, settings.join_burst) == (5, 100)
