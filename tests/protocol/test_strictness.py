"""What no client of any library sends, to a plugin's namespace: the connection ends, the others do
not feel it, and no traceback is written for a stranger's garbage.
"""

import asyncio
import contextlib
import json

import pytest
from tornado.websocket import WebSocketClosedError

from chat.contracts.base import MAX_METADATA_BYTES
from chat.errors import SetupError
from chat.gateway.socketio.packets import MAX_ATTACHMENTS
from chat.gateway.socketio.plugin_events import MAX_RUNNING_EVENTS
from tests.support.gateway.wire import RawSocket
from tests.support.protocol.namespaces import Echo, EchoPlugin
from tests.support.protocol.sessions import join, on_polling, on_websocket
from tests.support.waiting import eventually

HELLO, HELLO_BACK = '42["message","hello"]', '42["message-back","hello"]'
ONE = '{"_placeholder":true,"num":0}'
TOO_MANY = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(MAX_ATTACHMENTS + 1))
MAX_JSON_DEPTH = 8
"""Below an argument, as below the payload of an event of ours."""

MALFORMED = {
    "connect as an event": ['42["connect"]'],
    "connect_error as an event": ['42["connect_error",{}]'],
    "disconnect as an event": ['42["disconnect"]'],
    "disconnecting as an event": ['42["disconnecting"]'],
    "newListener as an event": ['42["newListener"]'],
    "a reserved binary event": [f'451-["disconnect",{ONE}]'],
    "a CONNECT_ERROR": ["44{}"],
    "a CONNECT_ERROR in words": ['44"no"'],
    "a second CONNECT": ["40"],
    "a DISCONNECT with a payload": ["41{}"],
    "an ack without an id": ["43[]"],
    "an ack of no list": ["431{}"],
    "too many attachments": [f'45{MAX_ATTACHMENTS + 1}-["message",{TOO_MANY}]'],
    "thousands of attachments": ['455000-["message"]'],
    "an attachment that is not there": ['451-["message",{"_placeholder":true,"num":1}]'],
    "an attachment before the first": ['451-["message",{"_placeholder":true,"num":-1}]'],
    "an attachment without a number": ['451-["message",{"_placeholder":true,"num":"0"}]'],
    "an attachment named twice": [f'451-["message",{ONE},{ONE}]'],
    "attachments of a plain event": ['421-["message"]'],
    "a binary event without a count": ['45["message"]'],
    "bytes of nothing": [b"\x01"],
    "bytes after the last attachment": [f'451-["message",{ONE}]', b"\x01", b"\x02"],
    "a text where bytes were due": [f'451-["message",{ONE}]', HELLO],
    "a CONNECT where bytes were due": [f'451-["message",{ONE}]', "40/custom,"],
    "an ack too deep": [f"431[{'[' * 100}{']' * 100}]"],
    "a namespace nobody connected to": ['42/custom,["message"]'],
    "an ack of such a namespace": ["43/custom,1[]"],
    "a namespace that there is not": ['42/random,["message"]'],
    "bytes for such a namespace": [f'451-/custom,["message",{ONE}]', b"\x01"],
    "an ack id beyond counting": ['421234567890123456["message"]'],
    "an ack id of other digits": ['42٣["message"]'],
    "NaN": ['42["message",NaN]'],
}


@pytest.mark.parametrize("frames", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_packet_ends_the_session(serve_echo, echo, frames):
    """Over websocket and polling; whoever else is connected goes on."""
    async with serve_echo() as chat:
        other, raw = await on_websocket(chat), await on_websocket(chat)
        with contextlib.suppress(WebSocketClosedError):
            for frame in frames:
                await raw.send(frame)
        await raw.until_end()
        if all(isinstance(each, str) for each in frames):
            polling = await on_polling(chat)
            await polling.post(*frames)
            await polling.until_end()
            await eventually(lambda: len(echo.main.left) == 2)
        await other.send(HELLO)
        assert await other.next() == HELLO_BACK


async def test_what_is_just_within_the_bounds_is_taken(serve_echo):
    """As many attachments as are allowed."""
    names = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(MAX_ATTACHMENTS))
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send(f'45{MAX_ATTACHMENTS}-["message",{names}]')
        for number in range(MAX_ATTACHMENTS):
            await raw.send(bytes([number]))
        assert await raw.next() == f'45{MAX_ATTACHMENTS}-["message-back",{names}]'
        for number in range(MAX_ATTACHMENTS):
            assert await raw.next() == bytes([number])


async def test_json_limits_hold_for_namespaces_of_plugins(serve_echo):
    """MAX_JSON_DEPTH and MAX_JSON_VALUES: an event beyond them is answered, the session goes on."""
    settings = {
        "max_json_depth": MAX_JSON_DEPTH,
        "max_json_values": 1_000,
        "max_content_chars": 100,
    }
    async with serve_echo(**settings, max_participants=10) as chat:
        raw = await on_websocket(chat)
        for levels in (MAX_JSON_DEPTH + 1, MAX_JSON_DEPTH + 2):
            await raw.send(f'427["message-with-ack",{"[" * levels}{"]" * levels}]')
            answer = json.loads(str(await raw.next())[3:])[0]
            if levels > MAX_JSON_DEPTH + 1:
                assert answer["error"]["code"] == "VALIDATION_ERROR"
                assert answer["error"]["message"] == "the event is nested too deeply"
        allowed = 1_000 + 100 + 10 + MAX_METADATA_BYTES
        for values in (allowed, allowed - 3):
            await raw.send(f'427["message-with-ack",[{"0," * values}0]]')
            answer = json.loads(str(await raw.next())[3:])
            if values == allowed:
                assert answer[0]["error"]["message"] == "the event holds too many values"
            else:
                assert answer == [[0] * (values + 1)]


