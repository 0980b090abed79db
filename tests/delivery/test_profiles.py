"""Names and pictures: who may look them up, and who hears that they changed."""

from dataclasses import replace
from functools import partial

import pytest

from chat.services.profiles import PUSHES_A_TURN
from chat.timings import Timings
from tests.support.delivery.chats import HOST, host, say
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually

OFTEN = Timings(profile_push_after_s=0.05, unread_push_every_s=0.05, people_flush_every_s=0.05)
"""Profiles and badges are pushed, and facts written, every 0.05 s instead of every second."""


@pytest.fixture
def serve(serve):
    return partial(serve, timings=OFTEN)


async def named(chat, user_id, name, user_type="employee"):
    """Let a user come with a token that has their name."""
    token = chat.token(user_id, user_type, name=name)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await chat.request("GET", "/me/unread", None, headers=headers)).status == 200


async def names(chat, asker, ids, user_type="employee"):
    """`{id: name}` of those whose profile the asker gets."""
    response = await chat.request("GET", f"/users?ids={ids}", asker, user_type)
    assert response.status == 200, response.body
    return {each["id"]: each["name"] for each in response.data}


async def test_the_name_of_somebody_who_left_is_found(serve):
    """Messages have a senderId only: its name is there after the sender has left, too."""
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                chat_id = await chat.create_chat([1, 2])
                await named(chat, 2, "Grace Hopper")
                await say(await chat.connect(2, join=chat_id), chat_id, "goodbye")
                assert (await chat.request("POST", f"/chats/{chat_id}/leave", 2)).status == 200
            one = await chat.request("GET", "/users/2", 1)
            assert one.data == {"id": 2, "name": "Grace Hopper", "avatarUrl": None}
            assert await names(chat, 1, "2,1,2,77") == {2: "Grace Hopper", 1: None}


async def test_the_name_of_an_author_who_is_no_participant_is_found(serve):
    """An admin writes without being in the chat; the name is found when the message is old."""
    for life in range(2):
        async with serve(**generous()) as chat:
            if life == 0:
                chat_id = await chat.create_chat([1, 2])
                await named(chat, 9, "The Boss", "admin")
                body = {"chatId": chat_id, "content": "hello"}
                sent = await chat.request("POST", "/chat-messages", 9, "admin", json=body)
                assert sent.status == 201
                # More than the server keeps of a chat in memory.
                await say(await chat.connect(2, join=chat_id), chat_id, *map(str, range(120)))
            assert await names(chat, 1, "9") == {9: "The Boss"}


async def test_the_name_of_a_moderator_who_only_deleted_is_found(serve):
    """A tombstone names who deleted it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        await named(chat, 9, "The Boss", "admin")
        (message,) = await say(await chat.connect(2, join=chat_id), chat_id, "oops")
        gone = await chat.request("DELETE", f"/chat-messages/{message['id']}", 9, "admin")
        assert gone.status == 200
        assert await names(chat, 1, "9") == {9: "The Boss"}


async def test_the_name_of_an_admin_who_only_looks_on_is_found(serve):
    """`userJoined` and `userTyping` name them: for as long as they have the chat open."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        await named(chat, 9, "The Boss", "admin")
        assert await names(chat, 1, "9") == {}
        boss = await chat.connect(9, "admin", join=chat_id)
        assert await names(chat, 1, "9") == {9: "The Boss"}
        await boss.call("leaveChat", {"chatId": chat_id})
        assert await names(chat, 1, "9") == {}


async def test_strangers_are_not_looked_up(serve):
    """A user whom none of the asker's chats names is as one that does not exist, one by one and
    together; the host and admins see everybody."""
    async with serve() as chat:
        await chat.create_chat([1, 2])
        await chat.create_chat([3, 4])
        await named(chat, 3, "Ada")
        assert await names(chat, 1, "3,404") == {}
        for user_id in (3, 404):
            refused = await chat.request("GET", f"/users/{user_id}", 1)
            assert (refused.status, refused.code) == (404, "NOT_FOUND")
        assert await names(chat, 9, "3,404", "admin") == {3: "Ada", 404: None}
        assert await names(chat, *HOST[:1], "3", HOST[1]) == {3: "Ada"}


async def test_who_was_removed_looks_nobody_up_any_more(serve):
    """What a chat names is for those who are in it now."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        await named(chat, 2, "Grace")
        assert await names(chat, 1, "2") == {2: "Grace"}
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        assert await names(chat, 1, "2") == {}


@pytest.mark.parametrize(
    "query", ["", "?ids=", "?ids=,", "?ids=" + ",".join(map(str, range(1, 202)))]
)
async def test_a_look_up_names_one_to_200_users(serve, query):
    """VALIDATION_ERROR for none and for more."""
    async with serve() as chat:
        refused = await chat.request("GET", f"/users{query}", 1)
        assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")


async def test_a_new_name_is_pushed_to_those_who_share_a_chat(serve):
    """`userUpdated {user, timestamp}`, once a socket however many chats are shared, whichever
    rooms it is in; the user's own tabs too, strangers not."""
    async with serve() as chat:
        await chat.create_chat([1, 2])
        await chat.create_chat([1, 2])
        await chat.create_chat([3])
        ada, grace, stranger = [await chat.connect(each) for each in (1, 2, 3)]
        picture = "https://example.com/2.png"
        await host(chat, "PUT", "/users/2", {"name": "Grace", "avatarUrl": picture})
        for client in (ada, grace):
            told = await client.next("userUpdated")
            assert told.pop("timestamp").endswith("Z")
            assert told == {"user": {"id": 2, "name": "Grace", "avatarUrl": picture}}
        for client in (ada, grace, stranger):
            await client.settle()
        assert [len(each.of("userUpdated")) for each in (ada, grace, stranger)] == [1, 1, 0]


