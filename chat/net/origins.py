"""The web pages that may talk to this server: its own, and those that CORS_ORIGINS lists."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

ALLOWED_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Cache-Control",
    "Pragma",
    "X-Requested-With",
    "X-Request-Id",
    "X-Correlation-Id",
    # Headers of tracing in a browser: W3C Trace Context and Baggage, Sentry, Zipkin, Datadog.
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-origin",
    "x-datadog-sampling-priority",
)
"""The headers that a page of another origin may send; CORS_HEADERS adds to them."""

EXPOSED_HEADERS: Final = "Retry-After, X-Request-Id, Allow, ETag"
PREFLIGHT_MAX_AGE_S: Final = 600
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://([^\s/?#@:\\\[\]*,]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?/?", re.IGNORECASE
)


class OriginPolicy:
    """Decides about origins for the socket and for REST, before a request is read."""

    def __init__(self, origins: Collection[str], more_headers: Collection[str] = ()) -> None:
        self._origins = frozenset(normal_origin(origin) for origin in origins) - {None}
        self._headers = ", ".join((*ALLOWED_HEADERS, *more_headers))

    def allows(self, origin: str | None, host: str) -> bool:
        """Whether a page of that Origin may use the server, which it reached under `host`.

        A request without an Origin is a plain navigation, or comes from no browser. The scheme of
        the server's own origin is not compared: behind a proxy that ends TLS the server sees http.
        """
        if origin is None:
            return True
        normal = normal_origin(origin)
        if normal is None:
            return False
        if normal in self._origins:
            return True
        scheme = normal.partition(":")[0]
        return scheme in DEFAULT_PORTS and normal == normal_origin(f"{scheme}://{host}")

    @staticmethod
    def headers(origin: str) -> dict[str, str]:
        """Return the CORS headers of an answer to an allowed origin.

        They allow credentials, which `withCredentials` (sticky sessions of a load balancer) needs;
        the server itself uses no cookie.
        """
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
            "Vary": "Origin",
        }

    def preflight_headers(self, request: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that answer an OPTIONS request of an allowed origin."""
        answer = {
            "Access-Control-Allow-Methods": ALLOWED_METHODS,
            "Access-Control-Allow-Headers": self._headers,
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        }
        # Chromium asks this before a public page accesses a private network.
        if request.get("Access-Control-Request-Private-Network") == "true":
            answer["Access-Control-Allow-Private-Network"] = "true"
        return answer


@lru_cache(maxsize=1_000)
def normal_origin(text: str) -> str | None:
    """Spell an origin as browsers do (RFC 6454 6.2), for comparisons; None for `null` or no origin.

    The name is in lower case and in ASCII (IDNA), without a dot at its end, and there is neither a
    default port nor a slash.
    """
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = host.removesuffix(".")
    if not host or (port is not None and int(port) > 65_535):
        return None
    if port is None or int(port) == DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}"
