"""The version of the protocol, and the names of what this server can do.

A client looks for a name before it uses a feature that older servers lack. Later versions only add
names.
"""

from typing import Final

PROTOCOL: Final = 1
"""Raised only by a change that breaks clients of the earlier protocol."""

FEATURES: Final = ("present", "seats", "tenants", "timeline")
"""Sorted. Features of version 0.2.0 need no name, and plugins add none."""


def features(*, timeline: bool) -> list[str]:
    """Return the names of the features that this server has with its settings."""
    return [each for each in FEATURES if timeline or each != "timeline"]
