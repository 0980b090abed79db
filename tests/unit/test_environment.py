"""The environment as operators write it."""

import secrets

import pytest

from chat.errors import SetupError
from chat.settings import Settings
from chat.settings.environment import (
    check_mongodb_uri,
    read_env_file,
    unquoted,
    unread_names,
    why_weak,
    wrapped_in,
)

KNOWN = {name.upper() for name in Settings.model_fields} | {
    "CHAT_RATE_LIMIT_SEND_PER_S", "CHAT_RATE_LIMIT_SEND_BURST",
}  # fmt: skip

FILE = """\
# a comment
; another one, as systemd has them
JWT_SECRET="in double quotes"
EMPTY=
PLAIN=a value with blanks
  INDENTED='  kept  '
export EXPORTED=yes
HASH=a#b
PEM="-----BEGIN PUBLIC KEY-----
AAAA
-----END PUBLIC KEY-----"
"""


def test_a_file_of_variables_is_read_as_systemd_reads_it(tmp_path):
    """KEY=VALUE, comments, quotes, values of several lines, a mark of Windows at its beginning."""
    path = tmp_path / "chat.env"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    assert read_env_file(str(path)) == {
        "JWT_SECRET": "in double quotes",
        "EMPTY": "",
        "PLAIN": "a value with blanks",
        "INDENTED": "  kept  ",
        "EXPORTED": "yes",
        "HASH": "a#b",
        "PEM": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    }


def test_nothing_in_a_file_of_variables_is_put_together(tmp_path):
    """A `$` in a secret is a `$`."""
    path = tmp_path / "chat.env"
    path.write_text("A=1\nB=${A}$A\n")
    assert read_env_file(str(path))["B"] == "${A}$A"


@pytest.mark.parametrize(
    ("text", "line"), [("A=1\n\n\nnonsense here\n", 4), ("A\n", 1), ('A=1\nB="open\n', 2)]
)
def test_a_line_that_is_no_variable_is_named(tmp_path, text, line):
    """By its number, without its text: it may be a secret."""
    path = tmp_path / "chat.env"
    path.write_text(text)
    with pytest.raises(SetupError, match=f"line {line}:") as caught:
        read_env_file(str(path))
    said = str(caught.value).replace(str(path), "")
    assert "nonsense" not in said
    assert "open" not in said


@pytest.mark.parametrize("kind", ["missing", "a folder", "no text"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, kind):
    """It names the file and says why."""
    path = tmp_path / "chat.env"
    if kind == "a folder":
        path.mkdir()
    elif kind == "no text":
        path.write_bytes(b"A=\xff\xfe")
    with pytest.raises(SetupError, match=r"chat\.env cannot be read \(.+\)\.$"):
        read_env_file(str(path))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("JWT_SECERT", "JWT_SECRET"),
        ("jwt_secert", "JWT_SECRET"),
        ("MONGO_URI", "MONGODB_URI"),
        ("MONGODB_URL", "MONGODB_URI"),
        ("MONGO_URL", "MONGODB_URI"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("CORS_ALLOWED_ORIGINS", "CORS_ORIGINS"),
        ("TRUST_PROXYS", "TRUST_PROXY"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("CHAT_RATE_LIMIT_SENDPERS", "CHAT_RATE_LIMIT_SEND_PER_S"),
        ("CHAT_TRANSPORT", None),
        ("CHAT_COLOUR", None),
        ("CHAT_JWT_SECRET", "JWT_SECRET"),
        ("CHATGATEWAY_CORS_ORIGINS", "CORS_ORIGINS"),
        ("JWT_SECRET_FILE", "JWT_SECRET"),
    ],
)
def test_a_name_that_nobody_reads_is_found(name, meant):
    """With the name that was probably meant; of CHAT_ every one is meant for this server."""
    assert unread_names([name], KNOWN) == {name.upper(): meant}


@pytest.mark.parametrize(
    "name",
    [
        "HOSTNAME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "DATABASE_URL", "JWT_PRIVATE_KEY",
        "JWT_REFRESH_SECRET", "LOG_FILE", "XDG_DATA_DIRS", "PORTS", "PATH", "NODE_ENV", "POST",
        "CHAT_PORT", "CHAT_PORT_3000_TCP", "CHAT_PORT_3000_TCP_ADDR", "CHAT_SERVICE_HOST",
        "CHAT_SERVICE_PORT", "CHAT_SERVICE_PORT_HTTP", "CHAT_GATEWAY_SERVICE_HOST",
        "CHAT_DB_PORT_27017_TCP_PROTO", "CHAT_ENV_PATH", "jwt_secret",
    ],
)  # fmt: skip
def test_the_names_of_other_programs_are_let_be(name):
    """Nor does Kubernetes mean this server when it tells of a service called chat."""
    assert unread_names([name], KNOWN) == {}


def test_a_name_is_not_meant_that_is_set():
    """An application's own JWT_SECRET_KEY beside our JWT_SECRET is no mistake."""
    assert unread_names(["JWT_SECRET_KEY"], KNOWN) == {"JWT_SECRET_KEY": "JWT_SECRET"}
    assert unread_names(["JWT_SECRET_KEY", "JWT_SECRET"], KNOWN) == {}


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ('"3000"', "3000"), ("'3000'", "3000"), (" 3000\t", "3000"), ('" a "', "a"), ('""', ""),
        ("\"a'", "\"a'"), ('"', '"'), ("a", "a"), ('a "b"', 'a "b"'),
    ],
)  # fmt: skip
def test_quotes_around_a_value_are_not_part_of_it(value, bare):
    """A pair of them, and blanks."""
    assert unquoted(value) == bare


