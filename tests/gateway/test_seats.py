"""A seat by token: the chat beside a record, for those to whom the host gives it, while it does."""

import asyncio
import gc
import itertools
import time

import pytest

from chat.plugin_api import MessageDraft, Plugin, before_message_send, hookimpl
from tests.support.delivery.chats import HOST, all_messages, host, say
from tests.support.gateway.servers import generous
from tests.support.gateway.tokens import signed
from tests.support.waiting import eventually

MEMBER = {"order:*": "member"}
_numbers = itertools.count(1)


def token(user_id, seats=None, valid_s=3600, **claims):
    """A token that gives these seats."""
    exp = time.time() + valid_s
    return signed(id=user_id, type="employee", exp=exp, seats=seats, **claims)


def new_ref():
    return f"order:{next(_numbers)}"


async def sit(chat, user_id, ref, seats=MEMBER, **claims):
    """A socket of the user in the room of the chat of that externalRef; and the chat's id."""
    client = await chat.connect(token=token(user_id, seats, **claims))
    joined = await client.call("joinChat", {"externalRef": ref})
    assert joined["success"], joined
    return client, joined["data"]["chatId"]


def texts_of(client):
    """What was pushed to the client."""
    return [each["message"]["message"] for each in client.of("newMessage")]


async def forgotten(chat, chat_id):
    """Whether nothing holds the chat's state; some of what did waits for the collector."""
    gc.collect()
    return chat.app.domain.states.loaded(chat_id) is None


async def code_of(calling):
    ack = await calling
    return None if ack["success"] else ack["error"]["code"]


async def test_the_first_to_join_makes_the_chat(serve):
    """The ack is that of a join by id; nobody becomes a participant."""
    async with serve() as chat:
        ref = new_ref()
        ada, chat_id = await sit(chat, 1, ref)
        by_ref = (await ada.call("joinChat", {"externalRef": ref}))["data"]
        by_id = (await ada.call("joinChat", {"chatId": chat_id}))["data"]
        assert by_ref == by_id
        assert (by_ref["role"], by_ref["unreadCount"], by_ref["lastReadMessageId"]) == (
            "member", 0, None,
        )  # fmt: skip
        (message,) = await say(ada, chat_id, "hello")
        assert message["senderId"] == 1
        seen = await host(chat, "GET", f"/chats/{chat_id}")
        assert (seen["participantCount"], seen["participants"]) == (0, [])
        assert (seen["externalRef"], seen["role"]) == (ref, None)


async def test_the_host_finds_the_chat_that_a_seat_has_made(serve):
    """`POST /chats` with the same externalRef is 200 with it, not a conflict."""
    async with serve() as chat:
        ref = new_ref()
        _, chat_id = await sit(chat, 1, ref)
        answer = await chat.request("POST", "/chats", *HOST, json={"externalRef": ref})
        assert (answer.status, answer.data["id"]) == (200, chat_id)


async def test_many_first_joins_make_one_chat(serve):
    """Whoever comes first, by either door."""
    async with serve(**generous()) as chat:
        ref = new_ref()
        clients = [await chat.connect(token=token(user, MEMBER)) for user in range(1, 9)]
        joins = [each.call("joinChat", {"externalRef": ref}) for each in clients]
        posts = [
            chat.request(
                "POST",
                "/chats/join",
                None,
                json={"externalRef": ref},
                headers={"Authorization": f"Bearer {token(user, MEMBER)}"},
            )
            for user in range(11, 19)
        ]
        joined, answered = await asyncio.gather(asyncio.gather(*joins), asyncio.gather(*posts))
        ids = {each["data"]["chatId"] for each in joined} | {each.data["id"] for each in answered}
        assert len(ids) == 1
        assert {each.status for each in answered} == {200}


@pytest.mark.parametrize("seats", [None, {"deal:*": "member"}])
async def test_without_a_seat_a_chat_and_none_are_answered_alike(serve, seats):
    """NOT_FOUND, in the same words; and no chat is made."""
    async with serve() as chat:
        there, missing = new_ref(), new_ref()
        await chat.create_chat([7], externalRef=there)
        eve = await chat.connect(token=token(666, seats))
        errors = [
            (await eve.call("joinChat", {"externalRef": ref}))["error"] for ref in (there, missing)
        ]
        for error in errors:
            error.pop("requestId")
        assert errors[0] == errors[1]
        assert errors[0]["code"] == "NOT_FOUND"
        assert await host(chat, "GET", f"/chats?externalRef={missing}") == []


