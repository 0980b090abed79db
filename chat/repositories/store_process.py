"""The embedded store's process: SecantusDB behind a Unix socket.

embedded.py runs this file as a script, and no module imports it; no other file imports SecantusDB.
SecantusDB itself listens on TCP, where every user of the machine can connect. A socket in a folder
of mode 0700 is open to its owner only, and no other user can put another one in its place.
"""

import contextlib
import ctypes
import json
import logging
import os
import signal
import socket
import sys
import threading
from typing import Any, Final

from secantus.server import SecantusDBServer

PR_SET_PDEATHSIG: Final = 1
BACKLOG: Final = 1024
NO_ADDRESS: Final = ("local", 0)
"""SecantusDB reads a host and a port from each address, which a Unix socket does not have."""

log = logging.getLogger("chat.store")


class LocalSocket(socket.socket):
    """A listening Unix socket with addresses of the form that SecantusDB expects."""

    def accept(self) -> Any:
        accepted, _ = super().accept()
        return accepted, NO_ADDRESS

    def getsockname(self) -> Any:
        return NO_ADDRESS


class LocalServer(SecantusDBServer):
    """SecantusDB that listens on the Unix socket `path` only."""

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(**options)
        self._path = path

    def start(self) -> None:
        # The storage is open by now, so no other store listens: a socket here is a dead store's.
        self._remove_socket()
        listener = LocalSocket(socket.AF_UNIX)
        listener.bind(self._path)
        listener.listen(BACKLOG)
        self._socket = listener
        self._thread = threading.Thread(target=self._serve_forever, daemon=True)
        self._thread.start()
        log.info("listening on %s", self._path)

    def stop(self) -> None:
        # `close` does not wake the thread that accepts, and `stop` would wait 2 s for it.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        super().stop()
        self._remove_socket()

    def _remove_socket(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)


def end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent, the server, dies; on Linux only.

    SIGKILL is safe: the store recovers from its journal, and is gone before the next server needs
    the folder. The signal comes when the *thread* that forked ends, so the server's loop belongs
    on its main thread. On other systems a store outlives a killed server, and the next server
    reports that.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before prctl took hold.
    if os.getppid() != parent:
        sys.exit("the server is gone")


def main(parent: str, files: str, path: str, options: str) -> None:
    """Serve the store in the folder `files` on the socket `path` until SIGTERM."""
    end_with(int(parent))
    os.umask(0o077)
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The signals are blocked in all threads, and this one waits for them: a handler could
    # interrupt code that holds a lock which `stop` needs.
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    server = LocalServer(path, storage_path=files, **json.loads(options))
    server.start()
    signal.sigwait(ending)
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
