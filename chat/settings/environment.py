"""Read and check the environment as operators write it.

It covers files of variables, unread names, values in quotes, weak secrets and wrong addresses.
"""

import difflib
import io
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from dotenv.parser import parse_stream

from chat.errors import SetupError
from chat.net.addresses import Networks
from chat.net.origins import normal_origin

MIN_NAME_CHARS: Final = 6
"""Shorter names, such as HOST and PORT, are like too many others."""

ALIKE: Final = 0.82
OTHER_NAMES: Final = {
    "ALLOWED_ORIGINS": "CORS_ORIGINS",
    "CORS_ALLOWED_ORIGINS": "CORS_ORIGINS",
    "CORS_ALLOW_ORIGINS": "CORS_ORIGINS",
    "JWKS_URL": "JWT_JWKS_URL",
    "JWKS_URI": "JWT_JWKS_URL",
    "JWT_JWKS_URI": "JWT_JWKS_URL",
    "MONGO_URL": "MONGODB_URI",
}
"""Names of the same settings in other servers, too different to be found by likeness."""

WELL_KNOWN_SECRETS: Final = (
    "your-production-secret-key",
    "your-256-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "super-secret-jwt-token-with-at-least-32-characters-long",
)
WELL_KNOWN_WORDS: Final = (
    "change", "default", "example", "insecure", "it", "jwt", "key", "me", "my", "password",
    "please", "production", "secret", "super", "token", "your",
)  # fmt: skip

MIN_UNIT_CHARS: Final = 8
MIN_DIFFERENT_CHARS: Final = 6
"""Fewer than one in a million secrets of 32 random digits has fewer different characters.

Longer patterns, which only look careless, are the operator's choice: test set-ups use them.
"""

ESCAPED: Final = (
    "holds a user name or a password with a character that has to be escaped there: "
    "write @ as %40, : as %3A, / as %2F, ? as %3F and % as %25"
)
_OF_KUBERNETES: Final = re.compile(r"CHAT_(\w+_)?(PORT(_\d+_\w+)?|SERVICE_(HOST|PORT)\w*|ENV_\w+)")
"""Variables that a container gets for a service or a linked container named `chat`."""

_WORDS: Final = re.compile(rf"\d{{0,6}}(({'|'.join(WELL_KNOWN_WORDS)})\d{{0,6}})+")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\],]+)(?::(\d{1,5}))?")
_FILES_OF_URI: Final = ("tlscafile", "tlscertificatekeyfile", "tlscrlfile")


