"""A server that kills itself within the migration: `python dying_server.py PLACE serve`.

PLACE is a write of the migration, `document 3` or `index 1`, before which it dies; `version` dies
after all of them.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from chat import cli
from chat.repositories import migration, mongo

left = {"document": 0, "index": 0, "version": 0}


def dies_at(kind: str, original: Any) -> Any:
    """The coroutine function, which kills the process in the place of one of its calls."""

    async def call(*args: Any, **kwargs: Any) -> Any:
        left[kind] -= 1
        if left[kind] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return await original(*args, **kwargs)

    return call


def main() -> int:
    place, _, number = sys.argv.pop(1).partition(" ")
    left[place] = int(number or 1)
    migration.CHATS_AT_ONCE = 5  # type: ignore[misc]  # so that there are many writes
    migration._update = dies_at("document", migration._update)
    migration._drop = dies_at("index", migration._drop)
    mongo.MongoStore._set_schema = dies_at("version", mongo.MongoStore._set_schema)  # type: ignore[method-assign]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
