"""Sessions of the namespaces that echo, over either transport, as a case begins."""

import json
from typing import Any

from chat.testing import RunningChat
from tests.support.gateway.wire import RawPolling, RawSocket


def _connect(namespace: str, auth: Any) -> str:
    path = "" if namespace == "/" else f"{namespace},"
    return f"40{path}" + ("" if auth is None else json.dumps(auth))


async def join(raw: RawSocket, namespace: str = "/", auth: Any = None) -> tuple[str, str]:
    """Connect to a namespace; the CONNECT that answers, and the greeting behind it."""
    await raw.send(_connect(namespace, auth))
    return str(await raw.next()), str(await raw.next())


async def on_websocket(chat: RunningChat) -> RawSocket:
    """A session that is in `/` and has been greeted."""
    raw = await RawSocket.open(chat)
    await join(raw)
    return raw


async def on_polling(chat: RunningChat) -> RawPolling:
    """The same over polling; everything has been polled."""
    raw = await RawPolling.open(chat)
    assert (await raw.post(_connect("/", None))).code == 200
    await raw.until('42["auth"')
    return raw
