"""DATA_DIR: a folder of this user that no other user can read or write."""

import os
import stat
from pathlib import Path
from typing import Final

import structlog

from chat.errors import SetupError

OTHERS: Final = 0o077
"""The permissions of the group and of all other users."""

OURS: Final = frozenset(
    {
        "demo-secret",
        "demo.key",
        "starts.json",
        "store",
        "store.lock",
        "store.sock",
        "store.toml",
        "store.version",
    }
)
"""The files that this server and its earlier versions put into the folder."""

_log = structlog.get_logger("chat.store")


def private_folder(path: Path) -> None:
    """Create the folder if it is missing, and close it and its files to other users.

    Raises SetupError where the folder or one of its files is another user's, or where closing the
    folder would shut others out of files that are not the server's.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(path, path.stat())
        if path.stat().st_mode & OTHERS:
            _close(path)
        for name in OURS:
            _tighten(path / name)
    except OSError as error:
        raise unusable(path, error) from None


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def unusable(path: Path, error: OSError) -> SetupError:
    """Say what to do about a folder that cannot be read or written."""
    return SetupError(
        f"The folder {path} cannot be used ({error.strerror}): "
        f"make it writable for this user, or set DATA_DIR to another folder."
    )


def is_unused(path: Path) -> bool:
    """Whether the folder is missing or empty, apart from hidden files and lost+found."""
    return not _entries(path)


def holds_only_a_store(path: Path) -> bool:
    """Whether the folder holds a store and only files of the server."""
    return "store" in _entries(path) and not _foreign(path)


def _foreign(path: Path) -> set[str]:
    return {name.removesuffix(".new") for name in _entries(path)} - OURS


def _entries(path: Path) -> set[str]:
    names = {each.name for each in path.iterdir()} if path.exists() else set()
    return {name for name in names if not name.startswith(".") and name != "lost+found"}


def _close(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if _foreign(path):
        raise SetupError(
            f"The folder {path} is open to other users (mode {mode:03o}) and holds files that are "
            f"not the server's: run `chmod 700 {path}`, or set DATA_DIR to a folder of its own."
        )
    path.chmod(0o700)
    _log.warning("folder_closed", folder=str(path), mode_was=f"{mode:03o}")


def _tighten(path: Path) -> None:
    """Remove the permissions of others from a file, or from a folder and all that is in it."""
    try:
        state = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(state.st_mode):
        # The operator may have put the store on another disk.
        path, state = path.resolve(), path.stat()
    _check_owner(path, state)
    if stat.S_IMODE(state.st_mode) & OTHERS:
        path.chmod(stat.S_IMODE(state.st_mode) & ~OTHERS)
    if stat.S_ISDIR(state.st_mode):
        for each in path.iterdir():
            if not each.is_symlink():
                _tighten(each)


def _check_owner(path: Path, state: os.stat_result) -> None:
    if state.st_uid != os.geteuid():
        raise SetupError(
            f"{path} belongs to another user (uid {state.st_uid}), who could read and replace what "
            f"the server keeps there: start the server as that user, run `chown -R {os.geteuid()} "
            f"{path}`, or set DATA_DIR to a folder of this user's."
        )
