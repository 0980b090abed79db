"""Every way by which an event of /chat comes in reads it alike, and as the protocol says."""

import json
import re
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from engineio import payload as engineio_payload
from engineio.packet import MESSAGE, PONG
from engineio.packet import Packet as EnginePacket
from hypothesis import example, given, settings
from hypothesis import strategies as st
from socketio.packet import EVENT, Packet

from chat.clock import SystemClock
from chat.contracts.json_text import JsonLimits
from chat.errors import ChatError
from chat.gateway.engineio.address_quota import AddressQuota
from chat.gateway.engineio.polling import read_payload
from chat.gateway.engineio.websocket import Outbox
from chat.gateway.socketio.packets import (
    MAX_ATTACHMENTS,
    MalformedPacket,
    RefusedPacket,
    read_packet,
)
from chat.gateway.socketio.patience import Patience
from chat.gateway.socketio.server import SocketServer
from chat.services.refusals import Refusals

RUNS = settings(max_examples=150, deadline=None)
LIMITS = JsonLimits(depth=4, marks=60)
IN_A_LIST = LIMITS._replace(depth=LIMITS.depth + 1)
"""The same for what an event's list holds."""

GRAMMAR = re.compile(r"2/chat(?:\?[^,]*)?(?:,(.*))?", re.DOTALL)
ACK_ID = re.compile(r"([0-9]{1,15})([^0-9].*|)", re.DOTALL | re.ASCII)

json_value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)
event_list = st.lists(json_value, min_size=1, max_size=3)
ack_text = st.sampled_from(["", "0", "7", "007", "12", "9" * 15, "9" * 16, "٣", "-1", "1.5", "1 "])
head = st.sampled_from(["2/chat,", "2/chat", "2/chat?a=b,", "2/chat?,", "2/chat?x", "2/chat,,"])
garbage = st.text(alphabet='[]{}",:0123456789eE.-ntu \\dD8', max_size=12)
body = st.one_of(
    event_list.map(json.dumps),
    event_list.map(lambda each: json.dumps(each, ensure_ascii=False, separators=(",", ":"))),
    json_value.map(json.dumps),
    st.integers(1, 8).map(lambda levels: '["e",' + "[" * levels + "]" * levels + "]"),
    st.integers(55, 65).map(lambda marks: '["e",[' + "0," * marks + "0]]"),
    garbage,
)
text = st.tuples(head, ack_text, body).map("".join)


class Recorder:
    """The sink of a server, and its list of what became of what came in."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def receive(self, _session: Any, data: list[Any], ack_id: int | None, _size: int) -> bool:
        self.heard.append(("event", data[0], data[1:], ack_id))
        return True

    def refuse(self, _session: Any, ack_id: int | None, error: ChatError, _size: int) -> None:
        self.heard.append(("refused", error.message, ack_id))

    def drop(self, session: Any) -> None:
        raise AssertionError(session)


class Server(SocketServer):
    """A server without a port; it notes which sessions it would end."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        outbox = Outbox()
        super().__init__(
            direct="/chat", sink=self.recorder, outbox=outbox, quota=AddressQuota(10),
            patience=Patience(Refusals(600, SystemClock()), outbox.poller.hurry),
            ping_interval_s=1, ping_timeout_s=1, connect_within_s=1, plugin_connect_s=1,
            max_bytes=10_000, json_limits=LIMITS, max_backlog_bytes=1_000,
        )  # fmt: skip

    def end_malformed(self, _session: Any, _why: str) -> None:
        self.recorder.heard.append("ended")


def _connection(server: Server) -> Any:
    def close(*_: Any) -> None:
        server.recorder.heard.append("ended")

    return SimpleNamespace(close=close)


def _session(server: Server) -> Any:
    session = server.eio.sockets["s"] = server._make_session(server.eio, "s")
    session.accepted = True
    server.environ["s"] = {}
    return session


def _ways() -> dict[str, Any]:
    """Each takes the bytes of an Engine.IO message's packet and returns what became of it."""
    server = Server()
    session = _session(server)
    session.websocket = _connection(server)
    # Not the one that it lives on: its frames are read in the general way.
    other = _connection(server)
    return {
        "websocket": (server, lambda data: session.on_text(session.websocket, b"4" + data)),
        "general": (server, lambda data: session.on_text(other, b"4" + data)),
        "polling": (server, lambda data: session.receive_packet("4" + data.decode())),
    }


WAYS = _ways()


def _by(way: str, data: bytes) -> Any:
    server, take = WAYS[way]
    server.recorder.heard.clear()
    take(data)
    assert len(server.recorder.heard) == 1, server.recorder.heard
    return server.recorder.heard[0]


