"""The documentation as Markdown, llms.txt, and the page that shows the two specifications."""

import re
from collections.abc import Sequence
from typing import Any, Final

import tornado.web

from chat.net.origins import OriginPolicy
from chat.rest.page import CHAT, STATIC, PageHandler, RedirectHandler

_INSTALLED: Final = CHAT / "docs"
DOCS: Final = _INSTALLED if _INSTALLED.is_dir() else CHAT.parent / "docs"
"""An installed package contains the pages; a checkout has them beside `chat`."""

DOCS_ROUTES: Final = (r"/docs()", r"/docs/(.+)", r"/([A-Z_]+\.md)", r"/llms\.txt()")

_LINK: Final = re.compile(r"\]\((?!https?:|#)([^)\s]+)\)")
_ROUTE: Final = re.compile(r"^- `/([a-z.]+)`:", re.MULTILINE)


def docs_rules(origins: OriginPolicy) -> Sequence[tuple[str, Any, dict[str, Any]]]:
    """Make the rules of this module's routes; the routes of plugins come before them."""
    reference, pages, front, llms = DOCS_ROUTES
    given = {"origins": origins}
    return (
        (reference, ReferenceHandler, {**given, "folder": STATIC}),
        (r"/docs/", ToReferenceHandler, {}),
        (pages, MarkdownHandler, {**given, "folder": DOCS}),
        # README.md and what it links to.
        (front, MarkdownHandler, {**given, "folder": DOCS.parent}),
        (llms, LlmsHandler, {**given, "folder": DOCS}),
    )


def llms_txt() -> str:
    """Write the index of docs/ in the form that https://llmstxt.org describes.

    Its links are relative, so that they hold under PUBLIC_PATH too; routes that the index names
    become links.
    """
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    return _ROUTE.sub(r"- [\1](\1):", _LINK.sub(_from_the_root, index))


def _from_the_root(link: re.Match[str]) -> str:
    target = link[1]
    inside = target.removeprefix("../") if target.startswith("../") else f"docs/{target}"
    return f"]({inside})"


class MarkdownHandler(PageHandler):
    """Files of `docs/`, as text."""

    def get_content_type(self) -> str:
        kind = super().get_content_type()
        return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


class ReferenceHandler(PageHandler):
    """`GET /docs`: static/docs/index.html, which reads the specifications in the browser."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def parse_url_path(self, _url_path: str) -> str:
        return "docs/index.html"


class ToReferenceHandler(RedirectHandler):
    """Redirect `/docs/` to `/docs`: the page finds its files relative to the latter."""

    def get(self) -> None:
        self.redirect("../docs", status=308)

    head = get


class LlmsHandler(PageHandler):
    """`GET /llms.txt`: the index of the documentation, for programs."""

    async def get(self, path: str = "", include_body: bool = True) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_extra_headers(path)
        await self.finish(llms_txt())

    def compute_etag(self) -> str | None:
        # The ETag of the text that is sent, which is no file.
        return tornado.web.RequestHandler.compute_etag(self)
