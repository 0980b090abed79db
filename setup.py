"""The long description: README.md with links that work outside the repository.

Everything else is in setup.cfg.
"""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?:)([^)\s]+)\)")


def long_description() -> str:
    """README.md; a package index shows it without the files that it links to."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    home = config["metadata"]["url"]

    def absolute(link: re.Match[str]) -> str:
        image, label, target = link.groups()
        if target.startswith("#"):
            return f"{label}({home}{target})"
        return f"{image}{label}({home}/{'raw' if image else 'blob'}/HEAD/{target})"

    return LINK.sub(absolute, (ROOT / "README.md").read_text(encoding="utf-8"))


setup(long_description=long_description())
