"""Installed distributions and what they require."""

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution

from packaging.requirements import Requirement


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(of: Distribution, extras: Iterable[str] = ()) -> list[Requirement]:
    """What the distribution requires on this machine, with these extras."""
    wanted = ("", *extras)
    return [
        each
        for each in map(Requirement, of.requires or [])
        if each.marker is None or any(each.marker.evaluate({"extra": name}) for name in wanted)
    ]


def closure(first: Iterable[Requirement]) -> dict[str, Distribution]:
    """All distributions that these requirements need here, by canonical name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    ahead = list(first)
    while ahead:
        each = ahead.pop()
        name = canonical(each.name)
        new = {(name, extra) for extra in ("", *each.extras)} - seen
        if new:
            seen |= new
            found[name] = distribution(each.name)
            ahead += requirements(found[name], each.extras)
    return found
