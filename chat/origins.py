"""Which web pages may talk to this server: its own, and those that CORS_ORIGINS lists."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

ALLOWED_METHODS: Final = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key"
EXPOSED_HEADERS: Final = "Retry-After"
PREFLIGHT_MAX_AGE_S: Final = 600


class OriginPolicy:
    """Asked by both doors, before anything of a request is read."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.lower() for origin in origins)

    def allows(self, origin: str | None, host: str) -> bool:
        """`origin` is the header, `host` the host and port by which the page would have reached
        this server.

        No Origin = no browser, or a plain navigation. The scheme of the own origin is not compared:
        behind a proxy that ends TLS the server sees http.
        """
        if origin is None:
            return True
        if origin.lower() in self._origins:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:  # a bracket without its other half, say
            return False
        return (
            parts.scheme in ("http", "https")
            and bool(host)
            and parts.netloc.lower() == host.lower()
        )

    @staticmethod
    def headers(origin: str) -> dict[str, str]:
        """The CORS headers of an answer to an allowed origin. No credentials: tokens travel in a
        header.
        """
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
            "Vary": "Origin",
        }

    @staticmethod
    def preflight_headers() -> dict[str, str]:
        return {
            "Access-Control-Allow-Methods": ALLOWED_METHODS,
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        }
