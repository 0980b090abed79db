"""The start-up contract with the libraries: their undocumented names are looked up, and one that is
gone leads to another transport or to a sentence, never to a server that half works.
"""

import engineio
import pytest
import socketio
import tornado.util

from chat.errors import SetupError
from chat.gateway.wire.engine import WireEngine
from chat.gateway.wire.names import missing_names, require_names
from chat.testing import running_chat


async def test_today_nothing_is_missing():
    """The pinned versions have every name."""
    require_names()
    assert missing_names() == []


async def test_without_a_name_of_the_lean_transport_the_other_one_runs(
    mongodb_uri, monkeypatch, log
):
    """The log says what is missing, and clients notice nothing."""
    monkeypatch.delattr(tornado.util, "_websocket_mask")
    async with running_chat(mongodb_uri=mongodb_uri, chat_transport="fast") as chat:
        warning = next(line for line in log.entries if line["event"] == "lean_transport_off")
        assert warning["log_level"] == "warning"
        assert warning["missing"] == ["tornado.util._websocket_mask"]
        assert not isinstance(chat.app._sio.eio, WireEngine)
        ada = await chat.connect(1)
        assert (await ada.call("authenticate"))["success"] is True


async def test_with_all_names_the_lean_transport_runs(mongodb_uri, log):
    """And nothing is said about it."""
    async with running_chat(mongodb_uri=mongodb_uri, chat_transport="fast") as chat:
        assert isinstance(chat.app._sio.eio, WireEngine)
        assert not [line for line in log.entries if line["event"] == "lean_transport_off"]


@pytest.mark.parametrize("chat_transport", ["fast", "stock"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (engineio.AsyncServer, "_log_error_once"),
        (socketio.AsyncServer, "_send_packet"),
        (socketio.AsyncManager, "basic_leave_room"),
    ],
)
async def test_without_a_name_of_both_transports_there_is_no_start(
    mongodb_uri, monkeypatch, chat_transport, owner, name
):
    """One sentence that names it, whatever the setting."""
    holder = next(each for each in owner.__mro__ if name in vars(each))
    monkeypatch.delattr(holder, name)
    with pytest.raises(SetupError, match=rf"\({owner.__name__}\.{name}\); install"):
        async with running_chat(mongodb_uri=mongodb_uri, chat_transport=chat_transport):
            pass


async def test_an_attribute_that_instances_lack_is_missed_too(monkeypatch):
    """What the libraries set on an instance cannot be seen on its class."""
    made = engineio.AsyncServer.__init__

    def without_async(self, *args, **kwargs):
        made(self, *args, **kwargs)
        del self._async

    monkeypatch.setattr(engineio.AsyncServer, "__init__", without_async)
    with pytest.raises(SetupError, match=r"AsyncServer\._async"):
        require_names()
