"""Filters of what others read besides new messages: edits, titles and metadata of chats, names."""

from dataclasses import replace

import pytest

from chat.plugin_api import (
    Action,
    ChatDraft,
    ErrorCode,
    MessageDraft,
    Plugin,
    Reject,
    before_action,
    before_chat_change,
    before_message_edit,
    before_message_send,
    hookimpl,
)
from tests.support.delivery.chats import HOST, all_messages, say
from tests.support.gateway.servers import generous


def refuse(text):
    if text and "spam" in text:
        raise Reject(ErrorCode.REJECTED, "no spam")


class SendsOnly(Plugin):
    """A moderation plugin whose author did not think of edits."""

    name = "sends_only"

    def __init__(self):
        super().__init__()
        self.asked = []

    @hookimpl(before_message_send)
    async def check(self, draft: MessageDraft) -> MessageDraft | None:
        self.asked.append(draft)
        refuse(draft.content)
        if draft.content == "SHOUT":
            return replace(draft, content="shout", metadata={"calmed": True})
        return replace(draft, content=" ") if draft.content == "vanish" else None


class Both(SendsOnly):
    """One that has another rule for edits."""

    name = "both"

    def __init__(self):
        super().__init__()
        self.edits = []

    @hookimpl(before_message_edit)
    async def check_edit(self, draft: MessageDraft) -> None:
        self.edits.append(draft)


async def edit(door, chat, client, message_id, content):
    """The error code of an edit by user 1, None of a success."""
    if door == "socket":
        payload = {"messageId": message_id, "content": content}
        error = (await client.call("editMessage", payload)).get("error")
        return error["code"] if error else None
    path = f"/chat-messages/{message_id}"
    return (await chat.request(door, path, 1, json={"content": content})).code


EDITS = pytest.mark.parametrize("door", ["socket", "PATCH", "PUT"])


@EDITS
async def test_an_edit_does_not_go_round_a_filter_of_sends(serve, door):
    """A plugin that has only `before_message_send` is asked about edits, and can tell them."""
    plugin = SendsOnly()
    async with serve(**generous(plugin)) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        payload = {"chatId": chat_id, "content": "hi", "metadata": {"a": 1}}
        message = (await ada.call("sendMessage", payload))["data"]
        assert await edit(door, chat, ada, message["id"], "spam") == "REJECTED"
        assert [each["message"] for each in await all_messages(chat, chat_id)] == ["hi"]
        sent, edited = plugin.asked
        assert (sent.message_id, sent.is_edit) == (None, False)
        assert (edited.message_id, edited.is_edit) == (message["id"], True)
        assert (edited.chat_id, edited.sender_id, edited.sender_type) == (chat_id, 1, "employee")
        assert edited.metadata == {"a": 1}


@EDITS
async def test_a_filter_changes_the_text_of_an_edit(serve, door):
    """What the plugin makes of the text is stored and pushed; metadata stay as they are."""
    async with serve(**generous(SendsOnly())) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        (message,) = await say(ada, chat_id, "hi")
        assert await edit(door, chat, ada, message["id"], "SHOUT") is None
        pushed = (await grace.next("messageUpdated"))["message"]
        assert (pushed["message"], pushed["metadata"]) == ("shout", None)
        assert await edit(door, chat, ada, message["id"], "vanish") == "REJECTED"


async def test_a_plugin_with_a_filter_of_edits_is_asked_about_edits_by_that_one(serve):
    """Its `before_message_send` is asked about new messages only."""
    plugin = Both()
    async with serve(**generous(plugin)) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        (message,) = await say(ada, chat_id, "hi")
        assert await edit("socket", chat, ada, message["id"], "spam") is None
        assert [each.content for each in plugin.asked] == ["hi"]
        assert [each.content for each in plugin.edits] == ["spam"]


async def test_a_filter_of_edits_is_asked_only_about_what_would_be_stored(serve):
    """Not about edits of others' messages, or of deleted ones."""
    plugin = SendsOnly()
    async with serve(**generous(plugin)) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        (other,), (own,) = await say(grace, chat_id, "hi"), await say(ada, chat_id, "hi")
        await ada.call("deleteMessage", {"messageId": own["id"]})
        assert await edit("socket", chat, ada, other["id"], "x") == "FORBIDDEN"
        assert await edit("socket", chat, ada, own["id"], "x") == "MESSAGE_DELETED"
        assert [each.content for each in plugin.asked] == ["hi", "hi"]


