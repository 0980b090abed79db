"""The same references, pairs and keys in two tenants, over REST."""

import pytest

from tests.support.delivery.stores import database_of
from tests.support.gateway.servers import generous

TENANTS = ("", "acme", "Acme", "0")


async def made(chat, tenant, **body):
    answer = await chat.request("POST", "/chats", "host", "service", tenant=tenant, json=body)
    return answer.status, answer.body.get("data", {}).get("id"), answer.code


async def test_a_reference_and_a_pair_are_of_one_tenant(serve):
    """Each tenant makes a chat of its own and finds it again, after a restart too."""
    order = {"externalRef": "order:1001", "participantIds": [1, 2]}
    pair = {"type": "direct", "participantIds": [1, 2]}
    found = {}
    async with serve(**generous()) as chat:
        for tenant in TENANTS:
            for body in (order, pair):
                status, chat_id, _ = await made(chat, tenant, **body)
                assert status == 201
                found[tenant, str(body)] = chat_id
        assert len(set(found.values())) == len(found)
    async with serve(**generous()) as chat:
        for tenant in TENANTS:
            for body in (order, pair):
                assert await made(chat, tenant, **body) == (200, found[tenant, str(body)], None)
            path = "/chats?externalRef=order:1001"
            listed = await chat.request("GET", path, 1, tenant=tenant)
            assert [each["id"] for each in listed.data] == [found[tenant, str(order)]]
            listed = await chat.request("GET", "/chats", 2, tenant=tenant)
            mine = {found[tenant, str(body)] for body in (order, pair)}
            assert {each["id"] for each in listed.data} == mine


async def test_a_reference_that_moves_collides_in_its_own_tenant_only(serve):
    """`PATCH` takes one that another tenant has, and none that another chat of its own has."""
    async with serve(**generous()) as chat:
        _, first, _ = await made(chat, "acme", externalRef="order:1")
        _, second, _ = await made(chat, "acme", externalRef="order:2")
        _, other, _ = await made(chat, "", externalRef="order:3")
        assert len({first, second, other}) == 3
        for reference, status in (("order:3", 200), ("order:1", 409)):
            answer = await chat.request(
                "PATCH",
                f"/chats/{second}",
                "host",
                "service",
                tenant="acme",
                json={"externalRef": reference},
            )
            assert answer.status == status, answer.body


async def test_the_store_itself_keeps_the_keys_of_tenants_apart(serve, mongodb_uri):
    """The unique indexes begin with the tenant; the participants' look-up does, too."""
    async with serve(**generous()) as chat:
        for tenant in TENANTS:
            await made(chat, tenant, externalRef="order:1", participantIds=[1])
    async with database_of(mongodb_uri) as database:
        for collection, names in (
            ("chats", {"tenant_direct_key", "tenant_external_ref"}),
            ("participants", {"tenant_user", "chat_updated_seq"}),
        ):
            indexes = await database[collection].index_information()
            assert indexes.keys() - {"_id_"} == names
            for name in names - {"chat_updated_seq"}:
                assert next(iter(dict(indexes[name]["key"]))) == "tenant"
                assert bool(indexes[name].get("unique")) == (name != "tenant_user")
        for collection in (database.chats, database.participants):
            stored = await collection.find({}).to_list(None)
            assert sorted(each["tenant"] for each in stored) == sorted(TENANTS)


async def test_a_client_message_id_is_that_of_a_sender_in_a_chat(serve):
    """The same one in the chats of two tenants is two messages, each of them repeatable."""
    async with serve(**generous()) as chat:
        ids = {}
        for tenant in TENANTS:
            _, chat_id, _ = await made(chat, tenant, participantIds=[1])
            body = {"chatId": chat_id, "content": f"of {tenant}", "clientMessageId": "same"}
            for status in (201, 200):
                answer = await chat.request("POST", "/chat-messages", 1, tenant=tenant, json=body)
                assert answer.status == status
                ids.setdefault(tenant, answer.data["id"])
                assert answer.data["id"] == ids[tenant]
        assert len(set(ids.values())) == len(TENANTS)


async def test_the_stats_count_one_tenant(serve):
    """Users and sockets of the caller's own."""
    async with serve(**generous()) as chat:
        for tenant in ("acme", "acme", ""):
            await chat.connect(1, tenant=tenant)
        await chat.connect(2, tenant="acme")
        for tenant, users, sockets in (("acme", 2, 3), ("", 1, 1), ("other", 0, 0)):
            stats = (
                await chat.request("GET", "/admin/stats", "host", "service", tenant=tenant)
            ).data
            assert (stats["users"], stats["sockets"]) == (users, sockets)


@pytest.mark.parametrize("user_type", ["admin", "service"])
async def test_no_token_sees_all_tenants(serve, user_type):
    """Neither that of the tenant `''` nor any other: what is not its own is missing."""
    async with serve(**generous()) as chat:
        for tenant, other in (("acme", ""), ("", "acme"), ("acme", "other")):
            _, chat_id, _ = await made(chat, tenant, participantIds=[1])
            answer = await chat.request("GET", f"/chats/{chat_id}", 1, user_type, tenant=other)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")
            answer = await chat.request("GET", f"/chats/{chat_id}", 1, user_type, tenant=tenant)
            assert answer.status == 200


async def test_the_quotas_of_chats_are_those_of_one_tenants_user(serve):
    """A user who is in as many chats as may be is in none of another tenant's."""
    async with serve(**generous(), max_chats_per_user=1) as chat:
        for tenant in TENANTS:
            answer = await chat.request("POST", "/chats", 1, tenant=tenant, json={})
            assert answer.status == 201
        answer = await chat.request("POST", "/chats", 1, json={})
        assert answer.code == "FORBIDDEN"


async def test_whom_one_may_add_depends_on_chats_of_the_own_tenant(serve):
    """A chat that users of the same ids share in another tenant makes nobody known."""
    async with serve(**generous(), contacts="shared") as chat:
        await chat.create_chat([1, 2], tenant="acme")
        await chat.create_chat([1])
        body = {"participantIds": [2]}
        for tenant, status in (("acme", 201), ("", 403)):
            answer = await chat.request("POST", "/chats", 1, tenant=tenant, json=body)
            assert answer.status == status, answer.body
