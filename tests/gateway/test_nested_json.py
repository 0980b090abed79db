"""JSON that is nested deeper than anything of ours: what walks it would run out of stack."""

import json

import pytest

from tests.support.gateway_servers import generous
from tests.support.gateway_wire import RawPolling, RawSocket

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
