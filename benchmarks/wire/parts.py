"""What has to be there before anything is measured: generator, our server, the peer, a store."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BENCHMARKS: Final = Path(__file__).resolve().parent.parent
BUILD: Final = BENCHMARKS.parent / "build"
PEER: Final = BENCHMARKS / "peers" / "socketio"
STORE_COMMAND: Final = (
    "{secantusd} --host 127.0.0.1 --port {port} --storage-path {folder}/db"
    " --cache-size 256M --log-level INFO"
)


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


def our_server(command: str | None = None, env: Mapping[str, str] | None = None) -> Server:
    """The production app, or what `command` starts."""
    own = [sys.executable, str(BENCHMARKS / "serve.py")]
    return Server("ours", shlex.split(command) if command else own, env or {})


def node_peer() -> Server:
    """The Node server, installed when it is not yet; ends in one sentence where it cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        sys.exit("The peer needs Node 20 or newer; --no-peer measures our server alone.")
    if not (PEER / "node_modules").is_dir():
        if npm is None:
            sys.exit(f"The peer needs npm, to run `npm ci` in {PEER}; or --no-peer.")
        command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=PEER, check=False).returncode:
            sys.exit(f"The peer could not be installed: mend what npm says, in {PEER}.")
    return Server("node", [node, str(PEER / "server.js")])


def compiler() -> str | None:
    return shutil.which(os.environ.get("CC", "cc"))


def build(name: str, sources: Sequence[Path]) -> Path:
    """The program of these C files in build/, compiled when one of them is newer than it."""
    out = BUILD / name
    headers = [header for source in sources for header in source.parent.glob("*.h")]
    if out.exists() and all(
        each.stat().st_mtime < out.stat().st_mtime for each in (*sources, *headers)
    ):
        return out
    cc = compiler()
    if cc is None:
        sys.exit("A C compiler is needed: cc, or what CC names.")
    BUILD.mkdir(exist_ok=True)
    fresh = out.with_suffix(f".{os.getpid()}")
    subprocess.run([cc, "-O2", "-Wall", "-o", str(fresh), *map(str, sources)], check=True)
    fresh.replace(out)
    return out


def build_loadgen() -> Path:
    return build("loadgen", sorted((BENCHMARKS / "loadgen").glob("*.c")))


def store_command(port: int, folder: Path) -> list[str] | None:
    """How to start the store of the work `stored`; None where it is not installed."""
    beside = Path(sys.executable).parent / "secantusd-py"
    program = str(beside) if beside.exists() else shutil.which("secantusd-py")
    if program is None:
        return None
    return [
        each.format(secantusd=program, port=port, folder=folder) for each in STORE_COMMAND.split()
    ]
