"""Demo mode: tokens for names, for this server's own page on this machine, and only while there is
no JWT_SECRET. Which folders it opens: test_rest_demo_folder.py.
"""

import asyncio
import re
import socket
import stat
from contextlib import suppress

import pytest

from chat.errors import SetupError
from chat.services import demo as demo_module
from chat.services.demo import EXTERNAL_REF, demo_secret
from chat.settings import load_settings
from tests.support.delivery.stores import database_of
from tests.support.gateway.servers import MovableClock
from tests.support.rest.errors import assert_refused, assert_succeeded


async def sign_in(chat, name, **headers):
    answer = await chat.request("POST", "/demo/token", None, json={"name": name}, headers=headers)
    return answer


def bearer(made):
    return {"Authorization": f"Bearer {made['token']}"}


async def test_a_name_gets_a_token_and_a_seat(serve_demo):
    """POST /demo/token answers a token that REST and sockets take, the user, and the chat to begin
    with.
    """
    async with serve_demo() as chat:
        made = assert_succeeded(await sign_in(chat, "  Linus "))
        assert set(made) == {"token", "expiresAt", "user", "chatId"}
        assert made["user"]["name"] == "Linus"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["expiresAt"])
        seen = await chat.request("GET", f"/chats/{made['chatId']}", None, headers=bearer(made))
        people = {each["userId"]: each["name"] for each in assert_succeeded(seen)["participants"]}
        assert people == {1: "Ada", 2: "Grace", made["user"]["id"]: "Linus"}
        client = await chat.connect(token=made["token"], join=made["chatId"])
        who = (await client.call("authenticate"))["data"]["user"]
        assert (who["id"], who["type"]) == (made["user"]["id"], "employee")


