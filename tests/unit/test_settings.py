"""Settings: each from the environment, each mistake one sentence that names it and repeats no
secret.
"""

from pathlib import Path

import pytest

from chat.errors import SetupError
from chat.settings import DEFAULT_PLUGINS, Settings, load_settings

GOOD_SECRET = "8f1c07d94be2a635d08b7e41f92c3a56"
ANY_KEY = "https://host.example/of-a-length-that-is-good-for-a-secret"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No setting of this machine's."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


FROM_ENVIRONMENT = [
    ("PORT", "8080", "port", 8080),
    ("PORT", "0", "port", 0),
    ("HOST", "0.0.0.0", "host", "0.0.0.0"),  # noqa: S104  # compared, not bound
    ("DATA_DIR", "/srv/chat", "data_dir", Path("/srv/chat")),
    ("CORS_ORIGINS", "https://a.example", "cors_origins", ("https://a.example",)),
    (
        "CORS_ORIGINS",
        " https://a.example , http://localhost:5173,",
        "cors_origins",
        ("https://a.example", "http://localhost:5173"),
    ),
    ("CORS_ORIGINS", "capacitor://localhost", "cors_origins", ("capacitor://localhost",)),
    ("CORS_ORIGINS", "https://a.example/", "cors_origins", ("https://a.example/",)),
    ("CORS_HEADERS", "X-Tenant, X-Device", "cors_headers", ("X-Tenant", "X-Device")),
    ("PUBLIC_PATH", "/im", "public_path", "/im"),
    ("PUBLIC_PATH", "apps/im/", "public_path", "/apps/im"),
    ("PUBLIC_PATH", "/", "public_path", None),
    ("LOG_LEVEL", "WARNING", "log_level", "WARNING"),
    ("LOG_LEVEL", "info", "log_level", "INFO"),
    ("LOG_LEVEL", "'Debug' ", "log_level", "DEBUG"),
    ("LOG_FORMAT", "JSON", "log_format", "json"),
    ("PORT", '"8080"', "port", 8080),
    ("HOST", ' "0.0.0.0" ', "host", "0.0.0.0"),  # noqa: S104  # compared, not bound
    ("JWT_AUDIENCE", '""', "jwt_audience", None),
    ("LOG_FORMAT", "json", "log_format", "json"),
    ("TRUST_PROXY", "true", "trust_proxy", True),
    ("TRUST_PROXY", "0", "trust_proxy", False),
    ("QUERY_TOKEN", "false", "query_token", False),
    ("PLUGINS", "plugins.ping", "plugins", ("plugins.ping",)),
    ("PLUGINS", "default, mine", "plugins", (*DEFAULT_PLUGINS, "mine")),
    ("PLUGINS", "plugins.ping,default", "plugins", ("plugins.ping", *DEFAULT_PLUGINS)),
    ("MAX_CONTENT_CHARS", "50", "max_content_chars", 50),
    ("PRESENCE_GRACE_S", "0.5", "presence_grace_s", 0.5),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), FROM_ENVIRONMENT)
def test_a_setting_is_read_from_the_environment(monkeypatch, name, text, field, value):
    """By its name in capitals; lists are separated by commas."""
    monkeypatch.setenv("JWT_SECRET", GOOD_SECRET)
    monkeypatch.setenv(name, text)
    found = getattr(load_settings(), field)
    if field == "plugins":
        assert set(found) == set(value)
        assert found[0] == value[0]
    else:
        assert found == value


@pytest.mark.parametrize("name", ["JWT_SECRET", "MONGODB_URI"])
def test_a_secret_is_read_and_masked(monkeypatch, name):
    """The value is there for those who ask, and in no text made of the settings."""
    monkeypatch.setenv("JWT_SECRET", GOOD_SECRET)
    value = f"mongodb://user:{GOOD_SECRET}@db.example/chat"
    monkeypatch.setenv(name, value)
    settings = load_settings()
    assert getattr(settings, name.lower()).get_secret_value() == value
    assert GOOD_SECRET not in f"{settings!r}{settings}{dict(settings)}"


def test_a_secret_keeps_what_is_around_it(monkeypatch):
    """The application that signs may have read the same file in the same way."""
    for secret in (f'"{GOOD_SECRET}"', f" {GOOD_SECRET}"):
        monkeypatch.setenv("JWT_SECRET", secret)
        assert load_settings().secrets == [secret]


@pytest.mark.parametrize("name", [each.upper() for each in Settings.model_fields])
def test_an_empty_variable_is_none(monkeypatch, name):
    """`PORT=` in a compose file means what leaving it out means; so does an empty key beside
    another one.
    """
    monkeypatch.setenv("JWT_JWKS_URL" if name == "JWT_SECRET" else "JWT_SECRET", ANY_KEY)
    expected = Settings()
    monkeypatch.setenv(name, "")
    assert load_settings() == expected


@pytest.mark.parametrize("name", ["JWT_SECRET", "JWT_PUBLIC_KEY", "JWT_JWKS_URL"])
@pytest.mark.parametrize("text", ["", '""', "  "])
def test_an_empty_key_does_not_start_the_demo(monkeypatch, name, text):
    """A secret that the host lost on the way to the server opens nothing."""
    monkeypatch.setenv(name, text)
    with pytest.raises(SetupError, match=name):
        load_settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HOST", "0.0.0.0"),  # noqa: S104  # refused
        ("HOST", "::"),
        ("HOST", "10.0.0.1"),
        ("HOST", "localhost.example.com"),
        ("MONGODB_URI", "mongodb://db.example/chat"),
        ("TRUST_PROXY", "true"),
    ],
)
def test_what_is_meant_for_others_is_no_demo(monkeypatch, name, text):
    """A server that others reach has lost its JWT_SECRET: one sentence says so, and what to do."""
    monkeypatch.setenv(name, text)
    with pytest.raises(SetupError) as caught:
        load_settings()
    said = str(caught.value)
    assert said.startswith("JWT_SECRET is not set")
    assert name in said
    assert "set JWT_SECRET" in said
    assert "\n" not in said
    monkeypatch.setenv("JWT_SECRET", GOOD_SECRET)
    load_settings()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "::1"])
