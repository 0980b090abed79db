"""Who is online: asked for, and pushed to those who share a chat."""

from tests.support.gateway.servers import cut
from tests.support.waiting import eventually


async def test_presence_is_answered_in_the_order_asked(serve):
    """`[{userId, status, lastSeenAt}]`; people never seen are offline."""
    async with serve(presence_grace_s=0) as chat:
        await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        grace = await chat.connect(2)
        await grace.close()
        await eventually(lambda: not chat.app.gateway.is_user_online(2))
        answer = await ada.call("getPresence", {"userIds": [2, "stranger", 1]})
        assert answer["success"] is True
        seen = answer["data"][0].pop("lastSeenAt")
        assert seen.endswith("Z")
        assert answer["data"] == [
            {"userId": 2, "status": "offline"},
            {"userId": "stranger", "status": "offline", "lastSeenAt": None},
            {"userId": 1, "status": "online", "lastSeenAt": None},
        ]
        assert (await ada.call("getPresence", {"userIds": []}))["data"] == []


async def test_presence_goes_to_those_who_share_a_chat(serve):
    """A first socket is online, whichever rooms it is in; strangers and one's own tabs hear
    nothing."""
    async with serve(presence_grace_s=60) as chat:
        await chat.create_chat([1, 2])
        await chat.create_chat([3])
        grace, stranger = await chat.connect(2), await chat.connect(3)
        ada, tab = await chat.connect(1), await chat.connect(1)
        heard = await grace.next("presenceChanged")
        assert (heard["userId"], heard["status"], heard["lastSeenAt"]) == (1, "online", None)
        for client in (grace, stranger, ada, tab):
            await client.settle()
        assert len(grace.of("presenceChanged")) == 1
        assert stranger.of("presenceChanged") == []
        assert all(each["userId"] != 1 for each in ada.of("presenceChanged"))


async def test_offline_comes_once_after_the_grace_of_the_last_socket(serve):
    """One of two tabs gone is still online; the last one gone is offline when the grace is over."""
    async with serve(presence_grace_s=1.5) as chat:
        await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        one, two = await chat.connect(1), await chat.connect(1)
        await cut(one)
        await eventually(lambda: len(chat.app.gateway.get_user_sockets(1)) == 1)
        await two.close()
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        within = await grace.call("getPresence", {"userIds": [1]})
        assert within["data"][0]["status"] == "online"
        await grace.next("presenceChanged")
        heard = await grace.next("presenceChanged")
        assert (heard["userId"], heard["status"]) == (1, "offline")
        assert heard["lastSeenAt"].endswith("Z")
        after = await grace.call("getPresence", {"userIds": [1]})
        assert after["data"][0]["status"] == "offline"


async def test_who_comes_back_within_the_grace_was_never_offline(serve):
    """A reconnect is no change of presence."""
    async with serve(presence_grace_s=60) as chat:
        await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        ada = await chat.connect(1)
        await grace.next("presenceChanged")
        await cut(ada)
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        await chat.connect(1)
        await grace.settle()
        assert len(grace.of("presenceChanged")) == 1


async def test_last_seen_survives_a_restart(serve):
    """When somebody was last here is kept; that somebody was online is not."""
    async with serve(presence_grace_s=60) as chat:
        await chat.create_chat([1, 2])
        await (await chat.connect(2)).close()
        await eventually(lambda: chat.app.gateway.get_user_sockets(2) == [])
    async with serve() as chat:
        ada = await chat.connect(1)
        answer = await ada.call("getPresence", {"userIds": [2]})
        assert answer["data"][0]["status"] == "offline"
        assert answer["data"][0]["lastSeenAt"] is not None
