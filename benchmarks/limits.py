"""The limits that a load runs into, raised: it comes from one address, and every socket is busy."""

from collections.abc import Mapping
from typing import Final

RAISED_LIMITS: Final[Mapping[str, str]] = {
    "LOG_LEVEL": "WARNING",
    "MAX_PARTICIPANTS": "20000",
    "MAX_SOCKETS_PER_USER": "100000",
    "MAX_SOCKETS_PER_ADDRESS": "100000",
    "MAX_REFUSED_PER_MIN": "1000000",
    "MAX_PAGES_PER_S": "1000000",
    "MAX_LOOKUPS_PER_S": "1000000",
    "MAX_TYPING_PER_S": "1000000",
    "CHAT_RATE_LIMIT_SEND_PER_S": "1000000",
    "CHAT_RATE_LIMIT_SEND_BURST": "1000000",
    "CHAT_RATE_LIMIT_JOIN_PER_S": "1000000",
    "CHAT_RATE_LIMIT_JOIN_BURST": "1000000",
    "CHAT_RATE_LIMIT_ACTION_PER_S": "1000000",
    "CHAT_RATE_LIMIT_ACTION_BURST": "1000000",
    "CHAT_RATE_LIMIT_CONNECT_PER_S": "1000000",
    "CHAT_RATE_LIMIT_CONNECT_BURST": "1000000",
    "CHAT_RATE_LIMIT_TYPING_PER_S": "1000000",
    "CHAT_RATE_LIMIT_READ_PER_S": "1000000",
}
"""Raised and not removed, so that what each limit costs is in the figures."""
