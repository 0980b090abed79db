"""A repeat is compared with what was sent, whatever the message says by now."""

from dataclasses import replace

import pytest

from chat.plugin_api import Plugin, before_message_send, hookimpl


class Loud(Plugin):
    """Changes every message on its way in."""

    name = "loud"

    @hookimpl(before_message_send)
    async def shout(self, draft):
        return replace(draft, content=draft.content.upper(), metadata={"loud": True})


async def _repeat_and_contradict(client, body, said):
    repeat = await client.call("sendMessage", body)
    assert (repeat["duplicate"], repeat["data"]["message"]) == (True, said)
    conflict = await client.call("sendMessage", {**body, "content": said or "other"})
    assert conflict["error"]["code"] == "IDEMPOTENCY_CONFLICT"


@pytest.mark.parametrize("restarted", [False, True], ids=["at once", "after a restart"])
async def test_a_message_that_a_plugin_changed_is_repeated_by_what_was_sent(serve, restarted):
    """The sender knows nothing of what became of it; the same again is a repeat, the text that was
    stored is another message.
    """
    async with serve(plugins=[Loud()]) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "hi", "clientMessageId": "k", "metadata": {"a": 1}}
        await ada.call("sendMessage", body)
        if not restarted:
            await _repeat_and_contradict(ada, body, "HI")
    if restarted:
        async with serve(plugins=[Loud()]) as chat:
            await _repeat_and_contradict(await chat.connect(1), body, "HI")


@pytest.mark.parametrize("restarted", [False, True], ids=["at once", "after a restart"])
async def test_an_edited_message_is_repeated_by_what_was_sent(serve, restarted):
    """A retry that comes after an edit answers the message as it is now."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "teh", "clientMessageId": "k"}
        sent = await ada.call("sendMessage", body)
        for text in ("the", "then"):
            edit = {"messageId": sent["data"]["id"], "content": text}
            assert (await ada.call("editMessage", edit))["success"]
        if not restarted:
            await _repeat_and_contradict(ada, body, "then")
    if restarted:
        async with serve() as chat:
            await _repeat_and_contradict(await chat.connect(1), body, "then")


async def test_a_deleted_message_is_repeated_by_what_was_sent(serve):
    """The answer to a retry is the tombstone; nothing comes back to life."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "oops", "clientMessageId": "k", "metadata": {"a": 1}}
        sent = await ada.call("sendMessage", body)
        assert (await ada.call("deleteMessage", {"messageId": sent["data"]["id"]}))["success"]
        await _repeat_and_contradict(ada, body, "")


async def test_one_and_true_are_different_metadata(serve):
    """As JSON has it, though Python calls them equal."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "x", "clientMessageId": "k", "metadata": {"a": 1}}
        await ada.call("sendMessage", body)
        answer = await ada.call("sendMessage", {**body, "metadata": {"a": True}})
        assert answer["error"]["code"] == "IDEMPOTENCY_CONFLICT"
