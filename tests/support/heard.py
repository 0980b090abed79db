"""What a client hears, looked at in the moment in which it comes."""

from collections.abc import Callable
from typing import Any


class Heard(list[tuple[str, Any]]):
    """In the place of a ChatClient's `pushed`; `look` gets each event and its payload first."""

    def __init__(self, look: Callable[[str, Any], None]) -> None:
        super().__init__()
        self._look = look

    def append(self, push: tuple[str, Any]) -> None:
        self._look(*push)
        super().append(push)
