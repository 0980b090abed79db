"""What the client library has, as the report of its API says."""

import re
from typing import Final

from tests.support.markdown import ROOT

_REPORT: Final = (ROOT / "client" / "api" / "client.api.md").read_text()


def _body(kind: str, name: str) -> str:
    """What stands in the braces of a class or an interface."""
    head = rf"\b{kind} {name}\b.*\{{\n"
    found = re.search(rf"{head}((?:.*\n)*?)\}}", _REPORT)
    assert found is not None, name
    return found[1]


def _names(kind: str, name: str) -> set[str]:
    return set(re.findall(r"^    (?:get )?([a-z]\w*)\??[:(<]", _body(kind, name), re.M))


def _union(name: str) -> set[str]:
    found = re.search(rf"type {name} =(.*?);", _REPORT, re.S)
    assert found is not None, name
    return set(re.findall(r"'(\w+)'", found[1]))


CODES_OF_THE_CLIENT_LIBRARY: Final = _union("ClientErrorCode")
EVENTS_OF_THE_CLIENT_LIBRARY: Final = _names("interface", "OwnEvents")
OPTIONS: Final = _names("interface", "ChatClientOptions")
MEMBERS: Final = (_names("class", "ClientCore") | _names("class", "Routes")) - {"constructor"}
STATES: Final = _union("ClientState")
