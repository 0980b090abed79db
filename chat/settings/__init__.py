"""Every setting of the server in one frozen model; no other module reads the environment.

Plugins have settings of their own (`CHAT_<PLUGIN>_<FIELD>`); docs/settings.md lists all of them.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from chat.errors import SetupError
from chat.keys.public_keys import read_public_key
from chat.net.addresses import is_loopback
from chat.settings import environment
from chat.settings.limits import LimitSettings

DEFAULT_PLUGINS: Final = (
    "plugins.access_log",
    "plugins.rate_limit",
    "plugins.ping",
    "plugins.health",
)
MIN_SECRET_BYTES: Final = 32
"""An HS256 key is at least as long as the hash (RFC 7518 3.2)."""

SECRETS: Final = ("jwt_secret", "jwt_secret_previous", "access_secret")
KEYS: Final = ("jwt_secret", "jwt_public_key", "jwt_jwks_url")
"""The sources of the key of the host's tokens; if all are unset, the server is in demo mode."""

PATH_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")
"""A path under which a proxy can serve the server: `/im`, `/apps/chat`."""

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'+.^_`|~-]{1,64}")

_BOTH_FAMILIES: Final = {
    "localhost": ("127.0.0.1", "::1"),
    "::": ("0.0.0.0", "::"),  # noqa: S104  # what the operator asked for
}

_List = Annotated[tuple[str, ...], NoDecode]
_Secrets = Annotated[tuple[SecretStr, ...], NoDecode]