# ---- chats and names


class Titles(Plugin):
    """Refuses titles and metadata with spam in them, and calms shouting ones down."""

    name = "titles"

    def __init__(self):
        super().__init__()
        self.asked = []

    @hookimpl(before_chat_change)
    async def check(self, draft: ChatDraft) -> ChatDraft | None:
        self.asked.append(draft)
        refuse(draft.title)
        refuse(str(draft.metadata))
        if draft.title == "SHOUT":
            return replace(draft, title="shout", metadata={"calmed": True})
        return replace(draft, title=" ") if draft.title == "vanish" else None


async def test_titles_and_metadata_pass_a_filter_when_a_chat_is_made(serve):
    """Refused is not made; a changed copy is what is stored."""
    plugin = Titles()
    async with serve(**generous(plugin)) as chat:

        async def make(**fields):
            return await chat.request("POST", "/chats", 1, json={"participantIds": [2], **fields})

        for fields in ({"title": "spam"}, {"metadata": {"a": "spam"}}, {"title": "vanish"}):
            assert (await make(**fields)).code == "REJECTED"
        assert (await chat.request("GET", "/chats", 2)).data == []
        made = await make(title="SHOUT")
        assert (made.data["title"], made.data["metadata"]) == ("shout", {"calmed": True})
        draft = plugin.asked[0]
        assert (draft.chat_id, draft.type, draft.identity.user_id) == (None, "group", 1)
        direct = await make(type="direct")
        assert direct.status == 201
        assert plugin.asked[-1].type == "direct"
        asked = len(plugin.asked)
        assert (await make(type="direct")).status == 200  # is there already
        assert len(plugin.asked) == asked


async def test_titles_and_metadata_pass_a_filter_when_a_chat_is_changed(serve):
    """The filter sees what would be there afterwards, and is not asked for those who may not."""
    plugin = Titles()
    async with serve(**generous(plugin)) as chat:
        chat_id = await chat.create_chat([1, 2], title="good", metadata={"a": 1})
        grace = await chat.connect(2, join=chat_id)
        plugin.asked.clear()
        path = f"/chats/{chat_id}"
        assert (await chat.request("PATCH", path, 1, json={"title": "x"})).code == "FORBIDDEN"
        assert plugin.asked == []
        for change in ({"title": "spam"}, {"metadata": {"a": "spam"}}, {"title": "vanish"}):
            assert (await chat.request("PATCH", path, *HOST, json=change)).code == "REJECTED"
        (titled, described, _) = plugin.asked
        assert (titled.chat_id, titled.title, titled.metadata) == (chat_id, "spam", {"a": 1})
        assert (described.title, described.metadata) == ("good", {"a": "spam"})
        assert (await chat.request("GET", path, 1)).data["title"] == "good"
        changed = await chat.request("PATCH", path, *HOST, json={"title": "SHOUT"})
        assert (changed.data["title"], changed.data["metadata"]) == ("shout", {"calmed": True})
        assert (await grace.next("chatUpdated"))["chat"]["title"] == "shout"


async def test_names_that_the_host_gives_pass_before_action(serve):
    """`PUT /users/:id` is an action whose payload a plugin may refuse or replace."""

    class Names(Plugin):
        name = "names"

        @hookimpl(before_action)
        async def check(self, action: Action) -> Action | None:
            if action.name != "PUT /users/:id" or action.payload is None:
                return None
            refuse(action.payload.name)
            calm = action.payload.model_copy(update={"name": action.payload.name.title()})
            return replace(action, payload=calm)

    async with serve(**generous(Names())) as chat:
        refused = await chat.request("PUT", "/users/1", *HOST, json={"name": "spam"})
        assert refused.code == "REJECTED"
        named = await chat.request("PUT", "/users/1", *HOST, json={"name": "ADA"})
        assert named.data["name"] == "Ada"
