"""The production server for measurements: `python benchmarks/serve.py`, set up by the environment.

With STORE=none it runs on a store that keeps no message, so that the wire is measured alone;
otherwise it is what `server.py serve` is.
"""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.memory_store import MemoryStore
from chat.app import ChatApp
from chat.cli import serve_until_signal
from chat.logs import configure_logging
from chat.settings import load_settings

# A load comes from one address, and often as few users.
for cap in ("MAX_SOCKETS_PER_ADDRESS", "MAX_SOCKETS_PER_USER"):
    os.environ.setdefault(cap, "1000000")


async def main() -> int:
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    store = MemoryStore() if os.environ.get("STORE") == "none" else None
    return await serve_until_signal(ChatApp(settings, store=store))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
