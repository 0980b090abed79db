"""The timeline: changes of a chat told as messages of type `system`, in the step of the change."""

from dataclasses import replace

import pytest

from chat.errors import OutcomeUnknownError, StoreUnavailableError
from chat.plugin_api import MessageEvent, Plugin, after_message_created, hookimpl
from chat.repositories.messages import MongoMessages
from tests.support.waiting import eventually

HOST = (9, "service")


def lines(messages):
    return [each["system"] for each in messages if each["type"] == "system"]


async def page(chat, chat_id, user_id=1, since=None):
    query = "" if since is None else f"?since={since}"
    return (await chat.request("GET", f"/chats/{chat_id}/sync{query}", user_id)).data


async def add(chat, chat_id, *user_ids, by=HOST):
    body = {"userIds": list(user_ids)}
    answer = await chat.request("POST", f"/chats/{chat_id}/participants", *by, json=body)
    assert answer.status == 201
    return answer


async def test_each_kind_of_change_is_told(serve):
    """In order, by whom, of whom; each line has the number after that of its change."""
    async with serve(timeline=True) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        ada = await chat.connect(1, join=chat_id)
        path = f"/chats/{chat_id}"
        await add(chat, chat_id, 4)
        await chat.request("PATCH", f"{path}/participants/2", *HOST, json={"role": "moderator"})
        await chat.request("DELETE", f"{path}/participants/4", *HOST)
        await chat.request("POST", f"{path}/leave", 3)
        await chat.request("PATCH", path, *HOST, json={"title": "New"})
        told = lines((await page(chat, chat_id))["messages"])
        assert told == [
            {"kind": "participantsAdded", "by": 9, "userIds": [4]},
            {"kind": "roleChanged", "by": 9, "userIds": [2], "role": "moderator"},
            {"kind": "participantRemoved", "by": 9, "userIds": [4]},
            {"kind": "participantLeft", "by": 3, "userIds": [3]},
            {"kind": "titleChanged", "by": 9, "userIds": [], "title": "New"},
        ]
        await ada.settle()
        numbers = [payload["seq"] for _, payload in ada.pushed if "seq" in payload]
        assert numbers == list(range(5, 15))
        assert [name for name, _ in ada.pushed][:2] == ["participantAdded", "newMessage"]
        assert lines(each["message"] for each in ada.of("newMessage")) == told


async def test_old_clients_have_a_text_to_show(serve):
    """`message` says it in English, to be read behind the sender's name."""
    async with serve(timeline=True) as chat:
        chat_id = await chat.create_chat([1])
        await add(chat, chat_id, 2, 3)
        message = (await page(chat, chat_id))["messages"][0]
        assert (message["message"], message["senderId"]) == ("added 2 participants", 9)


async def test_many_who_are_added_are_one_line(serve):
    """It comes with the last of them, without those who were in the chat already."""
    async with serve(timeline=True) as chat:
        chat_id = await chat.create_chat([1, 2])
        await add(chat, chat_id, *range(1, 31))
        told = lines((await page(chat, chat_id))["messages"])
        assert told == [{"kind": "participantsAdded", "by": 9, "userIds": list(range(3, 31))}]