def read_env_file(path: str) -> dict[str, str]:
    """Read a file of variables as systemd's EnvironmentFile; SetupError names a wrong line."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise SetupError(f"--env-file {path} cannot be read ({why}).") from None
    found: dict[str, str] = {}
    # For systemd, lines that begin with ; are comments, too.
    for binding in parse_stream(io.StringIO(re.sub(r"(?m)^[ \t]*;.*$", "", text))):
        if binding.error or (binding.key is not None and binding.value is None):
            line = binding.original.line + _blank_lines(binding.original.string)
            raise SetupError(f"--env-file {path}, line {line}: this is no KEY=VALUE.")
        if binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found


def add_env_file(path: str) -> None:
    """Put the variables of a file into the environment, over those that are there."""
    os.environ.update(read_env_file(path))


def set_names() -> list[str]:
    """Return the names of all variables that are set; an empty variable counts as unset."""
    return [name for name, value in os.environ.items() if value]


def unread_names(names: Iterable[str], known: Collection[str]) -> dict[str, str | None]:
    """Find variables that the server does not read, each with the name that was probably meant.

    Looks at names that begin with CHAT_, and at names like a known one that is not set.
    """
    here = {name.upper() for name in names}
    unread: dict[str, str | None] = {}
    for name in sorted(here - set(known)):
        ours = name.startswith("CHAT_")
        if (ours and _OF_KUBERNETES.fullmatch(name)) or (not ours and len(name) < MIN_NAME_CHARS):
            continue
        free = [each for each in known if each not in here and len(each) >= MIN_NAME_CHARS]
        bare = name.removeprefix("CHATGATEWAY_").removeprefix("CHAT_").removesuffix("_FILE")
        close = difflib.get_close_matches(name, free, n=1, cutoff=ALIKE)
        guesses = [bare, OTHER_NAMES.get(name), *close]
        meant = next((guess for guess in guesses if guess in free), None)
        if ours or meant:
            unread[name] = meant
    return unread


def unquoted(value: str) -> str:
    """Remove the blanks and the quotes around a value, which `docker --env-file` keeps."""
    bare = value.strip()
    if len(bare) >= 2 and bare[0] == bare[-1] and bare[0] in "\"'":
        return bare[1:-1].strip()
    return bare


def wrapped_in(secret: str) -> str | None:
    """Name the quotes or blanks around a secret, which were hardly meant as part of it, or None.

    They are not removed: the application that signs may have them, too.
    """
    if secret != secret.strip():
        return "blanks or a line break"
    return "quotes" if unquoted(secret) != secret else None


def why_weak(secret: str) -> str | None:
    """Say why others can know a secret, as the end of a sentence; None if they cannot."""
    lower = unquoted(secret).lower()
    if lower.startswith("<") and lower.endswith(">"):
        return "is the placeholder of an example"
    plain = re.sub(r"[\W_]+", "", lower)
    unit = _repeated(lower)
    known = {re.sub(r"[\W_]+", "", each) for each in WELL_KNOWN_SECRETS}
    if {plain, _repeated(plain), re.sub(r"[\W_]+", "", unit)} & known or _WORDS.fullmatch(plain):
        return "is a well-known default"
    if not lower:
        return "is blank"
    if len(unit) < MIN_UNIT_CHARS and len(unit) * 2 <= len(lower):
        return f"repeats {len(unit)} character{'s' if len(unit) > 1 else ''}"
    if len(lower) < MIN_UNIT_CHARS:
        return None
    if len(set(lower)) < MIN_DIFFERENT_CHARS:
        return f"consists of {len(set(lower))} different characters"
    return None


def read_host(value: str) -> str:
    """Read HOST without brackets and blanks; ValueError if it is no single address or name."""
    host = value.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if host in ("*", ""):
        raise ValueError(f"{value!r} is no address; for all addresses write :: or 0.0.0.0")
    if "/" in host or " " in host or "," in host or "]" in host or host.count(":") == 1:
        raise ValueError(
            f"{value!r} is no single address or name; write one, like 127.0.0.1, ::1 or "
            "chat.example.com, and the port in PORT"
        )
    return host


def check_origin(origin: str) -> None:
    """Raise ValueError if this is not the exact origin of a site."""
    if origin.lower() == "null":
        raise ValueError(
            "'null' is the origin of every sandboxed frame and local file, so that nobody can be "
            "told from anybody; serve the page from an address of its own"
        )
    if normal_origin(origin) is None:
        raise ValueError(
            f"{origin!r} is no exact origin; write it like https://crm.example.com, without a path "
            "and without *"
        )


def check_network(item: str) -> None:
    """Raise ValueError if this is neither an address nor a network."""
    try:
        Networks([item])
    except ValueError:
        raise ValueError(
            f"{item!r} is no address and no network; write it like 10.0.0.5 or 10.0.0.0/8"
        ) from None


def check_keys(keys: Mapping[str, object]) -> None:
    """Raise ValueError if no key has a value and one is empty: its value was probably lost."""
    empty = [name.upper() for name, value in keys.items() if value == ""]
    if empty and not any(keys.values()):
        raise ValueError(
            f"{empty[0]} is set and empty, as a lost one is; give it a value, or remove the "
            "variable for demo mode"
        )


def check_demo(**for_others: bool) -> None:
    """Raise ValueError if a setting lets other machines reach the server.

    Demo mode gives tokens to everybody.
    """
    for name, is_set in for_others.items():
        if is_set:
            raise ValueError(
                f"JWT_SECRET is not set, but {name} is, and demo mode gives tokens to everybody; "
                f"set JWT_SECRET to the secret of your application, or unset {name} for a demo on "
                "this machine"
            )


def check_mongodb_uri(uri: str) -> None:
    """Raise ValueError if this is no address of a MongoDB server, without asking any.

    The error does not quote the address, which may hold a password.
    """
    scheme, mark, rest = uri.partition("://")
    if not mark or scheme not in ("mongodb", "mongodb+srv"):
        raise ValueError("must begin with mongodb:// or mongodb+srv://")
    address, _, options = rest.partition("?")
    authority, _, path = address.partition("/")
    user, at, hosts = authority.rpartition("@")
    password = user.partition(":")[2]
    if "@" in path or "@" in user or ":" in password or re.search(r"%(?![0-9A-Fa-f]{2})", user):
        raise ValueError(ESCAPED)
    if at and not user.partition(":")[0]:
        raise ValueError("has a password and no user name")
    for host in hosts.split(","):
        match = _HOST.fullmatch(host)
        if match is None and not host.lower().endswith(".sock"):
            if "@" in options:
                raise ValueError(ESCAPED)
            raise ValueError(
                "names no host; write it like mongodb://db.example.com:27017/chatgateway"
            )
        port = match[2] if match else None
        if port is not None and (scheme == "mongodb+srv" or not 0 < int(port) <= 65_535):
            raise ValueError("has a port that cannot be; mongodb+srv:// takes none")
    if scheme == "mongodb+srv" and "," in hosts:
        raise ValueError("names several hosts, and mongodb+srv:// takes one")
    for name, value in parse_qsl(options):
        if name.lower() in _FILES_OF_URI and not os.access(value, os.R_OK):
            raise ValueError(f"names a file in {name} that cannot be read: {value}")


def _repeated(text: str) -> str:
    """Return the shortest beginning of a text that, repeated and cut off, gives the whole."""
    for length in range(1, len(text)):
        if text == (text[:length] * (len(text) // length + 1))[: len(text)]:
            return text[:length]
    return text


def _blank_lines(text: str) -> int:
    return len(text) - len(text.lstrip("\n"))
