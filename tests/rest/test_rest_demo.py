"""Demo mode: tokens for names, for this server's own page, and only while there is no
JWT_SECRET.
"""

import asyncio
import re
import stat
from contextlib import asynccontextmanager, suppress

import pytest

from chat.errors import SetupError
from chat.services.demo import demo_secret
from chat.settings import load_settings
from tests.support.delivery_stores import database_of
from tests.support.rest_errors import assert_refused, assert_succeeded


@pytest.fixture
def demo(serve, tmp_path):
    """A server in demo mode; again with the same folder and database when asked again."""

    @asynccontextmanager
    async def start(**settings):
        async with serve(jwt_secret=None, data_dir=tmp_path, **settings) as chat:
            yield chat

    return start


async def sign_in(chat, name, **headers):
    answer = await chat.request("POST", "/demo/token", None, json={"name": name}, headers=headers)
    return answer


def bearer(made):
    return {"Authorization": f"Bearer {made['token']}"}


async def test_a_name_gets_a_token_and_a_seat(demo):
    """POST /demo/token answers a token that REST and sockets take, the user, and the chat to begin
    with.
    """
    async with demo() as chat:
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


async def test_the_page_is_told_who_is_there(demo):
    """GET /demo has the chat and the people with names."""
    async with demo() as chat:
        await sign_in(chat, "Linus")
        shown = assert_succeeded(await chat.request("GET", "/demo", None))
        assert shown["users"] == [
            {"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}, {"id": 3, "name": "Linus"},
        ]  # fmt: skip


@pytest.mark.parametrize("names", [("Ada", "ada"), ("Linus", " LINUS\t"), ("Straße", "STRASSE")])
async def test_the_same_name_is_the_same_person(demo, names):
    """Whatever its case, now and after a restart."""
    async with demo() as chat:
        first, second = [(await sign_in(chat, name)).data["user"]["id"] for name in names]
        assert first == second
    async with demo() as chat:
        assert (await sign_in(chat, names[1])).data["user"]["id"] == first


async def test_a_first_user_may_leave_the_chat(demo):
    """The next start takes the chat as it is."""
    async with demo() as chat:
        ada = (await sign_in(chat, "Ada")).data
        path = f"/chats/{ada['chatId']}"
        left = await chat.request("POST", f"{path}/leave", None, headers=bearer(ada))
        assert_succeeded(left)
    async with demo() as chat:
        grace = (await sign_in(chat, "Grace")).data
        assert (grace["chatId"], grace["user"]["id"]) == (ada["chatId"], 2)


async def test_a_chat_that_somebody_else_named_like_the_demo_is_not_opened(demo, mongodb_uri):
    """Demo mode would seat everybody in it: the start says what to do instead."""
    async with demo() as chat:
        chat_id = (await sign_in(chat, "Ada")).data["chatId"]
    async with database_of(mongodb_uri) as database:
        setter = {"externalRefBy": {"userId": 7, "type": "employee"}}
        await database.chats.update_one({"_id": chat_id}, {"$set": setter})
    with pytest.raises(SetupError, match="chatgateway:demo"):
        async with demo():
            pass


async def test_names_that_come_at_once_get_different_people(demo):
    """Ten newcomers, ten ids; ten times the same newcomer, one."""
    async with demo() as chat:
        made = await asyncio.gather(*(sign_in(chat, f"Guest {number}") for number in range(10)))
        assert len({each.data["user"]["id"] for each in made}) == 10
        same = await asyncio.gather(*(sign_in(chat, "Twin") for _ in range(10)))
        assert len({each.data["user"]["id"] for each in same}) == 1


async def test_an_id_is_never_given_to_a_second_person(demo):
    """Who leaves the demo chat keeps their id: a newcomer does not step into their shoes."""
    async with demo() as chat:
        linus = (await sign_in(chat, "Linus")).data
        path = f"/chats/{linus['chatId']}/leave"
        assert_succeeded(await chat.request("POST", path, None, headers=bearer(linus)))
        eve = (await sign_in(chat, "Eve")).data
        assert eve["user"]["id"] != linus["user"]["id"]


async def test_a_token_outlives_a_restart(demo, tmp_path):
    """The secret is kept in DATA_DIR, and nobody else can read it."""
    async with demo() as chat:
        made = (await sign_in(chat, "Ada")).data
    async with demo() as chat:
        assert_succeeded(await chat.request("GET", "/chats", None, headers=bearer(made)))
        assert (await sign_in(chat, "Ada")).data["chatId"] == made["chatId"]
    [kept] = [path for path in tmp_path.rglob("*") if path.name == "demo-secret"]
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


@pytest.mark.parametrize(
    "name", ["", " ", "\t\n", "x" * 41, "a\x00b", None, 7, True, ["Ada"], {"$gt": ""}, {}]
)
async def test_a_name_that_is_none_is_refused(demo, name):
    """1 to 40 characters that are not blank."""
    async with demo() as chat:
        answer = await chat.request("POST", "/demo/token", None, json={"name": name})
        assert_refused(answer, "VALIDATION_ERROR", path="name")
        assert len((await chat.request("GET", "/demo", None)).data["users"]) == 2


async def test_a_name_is_asked_for_as_json(demo):
    """A form of another site cannot ask."""
    async with demo() as chat:
        headers = {"Content-Type": "text/plain"}
        answer = await chat.request(
            "POST", "/demo/token", None, body=b'{"name": "Ada"}', headers=headers
        )
        assert_refused(answer, "UNSUPPORTED_MEDIA")


async def test_a_foreign_host_is_refused(demo):
    """A name that was bent to this machine (DNS rebinding) gets no token; the server's own names
    do.
    """
    async with demo() as chat:
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


async def test_a_page_of_another_origin_gets_no_demo_token(demo):
    """The Host is right, the Origin is not."""
    async with demo() as chat:
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
