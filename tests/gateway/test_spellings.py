"""What real clients put on the wire: `undefined` as an argument, halves of emoji, old spellings."""

import asyncio
import json

import pytest
from pydantic import BaseModel

from chat.gateway.engineio.polling import MAX_POLLING_PACKETS
from chat.plugin_api import ClientEvent, Plugin, hookimpl, register_events
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually


class Note(BaseModel):
    text: str = "nothing"


class Notes(Plugin):
    """Brings an event with an optional payload, and one without a payload."""

    name = "notes"

    @hookimpl(register_events)
    async def events(self, _start):
        return [
            ClientEvent(name="note", handler=self.note, model=Note),
            ClientEvent(name="bare", handler=self.bare),
        ]

    async def note(self, _identity, payload):
        return {"success": True, "text": payload.text}

    async def bare(self, _identity, _payload):
        return {"success": True}


@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
async def test_trailing_nulls_are_no_arguments(serve, transport):
    """A client that calls `emit(name, payload, undefined)` means an event with one argument."""
    async with serve(**generous(Notes())) as chat:
        chat_id = await chat.create_chat([1, 2])
        raw = await transport.enter(chat)
        for nulls in (",null", ",null,null", "," + ",".join(["null"] * 50)):
            send = f'"sendMessage",{{"chatId":{chat_id},"content":"hi"}}'
            assert (await raw.event(f"[{send}{nulls}]"))["data"]["message"] == "hi"
            assert (await raw.event(f'["authenticate"{nulls}]'))["userId"] == 1
            assert (await raw.event(f'["note",{{"text":"a"}}{nulls}]'))["text"] == "a"
            assert (await raw.event(f'["note"{nulls}]'))["text"] == "nothing"
            assert (await raw.event(f'["bare"{nulls}]'))["success"]
            refused = await raw.event(f'["joinChat"{nulls}]')
            assert refused["error"]["code"] == "VALIDATION_ERROR"


async def test_an_event_without_ack_and_with_trailing_nulls_is_done(serve):
    """As it is with an ack: no `error` is pushed."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawSocket.enter(chat)
        await raw.call("joinChat", {"chatId": chat_id})
        await raw.send(f'42/chat,["sendMessage",{{"chatId":{chat_id},"content":"hi"}},null]')
        assert '"message":"hi"' in await raw.until('42/chat,["newMessage"', '42/chat,["error"')


async def test_a_second_argument_that_is_one_is_refused(serve):
    """Only nulls at the end stand for nothing."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        for more in (",1", ",{}", ",null,1", ",false", ',""'):
            for first in ("{}", "null"):
                error = (await raw.event(f'["authenticate",{first}{more}]'))["error"]
                assert error["code"] == "VALIDATION_ERROR"


async def test_a_connect_with_a_null_is_one_without_a_token(serve):
    """UNAUTHENTICATED, as where nothing was sent."""
    async with serve() as chat:
        for auth in ("", "null", "{}", '{"token":null}'):
            raw = await RawSocket.open(chat)
            await raw.send(f"40/chat,{auth}")
            refusal = json.loads((await raw.until("44/chat,"))[8:])
            assert refusal["data"]["code"] == "UNAUTHENTICATED"


HALVES = {
    "content": ('"content":"a\\ud83d"', "content"),
    "second half": ('"content":"\\ude00a"', "content"),
    "two wrong halves": ('"content":"\\ude00\\ud83d"', "content"),
    "metadata": ('"content":"a","metadata":{"tags":["b",{"c":"\\ud83d"}]}', "metadata.tags.1.c"),
    "a key": ('"content":"a","metadata":{"d":{"\\ud83d":1}}', "metadata.d"),
    "clientMessageId": ('"content":"a","clientMessageId":"\\udfff"', "clientMessageId"),
    "a field of no model": ('"content":"a","more":"\\ud83d"', "more"),
}


