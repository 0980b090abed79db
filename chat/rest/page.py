"""The demo page and its files, under a content policy that forbids anything from other sites."""

from pathlib import Path
from typing import Any, Final

import structlog
import tornado.web

from chat.http.headers import FILE, set_headers
from chat.net.origins import OriginPolicy

CHAT: Final = Path(__file__).resolve().parents[1]
_INSTALLED: Final = CHAT / "static"
STATIC: Final = _INSTALLED if _INSTALLED.is_dir() else CHAT.parent / "static"
"""An installed package contains the page; a checkout has it beside `chat`."""

ALLOWED: Final = "GET, HEAD, OPTIONS"
DEMO_UNKNOWN: Final = b'<meta name="chatgateway-demo" content="unknown">'

_log = structlog.get_logger("chat.rest")


class PageHandler(tornado.web.StaticFileHandler):
    """Files of one folder: `static/`.

    They hold no secret, so no client is refused; pages of the origins in CORS_ORIGINS may import
    them.
    """

    def initialize(self, origins: OriginPolicy, folder: Path = STATIC) -> None:  # type: ignore[override]
        super().initialize(path=str(folder))
        self._origins = origins

    def parse_url_path(self, url_path: str) -> str:
        return super().parse_url_path(url_path or "index.html")

    def set_default_headers(self) -> None:
        set_headers(self, FILE)

    def prepare(self) -> None:
        self._set_cors_headers()
        # No file name holds a NUL; looking one up would raise an error.
        if "%00" in self.request.path:
            raise tornado.web.HTTPError(404)

    def options(self, *_: str) -> None:
        for name, value in self._origins.preflight_headers(self.request.headers).items():
            self.set_header(name, value)
        self.set_header("Allow", ALLOWED)
        self.set_status(204)

    def log_exception(self, typ: Any, value: Any, _traceback: Any) -> None:
        """Log crashes only: Tornado would log the query string, which may hold a token."""
        if not isinstance(value, tornado.web.HTTPError):
            _log.error("page_crashed", path=self.request.path, exc_info=value)

    def get_cache_time(self, *_: Any) -> int:
        # Tornado gives a file with `?v=` ten years.
        return 0

    def set_extra_headers(self, path: str) -> None:
        # Browsers ask again each time, and get a 304: a new version of the page shows at once.
        self.set_header("Cache-Control", "no-cache")

    def write_error(self, status_code: int, **_: Any) -> None:
        self._set_cors_headers()
        if status_code == 405:
            self.set_header("Allow", ALLOWED)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")

    def _set_cors_headers(self) -> None:
        # For caches: the file is the same for every client, its headers are not.
        self.set_header("Vary", "Origin")
        origin = self.request.headers.get("Origin")
        if origin is not None and self._origins.allows(origin, self.request.host):
            for name, value in self._origins.headers(origin).items():
                self.set_header(name, value)


class RedirectHandler(tornado.web.RequestHandler):
    """The base of redirects."""

    def set_default_headers(self) -> None:
        set_headers(self, FILE)

    def log_exception(self, *_: Any) -> None:
        """Log nothing: Tornado would log the query string, which may hold a token."""


class ToPageHandler(RedirectHandler):
    """Redirect `/im` to `/im/`: the page finds its files relative to the latter."""

    def get(self) -> None:
        context = getattr(self.request.connection, "context", None)
        name = getattr(context, "prefix", "").rpartition("/")[2]
        # Relative, since the proxy that cuts the prefix off may not be the only proxy.
        self.redirect(f"./{name}/" if name else "/", status=308)

    head = get


class IndexHandler(PageHandler):
    """`GET /`: index.html, which says whether the server runs in demo mode.

    The page then asks for `/demo` only in demo mode, so none of its requests fails.
    """

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def initialize(self, demo: bool, **more: Any) -> None:  # type: ignore[override]
        super().initialize(**more)
        self._mode = b"on" if demo else b"off"

    async def get(self, path: str = "", include_body: bool = True) -> None:
        text = (STATIC / "index.html").read_bytes()
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_extra_headers(path)
        await self.finish(text.replace(DEMO_UNKNOWN, DEMO_UNKNOWN.replace(b"unknown", self._mode)))

    def compute_etag(self) -> str | None:
        # Made from the bytes that are sent: the file's ETag would hide a change of the mode.
        return tornado.web.RequestHandler.compute_etag(self)
