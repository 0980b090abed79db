"""The caller, as a value that is made from a good token. Knows no tokens and no transports."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NewType, cast

UserId = int | str
"""The host application's user id: an integer, or a string of up to 64 characters (a UUID, say)."""

UserKey = NewType("UserKey", object)
"""A user among those of all tenants; `user_key` makes it.

In the tenant `''` it is the user id itself. In other tenants it is a string with a blank, which no
user id has. Everything that is kept by user outside of one chat has this key. Within a chat the
user id suffices, since a chat has users of one tenant only.
"""

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that a JavaScript number holds exactly; no id is larger."""

MAX_ID_DIGITS: Final = len(str(MAX_INTEGER))

SERVICE: Final = "service"
"""The type of the host application's own tokens."""

ADMIN: Final = "admin"

MAX_SEATS: Final = 50
"""The most seats that a token may give."""

SEAT_ROLES: Final = ("moderator", "member", "readonly")
"""The roles that a seat may have: an owner is a participant."""

_CANONICAL_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_TEXT_ID: Final = re.compile(r"[!-~]{1,64}")


def parse_user_id(value: Any) -> UserId | None:
    """Read a user id; None where the value is none.

    A canonical digit string is the integer (Node back ends mint `"123"` and `123` alike). Bools,
    floats and lists are no ids, and neither are texts with blanks or control characters.
    """
    if type(value) is int:
        return value if 0 <= value <= MAX_INTEGER else None
    if type(value) is not str:
        return None
    if _CANONICAL_DIGITS.fullmatch(value) and int(value) <= MAX_INTEGER:
        return int(value)
    return value if _TEXT_ID.fullmatch(value) else None


def is_tenant(value: Any) -> bool:
    """Tell whether a value names a tenant: 1 to 64 printable characters, or `''`."""
    return type(value) is str and (value == "" or _TEXT_ID.fullmatch(value) is not None)


def user_key(tenant: str, user_id: UserId) -> UserKey:
    """Make the key of a user of a tenant; takes 0.05 us without one."""
    # Calls neither UserKey() nor cast(), which would double that time.
    return f"{tenant} {user_id}" if tenant else user_id  # type: ignore[return-value]


def user_id_of(key: UserKey) -> UserId:
    """Return the user id in a key."""
    return _parts(key)[1]


def tenant_of(key: UserKey) -> str:
    """Return the tenant in a key."""
    return _parts(key)[0]


def named(key: UserKey | None) -> dict[str, UserId | str | None]:
    """Name a user in a line of the log: `user_id`, and `tenant` where there is one."""
    tenant, user_id = ("", None) if key is None else _parts(key)
    return {"user_id": user_id, "tenant": tenant} if tenant else {"user_id": user_id}


def _parts(key: UserKey) -> tuple[str, UserId]:
    known = cast("UserId", key)
    if isinstance(known, int) or " " not in known:
        return "", known
    tenant, _, text = known.partition(" ")
    user_id = parse_user_id(text)
    return tenant, text if user_id is None else user_id


class Seats:
    """The seats that a token gives: roles by externalRef, or by how one begins (`order:*`).

    A socket keeps one such object, which a renewed token fills anew: what still waits under the
    earlier token has the seats of the renewed one.
    """

    __slots__ = ("_beginnings", "_exact")

    def __init__(self, roles: Mapping[str, str]) -> None:
        """Take `roles` as a token claims them."""
        self._exact = {ref: role for ref, role in roles.items() if not ref.endswith("*")}
        begins = [(ref[:-1], role) for ref, role in roles.items() if ref.endswith("*")]
        # The longest beginning first: it says most about the chat.
        self._beginnings = sorted(begins, key=lambda each: -len(each[0]))

    def role_in(self, external_ref: str) -> str | None:
        """The role in the chat of that externalRef; None = no seat there."""
        role = self._exact.get(external_ref)
        if role is not None:
            return role
        return next((role for ref, role in self._beginnings if external_ref.startswith(ref)), None)

    def become(self, other: "Seats | None") -> None:
        """Give the seats of a renewed token in place of these; None = the token gives none."""
        self._exact = {} if other is None else other._exact
        self._beginnings = [] if other is None else other._beginnings


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A caller whose token was checked.

    The host chooses `type`: admin, employee, bot, service or another. Users of different `tenant`
    share nothing, whatever their types.
    """

    user_id: UserId
    type: str
    expires_at: datetime
    tenant: str = ""
    issued_at: datetime | None = None
    role: str | None = None
    department: str | None = None
    permissions: tuple[str, ...] = field(default=())
    name: str | None = None
    avatar_url: str | None = None
    seats: Seats | None = None
    plugin: str | None = None
    """The plugin that acts in the user's name; it needs no token."""
    key: UserKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", user_key(self.tenant, self.user_id))

    def key_of(self, user_id: UserId) -> UserKey:
        """Return the key of a user of the caller's tenant."""
        return user_key(self.tenant, user_id)

    def has_expired(self, now: datetime) -> bool:
        """Tell whether the token has expired: from `exp` on, to the fraction of a second."""
        return self.expires_at <= now

    @property
    def is_service(self) -> bool:
        """Tell whether this is the host application's own back end, which may do everything."""
        return self.type == SERVICE

    @property
    def is_privileged(self) -> bool:
        """Tell whether the caller may look into every chat.

        Such a caller gets NOT_FOUND rather than NOT_PARTICIPANT.
        """
        return self.type in (ADMIN, SERVICE)
