"""Finding the plugins that PLUGINS names, and giving them their settings."""

import sys

import pytest

from chat.errors import SetupError
from chat.hooks.loader import load_plugins
from chat.plugin_api import Plugin, PluginSettings
from chat.settings import DEFAULT_PLUGINS, load_settings


def _write_module(folder, name, body):
    (folder / f"{name}.py").write_text(
        "from chat.plugin_api import Plugin, PluginSettings\n" + body
    )


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write importable modules: `modules(name, body)`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield lambda name, body: _write_module(tmp_path, name, body)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_plugin_is_loaded_by_the_name_of_its_module(modules):
    """In the order of PLUGINS; what the module merely imports is not taken for its plugin."""
    modules("my_first", "class First(Plugin):\n    name = 'first'\n")
    modules("my_second", "from my_first import First\nclass Second(Plugin):\n    name = 'second'\n")
    assert [each.name for each in load_plugins(["my_second", "my_first"])] == ["second", "first"]


def test_a_plugin_is_loaded_by_its_entry_point(modules, tmp_path):
    """An installed distribution names it in the group `chat.plugins`: a class, or a module with
    one."""
    modules("their_plugin", "class Theirs(Plugin):\n    name = 'theirs'\n")
    modules("their_module", "class Other(Plugin):\n    name = 'other'\n")
    info = tmp_path / "their_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[chat.plugins]\nof-class = their_plugin:Theirs\nof-module = their_module\n"
    )
    assert [each.name for each in load_plugins(["of-class", "of-module"])] == ["theirs", "other"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["plugins.rate_limits"], "Did you mean 'plugins.rate_limit'?"),
        (["rate_limit"], "Did you mean 'plugins.rate_limit'?"),
        (["acess_log"], "Did you mean 'plugins.access_log'?"),
        (["defualt"], "Did you mean 'default'?"),
        (["nothing_like_it_at_all"], "there is no such module or entry point."),
        (["bad10"], "there is no such module or entry point."),
        (["plugins.bad10"], "there is no such module or entry point."),
    ],
)
def test_an_unknown_name_in_plugins_is_told_with_a_hint(names, said):
    """The nearest name there is, where one is near."""
    with pytest.raises(SetupError, match="PLUGINS names") as caught:
        load_plugins(names)
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import not_there_at_all\n", "imports 'not_there_at_all', which is not installed."),
        ("raise ValueError('oops')\n", "cannot be imported: ValueError: oops."),
        ("def broken(:\n", "cannot be imported: SyntaxError"),
        ("", "must define exactly one Plugin class, it has 0."),
        (
            "class A(Plugin):\n    name='a'\nclass B(Plugin):\n    name='b'\n",
            "must define exactly one Plugin class, it has 2.",
        ),
    ],
)
def test_a_module_that_is_no_plugin_is_refused_in_one_sentence(modules, body, said):
    """Its name and what is amiss, without a traceback."""
    modules("bad_plugin", body)
    with pytest.raises(SetupError) as caught:
        load_plugins(["bad_plugin"])
    assert "bad_plugin" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "    def __init__(self):\n        self.x = 1\n",
            "plugin 'bad': its `__init__` must take the settings: `def __init__(self, settings",
        ),
        (
            "    def __init__(self, settings=None):\n        self.x = 1\n",
            "plugin 'bad': its `__init__` must call `super().__init__(settings)`.",
        ),
        (
            "    def __init__(self, settings=None):\n        raise OSError('no licence')\n",
            "plugin 'bad' failed in its `__init__`: OSError: no licence.",
        ),
        (
            "    class Settings:\n        x = 1\n",
            "plugin 'bad': its `Settings` must be a subclass of PluginSettings.",
        ),
        (
            "    class Settings(PluginSettings):\n        words: list[str] = []\n",
            "plugin 'bad': error parsing value for field \"words\"",
        ),
    ],
)
def test_a_plugin_that_cannot_be_made_is_one_sentence(modules, monkeypatch, body, said):
    """Its name and what to change, without a traceback."""
    monkeypatch.setenv("CHAT_BAD_WORDS", "a,b")
    modules("bad_plugin", f"class Bad(Plugin):\n    name = 'bad'\n{body}")
    with pytest.raises(SetupError) as caught:
        load_plugins(["bad_plugin"])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plugins_stands_for_the_built_in_ones_with_default():
    """`default` may be one of several, and nothing is loaded twice."""
    settings = load_settings(plugins="first, default,plugins.ping")
    assert settings.plugins == ("first", *DEFAULT_PLUGINS)


def test_settings_of_a_plugin_come_from_the_environment(modules, monkeypatch):
    """Field x of plugin p is CHAT_P_X; what is not set has its default."""
    modules(
        "tuned",
        "class Tuned(Plugin):\n    name = 'tuned'\n"
        "    class Settings(PluginSettings):\n        per_s: float = 5\n        word: str = 'a'\n",
    )
    monkeypatch.setenv("CHAT_TUNED_PER_S", "2.5")
    monkeypatch.setenv("PER_S", "9")
    (plugin,) = load_plugins(["tuned"])
    assert (plugin.settings.per_s, plugin.settings.word) == (2.5, "a")


def test_a_plugin_that_is_made_by_hand_reads_no_stray_environment(monkeypatch):
    """Only CHAT_<PLUGIN>_<FIELD> counts, however the plugin is made."""

    class ByHand(Plugin):
        name = "by_hand"

        class Settings(PluginSettings):
            per_s: float = 5

    monkeypatch.setenv("PER_S", "9")
    assert ByHand().settings.per_s == 5


def test_a_bad_setting_of_a_plugin_is_told_by_its_variable(monkeypatch):
    """The variable's name and what it must be; not its value, which may be a secret."""
    monkeypatch.setenv("CHAT_RATE_LIMIT_SEND_PER_S", "many-secrets")
    with pytest.raises(SetupError, match=r"^CHAT_RATE_LIMIT_SEND_PER_S: ") as caught:
        load_plugins(["plugins.rate_limit"])
    assert "many-secrets" not in str(caught.value)