async def test_attachments_together_are_bounded(serve_echo):
    """By MAX_PAYLOAD_BYTES, as one packet that they are."""
    async with serve_echo(max_payload_bytes=20_000) as chat:
        raw = await on_websocket(chat)
        await raw.send(f'453-["message",{ONE}]')
        with contextlib.suppress(WebSocketClosedError):
            for _ in range(3):
                await raw.send(b"x" * 9_000)
        await raw.until_end()


@pytest.mark.expects_errors
async def test_a_handler_that_crashes_answers_with_a_typed_error(serve_echo, log):
    """Nothing of the fault reaches the client but a request id, which the log has, too; the session
    goes on.
    """
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send('42["crash"]')
        await raw.send('427["crash"]')
        answer = json.loads((await raw.until("437["))[3:])[0]
        assert answer["success"] is False
        assert answer["error"]["code"] == "INTERNAL_ERROR"
        assert "fault" not in json.dumps(answer)
        crashes = [line for line in log.entries if line["event"] == "event_crashed"]
        assert [line["namespace"] for line in crashes] == ["/", "/"]
        assert crashes[1]["request_id"] == answer["error"]["requestId"]
        await raw.send(HELLO)
        assert await raw.next() == HELLO_BACK


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ('["refuse"]', "REJECTED"),
        ('["pair",1]', "VALIDATION_ERROR"),
        ('["pair",1,2,3]', "VALIDATION_ERROR"),
    ],
)
async def test_a_refusal_is_answered_with_its_code(serve_echo, event, code):
    """By the handler's own word, or since it takes other arguments; it is no crash."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send(f"42{event}")
        await raw.send(f"427{event}")
        answer = json.loads((await raw.until("437["))[3:])[0]
        assert (answer["success"], answer["error"]["code"]) == (False, code)
        await raw.send('428["pair",1,2]')
        assert await raw.next() == "438[2,1]"


async def test_trailing_nulls_that_a_handler_does_not_take_are_no_arguments(serve_echo):
    """A handler that takes them gets them: what they mean is the plugin's to say."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        for event, answer in (
            ('["pair",1,2,null]', "[2,1]"),
            ('["pair",1,null,null,null]', "[null,1]"),
            ('["pair",null,2' + ",null" * 5_000 + "]", "[2,null]"),
            ('["message-with-ack",1,null]', "[1,null]"),
        ):
            await raw.send(f"427{event}")
            assert await raw.next() == f"437{answer}"


async def test_half_a_surrogate_pair_is_answered_and_the_session_goes_on(serve_echo, echo):
    """By the ack where one was asked for; a CONNECT by a CONNECT_ERROR."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send('42["message","\\ud800"]')
        await raw.send('427["message",{"a":"\\ud800"}]')
        error = json.loads(str(await raw.next())[3:])[0]["error"]
        assert (error["code"], error["details"][0]["path"]) == ("VALIDATION_ERROR", "a")
        await raw.send('40/custom,{"b":"\\ud800"}')
        refusal = json.loads((await raw.until("44/custom,"))[10:])
        assert refusal["data"]["details"][0]["path"] == "b"
        await join(raw, "/custom")
        await raw.send('40/custom,{"b":"\\ud800"}')
        await raw.until_end()


async def test_half_a_surrogate_pair_before_the_connect_ends_the_session(serve_echo):
    """As any other event there."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.send('42["message","\\ud800"]')
        await raw.until_end()


async def test_events_that_run_at_once_are_bounded(serve_echo, echo):
    """So many of one session, and one more ends it; of another they run."""
    async with serve_echo() as chat:
        raw, other = await on_websocket(chat), await on_websocket(chat)
        for _ in range(MAX_RUNNING_EVENTS):
            await raw.send('42["hold"]')
        await eventually(lambda: echo.main.held == MAX_RUNNING_EVENTS)
        await other.send('421["message-with-ack"]')
        assert await other.next() == "431[]"
        await raw.send('42["hold"]')
        await raw.until_end()
        assert echo.main.held == MAX_RUNNING_EVENTS
        echo.main.go_on.set()


async def test_events_that_have_run_count_no_more(serve_echo, echo):
    """The bound is on those that run, not on those that came."""
    echo.main.go_on.set()
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        for number in range(MAX_RUNNING_EVENTS + 20):
            await raw.send(f'42{number}["hold"]')
            assert await raw.next() == f'43{number}["held"]'


@pytest.mark.parametrize(
    ("things", "sentence"),
    [
        ([Echo("/chat")], "there is already"),
        ([Echo("/one"), Echo("/one")], "there is already"),
        ([Echo("board")], "no name of a namespace"),
        ([Echo("*")], "no name of a namespace"),
        ([Echo("/a,b")], "no name of a namespace"),
        (["/board"], "registers a str as a namespace"),
        ([Echo], "has to be a socketio.AsyncNamespace"),
    ],
)
async def test_a_namespace_that_does_not_fit_stops_the_start(serve, things, sentence):
    """One sentence that says what is wrong."""
    with pytest.raises(SetupError, match=sentence):
        async with serve(plugins=[EchoPlugin(*things)]):
            pass


async def test_the_stop_does_not_wait_for_handlers_of_plugins(serve_echo, echo):
    """What still runs in a namespace is cancelled, and its clients see the connection end."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await join(raw, "/custom")
        await raw.send('421["hold"]')
        await eventually(lambda: echo.main.held)
        async with asyncio.timeout(5):
            await chat.app.stop()
        await raw.until_end()
        assert echo.main.left == echo.custom.left == ["server disconnect"]