async def test_a_participant_joins_by_externalref_without_a_seat(serve):
    """A row is a right of its own."""
    async with serve() as chat:
        ref = new_ref()
        chat_id = await chat.create_chat([1], externalRef=ref)
        ada = await chat.connect(1)
        assert (await ada.call("joinChat", {"externalRef": ref}))["data"]["chatId"] == chat_id


@pytest.mark.parametrize("payload", [{}, {"chatId": 1, "externalRef": "x"}, {"externalRef": ""}])
async def test_a_join_names_one_chat(serve, payload):
    """By id or by externalRef, one of the two."""
    async with serve() as chat:
        ada = await chat.connect(1)
        assert await code_of(ada.call("joinChat", payload)) == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("stored", "granted", "effect"),
    [
        ("member", "readonly", "FORBIDDEN"),
        ("readonly", "member", "FORBIDDEN"),
        ("readonly", "moderator", "FORBIDDEN"),
        ("member", "moderator", None),
        ("owner", "readonly", "FORBIDDEN"),
    ],
)
async def test_the_lower_of_the_stored_and_the_given_role_holds(serve, stored, granted, effect):
    """The host lowers a participant by the token; nobody rises by it."""
    async with serve() as chat:
        ref = new_ref()
        chat_id = await chat.create_chat([1, 2], externalRef=ref)
        await host(chat, "PATCH", f"/chats/{chat_id}/participants/1", {"role": stored})
        ada, _ = await sit(chat, 1, ref, {ref: granted})
        sent = ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        assert await code_of(sent) == effect
        lower = granted if effect is not None and stored != "readonly" else stored
        seen = await ada.call("joinChat", {"chatId": chat_id})
        assert seen["data"]["role"] == lower


async def test_a_seat_ends_with_its_token(serve):
    """`removedFromChat` with `expired` at `exp`, and nothing of the chat after that."""
    async with serve() as chat:
        ref = new_ref()
        bob, chat_id = await sit(chat, 2, ref)
        ada, _ = await sit(chat, 1, ref, valid_s=1.5)
        await say(bob, chat_id, "before")
        assert (await ada.next("newMessage"))["message"]["message"] == "before"
        assert await ada.next("removedFromChat") == {"chatId": chat_id, "reason": "expired"}
        await say(bob, chat_id, "after")
        await bob.settle()
        answer = await ada.call("authenticate", {"token": token(1)})
        assert answer["success"]
        assert texts_of(ada) == ["before"]


async def test_a_renewed_token_without_the_seat_takes_it_away_at_once(serve):
    """Other seats of it, and rooms of the user's own chats, stay."""
    async with serve() as chat:
        ref, kept = new_ref(), new_ref()
        ada, chat_id = await sit(chat, 1, ref)
        kept_id = (await ada.call("joinChat", {"externalRef": kept}))["data"]["chatId"]
        own = await chat.create_chat([1])
        await ada.call("joinChat", {"chatId": own})
        assert (await ada.call("authenticate", {"token": token(1, {kept: "member"})}))["success"]
        assert ada.of("removedFromChat") == [{"chatId": chat_id, "reason": "expired"}]
        sent = [
            await code_of(ada.call("sendMessage", {"chatId": each, "content": "hello"}))
            for each in (chat_id, kept_id, own)
        ]
        assert sent == ["NOT_PARTICIPANT", None, None]
        bob, _ = await sit(chat, 2, ref)
        await say(bob, chat_id, "not for ada")
        await ada.settle()
        assert "not for ada" not in texts_of(ada)


async def test_a_renewed_token_with_another_role_changes_it(serve):
    """The socket stays in the room."""
    async with serve() as chat:
        ref = new_ref()
        ada, chat_id = await sit(chat, 1, ref)
        assert (await ada.call("authenticate", {"token": token(1, {ref: "readonly"})}))["success"]
        sent = ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        assert await code_of(sent) == "FORBIDDEN"
        assert ada.of("removedFromChat") == []
        bob, _ = await sit(chat, 2, ref)
        await say(bob, chat_id, "still here")
        assert (await ada.next("newMessage"))["message"]["message"] == "still here"