def _plainly(packet: str) -> Any:
    """The same by the protocol's page: `2/chat,[ack id][JSON]`."""
    rest = GRAMMAR.fullmatch(packet)[1] or ""
    numbered = ACK_ID.fullmatch(rest)
    ack_id, rest = (int(numbered[1]), numbered[2]) if numbered else (None, rest)
    if sum(map(rest.count, ",[{")) > LIMITS.marks:
        return "refused", "the event holds too many values", ack_id
    try:
        value = orjson.loads(rest)
    except orjson.JSONDecodeError:
        return "refused", None, ack_id
    if _depth(value) > LIMITS.depth + 2:
        return "refused", "the event is nested too deeply", ack_id
    if not isinstance(value, list) or not value:
        return "ended"
    return "event", value[0], value[1:], ack_id


def _depth(value: Any) -> int:
    """How many lists and objects there are around the innermost value."""
    if not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0)


@RUNS
@given(text.filter(GRAMMAR.fullmatch))
@example('2/chat,7"x"')
@example("2/chat,1{}")
@example("2/chat,1")
@example("2/chat,")
@example("2/chat")
@example('2/chat,1["\\ud83d"]')
def test_an_event_is_read_alike_by_every_way_in(packet: str) -> None:
    """A websocket looks at the bytes, the others at text; the ack id is split off first."""
    expected = _plainly(packet)
    for way in WAYS:
        found = _by(way, packet.encode())
        if expected[:2] == ("refused", None):
            assert (found[0], found[2]) == ("refused", expected[2]), way
            assert found[1].endswith(("is not JSON", "half a surrogate pair"))
        else:
            assert found == expected, way


@RUNS
@given(st.binary(min_size=1, max_size=6), st.booleans())
def test_bytes_that_are_no_text_end_the_session_by_every_way_in(junk: bytes, named: bool) -> None:
    """Where in the packet they are makes no difference."""
    data = b'2/chat,["' + junk + b'"]' if named else b"2/chat," + junk
    try:
        data.decode()
    except UnicodeDecodeError:
        assert _by("websocket", data) == "ended"
        assert _by("general", data) == "ended"


@RUNS
@given(
    st.text(max_size=8), st.lists(json_value, max_size=2), st.none() | st.integers(0, 10**15 - 1)
)
def test_what_python_socketio_writes_is_read_as_it_was_meant(name, args, ack_id) -> None:
    """By every way in, and by the general reader."""
    args = [each for each in args if _depth(each) <= LIMITS.depth + 1]
    packet = Packet(EVENT, data=[name, *args], namespace="/chat", id=ack_id).encode()
    if sum(map(packet.count, ",[{")) - 1 > LIMITS.marks:
        return
    for way in WAYS:
        assert _by(way, packet.encode()) == ("event", name, args, ack_id)
    read = read_packet(packet.replace("/chat", "/board"), IN_A_LIST)
    assert (read.kind, read.namespace, read.ack_id) == (EVENT, "/board", ack_id)
    assert read.data == [name, *args]


@RUNS
@given(st.integers(1, LIMITS.depth + 3), st.text(max_size=4))
def test_depth_is_counted_in_values_and_not_in_brackets(levels: int, words: str) -> None:
    """Brackets in a text are none; the shortcut by their number refuses nothing by itself."""
    data: Any = ["e", words + "[{" * 10]
    for _ in range(levels - 1):
        data = ["e", data]
    packet = "2" + json.dumps(data)
    if levels > LIMITS.depth + 1:
        with pytest.raises(RefusedPacket, match="nested too deeply"):
            read_packet(packet, LIMITS)
    else:
        assert read_packet(packet, LIMITS).data == data


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize(
    ("head", "refusal"), [("2", RefusedPacket), ("0", MalformedPacket), ("31", MalformedPacket)]
)
def test_marks_are_bounded_before_values_are_made(head: str, refusal: Any, more: int) -> None:
    """Commas and brackets, those in texts too; only an event is answered."""
    text = json.dumps("," * (LIMITS.marks - 1 + more))
    packet = f'{head}{{"a":{text}}}' if head == "0" else f"{head}[{text}]"
    if more > 0:
        with pytest.raises(refusal):
            read_packet(packet, LIMITS)
    else:
        read_packet(packet, LIMITS)


@RUNS
@given(st.lists(st.one_of(st.binary(max_size=5), st.text("abc é😀", max_size=5)), max_size=15))
def test_a_payload_is_split_as_python_engineio_splits_it(parts: list[Any]) -> None:
    """Texts and bytes, in the order in which they were put in. No digits: python-engineio takes
    " 4" for JSON.
    """
    packets = [EnginePacket(MESSAGE, each) for each in parts] or [EnginePacket(PONG)]
    body = engineio_payload.Payload(packets=packets).encode()
    theirs = engineio_payload.Payload(encoded_payload=body).packets
    expected = [each.data if each.binary else each.encode() for each in theirs]
    assert read_payload(body.encode(), 10_000) == expected


@RUNS
@given(st.lists(st.text(alphabet='{}[],:"e0123456-/?_placehordnumtu', max_size=20), max_size=4))
def test_garbage_is_a_packet_or_malformed_and_nothing_else(parts: list[str]) -> None:
    """No other exception leaves the reader."""
    try:
        packet = read_packet("".join(parts), LIMITS)
    except (MalformedPacket, RefusedPacket):
        return
    assert packet.attachments <= MAX_ATTACHMENTS
