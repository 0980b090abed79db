"""Writes chat/contracts/examples.json from the JSON examples of docs/events.md and docs/rest.md.

    python -m tools.examples

Tests hold these examples against the models and against a running server.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "chat" / "contracts" / "examples.json"
_SECTION: Final = re.compile(
    r"^### (`\w+`|[A-Z]+ /\S*)\n(.*?)(?=^#{1,3} |\Z)", re.MULTILINE | re.DOTALL
)
_BLOCK: Final = re.compile(r"<!-- (\S+=.*?) -->\n```json\n(.*?)```", re.DOTALL)


def examples() -> dict[str, dict[str, Any]]:
    """List what is sent and what is answered, by event or route."""
    found: dict[str, dict[str, Any]] = {}
    for page in ("events.md", "rest.md"):
        for title, body in _SECTION.findall((ROOT / "docs" / page).read_text()):
            for tags, text in _BLOCK.findall(body):
                is_answer = re.match(r"ack=|answer=", tags)
                kind = "answered" if is_answer else "sent"
                found.setdefault(title.strip("`"), {}).setdefault(kind, json.loads(text))
    return found


def written() -> str:
    return json.dumps(examples(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written())
