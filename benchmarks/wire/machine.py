"""What the figures were taken on, in one line."""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime


def describe() -> str:
    """`2026-01-31, 2 cores, Linux 6.1, CPython 3.11.2, Node 20.20.0`."""
    parts = [
        datetime.now(UTC).strftime("%Y-%m-%d"),
        f"{os.cpu_count()} cores",
        f"{platform.system()} {platform.release().partition('-')[0]}",
        f"{platform.python_implementation()} {platform.python_version()}",
    ]
    if node := shutil.which("node"):
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        parts.append(f"Node {told.stdout.strip().lstrip('v')}")
    return ", ".join(parts)