class Hold(Plugin):
    """Holds messages until `go_on` is set."""

    name = "hold"

    def __init__(self):
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    @hookimpl(before_message_send, timeout_s=20)
    async def hold(self, draft: MessageDraft) -> None:
        self.asked.set()
        await self.go_on.wait()


@pytest.mark.parametrize(
    ("loss", "code"),
    [
        ("expired", "TOKEN_EXPIRED"),
        ("renewed", "NOT_PARTICIPANT"),
        ("lowered", "FORBIDDEN"),
        ("kept", None),
    ],
)
async def test_a_message_that_waits_is_asked_for_its_seat_again(serve, loss, code):
    """In the step that gives it its number; a seat that the renewed token gives, too, holds."""
    hold = Hold()
    async with serve(**generous(hold)) as chat:
        ref = new_ref()
        ada, chat_id = await sit(chat, 1, ref, valid_s=1.5 if loss == "expired" else 3600)
        await ada.call("joinChat", {"chatId": chat_id})
        answered = asyncio.get_running_loop().create_future()
        held = {"chatId": chat_id, "content": "held"}
        await ada.socket.emit("sendMessage", held, namespace="/chat", callback=answered.set_result)
        await asyncio.wait_for(hold.asked.wait(), 5)
        identity = next(iter(chat.app.parts.hub.of_user(1)))
        if loss == "expired":
            await ada.next("removedFromChat")
        else:
            seats = {"renewed": None, "lowered": {ref: "readonly"}, "kept": {ref: "member"}}[loss]
            # By the service: the socket's own events wait for the message.
            admission, rooms = chat.app.parts.gate.admission, chat.app.parts.domain.rooms
            fresh = await admission.identify(token(1, seats), "127.0.0.1", "socket")
            await rooms.renew(identity, fresh)
        hold.go_on.set()
        ack = await asyncio.wait_for(answered, 10)
        assert (ack.get("error") or {}).get("code") == code
        stored = [each["message"] for each in await all_messages(chat, chat_id)]
        assert stored == ([] if code else ["held"])


async def test_who_was_removed_does_not_come_back_by_a_token(serve):
    """Neither by the same nor by a new one, until somebody adds the user."""
    async with serve() as chat:
        ref = new_ref()
        ada, chat_id = await sit(chat, 1, ref)
        await sit(chat, 2, ref, {ref: "moderator"})
        path = f"/chats/{chat_id}/participants/1"
        bearer = {"Authorization": f"Bearer {token(2, {ref: 'moderator'})}"}
        answer = await chat.request("DELETE", path, None, headers=bearer)
        assert answer.status == 200, answer.body
        assert await ada.next("removedFromChat") == {"chatId": chat_id, "reason": "removed"}
        assert await code_of(ada.call("joinChat", {"externalRef": ref})) == "NOT_FOUND"
        assert await code_of(ada.call("joinChat", {"chatId": chat_id})) == "NOT_PARTICIPANT"
        again = await chat.connect(token=token(1, MEMBER))
        assert await code_of(again.call("joinChat", {"externalRef": ref})) == "NOT_FOUND"
        await host(chat, "POST", f"/chats/{chat_id}/participants", {"userIds": [1]})
        assert await code_of(again.call("joinChat", {"externalRef": ref})) is None


async def test_a_removal_outlives_the_server(serve):
    """It is stored."""
    ref = new_ref()
    async with serve() as chat:
        ada, chat_id = await sit(chat, 1, ref)
        await say(ada, chat_id, "hello")
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
    async with serve() as chat:
        ada = await chat.connect(token=token(1, MEMBER))
        assert await code_of(ada.call("joinChat", {"externalRef": ref})) == "NOT_FOUND"
        await sit(chat, 2, ref)


async def test_a_blocked_user_has_no_seat(serve):
    """The block is of the user, whatever the token says."""
    async with serve() as chat:
        ref = new_ref()
        await host(chat, "POST", "/admin/users/1/block", {})
        answer = await chat.request(
            "POST",
            "/chats/join",
            None,
            json={"externalRef": ref},
            headers={"Authorization": f"Bearer {token(1, MEMBER)}"},
        )
        assert answer.code == "USER_BLOCKED"
        assert await host(chat, "GET", f"/chats?externalRef={ref}") == []


