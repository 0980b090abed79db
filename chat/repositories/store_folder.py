"""The folder of the embedded store: which server may use it, and which version wrote it.

DATA_DIR/store.lock      held by the server process while it runs
DATA_DIR/store.version   which SecantusDB wrote the folder
DATA_DIR/store.sock      where the store listens
DATA_DIR/store/          the store's files
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from chat.data_dir import private_folder, unusable, write_private
from chat.errors import SetupError

MAX_SOCKET_PATH: Final = 100
"""In bytes: the address of a Unix socket has room for 107 on Linux and for 103 on macOS."""


class StoreFolder:
    """DATA_DIR, claimed by one server process at a time."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir.absolute()
        self.files = self.path / "store"
        self.socket = self.path / "store.sock"
        self._version_file = self.path / "store.version"
        self._lock: int | None = None
        self._socket_folder: Path | None = None

    def claim(self, version: str) -> None:
        """Create the folder if it is missing, close it to other users, lock it and lay it out.

        `version` is that of the store that will write into it. Raises SetupError where any of that
        fails, and for a folder that another version wrote.
        """
        private_folder(self.path)
        try:
            # No child inherits the file (PEP 446), so the lock ends whenever this process ends.
            lock = os.open(self.path / "store.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._lay_out(version)
            except BaseException:
                os.close(lock)
                raise
        except BlockingIOError:
            raise self.in_use() from None
        except OSError as error:
            raise unusable(self.path, error) from None
        self._lock = lock

    def release(self) -> None:
        """Let another server use the folder; safe to repeat."""
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def in_use(self) -> SetupError:
        return SetupError(
            f"The folder {self.path} is in use by another server: "
            f"stop that one, or set DATA_DIR to another folder."
        )

    def _lay_out(self, version: str) -> None:
        found = self._written_by()
        if found not in (None, version):
            raise SetupError(
                f"The store in {self.path} was written by SecantusDB {found}, which {version} "
                f"may not read: install that version, or set DATA_DIR to another folder."
            )
        self.files.mkdir(mode=0o700, exist_ok=True)
        # The store of 0.1.x read its settings from this file.
        (self.path / "store.toml").unlink(missing_ok=True)
        if found is None:
            write_private(self._version_file, f"{version}\n")
        self.socket = self.path / "store.sock"
        if len(os.fsencode(self.socket)) > MAX_SOCKET_PATH:
            # The new folder has the mode 0700, like DATA_DIR.
            self._socket_folder = Path(tempfile.mkdtemp(prefix="chatgateway-"))
            self.socket = self._socket_folder / "store.sock"

    def _written_by(self) -> str | None:
        """Return the version that wrote the folder, or None for a new one.

        Files without a version are not the server's, since it writes the version first.
        """
        if self._version_file.exists():
            return self._version_file.read_text(errors="replace").strip()
        if self.files.exists() and any(self.files.iterdir()):
            return "of an unknown version"
        return None
