"""The start-up contract with the libraries: their undocumented names are looked up, and one that is
gone leads to a sentence, never to a server that half works.
"""

import engineio
import pytest
import socketio
import tornado.iostream
import tornado.util

from chat.errors import SetupError
from chat.gateway.required_names import require_names
from chat.testing import running_chat


async def test_today_nothing_is_missing():
    """The pinned versions have every name."""
    require_names()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (tornado.util, "_websocket_mask"),
        (tornado.iostream.IOStream, "writing"),
        (engineio.AsyncServer, "_log_error_once"),
        (socketio.AsyncServer, "_send_packet"),
        (socketio.AsyncManager, "basic_leave_room"),
    ],
)
async def test_without_a_name_of_the_libraries_there_is_no_start(
    mongodb_uri, monkeypatch, owner, name
):
    """One sentence that names it."""
    holder = next(each for each in getattr(owner, "__mro__", (owner,)) if name in vars(each))
    monkeypatch.delattr(holder, name)
    with pytest.raises(SetupError, match=rf"\({owner.__name__}\.{name}\); install"):
        async with running_chat(mongodb_uri=mongodb_uri):
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
