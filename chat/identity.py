"""Who is calling: the value that a good token becomes. Knows nothing of tokens or transports."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

UserId = int | str
"""The host application's user id: an integer, or a string of up to 64 characters (a UUID, say)."""

MAX_INTEGER: Final = 2**53 - 1
"""Ids stay within what a JavaScript number holds exactly."""

MAX_ID_DIGITS: Final = len(str(MAX_INTEGER))

SERVICE: Final = "service"
"""The type of the host application's own tokens."""

_CANONICAL_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_TEXT_ID: Final = re.compile(r"[!-~]{1,64}")


def parse_user_id(value: Any) -> UserId | None:
    """The user id that `value` means, or None where it means none.

    A canonical digit string is the integer (Node back ends mint `"123"` and `123` alike); bools,
    floats, lists, blanks and control characters are nobody.
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
    """A checked caller. `type` is the host's word: admin, employee, bot, service or another."""

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
    """The plugin that acts in the user's name, without a token."""

    def has_expired(self, now: datetime) -> bool:
        """Whether the token is over. It is from `exp` on, to the fraction of a second."""
        return self.expires_at <= now

    @property
    def is_service(self) -> bool:
        """The host application's own back end: it may do everything."""
        return self.type == SERVICE

    @property
    def is_privileged(self) -> bool:
        """May look into every chat and is told NOT_FOUND rather than NOT_PARTICIPANT."""
        return self.type in ("admin", "service")
