"""One run: a fresh server, users and chats, the generator, and whether its figures count."""

import json
import os
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.wire.backend import is_ready, make_chats, user_tokens
from benchmarks.wire.parts import Server, store_command
from benchmarks.wire.processes import HOST, Process, RunFailed, cores, free_port, wait_until
from benchmarks.wire.works import Work

LOAD_TIMEOUT_S: Final = 240
STORE_WORD: Final = "store_process"
"""In the command line of a store that a server started itself: it is not counted as the server."""
# retryWrites: SecantusDB 0.7 gets slower with every retryable write; a majority write that is
# journaled is what the contract calls stored.
STORE_OPTIONS: Final = (
    "retryWrites=false&w=majority&journal=true&serverSelectionTimeoutMS=5000&timeoutMS=5000"
)
HANDED_ON: Final = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
"""All that servers get of the runner's own environment."""
MUST_BE_ZERO: Final = ("not_ready", "refused", "errors", "missing_acks", "missing_deliveries")

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Running:
    """A server under test, its users and chats made."""

    server: Server
    port: int
    process: Process
    folder: Path
    seq: int
    """The last number of the chats, before anything is said."""
    store: Process | None = None


def measure(loadgen: Path, server: Server, work: Work) -> Figures:
    """The generator's figures of one run with fresh processes. RunFailed."""
    with running(server, work) as target:
        return load(loadgen, target, work)


@contextmanager
def running(server: Server, work: Work) -> Iterator[Running]:
    """The server with all that the work needs, on the first core; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        if not work.stored:
            with _serving(server, work, folder, {"STORE": "none"}) as target:
                yield target
            return
        port = free_port()
        (folder / "store" / "db").mkdir(parents=True)
        command = store_command(port, folder / "store")
        if command is None:
            raise RunFailed("there is no secantusd-py beside this Python")
        # HOME: secantusd reads settings from there, and must find none.
        env = {"PATH": os.environ["PATH"], "HOME": str(folder / "store")}
        with Process(command, cores()[2], env, folder / "store") as store:
            wait_until(
                lambda: socket.create_connection((HOST, port), 1).close() is None,
                store,
                "the store",
            )
            uri = f"mongodb://{HOST}:{port}/bench?{STORE_OPTIONS}"
            with _serving(server, work, folder, {"MONGODB_URI": uri}, store) as target:
                yield target


@contextmanager
def _serving(
    server: Server,
    work: Work,
    folder: Path,
    env: Mapping[str, str],
    store: Process | None = None,
) -> Iterator[Running]:
    port, secret = free_port(), secrets.token_hex(32)
    (folder / "data").mkdir()
    env = {
        **{name: os.environ[name] for name in HANDED_ON if name in os.environ},
        **{"HOST": HOST, "PORT": str(port), "JWT_SECRET": secret, "NODE_ENV": "production"},
        "DATA_DIR": str(folder / "data"),
        **env,
        **server.env,
    }
    with Process(server.command, cores()[0], env, folder) as process:
        wait_until(lambda: is_ready(port), process, server.name)
        chats = make_chats(port, secret, work)
        (folder / "chats").write_text("\n".join(str(chat_id) for chat_id, _ in chats))
        (folder / "tokens").write_text("\n".join(user_tokens(secret, work)))
        yield Running(server, port, process, folder, chats[-1][1], store)
        process.require_alive(server.name)


def load(
    loadgen: Path, target: Running, work: Work, when_joined: Callable[[], None] | None = None
) -> Figures:
    """Run the generator on the last core; `when_joined` is called once all sockets are there.

    RunFailed where the figures do not count.
    """
    options = {"-p": target.port, "-P": target.process.pid, "-x": STORE_WORD}
    options |= {"-t": target.folder / "tokens", "-k": target.folder / "chats"}
    options |= {"-n": work.connections, "-r": work.room}
    if work.knows_chat:
        options["-s"] = target.seq
    if target.store is not None:
        options["-S"] = target.store.pid
    command = [str(loadgen), *(str(each) for pair in options.items() for each in pair)]
    with subprocess.Popen(
        [*command, *work.options.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores()[1]}),
    ) as generator:
        try:
            begun = b""
            if when_joined is not None:
                assert generator.stdout is not None
                begun = os.read(generator.stdout.fileno(), 65_536)
                when_joined()
            rest, complaints = generator.communicate(timeout=LOAD_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"the generator did not end in {LOAD_TIMEOUT_S} s") from None
        finally:
            generator.kill()
    complaint = complaints.decode(errors="replace").strip()[:300]
    try:
        figures: Figures = json.loads(begun + rest)
    except ValueError:
        raise RunFailed(f"the generator said no figures: {complaint}") from None
    check(figures, work, complaint)
    return figures


def check(figures: Mapping[str, Any], work: Work, complaint: str = "") -> None:
    """RunFailed for figures of a server that refused, closed or lost something."""
    for key in MUST_BE_ZERO:
        if figures.get(key):
            raise RunFailed(f"{key} = {figures[key]} {complaint}".rstrip())
    if any(metric.key not in figures for metric in work.metrics):
        raise RunFailed(f"incomplete: {complaint}")
