"""What the client library has, as its source says."""

import re
from typing import Final

from chat.contracts.operations import CLIENT_EVENTS
from tests.support.markdown import ROOT

FOLDER: Final = ROOT / "client" / "src"
_SOURCES: Final = "".join(path.read_text() for path in sorted(FOLDER.glob("*.js")))
_CLIENT: Final = (FOLDER / "client.js").read_text()

CODES_OF_THE_CLIENT_LIBRARY: Final = set(re.findall(r"\bcode: '([A-Z_]+)'", _SOURCES))
EVENTS_OF_THE_CLIENT_LIBRARY: Final = set(re.findall(r"emit\('(\w+)'", _SOURCES)) - set(
    CLIENT_EVENTS
)
OPTIONS: Final = set(re.findall(r"@param .* \[?options\.(\w+)", _CLIENT))
MEMBERS: Final = set(
    re.findall(r"^  (?:async |get )?([a-z]\w*)(?: = |\()", _CLIENT, re.MULTILINE)
) - {"constructor"}
STATES: Final = set(re.findall(r"'(\w+)'", re.findall(r"/\*\* ('connecting'.*) \*/", _CLIENT)[0]))