async def test_the_page_is_told_who_is_there(serve_demo):
    """GET /demo has the chat and the people with names."""
    async with serve_demo() as chat:
        await sign_in(chat, "Linus")
        shown = assert_succeeded(await chat.request("GET", "/demo", None))
        assert shown["users"] == [
            {"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}, {"id": 3, "name": "Linus"},
        ]  # fmt: skip


@pytest.mark.parametrize("names", [("Ada", "ada"), ("Linus", " LINUS\t"), ("Straße", "STRASSE")])
async def test_the_same_name_is_the_same_person(serve_demo, names):
    """Whatever its case, now and after a restart."""
    async with serve_demo() as chat:
        first, second = [(await sign_in(chat, name)).data["user"]["id"] for name in names]
        assert first == second
    async with serve_demo() as chat:
        assert (await sign_in(chat, names[1])).data["user"]["id"] == first


async def test_a_first_user_may_leave_the_chat(serve_demo):
    """The next start takes the chat as it is."""
    async with serve_demo() as chat:
        ada = (await sign_in(chat, "Ada")).data
        path = f"/chats/{ada['chatId']}"
        left = await chat.request("POST", f"{path}/leave", None, headers=bearer(ada))
        assert_succeeded(left)
    async with serve_demo() as chat:
        grace = (await sign_in(chat, "Grace")).data
        assert (grace["chatId"], grace["user"]["id"]) == (ada["chatId"], 2)


async def test_a_chat_that_somebody_else_named_like_the_demo_is_not_opened(serve_demo, mongodb_uri):
    """Demo mode would seat everybody in it: the start says what to do instead."""
    async with serve_demo():
        pass
    async with database_of(mongodb_uri) as database:
        setter = {"externalRefBy": {"userId": 7, "type": "employee"}}
        renamed = await database.chats.update_one(
            {"tenant": "", "externalRef": EXTERNAL_REF}, {"$set": setter}
        )
        assert renamed.modified_count == 1
    with pytest.raises(SetupError, match="chatgateway:demo"):
        async with serve_demo():
            pass


async def test_names_that_come_at_once_get_different_people(serve_demo):
    """Ten newcomers, ten ids; ten times the same newcomer, one."""
    async with serve_demo() as chat:
        made = await asyncio.gather(*(sign_in(chat, f"Guest {number}") for number in range(10)))
        assert len({each.data["user"]["id"] for each in made}) == 10
        same = await asyncio.gather(*(sign_in(chat, "Twin") for _ in range(10)))
        assert len({each.data["user"]["id"] for each in same}) == 1


async def test_an_id_is_never_given_to_a_second_person(serve_demo):
    """Who leaves the demo chat keeps their id: a newcomer does not step into their shoes."""
    async with serve_demo() as chat:
        linus = (await sign_in(chat, "Linus")).data
        path = f"/chats/{linus['chatId']}/leave"
        assert_succeeded(await chat.request("POST", path, None, headers=bearer(linus)))
        eve = (await sign_in(chat, "Eve")).data
        assert eve["user"]["id"] != linus["user"]["id"]


async def test_a_token_outlives_a_restart(serve_demo, tmp_path):
    """The secret is kept in DATA_DIR, and nobody else can read it."""
    async with serve_demo() as chat:
        made = (await sign_in(chat, "Ada")).data
    async with serve_demo() as chat:
        assert_succeeded(await chat.request("GET", "/chats", None, headers=bearer(made)))
        assert (await sign_in(chat, "Ada")).data["chatId"] == made["chatId"]
    [kept] = [path for path in tmp_path.rglob("*") if path.name == "demo.key"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(kept.read_text()) >= 32


def test_every_folder_has_a_secret_of_its_own(tmp_path):
    """Two servers do not take each other's tokens."""
    secrets = {demo_secret(tmp_path / str(number)) for number in range(3)}
    assert len(secrets) == 3
    assert all(len(each) >= 43 for each in secrets)


@pytest.mark.parametrize("left", ["", "\n", "short"])
def test_a_secret_that_a_crash_cut_short_is_not_used(tmp_path, left):
    """An empty or short file never becomes the key: it is made anew, or the start is refused."""
    demo_secret(tmp_path)
    [kept] = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept.write_text(left)
    with suppress(SetupError):
        assert len(demo_secret(tmp_path)) >= 32


async def test_a_name_that_is_none_is_refused(serve_demo):
    """1 to 40 characters that are not blank."""
    names = ["", " ", "\t\n", "x" * 41, "a\x00b", None, 7, True, ["Ada"], {"$gt": ""}, {}]
    async with serve_demo() as chat:
        for name in names:
            answer = await chat.request("POST", "/demo/token", None, json={"name": name})
            assert_refused(answer, "VALIDATION_ERROR", path="name")
        assert len((await chat.request("GET", "/demo", None)).data["users"]) == 2


async def test_a_name_is_asked_for_as_json(serve_demo):
    """A form of another site cannot ask."""
    async with serve_demo() as chat:
        headers = {"Content-Type": "text/plain"}
        answer = await chat.request(
            "POST", "/demo/token", None, body=b'{"name": "Ada"}', headers=headers
        )
        assert_refused(answer, "UNSUPPORTED_MEDIA")


async def test_a_foreign_host_is_refused(serve_demo):
    """A name that was bent to this machine (DNS rebinding) gets no token; the server's own names
    do.
    """
    async with serve_demo() as chat:
        port = chat.app.port
        foreign = [
            "evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.2:{port}",
            f"localhost.evil.example:{port}", "[::1]", f"0.0.0.0:{port}",
        ]  # fmt: skip
        for host in foreign:
            for method, path in (("GET", "/demo"), ("POST", "/demo/token"), ("OPTIONS", "/demo")):
                body = b'{"name": "Ada"}' if method == "POST" else None
                headers = {"Host": host, "Content-Type": "application/json"}
                answer = await chat.request(method, path, None, body=body, headers=headers)
                assert_refused(answer, "FORBIDDEN")
        for host in (
            f"127.0.0.1:{port}",
            f"localhost:{port}",
            f"LOCALHOST:{port}",
            f"[::1]:{port}",
        ):
            assert_succeeded(await sign_in(chat, "Ada", Host=host))


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"]
)
async def test_a_request_through_a_proxy_is_refused(serve_demo, header):
    """Behind a proxy everybody comes from loopback, and sends the Host that they like."""
    async with serve_demo() as chat:
        for told in ("203.0.113.7", "127.0.0.1", ""):
            answer = await sign_in(chat, "Ada", Host=f"localhost:{chat.app.port}", **{header: told})
            assert_refused(answer, "FORBIDDEN")
            answer = await chat.request("GET", "/demo", None, headers={header: told})
            assert_refused(answer, "FORBIDDEN")


async def test_a_peer_that_is_not_on_this_machine_is_refused(serve_demo):
    """A packet filter may lead others to a loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        address = probe.getsockname()[0]
    if address.startswith("127.") or address == "0.0.0.0":  # noqa: S104  # compared, not bound
        pytest.skip("this machine has no other address")
    async with serve_demo() as chat:
        port = chat.app.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        try:
            writer.write(f"GET /demo HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
            assert b" 403 " in await asyncio.wait_for(reader.readline(), 10)
        finally:
            writer.close()
            await writer.wait_closed()


async def people_of(chat):
    return {each["id"] for each in (await chat.request("GET", "/demo", None)).data["users"]}


async def test_newcomers_take_the_places_of_those_who_are_away(serve_demo, monkeypatch):
    """Any number of names fills no chat for good: who has been away the longest goes first, and
    never somebody who is here, nor the first two.
    """
    monkeypatch.setattr(demo_module, "MAX_PEOPLE", 5)
    async with serve_demo() as chat:
        made = {}
        for number in range(3):
            made[number] = (await sign_in(chat, f"Guest {number}")).data
        client = await chat.connect(token=made[0]["token"], join=made[0]["chatId"])
        for number in range(3, 12):
            made[number] = assert_succeeded(await sign_in(chat, f"Guest {number}"))
            assert len(await people_of(chat)) == 5
        kept = {1, 2} | {made[number]["user"]["id"] for number in (0, 10, 11)}
        assert await people_of(chat) == kept
        again = assert_succeeded(await sign_in(chat, "Guest 1"))
        assert again["user"]["id"] not in {each["user"]["id"] for each in made.values()}
        assert (await client.call("authenticate"))["success"]


async def test_a_chat_full_of_people_who_are_here_takes_nobody(serve_demo, monkeypatch):
    """The newcomer learns that it is for now, and the people stay."""
    monkeypatch.setattr(demo_module, "MAX_PEOPLE", 3)
    async with serve_demo() as chat:
        first = (await sign_in(chat, "Linus")).data
        await chat.connect(token=first["token"])
        refused = await sign_in(chat, "Eve")
        assert_refused(refused, "RATE_LIMITED")
        assert int(refused.headers["Retry-After"]) > 0
        assert_succeeded(await sign_in(chat, "Linus"))
        assert await people_of(chat) == {1, 2, first["user"]["id"]}


async def test_new_names_are_limited_by_the_minute(serve_demo, monkeypatch):
    """Each is kept for good. Known names sign in at any time."""
    monkeypatch.setattr(demo_module, "NEWCOMERS_PER_MIN", 3)
    clock = MovableClock()
    async with serve_demo(clock=clock) as chat:
        for number in range(3):
            assert_succeeded(await sign_in(chat, f"Guest {number}"))
        refused = await sign_in(chat, "One more")
        assert_refused(refused, "RATE_LIMITED")
        assert 0 < int(refused.headers["Retry-After"]) <= 20
        assert_succeeded(await sign_in(chat, "Guest 2"))
        clock.jump(20)
        assert_succeeded(await sign_in(chat, "One more"))


async def test_a_page_of_another_origin_gets_no_demo_token(serve_demo):
    """The Host is right, the Origin is not."""
    async with serve_demo() as chat:
        answer = await sign_in(chat, "Ada", Origin="https://evil.example")
        assert_refused(answer, "FORBIDDEN")


async def test_with_a_secret_there_is_no_demo(serve):
    """JWT_SECRET set: the routes do not exist, and no chat is made."""
    async with serve() as chat:
        for method, path in (("GET", "/demo"), ("POST", "/demo/token")):
            body = {"name": "Ada"} if method == "POST" else None
            answer = await chat.request(method, path, None, json=body)
            assert_refused(answer, "NOT_FOUND")
        assert (await chat.request("GET", "/chats", 1)).data == []


def test_the_default_listens_on_loopback_only(monkeypatch):
    """Nobody else on the network gets tokens of a server that was just tried out."""
    for name in ("HOST", "JWT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    settings = load_settings()
    assert settings.demo_mode
    assert settings.listen_addresses == ("127.0.0.1",)
