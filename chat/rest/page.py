"""The demo page and its files, under a content policy that lets nothing in from elsewhere."""

from pathlib import Path
from typing import Any, Final

import structlog
import tornado.web

_CHAT: Final = Path(__file__).resolve().parents[1]
_INSTALLED: Final = _CHAT / "static"
STATIC: Final = _INSTALLED if _INSTALLED.is_dir() else _CHAT.parent / "static"
"""An installed package holds the page in itself; a checkout has it beside `chat`."""

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

_log = structlog.get_logger("chat.rest")


class PageHandler(tornado.web.StaticFileHandler):
    """Files of `static/`; `GET /` is index.html."""

    def initialize(self, **_: Any) -> None:  # type: ignore[override]
        super().initialize(path=str(STATIC), default_filename="index.html")

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Content-Security-Policy", CONTENT_POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")

    def prepare(self) -> None:
        # No file's name holds a NUL, and the file system would answer with a crash.
        if "%00" in self.request.path:
            raise tornado.web.HTTPError(404)

    def log_exception(self, typ: Any, value: Any, _traceback: Any) -> None:
        """Tornado's own would write the query string, and a token in it."""
        if not isinstance(value, tornado.web.HTTPError):
            _log.error("page_crashed", path=self.request.path, exc_info=value)

    def set_extra_headers(self, path: str) -> None:
        # Asked for again each time, answered with 304: a new version of the page is seen at once.
        self.set_header("Cache-Control", "no-cache")

    def write_error(self, status_code: int, **_: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")
