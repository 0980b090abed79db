"""The headers that keep answers from other pages and from caches."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import tornado.web

Headers = Mapping[str, str]

ANSWER: Final[Headers] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        # Only for requests without CORS, such as an `img`; pages of CORS_ORIGINS use `fetch`.
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
"""The headers of REST and of /socket.io/."""

FILE: Final[Headers] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
            "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Pages of other origins use the client library, too.
        "Cross-Origin-Resource-Policy": "cross-origin",
        # Only features that every browser knows: a browser reports others on the console.
        "Permissions-Policy": ", ".join(
            f"{feature}=()"
            for feature in (
                *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
                *("magnetometer", "microphone", "midi", "payment", "usb"),
            )
        ),
    }
)
"""The headers of the page and its files."""


def set_headers(handler: tornado.web.RequestHandler, headers: Headers) -> None:
    """Set these headers, and remove `Server`, which names the program."""
    handler.clear_header("Server")
    for name, value in headers.items():
        handler.set_header(name, value)
