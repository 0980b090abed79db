"""The long description, and the pages beside this file as files of the package.

Everything else is in setup.cfg.
"""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?:)([^)\s]+)\)")


def long_description() -> str:
    """README.md, its links absolute: a package index shows it without the files they lead to."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    home = config["metadata"]["url"]

    def absolute(link: re.Match[str]) -> str:
        image, label, target = link.groups()
        if target.startswith("#"):
            return f"{label}({home}{target})"
        return f"{image}{label}({home}/{'raw' if image else 'blob'}/HEAD/{target})"

    return LINK.sub(absolute, (ROOT / "README.md").read_text(encoding="utf-8"))


class BuildWithPages(build_py):
    """README.md and the pages beside it go where the server looks for them: above chat/docs."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for page in ROOT.glob("*.md"):
                self.copy_file(str(page), str(Path(self.build_lib) / "chat" / page.name))


setup(long_description=long_description(), cmdclass={"build_py": BuildWithPages})
