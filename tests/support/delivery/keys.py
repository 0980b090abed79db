"""Keys of a host application that signs with a private key, and the address where it publishes
them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import jwt
import tornado.web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

PEM = serialization.Encoding.PEM


@cache
def rsa_key(name: str = "") -> Any:
    """An RSA key; another one for every name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def short_key() -> Any:
    """An RSA key that can be broken."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # it must be


@cache
def ec_key(name: str = "", curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Any:
    """A key on an elliptic curve; another one for every name."""
    return ec.generate_private_key(curve())


def key_for(algorithm: str, name: str = "") -> Any:
    return rsa_key(name) if algorithm == "RS256" else ec_key(name)


def public_pem(private_key: Any) -> str:
    public = private_key.public_key()
    return str(public.public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())


def private_pem(private_key: Any) -> str:
    form = serialization.PrivateFormat.PKCS8
    return str(private_key.private_bytes(PEM, form, serialization.NoEncryption()).decode())


def token(key: Any, algorithm: str, kid: str | None = None, **claims: Any) -> str:
    """A token of user 1 signed with a private key."""
    body = {"id": 1, "exp": int(time.time()) + 600, **claims}
    return jwt.encode(body, key, algorithm, headers={"kid": kid} if kid else None)


def jwk(private_key: Any, kid: str | None, **fields: Any) -> dict[str, Any]:
    """The public half as a member of a JWKS."""
    name = "RS256" if isinstance(private_key, rsa.RSAPrivateKey) else "ES256"
    published = jwt.get_algorithm_by_name(name).to_jwk(private_key.public_key(), as_dict=True)
    return {**published, **({"kid": kid} if kid else {}), **fields}


class KeyHost:
    """Publishes `keys` at `url` with `status`, and counts how often it is asked. `hold` keeps
    answers back.
    """

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.body: str | None = None
        self.hold: asyncio.Event | None = None
        self.url = ""

    async def answer(self) -> str:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        return json.dumps({"keys": self.keys}) if self.body is None else self.body


@asynccontextmanager
async def key_host(*keys: dict[str, Any]) -> AsyncIterator[KeyHost]:
    """A host application that publishes these keys."""
    published = KeyHost()
    published.keys = list(keys)

    class Handler(tornado.web.RequestHandler):
        async def get(self) -> None:
            self.set_status(published.status)
            self.finish(await published.answer())

    listening, port = bind_unused_port()
    server = HTTPServer(tornado.web.Application([("/keys", Handler)], log_function=lambda _: None))
    server.add_sockets([listening])
    published.url = f"http://127.0.0.1:{port}/keys"
    try:
        yield published
    finally:
        server.stop()
        await server.close_all_connections()
