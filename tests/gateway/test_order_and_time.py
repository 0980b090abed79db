"""The events of one socket: in order, bounded, and answered in time."""

import asyncio
import json

import pytest

from chat.plugin_api import ClientEvent, Plugin, hookimpl, register_events
from chat.timings import Timings
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually


class Tools(Plugin):
    """Events that hang, crash, and count how often they ran."""

    name = "tools"

    def __init__(self):
        super().__init__()
        self.go_on = asyncio.Event()
        self.hanging = 0
        self.ran = 0

    @hookimpl(register_events)
    async def events(self, _start):
        return [
            ClientEvent(name="hang", handler=self.hang),
            ClientEvent(name="count", handler=self.count),
            ClientEvent(name="crash", handler=self.crash),
            ClientEvent(name="unwritable", handler=self.unwritable),
        ]

    async def hang(self, _identity, _payload):
        self.hanging += 1
        await self.go_on.wait()
        return {"success": True}

    async def count(self, _identity, _payload):
        self.ran += 1
        return {"success": True, "ran": self.ran}

    async def crash(self, _identity, _payload):
        raise RuntimeError("/srv/secret/path.py broke")

    async def unwritable(self, _identity, _payload):
        return {"success": True, "data": object()}


async def test_a_hundred_sends_of_one_socket_keep_their_order(serve):
    """Pipelined without waiting for acks: stored, numbered and pushed as they were sent."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        sends = [
            ada.call("sendMessage", {"chatId": chat_id, "content": str(number)})
            for number in range(100)
        ]
        acks = await asyncio.gather(*sends)
        seqs = [ack["data"]["seq"] for ack in acks]
        assert seqs == list(range(seqs[0], seqs[0] + 100))
        assert [ack["data"]["message"] for ack in acks] == [str(number) for number in range(100)]
        ids = [ack["data"]["id"] for ack in acks]
        assert ids == sorted(ids)
        await grace.settle()
        assert [each["seq"] for each in grace.of("newMessage")] == seqs


async def test_different_events_of_one_socket_keep_their_order(serve):
    """Join, send, leave, all at once: who has left the room before a message is stored misses
    it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        ada = await chat.connect(1)
        room = {"chatId": chat_id}
        steps = [
            ("joinChat", room),
            ("typing", {**room, "isTyping": True}),
            ("typing", {**room, "isTyping": False}),
            ("leaveChat", room),
            ("joinChat", room),
            ("sendMessage", {**room, "content": "hi"}),
        ]
        acks = await asyncio.gather(*(ada.call(event, payload) for event, payload in steps))
        assert all(ack["success"] for ack in acks)
        await grace.settle()
        heard = [name for name, _ in grace.pushed if name != "presenceChanged"]
        assert heard == [
            "userJoined", "userTyping", "userTyping", "userLeft", "userJoined", "newMessage",
        ]  # fmt: skip


async def test_a_polling_post_of_many_events_is_handled_in_order(serve):
    """A client that flushes its buffer after a reconnect sends a hundred packets in one request."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawPolling.enter(chat)
        packets = [
            f'42/chat,{number}["sendMessage",{{"chatId":{chat_id},"content":"number {number}"}}]'
            for number in range(100)
        ]
        assert (await raw.post(*packets)).code == 200
        await raw.until("43/chat,99[")
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}&limit=200")
        assert [each["message"] for each in page.data] == [f"number {n}" for n in range(100)]


async def test_an_event_that_is_not_begun_in_time_is_answered_timeout_and_never_run(serve):
    """What waits behind a hanging event is refused at its deadline; a later repeat runs once."""
    tools = Tools()
    async with serve(timings=Timings(ack_deadline_s=0.3), **generous(tools)) as chat:
        ada = await chat.connect(1)
        hanging = asyncio.create_task(ada.call("hang"))
        await eventually(lambda: tools.hanging)
        waiting = await ada.call("count")
        assert waiting["error"]["code"] == "TIMEOUT"
        assert waiting["error"]["retryable"] is True
        assert "not begun" in waiting["message"]
        begun = await hanging
        assert begun["error"]["code"] == "TIMEOUT"
        assert "unknown" in begun["message"]
        tools.go_on.set()
        again = await ada.call("count")
        assert (again["ran"], tools.ran) == (1, 1)


async def test_a_hanging_event_of_a_plugin_is_ended_and_the_next_one_runs(serve):
    """A plugin's event has a budget of its own; then the socket goes on."""
    tools = Tools()
    async with serve(timings=Timings(plugin_event_s=0.2), **generous(tools)) as chat:
        ada = await chat.connect(1)
        hanging = asyncio.create_task(ada.call("hang"))
        await eventually(lambda: tools.hanging)
        assert (await ada.call("count"))["ran"] == 1
        assert (await hanging)["error"]["code"] == "TIMEOUT"


async def test_a_socket_that_sends_more_than_may_wait_is_cut(serve, log):
    """The inbox is bounded: one event too many ends that connection, and no other."""
    tools = Tools()
    async with serve(max_waiting_events=5, **generous(tools)) as chat:
        raw, other = await RawSocket.enter(chat, 1), await RawSocket.enter(chat, 2)
        await raw.send('42/chat,1["hang"]')
        await eventually(lambda: tools.hanging)
        for number in range(2, 12):
            await raw.send(f'42/chat,{number}["count"]')
        await eventually(lambda: [line for line in log.entries if "too many" in str(line)])
        assert await other.is_alive()
        tools.go_on.set()
        await raw.until_end()
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        assert tools.ran <= 5


@pytest.mark.expects_errors
@pytest.mark.parametrize("event", ["crash", "unwritable"])
async def test_a_crash_is_answered_internal_error_with_a_request_id(serve, log, event):
    """The ack tells nothing of the cause but the id under which the log has it; the socket
    lives."""
    tools = Tools()
    async with serve(**generous(tools)) as chat:
        ada = await chat.connect(1)
        answer = await ada.call(event)
        assert answer["error"]["code"] == "INTERNAL_ERROR"
        assert "secret" not in json.dumps(answer)
        lines = [line for line in log.entries if line["log_level"] == "error"]
        assert [line["request_id"] for line in lines] == [answer["error"]["requestId"]]
        assert (await ada.call("count"))["success"] is True


@pytest.mark.expects_errors
async def test_without_an_ack_asked_for_the_error_is_pushed(serve):
    """`error {code, message, retryable, event, requestId}`, and only then: never both."""
    tools = Tools()
    async with serve(**generous(tools)) as chat:
        ada = await chat.connect(1)
        await ada.emit("crash")
        await ada.emit("joinChat", {"chatId": 987_654})
        await ada.emit("noSuchEvent")
        await ada.emit("sendMessage", {"chatId": "one"})
        pushed = [await ada.next("error") for _ in range(4)]
        assert [(each["code"], each.get("event")) for each in pushed] == [
            ("INTERNAL_ERROR", "crash"),
            ("NOT_PARTICIPANT", "joinChat"),
            ("UNKNOWN_EVENT", None),
            ("VALIDATION_ERROR", "sendMessage"),
        ]
        assert pushed[3]["details"][0]["path"] == "chatId"
        await ada.call("joinChat", {"chatId": 987_654})
        await ada.settle()
        assert len(ada.of("error")) == 4


async def test_a_client_may_send_and_leave_at_once(serve):
    """What came before the end of a connection is handled."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        raw = await RawSocket.enter(chat, 1)
        await raw.send(f'42/chat,["sendMessage",{{"chatId":{chat_id},"content":"bye"}}]')
        await raw.send("41/chat,")
        assert (await grace.next("newMessage"))["message"]["message"] == "bye"
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