async def test_many_new_names_at_once_leave_room_for_messages(serve):
    """Profiles go out at a bounded rate, whatever else is pushed meanwhile."""
    async with serve(timings=replace(OFTEN, profile_pause_s=50)) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        # The first profile is a push to each of them, and then comes the pause.
        ada, *_ = [await chat.connect(1, join=chat_id) for _ in range(PUSHES_A_TURN)]
        for user_id in (2, 3):
            await host(chat, "PUT", f"/users/{user_id}", {"name": "New", "avatarUrl": None})
        await ada.next("userUpdated")
        await say(ada, chat_id, "hello")
        await ada.settle()
        assert len(ada.of("userUpdated")) == 1


async def test_a_token_with_another_name_is_pushed(serve):
    """Also after a restart, when the server has to look up what the name was."""
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                await chat.create_chat([1, 2])
            ada = await chat.connect(1)
            await named(chat, 2, f"Grace {life}")
            assert (await ada.next("userUpdated"))["user"]["name"] == f"Grace {life}"


async def test_the_same_name_again_is_pushed_to_nobody(serve):
    """A login that tells what is stored is no change, neither at once nor after a restart."""
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                await chat.create_chat([1, 2])
            ada = await chat.connect(1)
            if life == 0:
                await named(chat, 2, "Grace")
                assert (await ada.next("userUpdated"))["user"]["name"] == "Grace"
            await named(chat, 2, "Grace")
            await eventually(lambda: not chat.app.domain.people.is_waiting)
            for name in ("Grace II", "Grace"):
                await named(chat, 2, name)
                assert (await ada.next("userUpdated"))["user"]["name"] == name


async def test_a_token_without_a_name_wipes_nothing(serve):
    """What a token leaves out stays as it was stored, after a restart too."""
    picture = "https://example.com/2.png"
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                await chat.create_chat([1, 2])
                await host(chat, "PUT", "/users/2", {"name": "Grace", "avatarUrl": picture})
            await named(chat, 2, f"Grace {life}")
            await (await chat.connect(2)).close()
            await eventually(lambda: not chat.app.domain.people.is_waiting)
            shown = (await chat.request("GET", "/users/2", 1)).data
            assert shown == {"id": 2, "name": f"Grace {life}", "avatarUrl": picture}


async def test_a_token_with_a_picture_only_does_not_hide_the_stored_name(serve):
    """Nor in the moment before the server has looked up what is stored."""
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                await chat.create_chat([1, 2])
                await host(chat, "PUT", "/users/2", {"name": "Grace"})
                continue
            picture = "https://example.com/2.png"
            token = chat.token(2, avatarUrl=picture)
            headers = {"Authorization": f"Bearer {token}"}
            await chat.request("GET", "/me/unread", None, headers=headers)
            shown = (await chat.request("GET", "/users/2", 1)).data
            assert shown == {"id": 2, "name": "Grace", "avatarUrl": picture}


async def test_who_is_connected_when_the_server_stops_was_last_seen_then(serve):
    """The stop ends the sockets, and that is when their users were last here."""
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                await chat.create_chat([1, 2])
                await chat.connect(2)
            else:
                seen = (await chat.request("GET", "/users/presence?ids=2", 1)).data
                assert seen[0]["status"] == "offline"
                assert seen[0]["lastSeenAt"] is not None


async def test_the_host_can_clear_a_name(serve):
    """A null of the host is a decision; it is pushed and outlives a restart."""
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                await chat.create_chat([1, 2])
                ada = await chat.connect(1)
                await named(chat, 2, "Grace")
                await ada.next("userUpdated")
                await host(chat, "PUT", "/users/2", {"name": None})
                assert (await ada.next("userUpdated"))["user"]["name"] is None
            assert (await chat.request("GET", "/users/2", 1)).data["name"] is None


async def test_an_edit_of_the_last_message_reaches_the_lists(serve):
    """A list shows the text of the last message: whoever is outside the room gets the new one
    as they get a deletion; an edit of an older message pushes no badge."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        older, last = await say(grace, chat_id, "older", "my password is swordfish")
        ada = await chat.connect(1)
        await grace.call("editMessage", {"messageId": older["id"], "content": "old"})
        edit = {"messageId": last["id"], "content": "never mind"}
        await grace.call("editMessage", edit)
        told = await ada.next("unreadUpdated")
        while told["lastMessage"]["message"] != "never mind":
            told = await ada.next("unreadUpdated")
        assert told["lastMessage"]["editedAt"] is not None