async def test_a_seat_is_found_by_id_in_a_chat_that_is_not_in_memory(serve, monkeypatch):
    """A client that comes back joins by the id that it has."""
    async with serve() as chat:
        ref, other_ref = new_ref(), new_ref()
        ada, chat_id = await sit(chat, 1, ref)
        monkeypatch.setattr("chat.services.chat_states.MAX_STATES", 1)
        other = await chat.create_chat([9], externalRef=f"x{other_ref}")
        await host(chat, "GET", f"/chats/{other}")
        await eventually(lambda: forgotten(chat, chat_id))
        assert await code_of(ada.call("joinChat", {"chatId": chat_id})) is None
        assert await code_of(ada.call("joinChat", {"chatId": other})) == "NOT_PARTICIPANT"


async def test_a_direct_chat_has_no_seats(serve):
    """It keeps its two people."""
    async with serve() as chat:
        ref = new_ref()
        pair = {"type": "direct", "participantIds": [7, 8], "externalRef": ref}
        await host(chat, "POST", "/chats", pair)
        ada = await chat.connect(token=token(1, MEMBER))
        assert await code_of(ada.call("joinChat", {"externalRef": ref})) == "NOT_FOUND"


async def test_a_seat_has_no_unread_messages_and_no_cursor(serve):
    """`markAsRead` is no error and changes nothing; the chat is in no list."""
    async with serve() as chat:
        ref = new_ref()
        bob, chat_id = await sit(chat, 2, ref)
        (message,) = await say(bob, chat_id, "hello")
        ada, _ = await sit(chat, 1, ref)
        read = await ada.call("markAsRead", {"chatId": chat_id, "messageId": message["id"]})
        assert read["data"]["unreadCount"] == 0
        bearer = {"Authorization": f"Bearer {token(1, MEMBER)}"}
        answers = [
            (await chat.request("GET", path, None, headers=bearer)).data
            for path in ("/chats", "/me/unread", f"/chats/{chat_id}/reads")
        ]
        assert answers == [[], {"total": 0, "chats": []}, []]
        (found,) = (
            await chat.request("GET", f"/chats?externalRef={ref}", None, headers=bearer)
        ).data
        assert (found["id"], found["role"]) == (chat_id, "member")


async def test_a_seat_moves_with_the_externalref(serve):
    """When the chat gets another one, those who sat by the first are out."""
    async with serve() as chat:
        ref = new_ref()
        ada, chat_id = await sit(chat, 1, ref, {ref: "member"})
        await host(chat, "PATCH", f"/chats/{chat_id}", {"externalRef": f"other-{ref}"})
        assert await ada.next("removedFromChat") == {"chatId": chat_id, "reason": "expired"}
        sent = ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        assert await code_of(sent) == "NOT_PARTICIPANT"


async def test_seats_see_the_names_of_those_in_the_chat(serve):
    """Of other seats, too, as long as the chat is open."""
    async with serve() as chat:
        ref = new_ref()
        bob, chat_id = await sit(chat, 2, ref, name="Bob")
        await say(bob, chat_id, "hello")
        await sit(chat, 1, ref)
        bearer = {"Authorization": f"Bearer {token(1, MEMBER)}"}
        found = (await chat.request("GET", "/users?ids=2,3", None, headers=bearer)).data
        assert [each["name"] for each in found] == ["Bob"]
        stranger = (await chat.request("GET", "/users?ids=2", 77)).data
        assert stranger == []


async def test_who_makes_chats_by_seats_has_a_limit(serve):
    """A wildcard is no licence to make any number of them."""
    async with serve(**{**generous(), "max_chats_made_per_hour": 2}) as chat:
        ada = await chat.connect(token=token(1, MEMBER))
        codes = [await code_of(ada.call("joinChat", {"externalRef": new_ref()})) for _ in range(3)]
        assert codes == [None, None, "RATE_LIMITED"]


async def test_a_seat_is_one_of_its_tenant(serve):
    """The same record of two tenants has two chats, whatever the seats of either say."""
    async with serve() as chat:
        ref = new_ref()
        bob, chat_id = await sit(chat, 1, ref)
        ada, other_id = await sit(chat, 1, ref, tenant="acme")
        assert other_id != chat_id
        assert await code_of(ada.call("joinChat", {"chatId": chat_id})) == "NOT_PARTICIPANT"
        await say(ada, other_id, "of acme")
        await bob.settle()
        assert texts_of(bob) == []