@pytest.mark.parametrize(
    ("secret", "around"),
    [
        ('"abc"', "quotes"), ("'abc'", "quotes"), ("abc\n", "blanks or a line break"),
        (" abc", "blanks or a line break"), ("abc", None), ('a"b"', None), ('"abc', None),
    ],
)  # fmt: skip
def test_what_a_secret_is_wrapped_in_is_told(secret, around):
    """It is not taken off: the application that signs may have the same around it."""
    assert wrapped_in(secret) == around


@pytest.mark.parametrize(
    "secret",
    [
        "changeme", "Change-Me", "changeme" * 5, "changeme-" * 5, "change_me_please_" * 3, "x" * 32,
        "ab" * 20, "secret" * 6, "secretsecretsecretsecretsecretsec", "password123" * 3,
        "your-256-bit-secret", "your-256-bit-secret" * 2, "YOUR-PRODUCTION-SECRET-KEY",
        "a-string-secret-at-least-256-bits-long", '"changeme"', "supersecretjwttokensecretkey12345",
        "super-secret-jwt-token-with-at-least-32-characters-long", "äää" * 8,
        "<the HS256 secret of your application, 32 bytes or more>",
        " " * 40, "a" * 31 + "b", "1234567" * 5, "horse-" * 6, "01" * 10 + "10" * 10,
        "amzzamzmazamazzmaamzmazzamzaamzm",
    ],
)  # fmt: skip
def test_a_secret_that_others_know_is_weak(secret):
    """Examples of documents, words of such examples in a row, few characters that repeat."""
    assert why_weak(secret)


@pytest.mark.parametrize(
    "secret",
    [
        "a-secret-of-the-tests-that-is-long-enough", "correct-horse-battery-staple-secret",
        "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=", "abc", "correct-horse-" * 3,
        "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0123",
    ],
)  # fmt: skip
def test_another_secret_is_not_weak(secret):
    """Whether it is long enough is another question."""
    assert why_weak(secret) is None


def test_a_random_secret_is_never_weak():
    """In hex, in base64 and in digits."""
    for _ in range(2_000):
        digits = f"{secrets.randbits(256) % 10**32:032d}"
        for secret in (secrets.token_hex(16), secrets.token_urlsafe(32), digits):
            assert why_weak(secret) is None, secret


def test_the_look_at_a_secret_takes_no_time():
    """Whatever its length and its words."""
    assert why_weak("changeme1" * 1_000 + "!x") is None


ADDRESSES = [
    "mongodb://db.example", "mongodb://db.example:27017/chat", "mongodb://a,b:1,c/x?replicaSet=r",
    "mongodb://user:p%40ss@db/x?authSource=admin", "mongodb://user@db/x", "mongodb://[::1]:27017/x",
    "mongodb+srv://user:pw@cluster.example.net/x", "mongodb://%2Ftmp%2Fmongodb-27017.sock/x",
    "mongodb://db/x?appName=a@b", "mongodb://db/x?tls=true&tlsCAFile=/etc/passwd",
]  # fmt: skip
MISTAKES = [
    ("nonsense", "begin with"), ("http://db.example", "begin with"), ("mongodb:db", "begin with"),
    ("db.example:27017/chat", "begin with"), ("mongodb://", "no host"), ("mongodb:///x", "no host"),
    ("mongodb://a,,b/x", "no host"), ("mongodb://db:port/x", "no host"),
    ("mongodb://db:99999/x", "port"), ("mongodb://db:0/x", "port"),
    ("mongodb+srv://db:27017/x", "port"), ("mongodb+srv://a,b/x", "several hosts"),
    ("mongodb://u:p@ss@db/x", "escaped"), ("mongodb://u:pa/ss@db/x", "escaped"),
    ("mongodb://u:pa?ss@db/x", "escaped"), ("mongodb://u:pa:ss@db/x", "escaped"),
    ("mongodb://u:pa%ss@db/x", "escaped"), ("mongodb://:pass@db/x", "no user name"),
    ("mongodb://db/x?tls=true&tlsCAFile=/no/such.pem", "tlsCAFile"),
    ("mongodb://db/x?tls=true&tlsCertificateKeyFile=/no/such.pem", "tlsCertificateKeyFile"),
]  # fmt: skip


@pytest.mark.parametrize("uri", ADDRESSES)
def test_an_address_of_mongodb_is_taken(uri):
    """Without asking whether anybody is there."""
    check_mongodb_uri(uri)


@pytest.mark.parametrize(("uri", "said"), MISTAKES)
def test_what_is_wrong_with_an_address_of_mongodb_is_told(uri, said):
    """And nothing of its password."""
    with pytest.raises(ValueError, match=said) as caught:
        check_mongodb_uri(uri)
    assert "ss@" not in str(caught.value)