def test_the_demo_may_listen_on_any_loopback_address(host):
    """They are all this machine's."""
    assert load_settings(host=host).demo_mode


def test_the_defaults_try_it_out_on_this_machine_alone():
    """Demo mode, port 3000, loopback, an embedded store, no foreign origin, no trusted proxy."""
    settings = load_settings()
    assert settings.demo_mode
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    assert (settings.mongodb_uri, settings.cors_origins, settings.trust_proxy) == (None, (), False)
    assert settings.plugins == DEFAULT_PLUGINS


def test_localhost_is_both_loopback_addresses():
    """Browsers try ::1 first."""
    assert set(load_settings(host="localhost").listen_addresses) == {"127.0.0.1", "::1"}
    elsewhere = load_settings(host="10.0.0.1", jwt_secret=GOOD_SECRET)
    assert elsewhere.listen_addresses == ("10.0.0.1",)


def test_with_a_secret_there_is_no_demo_mode(monkeypatch):
    """32 bytes are enough, counted as bytes."""
    for secret in (GOOD_SECRET, "äöüßéèêëàâîïôûçñ"):
        monkeypatch.setenv("JWT_SECRET", secret)
        assert not load_settings().demo_mode


MISTAKES = [
    ("JWT_SECRET", "abc"),
    ("JWT_SECRET", "x" * 31),
    ("JWT_SECRET", "secret"),
    ("JWT_SECRET", "your-production-secret-key"),
    ("JWT_SECRET", "Your-Production-Secret-Key"),
    ("JWT_SECRET_PREVIOUS", "x" * 31),
    ("JWT_SECRET_PREVIOUS", f"{GOOD_SECRET},abc"),
    ("JWT_SECRET_PREVIOUS", GOOD_SECRET),
    ("PORT", "http"),
    ("PORT", "-1"),
    ("PORT", "65536"),
    ("PORT", "3000.5"),
    ("CORS_ORIGINS", "*"),
    ("CORS_ORIGINS", "https://*.example.com"),
    ("CORS_ORIGINS", "crm.example.com"),
    ("CORS_ORIGINS", "https://crm.example.com/app"),
    ("CORS_ORIGINS", "file://"),
    ("CORS_ORIGINS", "capacitor://"),
    ("CORS_HEADERS", "X Tenant"),
    ("CORS_HEADERS", "X-Tenant:"),
    ("CORS_HEADERS", "*"),
    ("PUBLIC_PATH", "https://example.com/im"),
    ("PUBLIC_PATH", "/im?x"),
    ("PUBLIC_PATH", "/a//b"),
    ("MONGODB_URI", "nonsense"),
    ("CORS_ORIGINS", "https://"),
    ("CORS_ORIGINS", "null"),
    ("CORS_ORIGINS", "https://good.example,bad"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("TRUST_PROXY", "maybe"),
    ("MAX_PAYLOAD_BYTES", "1"),
    ("MAX_PARTICIPANTS", "1"),
    ("PING_INTERVAL_S", "0"),
    ("PRESENCE_GRACE_S", "-1"),
    ("SHUTDOWN_GRACE_S", "soon"),
    ("JWT_JWKS_URL", "file:///etc/keys"),
    ("JWT_PUBLIC_KEY", "/no/such/file.pem"),
]


@pytest.mark.parametrize(("name", "text"), MISTAKES)
def test_a_mistake_is_one_sentence_that_names_the_setting(monkeypatch, name, text):
    """And that never repeats a secret."""
    if not name.startswith("JWT_SECRET"):
        monkeypatch.setenv("JWT_SECRET", GOOD_SECRET)
    monkeypatch.setenv(name, text)
    with pytest.raises(SetupError) as caught:
        load_settings()
    said = str(caught.value)
    assert name in said
    assert said.endswith(".")
    assert not said.endswith("..")
    assert "\n" not in said
    if "SECRET" in name:
        assert text not in said.replace("JWT_SECRET", "")


@pytest.mark.parametrize(
    "secret", ["your-production-secret-key", "SECRET", "changeme", "changeme" * 4]
)
def test_a_known_default_is_called_one(monkeypatch, secret):
    """Whoever copied the guide's example learns that it is no secret."""
    monkeypatch.setenv("JWT_SECRET", secret)
    with pytest.raises(SetupError, match="well-known default"):
        load_settings()


@pytest.mark.parametrize("secret", ["a" * 32, " " * 40, "-" * 40, "1234" * 10])
def test_a_secret_with_no_variety_is_refused(monkeypatch, secret):
    """It is long enough, and yet quickly guessed."""
    monkeypatch.setenv("JWT_SECRET", secret)
    with pytest.raises(SetupError, match="JWT_SECRET"):
        load_settings()


def test_settings_do_not_change():
    """They are read once."""
    with pytest.raises(Exception, match="frozen"):
        load_settings().port = 1


def test_an_unknown_variable_is_no_setting(monkeypatch):
    """The environment is full of other programs' words."""
    monkeypatch.setenv("CHAT_COLOUR", "red")
    monkeypatch.setenv("DEBUG", "1")
    assert load_settings() == Settings()