@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
async def test_half_a_surrogate_pair_names_its_field(serve, transport):
    """What is left of an emoji that was cut in two is one field's fault; the session goes on."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        raw = await transport.enter(chat)
        for fields, path in HALVES.values():
            error = (await raw.event(f'["sendMessage",{{"chatId":{chat_id},{fields}}}]'))["error"]
            assert error["code"] == "VALIDATION_ERROR"
            assert error["details"] == [{"path": path, "message": "holds half a surrogate pair"}]
            assert error["message"] == f"{path}: holds half a surrogate pair"
            rest = await chat.request(
                "POST",
                "/chat-messages",
                body=f'{{"chatId":{chat_id},{fields}}}'.encode(),
                headers={"Content-Type": "application/json"},
            )
            assert (rest.status, rest.body["error"]["details"]) == (400, error["details"])
        whole = f'"chatId":{chat_id},"content":"\\ud83d\\ude00"'
        answer = await raw.event(f'["sendMessage",{{{whole}}}]')
        assert answer["data"]["message"] == "\U0001f600"


async def test_half_a_surrogate_pair_outside_of_a_field_is_named_as_such(serve):
    """There is no field to name in an event's name or in an argument that is no object."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        for body in ('["\\ud83d"]', '["joinChat","\\ud83d"]', '["joinChat",1,"\\ud83d"]'):
            error = (await raw.event(body))["error"]
            assert error["message"] == "the event holds half a surrogate pair"


