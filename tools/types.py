"""Writes the TypeScript types of everything on the wire, client/src/wire.d.ts.

    python -m tools.types

They are made from the specifications by json-schema-to-typescript, one of the packages of tests/js.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from chat.cli import documents_of
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.settings import DEFAULT_PLUGINS, Settings

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "client" / "src" / "wire.d.ts"


def write_types(target: Path) -> None:
    manager = PluginManager(load_plugins(DEFAULT_PLUGINS))
    documents = asyncio.run(documents_of(Settings.model_construct(), manager))
    with tempfile.TemporaryDirectory() as folder:
        documents.write(Path(folder))
        script = ROOT / "tools" / "types.mjs"
        command = ["node", script, folder, target]
        subprocess.run(command, check=True)  # noqa: S603  # of our own


if __name__ == "__main__":
    write_types(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
