"""The examples of the documentation, which tests check against the models."""

import json
from importlib.resources import files
from typing import Any, Final

EXAMPLES: Final[dict[str, dict[str, Any]]] = json.loads(
    files("chat.contracts").joinpath("examples.json").read_text("utf-8")
)
"""The value that is `sent` and the one that is `answered`, by the name of an event or a route."""
