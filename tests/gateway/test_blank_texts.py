"""A text in which a reader sees nothing is no message, whichever way it comes."""

from dataclasses import replace

import pytest

from chat.contracts.base import is_blank
from chat.contracts.client_events import EditMessage
from chat.plugin_api import (
    Action,
    MessageDraft,
    Plugin,
    before_action,
    before_message_send,
    hookimpl,
)
from tests.support.gateway.servers import generous
from tests.support.rest.errors import assert_refused, assert_succeeded
from tests.support.rest.tokens import GOOD, authenticator, signed

BLANK = {
    "spaces": " \t\n\u00a0\u3000",
    "zero width": "\u200b\u2060",
    "joiners": "\u200d\u200c",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "direction marks": "\u200e\u200f\u061c\u202e\u2066\u2069",
    "variation selectors": "\ufe0f\ufe0e\U000e0100",
    "tags": "\U000e0041\U000e007f",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "Braille blank": "\u2800",
    "control characters": "\x01\x1b\x7f\x85",
    "a mixture": " \u200b\n\ufe0f \u2800",
}
SEEN = {
    "family with joiners": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "heart with selector": "\u2764\ufe0f",
    "flag of Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "one letter after many": "\u200b" * 5_000 + "x",
    "Arabic": "\u200f\u0645\u0631\u062d\u0628\u0627",
    "Khmer": "\u1797\u17b6\u179f\u17b6",
    "a full stop": ".",
}


@pytest.fixture
def both_ways(serve):
    """The answers to one text, sent and edited, by socket and by REST."""

    async def attempts(chat, ada, chat_id, message_id, content):
        send, edit = {"chatId": chat_id, "content": content}, {"content": content}
        return [
            await ada.call("sendMessage", send),
            await ada.call("editMessage", {"messageId": message_id, **edit}),
            (await chat.request("POST", "/chat-messages", 1, json=send)).body,
            (await chat.request("PATCH", f"/chat-messages/{message_id}", 1, json=edit)).body,
        ]

    return attempts


async def test_a_message_needs_a_visible_character(serve, both_ways):
    """Sent or edited, by socket or REST: VALIDATION_ERROR that names `content`, nothing stored."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        kept = (await ada.call("sendMessage", {"chatId": chat_id, "content": "kept"}))["data"]
        for name, content in BLANK.items():
            for answer in await both_ways(chat, ada, chat_id, kept["id"], content):
                assert answer["success"] is False, name
                assert answer["error"]["code"] == "VALIDATION_ERROR", name
                assert answer["error"]["details"][0]["path"] == "content", name
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert assert_succeeded(page) == [kept]


async def test_invisible_characters_among_visible_ones_stay_as_they_are(serve, both_ways):
    """Joiners, selectors and tags make emoji and scripts: such a text is taken as it is."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        kept = (await ada.call("sendMessage", {"chatId": chat_id, "content": "kept"}))["data"]
        for name, content in SEEN.items():
            for answer in await both_ways(chat, ada, chat_id, kept["id"], content):
                assert answer["success"] is True, name
                assert answer["data"]["message"] == content, name


async def test_a_title_and_a_name_need_a_visible_character_too(serve):
    """A chat or a person that cannot be seen in a list is refused alike."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        host = chat.token("crm", type="service")
        bearer = {"Authorization": f"Bearer {host}"}
        for path, method, field in (
            (f"/chats/{chat_id}", "PATCH", "title"),
            ("/users/1", "PUT", "name"),
        ):
            body = {field: BLANK["zero width"]}
            answer = await chat.request(method, path, None, json=body, headers=bearer)
            assert_refused(answer, "VALIDATION_ERROR", path=field)


def test_a_name_in_a_token_that_cannot_be_seen_is_none():
    """Hosts put all kinds of things into tokens: the user is let in, without a name."""
    identity = authenticator().authenticate(signed(GOOD | {"name": BLANK["a mixture"]}))
    assert identity.name is None


async def test_a_plugin_that_leaves_nothing_visible_refuses_the_message(serve):
    """What a plugin makes of a text is held to the same rule."""

    class Blanker(Plugin):
        name = "blanker"

        @hookimpl(before_message_send)
        async def blank(self, draft: MessageDraft) -> MessageDraft | None:
            return replace(draft, content=BLANK["zero width"]) if draft.content == "hello" else None

        @hookimpl(before_action)
        async def blank_edit(self, action: Action) -> Action | None:
            if not isinstance(action.payload, EditMessage):
                return None
            blanked = action.payload.model_copy(update={"content": BLANK["zero width"]})
            return replace(action, payload=blanked)

    async with serve(plugins=[Blanker()]) as chat:
        chat_id = await chat.create_chat([1, 2])
        body = {"chatId": chat_id, "content": "hello"}
        answer = await chat.request("POST", "/chat-messages", 1, json=body)
        assert_refused(answer, "REJECTED")
        ada = await chat.connect(1, join=chat_id)
        kept = await ada.call("sendMessage", {"chatId": chat_id, "content": "kept"})
        change = {"messageId": kept["data"]["id"], "content": "changed"}
        edited = await ada.call("editMessage", change)
        assert edited["error"]["code"] == "VALIDATION_ERROR"


def test_what_python_calls_white_space_is_blank():
    """The rule holds at least what str.isspace holds, for every character there is."""
    seen = [char for char in map(chr, range(0x110000)) if char.isspace() and not is_blank(char)]
    assert seen == []
