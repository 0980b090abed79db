"""A plugin that does not fit stops the start, with one sentence that says what to mend."""

import pytest

from chat.app import ChatApp
from chat.errors import SetupError
from chat.hooks.manager import PluginManager
from chat.hooks.specs import FilterHook
from chat.plugin_api import (
    ClientEvent,
    HttpResponse,
    MessageDraft,
    MessageEvent,
    Plugin,
    Route,
    after_message_created,
    before_message_send,
    hookimpl,
    register_events,
    register_routes,
    startup,
)
from chat.settings import load_settings
from chat.testing import SECRET


class Nameless(Plugin):
    pass


class Shouting(Plugin):
    name = "Shouting!"


class Good(Plugin):
    name = "good"


class Old(Plugin):
    name = "old"
    api_version = 0


class UnknownHook(Plugin):
    name = "unknown_hook"

    @hookimpl(FilterHook("before_coffee", MessageDraft))
    async def drink(self, draft):
        """Nothing calls this."""


class NotAsync(Plugin):
    name = "not_async"

    @hookimpl(before_message_send)
    def check(self, draft):
        """A plain def."""


class WrongEvent(Plugin):
    name = "wrong_event"

    @hookimpl(before_message_send)
    async def check(self, event: MessageEvent):
        """The annotation is another hook's event."""


class TwoArguments(Plugin):
    name = "two_arguments"

    @hookimpl(before_message_send)
    async def check(self, draft, more):
        """Takes too much."""


class NoArgument(Plugin):
    name = "no_argument"

    @hookimpl(before_message_send)
    async def check(self):
        """Takes too little."""


class Forgot(Plugin):
    name = "forgot"

    async def before_message_send(self, draft):
        """The decorator is missing."""


class NearMiss(Plugin):
    name = "near_miss"

    async def after_message_create(self, event):
        """A hook's name, nearly."""


class ByName(Plugin):
    name = "by_name"

    @hookimpl("before_message_send")
    async def check(self, draft):
        """The name of a hook instead of the hook."""


class NoHook(Plugin):
    name = "no_hook"

    @hookimpl
    async def check(self, draft):
        """No hook at all."""


class Static(Plugin):
    name = "static"

    @staticmethod
    @hookimpl(before_message_send)
    async def check():
        """Takes no event."""


class NoTime(Plugin):
    name = "no_time"

    @hookimpl(before_message_send, timeout_s="5")
    async def check(self, draft):
        """A budget that is no number."""


class Ajar(Plugin):
    name = "ajar"

    @hookimpl(before_message_send, on_error="close")
    async def check(self, draft):
        """A typo that would leave a moderation filter open."""


class Moody(Plugin):
    name = "moody"

    def wants(self, hook):
        raise RuntimeError("not today")

    @hookimpl(before_message_send)
    async def check(self, draft):
        """As it should be."""


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        (
            ByName,
            "plugin 'by_name': check is marked with 'before_message_send'; "
            "@hookimpl takes the hook itself",
        ),
        (NoHook, "plugin 'no_hook': check is marked with the method 'check'; @hookimpl takes"),
        (Static, "plugin 'static': check must take exactly one event, a MessageDraft."),
        (NoTime, "plugin 'no_time': check: `timeout_s` must be a number above 0."),
        (Ajar, 'plugin \'ajar\': check: `on_error` must be "closed" or "open".'),
        (Moody, "plugin 'moody' failed in `wants`: RuntimeError: not today."),
        (Nameless, "plugin Nameless: give it a `name`"),
        (Shouting, "plugin Shouting: give it a `name`"),
        (Old, "plugin 'old' was written for plugin API 0, this server has 1."),
        (
            UnknownHook,
            "plugin 'unknown_hook': drink subscribes to 'before_coffee', which is no hook",
        ),
        (NotAsync, "plugin 'not_async': check must be `async def`."),
        (
            WrongEvent,
            "check takes a MessageEvent, but before_message_send gives a MessageDraft.",
        ),
        (
            TwoArguments,
            "plugin 'two_arguments': check must take exactly one event, a MessageDraft.",
        ),
        (NoArgument, "plugin 'no_argument': check must take exactly one event, a MessageDraft."),
        (
            Forgot,
            "before_message_send is not subscribed; did you mean @hookimpl(before_message_send)?",
        ),
        (
            NearMiss,
            "create is not subscribed; did you mean @hookimpl(after_message_created)?",
        ),
    ],
)
def test_a_bad_plugin_is_refused_in_one_sentence(plugin, said):
    """Which plugin, which method, what is wrong."""
    with pytest.raises(SetupError) as caught:
        PluginManager([Good(), plugin()])
    assert said in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_plugin_cannot_be_there_twice():
    """Two of one name would answer twice and share their settings."""
    with pytest.raises(SetupError, match="plugin 'good' is there twice; name it once in PLUGINS"):
        PluginManager([Good(), Good()])


