"""The version of the protocol, and the names of what this server can do.

A client asks for a name before it uses what an older server lacks. Later versions only add names.
"""

from typing import Final

PROTOCOL: Final = 1
"""Raised only where clients of the earlier protocol stop working."""

FEATURES: Final = ("present", "seats", "tenants", "timeline")
"""Sorted. Version 0.2.0's need no name, and plugins add none."""


def features(*, timeline: bool) -> list[str]:
    """Return the names of what this server does with its settings."""
    return [each for each in FEATURES if timeline or each != "timeline"]
