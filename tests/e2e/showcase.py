"""The conversation of the front page's picture, its clock, and the frame around it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from chat.clock import SystemClock

MAYA, TOMAS, INGRID, PAVEL = 11, 12, 13, 14
NAMES: Final = {
    MAYA: "Maya Lindholm",
    TOMAS: "Tomás Rivera",
    INGRID: "Ingrid Solberg",
    PAVEL: "Pavel Novák",
}
TITLE: Final = "Harbour Coffee"

# chat title -> (who is in it, what was said there before, by whom)
OTHER_CHATS: Final = {
    "Spring catalogue": (
        [MAYA, PAVEL],
        [(PAVEL, "The photos of the new kettles are in the folder.")],
    ),
    "Returns desk": (
        [MAYA, INGRID],
        [
            (INGRID, "Two parcels came back from Oslo today."),
            (INGRID, "One has a cracked lid, the other is unopened."),
            (INGRID, "I can refund both before lunch."),
        ],
    ),
}

# who, what, minutes since the one before
CONVERSATION: Final = (
    (TOMAS, "Morning, Maya! The café opens on Thursday, a day early.", 0),
    (TOMAS, "Can the two grinders be there by Wednesday?", 0),
    (MAYA, "Good morning! Both are in stock, I have just set them aside.", 2),
    (MAYA, "Is there still room in the van this afternoon?", 0),
    (TOMAS, "Yes, pick-up is at two. They will be in Bergen before nine tomorrow.", 3),
    (TOMAS, "Tracking: https://track.example.com/10482", 1),
    (MAYA, "You are quick. I will tell them and move the invoice to Thursday.", 2),
    (TOMAS, "They ask for a spare set of burrs as well. Shall I add it?", 6),
    (MAYA, "Please do, at the old price. They have been with us from the start.", 1),
)
UNFINISHED: Final = "Done, and they say thank you"

FRAME: Final = """<!doctype html>
<style>
  body { margin: 0; width: 1600px; height: 1000px; overflow: hidden; background: #cfe1d7; }
  svg { position: absolute; inset: 0; }
  img { display: block; }
  .desktop { position: absolute; left: 52px; top: 64px; width: 1060px; border-radius: 18px;
    box-shadow: 0 2px 6px #10251f26, 0 30px 80px #10251f47; }
  .phone { position: absolute; right: 52px; top: 131px; padding: 11px; border-radius: 50px;
    background: #070d0b; box-shadow: 0 2px 8px #10251f40, 0 34px 80px #10251f80; }
  .phone img { width: 372px; border-radius: 39px; }
</style>
<svg viewBox="0 0 1600 1000">
  <path fill="#bdd5c8" d="M60 1000V780a740 740 0 0 1 1480 0v220z"/>
  <path fill="#abc9ba" d="M300 1000V780a500 500 0 0 1 1000 0v220z"/>
</svg>
<img class="desktop" src="desktop.png">
<div class="phone"><img src="phone.png"></div>
"""


class StagedClock(SystemClock):
    """Today, but always a good morning: time stands still until it is told to go on."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC).replace(hour=9, minute=24, second=0, microsecond=0)

    def now(self) -> datetime:
        return self._now

    def go_on(self, minutes: int) -> None:
        # A few seconds in any case: no two people write at the same instant.
        self._now += timedelta(minutes=minutes, seconds=4)
