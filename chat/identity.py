"""The caller, as a value that is made from a good token. Knows no tokens and no transports."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

UserId = int | str
"""The host application's user id: an integer, or a string of up to 64 characters (a UUID, say)."""

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that a JavaScript number holds exactly; no id is larger."""

MAX_ID_DIGITS: Final = len(str(MAX_INTEGER))

SERVICE: Final = "service"
"""The type of the host application's own tokens."""

ADMIN: Final = "admin"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A caller whose token was checked.

    The host chooses `type`: admin, employee, bot, service or another.
    """

    user_id: UserId
    type: str
    expires_at: datetime
    issued_at: datetime | None = None
    role: str | None = None
    department: str | None = None
    permissions: tuple[str, ...] = field(default=())
    name: str | None = None
    avatar_url: str | None = None
    plugin: str | None = None
    """The plugin that acts in the user's name; it needs no token."""

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
