"""What the log says of a refused token: the reason, and the id that the client has too."""

import jwt

from chat.plugin_api import ErrorCode, Plugin, Reject, before_connect, hookimpl
from tests.support.delivery.chats import connect_refusal
from tests.support.delivery.keys import rsa_key
from tests.support.gateway.servers import generous
from tests.support.gateway.tokens import hours, signed
from tests.support.gateway.wire import RawSocket

OTHER = "another-secret-that-is-long-enough-to-be-one"
GOOD = {"id": 1, "aud": "chat", "iss": "crm"}
REASONS = [
    (None, "no token", None),
    ("nonsense", "malformed", None),
    ("a" * 9_000, "malformed", None),
    (signed(header={"alg": "HS256", "crit": ["b64"]}, **GOOD), "malformed", None),
    (signed(OTHER, **GOOD), "signature", None),
    (signed(header={"alg": "none"}, **GOOD), "algorithm", None),
    (jwt.encode({**GOOD, "exp": hours(1)}, rsa_key(), "RS256"), "algorithm", None),
    (signed(header={"alg": "HS512"}, **GOOD), "algorithm", None),
    (signed(**GOOD | {"aud": "shop"}), "audience", 1),
    (signed(id=1, iss="crm"), "audience", 1),
    (signed(**GOOD | {"iss": "shop"}), "issuer", 1),
    (signed(id=1, aud="chat"), "issuer", 1),
    (signed(**GOOD | {"exp": hours(-1)}), "expired", 1),
    (signed(**GOOD | {"nbf": hours(1)}), "not yet valid", 1),
    (signed(**GOOD | {"iat": hours(1)}), "not yet valid", 1),
    (signed(**GOOD | {"exp": None}), "no exp", 1),
    (signed(**GOOD | {"exp": "soon"}), "bad exp", 1),
    (signed(aud="chat", iss="crm"), "no user", None),
    (signed(**GOOD | {"id": 2, "iat": hours(-1)}), "token revoked", 2),
    (signed(**GOOD | {"id": 3}), "user blocked", 3),
]


async def test_the_log_says_what_was_wrong_with_a_token(serve, log):
    """With the user of a verified one, and never anything else of it."""
    settings = {"jwt_audience": "chat", "jwt_issuer": "crm", **generous()}
    async with serve(max_failed_tokens_per_min=1_000, **settings) as chat:
        service = signed(id="crm", type="service", aud="chat", iss="crm")
        bearer = {"Authorization": f"Bearer {service}"}
        for path in ("/admin/users/2/revoke", "/admin/users/3/block"):
            assert (await chat.request("POST", path, None, json={}, headers=bearer)).status == 200
        raw = await RawSocket.open(chat)
        await raw.connect({"token": signed(**GOOD)})
        for shown, reason, user_id in REASONS:
            del log.entries[:]
            headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
            seen = [
                (await chat.request("GET", "/chats", None, headers=headers)).body["error"],
                await connect_refusal(chat, shown),
            ]
            if shown is not None:
                seen.append((await raw.call("authenticate", {"token": shown}))["error"])
            await chat.app.hooks.drain()
            lines = [line for line in log.entries if line["event"] == "auth_failed"]
            assert [line["reason"] for line in lines] == [reason] * len(seen), reason
            assert [line["request_id"] for line in lines] == [each["requestId"] for each in seen]
            assert [line["user_id"] for line in lines] == [user_id] * len(seen), reason
            assert [line["door"] for line in lines] == ["rest", "socket", "socket"][: len(seen)]
            assert not shown or shown not in str(log.entries)


async def test_a_token_over_the_limit_has_its_line_too(serve, log):
    """`auth_failures_limited` bears the id of the RATE_LIMITED that the client got."""
    async with serve(max_failed_tokens_per_min=1, **generous()) as chat:
        bearer = {"Authorization": f"Bearer {signed(OTHER, id=1)}"}
        await chat.request("GET", "/chats", None, headers=bearer)
        limited = await chat.request("GET", "/chats", None, headers=bearer)
        assert limited.code == "RATE_LIMITED"
        [line] = [each for each in log.entries if each["event"] == "auth_failures_limited"]
        assert line["request_id"] == limited.body["error"]["requestId"]


class Bouncer(Plugin):
    name = "bouncer"

    @hookimpl(before_connect)
    async def refuse(self, attempt):
        if attempt.identity.user_id == 2:
            raise Reject(ErrorCode.REJECTED, "not you")


async def test_a_connect_that_a_plugin_refuses_is_in_the_log(serve, log):
    """Under the id that the client has."""
    async with serve(**generous(Bouncer())) as chat:
        refusal = await connect_refusal(chat, chat.token(2))
        assert refusal["code"] == "REJECTED"
        [line] = [each for each in log.entries if each["event"] == "connect_refused"]
        assert (line["request_id"], line["user_id"]) == (refusal["requestId"], 2)
        assert line["code"] == "REJECTED"
