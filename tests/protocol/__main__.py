"""Run the protocols' own test suites against this server: `make suites DIR=folder`.

The folder holds clones of github.com/socketio/engine.io-protocol and socket.io-protocol, with `npm
ci` done in the `test-suite` of each. Of their code only the address is changed. The exit code is 0
when every case passes.
"""

import argparse
import asyncio
import contextlib
import logging
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import structlog
from engineio import packet

from chat.testing import RunningChat, running_chat
from tests.support.protocol.namespaces import EchoPlugin

# As the suites have it in their constants.
BEATS: Final = {"ping_interval_s": 0.3, "ping_timeout_s": 0.2}
SUITES: Final = ("engine.io-protocol", "socket.io-protocol")
GREET_AFTER_S: Final = 0.03
"""The suites' `ws` hands over both frames of one read in one turn, and their cases see the first
only.
"""

_ADDRESS: Final = re.compile(r'(?m)^const URL = ".*";$')


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.protocol", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the clones are")
    folder = parser.parse_args().folder
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    passed = [asyncio.run(_run(folder / suite / "test-suite")) for suite in SUITES]
    return 0 if all(passed) else 1


async def _run(suite: Path) -> bool:
    """Run one suite; whether all of its cases pass."""
    sys.stdout.write(f"\n{suite.parent.name}\n")
    sys.stdout.flush()
    async with _echoing(bare=suite.parent.name == "engine.io-protocol") as chat:
        cases = suite / f"test-suite.{chat.app.port}.js"
        text = (suite / "test-suite.js").read_text()
        text, addresses = _ADDRESS.subn(f'const URL = "{chat.url}";', text)
        assert addresses == 1, "the suite no longer names its server in one line"
        cases.write_text(text.replace("/engine.io/", "/socket.io/"))
        try:
            process = await asyncio.create_subprocess_exec(
                "npx", "--no-install", "mocha", cases.name, "--exit", cwd=suite
            )
            return await process.wait() == 0
        finally:
            cases.unlink()


@contextlib.asynccontextmanager
async def _echoing(*, bare: bool) -> AsyncIterator[RunningChat]:
    """A server that echoes: in the namespaces of a plugin, or any message where `bare`."""
    echo = EchoPlugin()
    echo.main.greet_after_s = echo.custom.greet_after_s = GREET_AFTER_S
    async with running_chat(plugins=[echo], **BEATS) as chat:
        server: Any = chat.app.gateway.server
        if bare:
            server.take_message = lambda session, data: session.write(
                packet.Packet(packet.MESSAGE, data)
            )
        yield chat


if __name__ == "__main__":
    sys.exit(main())
