"""JSON that is nested deeper than anything of ours, or holds more values: what walks it would run
out of stack, and what makes them would take forty times the memory that the text has.
"""

import json

import pytest

from chat.contracts.base import MAX_METADATA_BYTES
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawPolling, RawSocket

MAX_JSON_DEPTH = 8
"""Below the payload."""


def _nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return {"chatId": value}


@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
async def test_an_event_nested_too_deeply_is_refused_and_names_the_field(serve, transport):
    """MAX_JSON_DEPTH; one level less is held against the model instead."""
    async with serve(max_json_depth=MAX_JSON_DEPTH, **generous()) as chat:
        client = await transport.enter(chat)
        for levels, deep in ((MAX_JSON_DEPTH, False), (MAX_JSON_DEPTH + 1, True)):
            ack = await client.event(json.dumps(["joinChat", _nested(levels)]))
            error = ack["error"]
            assert error["code"] == "VALIDATION_ERROR"
            assert ("nested too deeply" in error["message"]) == deep, error
            assert error["details"][0]["path"] == "chatId"
        assert (await client.event('["authenticate"]'))["success"]


@pytest.mark.parametrize("levels", [500, 100_000])
async def test_an_event_of_brackets_alone_is_refused(serve, levels):
    """However many: the ack is an error, and the socket lives."""
    async with serve(**generous()) as chat:
        client = await RawSocket.enter(chat)
        ack = await client.event('["joinChat",' + "[" * levels + "]" * levels + "]")
        assert ack["error"]["code"] == "VALIDATION_ERROR"
        assert await client.is_alive()


async def test_a_body_nested_too_deeply_is_refused_and_names_the_field(serve):
    """The same over REST."""
    async with serve(max_json_depth=MAX_JSON_DEPTH, **generous()) as chat:
        for levels, deep in ((MAX_JSON_DEPTH, False), (MAX_JSON_DEPTH + 1, True)):
            answer = await chat.request("POST", "/chat-messages", json=_nested(levels))
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
            error = answer.body["error"]
            assert ("nested too deeply" in error["message"]) == deep, error
        body = b"[" * 100_000 + b"]" * 100_000
        answer = await chat.request(
            "POST", "/chat-messages", body=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


LIMITS = {"max_json_values": 1_000, "max_content_chars": 500, "max_participants": 100}
ALLOWED = sum(LIMITS.values()) + MAX_METADATA_BYTES


def _of_many(values):
    """A text of that many commas and opening brackets."""
    return "[" + "{}," * ((values - 1) // 2) + "0," * (values % 2 == 0) + "0]"


def _marks(text):
    return sum(map(text.count, ",[{"))


@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
async def test_an_event_of_too_many_values_is_refused_before_they_are_made(serve, transport):
    """MAX_JSON_VALUES, besides the longest message and list of people; the socket lives."""
    async with serve(**LIMITS, **generous()) as chat:
        client = await transport.enter(chat)
        for values, too_many in ((ALLOWED - 3, False), (ALLOWED - 2, True)):
            body = f'["joinChat",{{"chatId":{_of_many(values)}}}]'
            assert _marks(body) == values + 3
            error = (await client.event(body))["error"]
            assert error["code"] == "VALIDATION_ERROR"
            assert (error["message"] == "the event holds too many values") == too_many, error
        assert (await client.event('["authenticate"]'))["success"]


async def test_a_body_of_too_many_values_is_refused(serve):
    """The same over REST."""
    async with serve(**LIMITS, **generous()) as chat:
        for values, too_many in ((ALLOWED - 1, False), (ALLOWED, True)):
            answer = await chat.request(
                "POST",
                "/chat-messages",
                body=f'{{"chatId":{_of_many(values)}}}'.encode(),
                headers={"Content-Type": "application/json"},
            )
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
            message = answer.body["error"]["message"]
            assert (message == "the body holds too many values") == too_many, message


async def test_a_connect_of_too_many_values_ends_the_session(serve):
    """The same limits; a client without a token is not worth an answer."""
    async with serve(**LIMITS, **generous()) as chat:
        for values, too_many in ((ALLOWED - 2, False), (ALLOWED - 1, True)):
            client = await RawSocket.open(chat)
            auth = f'{{"token":"{chat.token(1)}","more":{_of_many(values)}}}'
            await client.send(f"40/chat,{auth}")
            if not too_many:
                assert (await client.until("4")).startswith("40/chat,")
            else:
                await client.until_end()
                assert not [each for each in client.frames if each.startswith("40")]


async def test_the_longest_message_may_be_of_commas_alone(serve):
    """What is text is no value, in its metadata neither."""
    async with serve(**LIMITS, **generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        client = await RawSocket.enter(chat)
        payload = {
            "chatId": chat_id,
            "content": "," * LIMITS["max_content_chars"],
            "metadata": {"list": "," * (MAX_METADATA_BYTES - 100)},
        }
        assert (await client.call("sendMessage", payload))["success"]
