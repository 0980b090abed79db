"""Coming in: the three places of a token, the tokens that hosts mint, and how a refusal looks."""

import json

import jwt
import pytest
import socketio

from chat.contracts.client_events import NAMESPACE
from chat.testing import SECRET
from chat.timings import Timings
from tests.support.gateway.servers import UNLIMITED, limits
from tests.support.gateway.tokens import hours, signed
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually

TRANSPORTS = pytest.mark.parametrize("transport", [RawSocket, RawPolling])


async def _user_id(chat, transport, *, auth=None, **options):
    raw = await transport.open(chat, **options)
    answer = await raw.connect(auth)
    assert answer.startswith("40/chat,"), answer
    return (await raw.event('["authenticate"]'))["userId"]


@TRANSPORTS
@pytest.mark.parametrize("place", ["auth", "auth_with_bearer", "header", "small_header", "query"])
async def test_a_token_is_found_in_each_of_the_three_places_of_the_guide(serve, transport, place):
    """The auth object, the Authorization header and `?token=` are the same to the server."""
    async with serve() as chat:
        token = chat.token(123)
        ways = {
            "auth": {"auth": {"token": token}},
            "auth_with_bearer": {"auth": {"token": f"Bearer {token}"}},
            "header": {"headers": {"Authorization": f"Bearer {token}"}},
            "small_header": {"headers": {"authorization": f"bearer {token}"}},
            "query": {"token": token},
        }
        assert await _user_id(chat, transport, **ways[place]) == 123


async def test_the_auth_object_comes_before_the_header_and_that_before_the_query(serve):
    """Where several tokens are given the first place of the guide's list counts."""
    async with serve() as chat:
        header = {"Authorization": f"Bearer {chat.token(2)}"}
        query = {"token": chat.token(3)}
        auth = {"token": chat.token(1)}
        assert await _user_id(chat, RawSocket, auth=auth, headers=header, **query) == 1
        assert await _user_id(chat, RawSocket, headers=header, **query) == 2
        assert await _user_id(chat, RawSocket, auth={}, **query) == 3


async def test_a_token_of_the_handshake_holds_for_a_second_connect(serve):
    """A client that leaves the namespace and comes back on the same transport shows it no more."""
    async with serve() as chat:
        headers = {"Authorization": f"Bearer {chat.token(8)}"}
        for raw in (
            await RawSocket.open(chat, headers=headers),
            await RawSocket.open(chat, token=chat.token(8)),
        ):
            for _ in range(2):
                assert (await raw.connect(None)).startswith("40/chat,")
                await raw.send("41/chat,")


async def test_the_query_token_can_be_turned_off(serve):
    """With QUERY_TOKEN off a token in the query string is no token."""
    async with serve(query_token=False) as chat:
        raw = await RawSocket.open(chat, token=chat.token(1))
        refusal = json.loads((await raw.connect(None)).partition(",")[2])
        assert refusal["data"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("claims", "user_id"),
    [
        ({"sub": 123}, 123),
        ({"sub": "123"}, 123),
        ({"id": 7, "sub": "somebody@else"}, 7),
        ({"id": 0}, 0),
        ({"sub": "00123"}, "00123"),
        ({"id": "6f1c1c9e-5b7e-4a53-9d4b-0d6f1d1f8a11"}, "6f1c1c9e-5b7e-4a53-9d4b-0d6f1d1f8a11"),
        ({"id": 2**53 - 1}, 2**53 - 1),
        ({"id": 5, "exp": hours(1) + 0.5}, 5),
        ({"id": 5, "iat": hours(0)}, 5),
        ({"id": 5, "iat": hours(0) + 20}, 5),
    ],
)
async def test_tokens_of_other_back_ends_work(serve, claims, user_id):
    """A numeric `sub`, as Node back ends mint it, and UUIDs are users like any other."""
    async with serve() as chat:
        raw = await RawSocket.open(chat)
        await raw.connect({"token": signed(**claims)})
        answer = await raw.event('["authenticate"]')
        assert answer["userId"] == user_id


async def test_a_token_minted_by_pyjwt_with_all_claims_makes_the_socket_user(serve):
    """The socket knows id, role, type, department and permissions, as the guide lists them."""
    user = {
        "id": 9,
        "role": "manager",
        "type": "admin",
        "department": "sales",
        "permissions": ["chat.read", "chat.write"],
        "name": "Ada",
        "avatarUrl": "https://example.com/ada.png",
    }
    async with serve() as chat:
        token = jwt.encode({**user, "exp": hours(1)}, SECRET, algorithm="HS256")
        ada = await chat.connect(token=token)
        answer = await ada.call("authenticate")
        assert answer["data"]["user"] == user