def test_an_annotation_that_only_type_checkers_know_is_no_mistake():
    """Its name is not there at run time; the hook is what counts."""

    class Typed(Plugin):
        name = "typed"

        @hookimpl(after_message_created)
        async def hear(self, event: "NotImported") -> None:  # noqa: F821
            """As it should be."""

    PluginManager([Typed()])


def test_a_private_helper_with_a_hooks_name_is_no_mistake():
    """Only public methods are held against the hooks' names; a subscribed one may have any name."""

    class Fine(Plugin):
        name = "fine"

        @hookimpl(after_message_created)
        async def after_message_create(self, event: MessageEvent) -> None:
            self._before_message_send()

        def _before_message_send(self) -> None: ...

        def summary(self) -> str:
            return ""

    PluginManager([Fine()])


def _bringing(**brought):
    class Bringing(Plugin):
        name = "bringing"

        @hookimpl(startup)
        async def started(self, _event):
            if "startup" in brought:
                raise RuntimeError("no licence")

        @hookimpl(register_events)
        async def events(self, _event):
            return brought.get("events", [])

        @hookimpl(register_routes)
        async def routes(self, _event):
            return brought.get("routes", [])

    return Bringing()


async def _handle(*_):
    return HttpResponse()


@pytest.mark.parametrize(
    ("brought", "said"),
    [
        ({"startup": True}, "plugin 'bringing' failed at startup: RuntimeError: no licence."),
        (
            {"events": [ClientEvent(name="sendMessage", handler=_handle)]},
            "plugin 'bringing' registers the event 'sendMessage', which there is already.",
        ),
        (
            {"routes": [Route(method="GET", path="/chats", handler=_handle)]},
            "plugin 'bringing' registers the route GET '/chats', which is taken by the server",
        ),
        (
            {"routes": [Route(method="GET", path="/x/(.*)", handler=_handle)]},
            "plugin 'bringing' registers the route GET '/x/(.*)', which is no plain path;",
        ),
        (
            {"routes": [Route(method="GET", path="/x", handler=_handle)] * 2},
            "the route GET '/x', which is taken by the plugin 'bringing'.",
        ),
        (
            {"routes": [Route(method="get", path="/x", handler=_handle)]},
            "its method must be one of GET, POST, PUT, PATCH, DELETE.",
        ),
        ({"routes": ["/x"]}, "plugin 'bringing' registers a str as a route"),
        ({"events": [{}]}, "plugin 'bringing' registers a dict as an event"),
        ({"events": 5}, "plugin 'bringing' failed in register_events"),
    ],
)
async def test_what_a_plugin_brings_is_checked_before_the_server_listens(
    mongodb_uri, tmp_path, brought, said
):
    """A crash at startup, a name or a path that is taken: the start fails, and nothing stays
    behind."""
    settings = load_settings(port=0, jwt_secret=SECRET, data_dir=tmp_path, mongodb_uri=mongodb_uri)
    app = ChatApp(settings, plugins=[_bringing(**brought)])
    with pytest.raises(SetupError) as caught:
        await app.start()
    assert said in str(caught.value)
