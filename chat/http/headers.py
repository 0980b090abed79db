"""What answers tell a browser, so that no other page and no cache gets at them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import tornado.web

Headers = Mapping[str, str]

ANSWER: Final[Headers] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        # Of requests without CORS, as of an `img`: a page of CORS_ORIGINS uses `fetch`.
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
"""Of REST and of /socket.io/."""

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
        # The client library is for pages of other origins, too.
        "Cross-Origin-Resource-Policy": "cross-origin",
        # Only such as every browser knows: of others it complains on the page's console.
        "Permissions-Policy": ", ".join(
            f"{feature}=()"
            for feature in (
                *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
                *("magnetometer", "microphone", "midi", "payment", "usb"),
            )
        ),
    }
)
"""Of the page and its files."""


def set_headers(handler: tornado.web.RequestHandler, headers: Headers) -> None:
    """Set them, and say nothing of the program that answers."""
    handler.clear_header("Server")
    for name, value in headers.items():
        handler.set_header(name, value)
