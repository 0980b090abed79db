"""`make bench-floor`: what a bare send(2) costs on this machine, for rooms of 10, 100 and 1,000."""

import subprocess
from pathlib import Path

from benchmarks.wire.parts import build

if __name__ == "__main__":
    program = build("floor", [Path(__file__).with_suffix(".c")])
    for sockets in (10, 100, 1000):
        subprocess.run([program, str(sockets), "525", str(200_000 // sockets)], check=True)  # noqa: S603  # built just now
