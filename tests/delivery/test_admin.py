"""What the host and admins may ask of the server, and names that the host tells."""

import pytest

from tests.support.delivery.chats import HOST, catch_up, host, say


@pytest.mark.parametrize("path", ["/admin/stats", "/admin/plugins"])
async def test_only_the_host_and_admins_may_ask(serve, path):
    """FORBIDDEN for everybody else, 401 without a token."""
    async with serve() as chat:
        assert (await chat.request("GET", path, 1)).code == "FORBIDDEN"
        assert (await chat.request("GET", path, None)).status == 401
        for user_id, user_type in (HOST, (9, "admin")):
            assert (await chat.request("GET", path, user_id, user_type)).status == 200


async def test_stats_count_users_and_sockets(serve):
    """Users with a socket, sockets, the state of the journal and the epoch."""
    async with serve() as chat:
        for user_id in (1, 1, 2):
            client = await chat.connect(user_id)
        epoch = (await client.call("authenticate"))["data"]["epoch"]
        stats = await host(chat, "GET", "/admin/stats")
        assert stats == {
            "users": 2, "sockets": 3, "journal": "ok", "epoch": epoch, "logLinesLost": 0
        }  # fmt: skip


async def test_plugins_are_listed_with_their_hooks(serve):
    """Every loaded plugin with the hooks it listens to, their failures and whether they are off."""
    async with serve() as chat:
        plugins = {
            each["name"]: each["hooks"] for each in await host(chat, "GET", "/admin/plugins")
        }
        assert {"access_log", "rate_limit", "ping", "health"} <= set(plugins)
        sends = [each for each in plugins["rate_limit"] if each["hook"] == "before_message_send"]
        assert sends == [
            {"hook": "before_message_send", "failures": 0, "off": False, "usersOff": 0}
        ]


async def test_the_host_names_people_who_never_came(serve):
    """`PUT /users/:id {name, avatarUrl}`: known in every list of people, and after a restart."""
    picture = "https://example.com/7.png"
    for life in range(2):
        async with serve() as chat:
            if life == 0:
                chat_id = await chat.create_chat([1, 7])
                body = {"name": "Grace Hopper", "avatarUrl": picture}
                told = await host(chat, "PUT", "/users/7", body)
                assert told == {"id": 7, **body}
            ada = await chat.connect(1)
            people = (await catch_up("sync", chat, ada, chat_id, since=0))["participants"]
            seat = next(each for each in people if each["userId"] == 7)
            assert (seat["name"], seat["avatarUrl"]) == ("Grace Hopper", picture)


async def test_only_the_host_names_people(serve):
    """Neither the person nor an admin; a malformed profile is refused."""
    async with serve() as chat:
        for user_id, user_type in ((7, "employee"), (9, "admin")):
            refused = await chat.request("PUT", "/users/7", user_id, user_type, json={"name": "x"})
            assert (refused.status, refused.code) == (403, "FORBIDDEN")
        for body in ({"name": 5}, {"name": " "}, {"name": "x" * 201}, {"avatarUrl": []}):
            refused = await chat.request("PUT", "/users/7", *HOST, json=body)
            assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")


async def test_a_name_of_the_host_is_what_newcomers_see_at_once(serve):
    """The person is added afterwards: `participantAdded` has the name."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        await host(chat, "PUT", "/users/7", {"name": "Grace"})
        await host(chat, "POST", f"/chats/{chat_id}/participants", {"userIds": [7]})
        assert (await ada.next("participantAdded"))["participant"]["name"] == "Grace"
        await say(ada, chat_id, "hello, Grace")
