"""What the host's backend does for a run: tokens, and a group chat for each room."""

import base64
import hashlib
import hmac
import http.client
import json
import time
from contextlib import closing
from typing import Any

from benchmarks.wire.processes import HOST, RunFailed
from benchmarks.wire.works import Work


def make_token(secret: str, **claims: object) -> str:
    """A JWT, HS256, good for an hour."""

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    now = int(time.time())
    payload = json.dumps({**claims, "iat": now, "exp": now + 3600}).encode()
    text = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(payload)
    return (text + b"." + part(hmac.digest(secret.encode(), text, hashlib.sha256))).decode()


def user_tokens(secret: str, work: Work) -> list[str]:
    """Of users 1, 2, ... as many as the work has; socket i shows token i modulo these."""
    users = range(1, (work.users or work.connections) + 1)
    return [
        make_token(secret, id=user, type="employee", role="user", name=f"User {user}")
        for user in users
    ]


def get(port: int, path: str) -> tuple[int, Any]:
    """Status and parsed body of a public route; None where the body is no JSON."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read()
    try:
        return response.status, json.loads(text)
    except ValueError:
        return response.status, None


def is_ready(port: int) -> bool:
    return get(port, "/health/ready")[0] == 200


def make_chats(port: int, secret: str, work: Work) -> list[tuple[int, int]]:
    """One group chat for each room, of users 1..R, R+1..2R and so on: (id, last number)."""
    bearer = make_token(secret, id="bench", type="service", role="service", name="bench")
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    chats: list[tuple[int, int]] = []
    try:
        with closing(http.client.HTTPConnection(HOST, port, timeout=30)) as connection:
            for first in range(1, work.connections + 1, work.room):
                body = {
                    "type": "group",
                    "title": f"bench {len(chats) + 1}",
                    "participantIds": list(range(first, first + work.room)),
                }
                connection.request("POST", "/chats", json.dumps(body), headers)
                response = connection.getresponse()
                text = response.read().decode(errors="replace")
                if response.status not in (200, 201):
                    raise RunFailed(f"POST /chats answered {response.status}: {text[:300]}")
                chat = json.loads(text)["data"]
                chats.append((int(chat["id"]), int(chat.get("seq", 0))))
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise RunFailed(f"POST /chats: {error!r}") from error
    return chats
