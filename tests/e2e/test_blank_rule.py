"""The page and the server agree on which characters are invisible."""

import json
import subprocess

from chat.contracts.base import is_blank
from tests.e2e.servers import ROOT

BLANK_IN_THE_PAGE = """
import { isBlank } from '%s';
const blank = [];
for (let code = 0; code < 0x110000; code += 1) {
  const isHalf = code >= 0xd800 && code < 0xe000;
  if (!isHalf && isBlank(String.fromCodePoint(code))) blank.push(code);
}
console.log(JSON.stringify(blank));
"""


def test_what_the_server_refuses_as_blank_the_page_shows_as_blank(node_modules: None) -> None:
    """Of every character there is, both say the same."""
    script = BLANK_IN_THE_PAGE % (ROOT / "static/ui/text.js").as_uri()
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", script],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    in_the_page = json.loads(done.stdout)
    assert in_the_page == [
        code for code in range(0x110000) if not 0xD800 <= code < 0xE000 and is_blank(chr(code))
    ]