class Settings(LimitSettings):
    """The effective settings; `python server.py check` prints them with secrets masked."""

    # `_unquote` deals with empty variables.
    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    host: str = Field(
        "127.0.0.1",
        description="Address or name to listen on; `localhost`: 127.0.0.1 and ::1; `0.0.0.0`: all "
        "of IPv4; `::`: all of IPv4 and IPv6.",
    )
    port: int = Field(3000, ge=0, le=65535, description="TCP port; 0 picks a free one.")
    jwt_secret: SecretStr | None = Field(
        None,
        description="HS256 secret shared with your application, 32 bytes or more. Unset = demo.",
    )
    jwt_secret_previous: _Secrets = Field(
        (), description="Earlier secrets, comma-separated, that still verify: for rotation."
    )
    jwt_public_key: str | None = Field(
        None,
        description="RSA (RS256) or P-256 (ES256) public key or certificate: its text or a file.",
    )
    jwt_jwks_url: str | None = Field(
        None, description="Where the host publishes its key set; fetched again when keys change."
    )
    jwt_jwks_http: bool = Field(
        False,
        description="Let JWT_JWKS_URL be an http address of another machine, unprotected.",
    )
    jwt_audience: str | None = Field(None, description="When set, a token's `aud` must hold it.")
    jwt_issuer: str | None = Field(None, description="When set, a token's `iss` must equal it.")
    clock_skew_s: float = Field(
        30,
        ge=0,
        le=300,
        description="Seconds that the clock of the issuer of tokens may be off.",
    )
    query_token: bool = Field(
        True,
        description="Accept `?token=` at connect, which ends up in proxies' logs: better off.",
    )
    mongodb_uri: SecretStr | None = Field(
        None,
        description="A MongoDB server, the database in its path. Unset = an embedded store.",
    )
    data_dir: Path = Field(
        Path("data"), description="Folder of the embedded store and of demo mode's secret."
    )
    min_free_disk_mb: int = Field(
        200,
        ge=0,
        description="Megabytes free on the disks of DATA_DIR and the log, below which nothing is "
        "written; 0 = not watched.",
    )
    cors_origins: _List = Field(
        (),
        description="Exact origins, comma-separated, that may connect beside the server's own.",
    )
    cors_headers: _List = Field(
        (), description="Further request headers, comma-separated, that their pages may send."
    )
    public_path: str | None = Field(
        None, description="Path that a proxy serves the server under, such as `/im`."
    )
    serve_docs: bool = Field(
        True,
        description="Serve the documentation to everybody: /docs, its Markdown and /llms.txt.",
    )
    trust_proxy: bool = Field(
        False,
        description="Believe X-Forwarded-For, -Host, -Proto and -Prefix; only behind a proxy.",
    )
    trusted_proxies: _List = Field(
        ("127.0.0.0/8", "::1"),
        description="Addresses and networks of proxies that TRUST_PROXY believes, comma-separated.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lines below this level are not written."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`auto` = console on a terminal, otherwise one JSON object a line."
    )
    plugins: _List = Field(
        DEFAULT_PLUGINS,
        description="Modules or entry points, comma-separated, in call order; `default`: built-in.",
    )
    auto_join: bool = Field(
        False, description="Let `authenticate` join all of the user's chats, asked for or not."
    )
    timeline: bool | None = Field(
        None,
        description="Write a line into a chat for each change of it. Unset = in demo mode only.",
    )
    ping_interval_s: float = Field(25, gt=0, description="Seconds between two heartbeats.")
    ping_timeout_s: float = Field(
        20, gt=0, description="Seconds after which an unanswered heartbeat ends the connection."
    )
    connect_within_s: float = Field(
        10, gt=0, description="Seconds that a new session has to show its token."
    )
    external_ref_types: _List = Field(
        ("service",),
        description="Types of tokens, comma-separated, that may set a chat's externalRef; "
        "`service` always may.",
    )
    contacts: Literal["all", "shared", "host"] = Field(
        "all",
        description="Whom employees may add to chats: `all`; `shared`: those with whom they share "
        "a chat; `host`: nobody.",
    )
    access_url: str | None = Field(
        None, description="Where the host is asked for seats that a token does not give."
    )
    access_secret: SecretStr | None = Field(
        None, description="Secret that signs what ACCESS_URL is asked, 32 bytes or more."
    )
    open_directory: bool = Field(
        False, description="Let employees see everybody's name and presence, chat or no chat."
    )
    idle_connection_s: float = Field(
        120, gt=0, description="Seconds that an HTTP connection may be open without a request."
    )
    body_within_s: float = Field(
        30, gt=0, description="Seconds that the body of a request may take to arrive."
    )
    spare_files: int = Field(
        64, ge=4, description="Open files below `ulimit -n` at which newcomers are refused."
    )
    loop_blocked_ms: int = Field(
        100,
        ge=0,
        description="Log what blocks the event loop for this many milliseconds; 0 = off.",
    )
    edit_window_s: int = Field(
        86_400, ge=0, description="Seconds in which one's own message can be edited or deleted."
    )
    presence_grace_s: float = Field(
        10, ge=0, description="Seconds after the last socket closed until a user is offline."
    )
    typing_ttl_s: float = Field(
        6,
        gt=0,
        description="Seconds after which the server ends a typing indicator that is not renewed.",
    )
    shutdown_grace_s: float = Field(
        5, ge=0, description="Seconds that running requests get to end after SIGTERM."
    )

    @model_validator(mode="before")
    @classmethod
    def _unquote(cls, values: dict[str, object]) -> dict[str, object]:
        """Remove quotes and blanks around all values but secrets: the host may sign with them.

        An empty value counts as unset. An empty key counts as lost, unless another key is set.
        """
        bare = {
            name: environment.unquoted(value)
            if isinstance(value, str) and name not in SECRETS
            else value
            for name, value in values.items()
        }
        environment.check_keys({name: bare[name] for name in KEYS if name in bare})
        return {name: value for name, value in bare.items() if value != ""}

    @field_validator("contacts", "log_level", "log_format", mode="before")
    @classmethod
    def _in_its_case(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        return value.upper() if info.field_name == "log_level" else value.lower()

    @field_validator(
        "cors_origins",
        "cors_headers",
        "plugins",
        "external_ref_types",
        "jwt_secret_previous",
        "trusted_proxies",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str) -> str:
        return environment.read_host(value)

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            environment.check_origin(origin)
        return value

    @field_validator("cors_headers")
    @classmethod
    def _check_headers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header; write it like X-Tenant-Id")
        return value

    @field_validator("public_path")
    @classmethod
    def _check_public_path(cls, value: str | None) -> str | None:
        bare = (value or "").strip("/")
        if not bare:
            return None
        if not PATH_PREFIX.fullmatch(f"/{bare}"):
            raise ValueError(f"{value!r} is no plain path; write it like /im")
        return f"/{bare}"

    @field_validator("mongodb_uri")
    @classmethod
    def _check_mongodb_uri(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            environment.check_mongodb_uri(value.get_secret_value())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            environment.check_network(item)
        return value

    @field_validator("plugins")
    @classmethod
    def _expand_default(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names: list[str] = []
        for name in value:
            names.extend(DEFAULT_PLUGINS if name == "default" else (name,))
        return tuple(dict.fromkeys(names))

    @field_validator("jwt_public_key")
    @classmethod
    def _read_public_key(cls, value: str | None) -> str | None:
        return None if value is None else read_public_key(value)

    @field_validator("jwt_jwks_url", "access_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/\s?#]", value, re.IGNORECASE):
            raise ValueError("must be an http or https address")
        return value

    @model_validator(mode="after")
    def _check_jwks_is_safe(self) -> "Settings":
        url = self.jwt_jwks_url
        if url is None or self.jwt_jwks_http or url.lower().startswith("https:"):
            return self
        if not is_loopback(urlsplit(url).hostname or ""):
            raise ValueError(
                "JWT_JWKS_URL is an http address of another machine, so anybody on the way can put "
                "keys of their own into the answer; use https, or set JWT_JWKS_HTTP=true"
            )
        return self

    @model_validator(mode="after")
    def _check_access(self) -> "Settings":
        if self.access_url is None:
            return self
        if self.access_secret is None:
            raise ValueError("ACCESS_URL is set without ACCESS_SECRET, which signs the questions")
        secure = self.access_url.lower().startswith("https:")
        if not secure and not is_loopback(urlsplit(self.access_url).hostname or ""):
            raise ValueError(
                "ACCESS_URL is an http address of another machine, so anybody on the way could "
                "answer; use https"
            )
        return self

    @model_validator(mode="after")
    def _check_secrets(self) -> "Settings":
        access = self.access_secret
        signing = [("access_secret", access.get_secret_value())] if access else []
        for field, secret in [*self.named_secrets, *signing]:
            name = field.upper()
            weakness = environment.why_weak(secret)
            if weakness is not None:
                raise ValueError(f"{name} {weakness}; set a random one")
            if len(secret.encode()) < MIN_SECRET_BYTES:
                raise ValueError(
                    f"{name} is shorter than {MIN_SECRET_BYTES} bytes; set a longer one"
                )
        if self.jwt_secret_previous and not self.jwt_secret:
            raise ValueError("JWT_SECRET_PREVIOUS is set without JWT_SECRET")
        return self

    @model_validator(mode="after")
    def _check_demo(self) -> "Settings":
        if self.demo_mode:
            store = self.mongodb_uri is not None
            environment.check_demo(
                HOST=not is_loopback(self.host), MONGODB_URI=store, TRUST_PROXY=self.trust_proxy
            )
        return self

    @property
    def demo_mode(self) -> bool:
        """Whether no key of the host is set: then the server makes a key and gives tokens."""
        return not (self.jwt_secret or self.jwt_public_key or self.jwt_jwks_url)

    @property
    def has_timeline(self) -> bool:
        """Whether the server writes lines of the timeline."""
        return self.demo_mode if self.timeline is None else self.timeline

    @property
    def secrets(self) -> list[str]:
        """The secrets that verify tokens, the current one first."""
        return [secret for _, secret in self.named_secrets]

    @property
    def named_secrets(self) -> list[tuple[str, str]]:
        """The secrets that verify tokens, each with the name of its field."""
        named = [("jwt_secret", self.jwt_secret)] if self.jwt_secret else []
        named += [("jwt_secret_previous", each) for each in self.jwt_secret_previous]
        return [(field, each.get_secret_value()) for field, each in named]

    @property
    def listen_addresses(self) -> tuple[str, ...]:
        return _BOTH_FAMILIES.get(self.host, (self.host,))


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment, with `overrides` on top.

    Raises a SetupError of one sentence if a setting is wrong.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # each value is checked by its field
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]).upper()
        what = first["msg"].removeprefix("Value error, ")
        between = " " if what[:1].islower() else ": "
        raise SetupError(f"{where}{between}{what}." if where else f"{what}.") from None