BAD_TOKENS = [
    (None, "UNAUTHENTICATED"),
    ("", "UNAUTHENTICATED"),
    ("nonsense", "TOKEN_INVALID"),
    (123, "TOKEN_INVALID"),
    (["a"], "TOKEN_INVALID"),
    ({"$gt": ""}, "TOKEN_INVALID"),
    (True, "TOKEN_INVALID"),
    ("é" * 20, "TOKEN_INVALID"),
    ("a" * 9_000, "TOKEN_INVALID"),
    (signed("another-secret-that-is-long-enough-to-be-one", id=1), "TOKEN_INVALID"),
    (signed(id=1)[:-3], "TOKEN_INVALID"),
    (signed(id=1, exp=None), "TOKEN_INVALID"),
    (signed(id=1, exp=hours(-1)), "TOKEN_EXPIRED"),
    (signed(id=1, exp=str(hours(1))), "TOKEN_INVALID"),
    (signed(id=1, exp=1e300), "TOKEN_INVALID"),
    (signed(id=1, exp=True), "TOKEN_INVALID"),
    (signed(id=1, iat=hours(1)), "TOKEN_INVALID"),
    (signed(id=1, nbf=hours(1)), "TOKEN_INVALID"),
    (signed(), "TOKEN_INVALID"),
    (signed(id=True), "TOKEN_INVALID"),
    (signed(id=1.0), "TOKEN_INVALID"),
    (signed(id=[1]), "TOKEN_INVALID"),
    (signed(id=-1), "TOKEN_INVALID"),
    (signed(id=2**53), "TOKEN_INVALID"),
    (signed(id="a b"), "TOKEN_INVALID"),
    (signed(id="x" * 65), "TOKEN_INVALID"),
    (signed(id="a\nb"), "TOKEN_INVALID"),
    (signed(header={"alg": "none"}, id=1), "TOKEN_INVALID"),
    (signed(header={"alg": "RS256"}, id=1), "TOKEN_INVALID"),
    (signed(header={"alg": "HS256", "crit": ["b64"], "b64": False}, id=1), "TOKEN_INVALID"),
    (signed(id=1).rpartition(".")[0] + ".", "TOKEN_INVALID"),
]


async def test_a_bad_token_is_refused_with_a_typed_error(serve):
    """`connect_error.data` is the error itself: code, message, retryable; never what was sent."""
    async with serve() as chat:
        for token, code in BAD_TOKENS:
            raw = await RawSocket.open(chat)
            answer = await raw.connect({"token": token})
            assert answer.startswith("44/chat,"), token
            refusal = json.loads(answer.partition(",")[2])
            assert refusal["data"]["code"] == code, token
            assert refusal["data"]["retryable"] is False
            assert refusal["message"] == refusal["data"]["message"]
            assert refusal["data"].pop("requestId") not in str(refusal)
            assert not token or str(token) not in str(refusal)
            await raw.close()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_the_official_kind_of_client_hears_why_it_was_refused(serve, transport):
    """python-socketio's client raises with the same data as `connect_error` has in the browser."""
    async with serve() as chat:
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        heard = []
        client.on("connect_error", heard.append, namespace=NAMESPACE)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(
                chat.url, auth={"token": "x"}, namespaces=[NAMESPACE], transports=[transport]
            )
        assert heard[0]["data"]["code"] == "TOKEN_INVALID"


async def test_the_transport_is_closed_after_a_refusal(serve):
    """A session that was not let in does not stay, over either transport."""
    async with serve(timings=Timings(refused_close_after_s=0.05)) as chat:
        raw = await RawSocket.open(chat)
        await raw.connect({"token": "x"})
        await raw.until_end()
        polling = await RawPolling.open(chat)
        await polling.post('40/chat,{"token":"x"}')
        await polling.until("44/chat,")
        await polling.until_end()
        assert chat.app.gateway.get_active_users_count() == 0


async def test_a_refusal_that_may_pass_later_closes_the_transport_without_connect_error(serve):
    """After a CONNECT_ERROR the official client stays away, so a retryable refusal is none."""
    async with serve(
        plugin_names=UNLIMITED, plugins=[limits(connect_per_s=1, connect_burst=1)]
    ) as chat:
        await RawSocket.enter(chat, 1)
        refused = await RawSocket.open(chat)
        await refused.send("40/chat," + json.dumps({"token": chat.token(1)}))
        await refused.until_end()
        assert not [frame for frame in refused.frames if frame.startswith(("44", "40"))]
        polling = await RawPolling.open(chat)
        await polling.post("40/chat," + json.dumps({"token": chat.token(1)}))
        await polling.until_end()
        assert not [frame for frame in polling.frames if frame.startswith(("44", "40"))]
        await RawSocket.enter(chat, 2)
        assert chat.app.gateway.get_user_sockets(1) != []


@pytest.mark.parametrize("namespace", ["/", "/admin", "/chat2"])
async def test_only_the_namespace_chat_exists(serve, namespace):
    """A CONNECT to any other namespace is refused, a good token or not."""
    async with serve() as chat:
        raw = await RawSocket.open(chat)
        path = "" if namespace == "/" else f"{namespace},"
        await raw.send(f"40{path}" + json.dumps({"token": chat.token(1)}))
        assert (await raw.until("4")).startswith(f"44{path}")


async def test_events_before_the_connect_do_nothing(serve):
    """A session without a CONNECT is nobody: its events are not run, and end it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawSocket.open(chat, token=chat.token(1))
        await raw.send(f'42/chat,1["sendMessage",{{"chatId":{chat_id},"content":"hi"}}]')
        await raw.until_end()
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}")
        assert page.data == []


async def test_active_users_and_their_sockets_are_counted(serve):
    """`getActiveUsersCount`, `getUserSockets` and `isUserOnline` of the guide."""
    async with serve(presence_grace_s=0) as chat:
        gateway = chat.app.gateway
        assert gateway.get_active_users_count() == 0
        first, second = await chat.connect(1), await chat.connect(1)
        await chat.connect("6f1c-uuid")
        sockets = [(await each.call("authenticate"))["socketId"] for each in (first, second)]
        assert gateway.get_active_users_count() == 2
        assert gateway.get_user_sockets(1) == sockets
        assert gateway.is_user_online(1)
        assert gateway.is_user_online("6f1c-uuid")
        assert not gateway.is_user_online(2)
        await first.close()
        await eventually(lambda: gateway.get_user_sockets(1) == sockets[1:])
        assert gateway.is_user_online(1)
        await second.close()
        await eventually(lambda: not gateway.is_user_online(1))
        assert gateway.get_active_users_count() == 1
        assert gateway.get_user_sockets(1) == []
