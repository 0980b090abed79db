"""The production server for measurements: `python benchmarks/serve.py`.

It is what `server.py serve` is, set up by the environment too, but for limits that are raised where
the environment does not say else; and with STORE=none it runs on a store that keeps no message, so
that the wire is measured alone.
"""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.limits import RAISED_LIMITS
from benchmarks.memory_store import MemoryStore
from chat.app import ChatApp
from chat.cli import serve_until_signal
from chat.logs.setup import configure_logging
from chat.settings import load_settings


async def main() -> int:
    for name, value in RAISED_LIMITS.items():
        os.environ.setdefault(name, value)
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    store = MemoryStore() if os.environ.get("STORE") == "none" else None
    return await serve_until_signal(ChatApp(settings, store=store))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