async def test_text_that_is_no_json_is_said_to_be_none_whatever_escapes_it_has(serve):
    """Half a pair explains nothing there."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        for body in ('["joinChat","\\ud83d"', '["joinChat",{"a":"\\ud83d\\ude00"}x]'):
            error = (await raw.event(body))["error"]
            assert error["message"] == "the event is not JSON"


async def test_a_connect_with_half_a_surrogate_pair_is_refused_with_its_field(serve):
    """By a CONNECT_ERROR, and the session may try again."""
    async with serve() as chat:
        for raw in (await RawSocket.open(chat), await RawPolling.open(chat)):
            connect = '40/chat,{"token":"x","name":"\\ud83d"}'
            await (raw.send(connect) if isinstance(raw, RawSocket) else raw.post(connect))
            refusal = json.loads((await raw.until("44/chat,"))[8:])
            assert refusal["data"]["code"] == "VALIDATION_ERROR"
            assert refusal["data"]["details"][0]["path"] == "name"
            raw.frames.clear()
            assert (await raw.connect({"token": chat.token(1)})).startswith("40/chat,")


async def test_a_query_that_is_not_utf_8_names_its_parameter(serve):
    """VALIDATION_ERROR, as for any other value that does not fit."""
    async with serve() as chat:
        for query, path in (("chatId=%ED%A0%BD", "chatId"), ("chatId=1&before=%FF", "before")):
            answer = await chat.request("GET", f"/chat-messages?{query}")
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
            assert answer.body["error"]["details"] == [{"path": path, "message": "is not UTF-8"}]


async def test_a_handshake_that_is_not_utf_8_is_refused_with_the_error_model(serve):
    """Not with a page of HTML."""
    async with serve() as chat:
        answer = await chat.request("GET", "/socket.io/?EIO=4&transport=%ED%A0%BD", None)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


async def test_an_event_that_is_no_list_ends_the_session_with_an_ack_id_or_without(serve):
    """Digits in front of the JSON are an ack id, whatever follows them."""
    async with serve(**generous()) as chat:
        for data in ("{}", '"x"', "null", "true", "[]", "-1", " 1"):
            for ack_id in ("", "1", "007", "999999999999999"):
                raw = await RawSocket.enter(chat)
                await raw.send(f"42/chat,{ack_id}{data}")
                await raw.until_end()


@pytest.mark.parametrize("head", ["42/chat,", "42/chat?token=x,"])
async def test_an_event_that_is_no_json_is_refused_with_an_ack_id_or_without(serve, head):
    """By the ack where one was asked for, by the pushed `error` otherwise."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        for ack_id, data in enumerate(("", "[", "x", "{", "[]x")):
            await raw.send(f"{head}{ack_id}{data}")
            assert (await raw.ack(ack_id))["message"] == "the event is not JSON"
            await raw.send(f"{head}{data}")
            pushed = json.loads((await raw.until('42/chat,["error"'))[8:])[1]
            assert pushed["message"] == "the event is not JSON"


async def test_an_event_in_an_old_client_s_spelling_is_read(serve):
    """A query string behind the namespace, and a namespace that nothing follows."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        await raw.send('42/chat?token=x,5["authenticate"]')
        assert (await raw.ack(5))["userId"] == 1
        await raw.send("42/chat")
        await raw.until('42/chat,["error"')
        assert await raw.is_alive()


async def test_an_ack_id_beyond_counting_is_no_ack_id(serve):
    """It is not cut to one that the client may be waiting for."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        await raw.send('42/chat,1234567890123456["authenticate"]')
        await raw.until('42/chat,["error"')
        assert not [each for each in raw.frames if each.startswith("43/chat")]


@pytest.mark.parametrize("goodbye", ["1", "41/chat,"])
async def test_nothing_behind_a_goodbye_is_done(serve, goodbye):
    """Also where it came in the same read, and whichever transport it came by."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        send = f'42/chat,["sendMessage",{{"chatId":{chat_id},"content":"late"}}]'
        raw = await RawSocket.enter(chat, 1)
        await raw.burst(goodbye, send)
        await raw.until_end()
        polling = await RawPolling.enter(chat, 2)
        await polling.post(goodbye, send)
        await polling.until_end()
        await eventually(lambda: chat.app.gateway.get_active_users_count() == 0)
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}")
        assert page.data == []


TOO_MUCH = {
    "bytes": (["4" + "x" * 20_001], 413, "PAYLOAD_TOO_LARGE", "20000 bytes"),
    "packets": (["3"] * (MAX_POLLING_PACKETS + 1), 413, "PAYLOAD_TOO_LARGE", "1000"),
    "no packet": (["4x", "9"], 400, "VALIDATION_ERROR", "no payload"),
    "no base64": (["b%%"], 400, "VALIDATION_ERROR", "no payload"),
    "nothing": ([""], 400, "VALIDATION_ERROR", "no payload"),
}


@pytest.mark.parametrize(("packets", "status", "code", "said"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_a_polling_post_that_is_refused_says_why(serve, log, packets, status, code, said):
    """The error model as its answer, one line in the log, and a CLOSE for the poll that waits."""
    async with serve(max_payload_bytes=20_000) as chat:
        raw = await RawPolling.enter(chat)
        session = chat.app.gateway.server.eio.sockets[raw.session_id]
        poll = asyncio.ensure_future(raw.take())
        await eventually(lambda: session._poll)
        answer = await raw.post(*packets)
        body = json.loads(answer.body)
        assert (answer.code, body["success"], body["error"]["code"]) == (status, False, code)
        assert said in body["message"]
        assert await poll == ["1"]
        late = await raw.post("3")
        assert late.code == 400
        for event, error in (
            ("malformed_post", body["error"]),
            ("handshake_refused", json.loads(late.body)["error"]),
        ):
            lines = [line for line in log.entries if line["event"] == event]
            assert [line["why"] for line in lines] == [error["message"]]
            assert [line["request_id"] for line in lines] == [error["requestId"]]


async def test_as_many_packets_as_a_polling_post_may_hold_are_taken(serve):
    """A client that flushes what gathered while it was away."""
    async with serve(**generous()) as chat:
        raw = await RawPolling.enter(chat)
        assert (await raw.post(*["3"] * MAX_POLLING_PACKETS)).code == 200