async def test_nothing_is_told_unless_it_is_switched_on(serve):
    """Clients of earlier versions see what they saw; `features` says which it is."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        await add(chat, chat_id, 2)
        assert (await page(chat, chat_id))["messages"] == []
        session = (await (await chat.connect(1)).call("authenticate"))["data"]
        assert "timeline" not in session["features"]
    async with serve(timeline=True) as chat:
        session = (await (await chat.connect(1)).call("authenticate"))["data"]
        assert "timeline" in session["features"]


async def test_a_line_is_never_unread_and_moves_no_cursor(serve):
    """Neither for others nor as read by the one who caused it."""
    async with serve(timeline=True) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        sent = await grace.call("sendMessage", {"chatId": chat_id, "content": "one"})
        await chat.request("PATCH", f"/chats/{chat_id}", *HOST, json={"title": "New"})
        await add(chat, chat_id, 3, by=HOST)
        for user_id, unread in ((1, 1), (2, 0), (3, 0)):
            found = (await chat.request("GET", f"/chats/{chat_id}", user_id)).data
            assert found["unreadCount"] == unread
        assert found["lastMessage"]["type"] == "system"
        read = {"chatId": chat_id, "messageId": sent["data"]["id"]}
        ada = await chat.connect(1)
        assert (await ada.call("markAsRead", read))["data"]["unreadCount"] == 0
        read = {"chatId": chat_id, "messageId": found["lastMessage"]["id"]}
        assert (await ada.call("markAsRead", read))["success"] is True


async def test_a_line_cannot_be_answered_changed_or_deleted(serve):
    """FORBIDDEN, for moderators and the host too; and a client that sends one sends a text."""
    async with serve(timeline=True) as chat:
        chat_id = await chat.create_chat([1])
        await add(chat, chat_id, 2)
        line = (await page(chat, chat_id))["messages"][0]["id"]
        for user in ((1,), HOST):
            client = await chat.connect(*user)
            for event, payload in (
                ("sendMessage", {"chatId": chat_id, "content": "x", "replyToId": line}),
                ("editMessage", {"messageId": line, "content": "x"}),
                ("deleteMessage", {"messageId": line}),
            ):
                answer = await client.call(event, payload)
                assert answer["error"]["code"] == "FORBIDDEN", event
            forged = {"chatId": chat_id, "content": "x", "type": "system", "system": {}}
            sent = (await client.call("sendMessage", forged))["data"]
            assert (sent["type"], "system" in sent) == ("text", False)


@pytest.mark.parametrize("failure", [StoreUnavailableError, OutcomeUnknownError])
async def test_an_outage_between_a_change_and_its_line_loses_neither(serve, monkeypatch, failure):
    """The line is written until it is stored; nobody sees the change before."""
    async with serve(timeline=True) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        original, failures = MongoMessages.insert, [failure(), failure()]

        async def insert(self, messages):
            if failures:
                raise failures.pop()
            return await original(self, messages)

        monkeypatch.setattr(MongoMessages, "insert", insert)
        answer = await chat.request(
            "POST", f"/chats/{chat_id}/participants", *HOST, json={"userIds": [2]}
        )
        assert answer.code == "TIMEOUT"
        line = await ada.next("newMessage")
        assert line["message"]["system"]["userIds"] == [2]
        assert [name for name, _ in ada.pushed] == ["participantAdded", "newMessage"]
        assert (await page(chat, chat_id, since=0))["toSeq"] == line["seq"]


@pytest.mark.parametrize("change", ["add", "title"])
async def test_a_line_that_a_crash_kept_from_the_store_is_stored_at_the_next_start(
    serve, monkeypatch, tmp_path, change
):
    """A client that comes back with its cursor gets both, under following numbers."""

    async def lost(_self, _messages):
        return {}

    async with serve(timeline=True, data_dir=tmp_path) as chat:
        chat_id = await chat.create_chat([1])
        before = (await page(chat, chat_id))["toSeq"]
        with monkeypatch.context() as patched:
            patched.setattr(MongoMessages, "insert", lost)
            if change == "add":
                await add(chat, chat_id, 2)
            else:
                await chat.request("PATCH", f"/chats/{chat_id}", *HOST, json={"title": "New"})
    async with serve(data_dir=tmp_path) as chat:
        for _ in range(2):
            after = await page(chat, chat_id, since=before)
            assert after["toSeq"] == before + 2
            assert len(lines(after["messages"])) == 1
        sent = await (await chat.connect(1)).call(
            "sendMessage", {"chatId": chat_id, "content": "x"}
        )
        assert sent["data"]["seq"] == before + 3


class Told(Plugin):
    """Notes the messages that it is told of."""

    name = "told"

    def __init__(self):
        super().__init__()
        self.texts = []

    @hookimpl(after_message_created)
    async def note(self, event: MessageEvent) -> None:
        self.texts.append(event.message.message)


async def test_a_line_that_is_found_late_is_a_line_all_the_same(serve):
    """Written before a restart, stored after the chat was loaded: it is pushed, no plugin is told,
    and its sender has read nothing by it.
    """
    plugin = Told()
    async with serve(timeline=True, plugins=[plugin]) as chat:
        body = {"type": "group", "participantIds": [2]}
        chat_id = (await chat.request("POST", "/chats", 1, "admin", json=body)).data["id"]
        ada = await chat.connect(1, join=chat_id)
        state = chat.app.domain.states.loaded(chat_id)
        await add(chat, chat_id, 3, by=(1, "employee"))
        line = state.last_message
        late = replace(line, id=line.id + 10**6, seq=state.head + 1, updated_seq=state.head + 1)
        assert await chat.app.domain.messages.messages.insert([late]) == {}
        cursor = state.members[1].last_read_seq
        sent = await chat.request(
            "POST", "/chat-messages", 2, json={"chatId": chat_id, "content": "hello"}
        )
        assert sent.data["seq"] == late.seq + 1
        await ada.settle()
        assert [each["message"]["type"] for each in ada.of("newMessage")] == [
            "system", "system", "text",
        ]  # fmt: skip
        assert state.members[1].last_read_seq == cursor
        await eventually(lambda: plugin.texts)
        assert plugin.texts == ["hello"]
