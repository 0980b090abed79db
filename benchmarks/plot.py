"""Draws benchmarks/growth.svg from benchmarks/growth.json: a panel for each axis of growth.

Plain SVG, which is text: it can be compared, and needs no library.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
PANEL_WIDTH: Final = 400
WIDTH, HEIGHT = 2 * PANEL_WIDTH + 40, 320
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 48, 56
STYLES: Final = {"ours": ("#0a7d5a", "ChatGateway"), "node": ("#c2571a", "Node Socket.IO")}
INK: Final = "#24292f"

Points = Sequence[tuple[float, float]]


class Panel:
    """One pair of axes: sizes on a log scale, us from 0 to `top_us`."""

    def __init__(self, left: float, sizes: Sequence[float], top_us: float) -> None:
        self._left = left + LEFT
        self._sizes = sizes
        self._top_us = top_us
        self._width = PANEL_WIDTH - LEFT - RIGHT

    def at(self, size: float, cost_us: float) -> tuple[float, float]:
        low, high = math.log(min(self._sizes)), math.log(max(self._sizes))
        share = (math.log(size) - low) / ((high - low) or 1)
        depth = HEIGHT - TOP - BOTTOM
        return self._left + share * self._width, HEIGHT - BOTTOM - cost_us / self._top_us * depth

    def axes(self, label: str) -> Iterator[str]:
        right = self._left + self._width
        step_us = 2 if self._top_us <= 12 else 5
        for cost_us in range(0, int(self._top_us) + 1, step_us):
            y = self.at(self._sizes[0], cost_us)[1]
            yield f'<path d="M{self._left:.0f} {y:.1f}H{right:.0f}" stroke="#d8dee4"/>'
            yield _text(self._left - 8, y + 4, str(cost_us), "end")
        for size in self._sizes:
            yield _text(self.at(size, 0)[0], HEIGHT - BOTTOM + 20, f"{size:,}", "middle")
        yield _text((self._left + right) / 2, HEIGHT - 14, label, "middle")

    def line(self, name: str, points: Points) -> Iterator[str]:
        colour, _ = STYLES[name]
        places = [self.at(size, cost_us) for size, cost_us in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


def drawing(panels: Mapping[str, Mapping[str, Points]]) -> str:
    """The whole SVG; both panels have the same scale upwards."""
    highest = max(us for lines in panels.values() for each in lines.values() for _, us in each)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' font-family="sans-serif" font-size="13">',
        "<title>Server CPU a delivery: ChatGateway and Node Socket.IO</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
        _text(16, 28, "server CPU a delivery, us", "start"),
    ]
    for number, (colour, name) in enumerate(STYLES.values()):
        x = WIDTH - 300 + 140 * number
        parts.append(f'<circle cx="{x}" cy="24" r="5" fill="{colour}"/>')
        parts.append(_text(x + 12, 28, name, "start"))
    for number, (label, lines) in enumerate(panels.items()):
        sizes = sorted({size for each in lines.values() for size, _ in each})
        panel = Panel(number * (PANEL_WIDTH + 20), sizes, math.ceil(highest * 1.1))
        parts += panel.axes(label)
        for name, points in lines.items():
            parts += panel.line(name, points)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{INK}">{escape(text)}</text>'


if __name__ == "__main__":
    report = json.loads((FOLDER / "growth.json").read_text())
    (FOLDER / "growth.svg").write_text(drawing(report["panels"]))
