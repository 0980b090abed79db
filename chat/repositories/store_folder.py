"""The folder of the embedded store: who may use it, who wrote it. Knows nothing of processes.

DATA_DIR/store.lock      held by the server process while it runs
DATA_DIR/store.version   which SecantusDB wrote the folder
DATA_DIR/store.toml      keeps the store from reading settings elsewhere
DATA_DIR/store/          the store's files
"""

import fcntl
import os
from pathlib import Path

from chat.errors import SetupError


class StoreFolder:
    """DATA_DIR, claimed by one server process at a time."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir.absolute()
        self.files = self.path / "store"
        self.config = self.path / "store.toml"
        self._version_file = self.path / "store.version"
        self._lock: int | None = None

    def claim(self, version: str) -> None:
        """Make the folder if need be, lock it and lay it out; SetupError where that cannot be.

        `version` is the store's that will write into it; a folder of another one is refused.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # No child inherits it (PEP 446), so the lock ends with this process, however that ends.
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
            raise SetupError(
                f"The folder {self.path} cannot be used ({error.strerror}): "
                f"make it writable for this user, or set DATA_DIR to another folder."
            ) from None
        self._lock = lock

    def release(self) -> None:
        """Let another server have it; safe to repeat."""
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
        self.config.write_text("# Empty on purpose: the store is set by flags alone.\n")
        if found is None:
            # Renamed into place, so that a crash here leaves no empty version behind.
            part = self._version_file.with_suffix(".part")
            part.write_text(f"{version}\n")
            part.replace(self._version_file)

    def _written_by(self) -> str | None:
        """None = by nobody yet; files without a version are foreign, since it is written first."""
        if self._version_file.exists():
            return self._version_file.read_text(errors="replace").strip()
        if self.files.exists() and any(self.files.iterdir()):
            return "of an unknown version"
        return None
