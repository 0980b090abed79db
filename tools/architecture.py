"""Write the modules and the layers into docs/architecture.md, from docstrings and from setup.cfg.

python -m tools.architecture
"""

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
COMMAND = "python -m tools.architecture"


def summary(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split())


def contracts() -> list[configparser.SectionProxy]:
    """The contracts of import-linter, as setup.cfg has them."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return [setup[name] for name in setup.sections() if name.startswith("importlinter:contract:")]


def layers(contract: configparser.SectionProxy) -> list[str]:
    """The layers of a contract, from the top down; modules of one layer with | between them."""
    lines = contract["layers"].splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def is_layered(contract: configparser.SectionProxy) -> bool:
    return contract["type"] == "layers"


def folders() -> list[Path]:
    """The packages of `chat`, from the uppermost layer down; a package before those in it."""
    order = [
        name.strip("() ")
        for contract in contracts()
        if is_layered(contract)
        for line in layers(contract)
        for name in re.split("[|:]", line)
    ]
    found = [path.parent for path in (ROOT / "chat").rglob("__init__.py")]

    def place(folder: Path) -> list[tuple[int, str]]:
        parts = folder.relative_to(ROOT / "chat").parts
        return [(order.index(each) if each in order else len(order), each) for each in parts]

    return sorted(found, key=place)


def modules(folder: Path) -> Iterator[Path]:
    """The modules of a package; its __init__.py only where that has code of its own."""
    for path in sorted(folder.glob("*.py")):
        body = ast.parse(path.read_text()).body
        if path.name != "__init__.py" or len(body) > (path.parent.name == "chat") + 1:
            yield path


def row(path: Path) -> str:
    return f"| `{path.name}` | {summary(path).replace('|', '&#124;')} |"


def module_tables() -> str:
    """A table of modules for each package."""
    parts = []
    for folder in folders():
        listed = list(modules(folder))
        about = [] if folder / "__init__.py" in listed else [summary(folder / "__init__.py"), ""]
        name = folder.relative_to(ROOT).as_posix()
        table = ["| module | |", "|---|---|", *map(row, listed)]
        parts.append("\n".join([f"### `{name}/`", "", *about, *table]))
    return "\n\n".join(parts)


def layer_blocks() -> str:
    """The contracts with layers as blocks, the others by their names."""
    parts = []
    for contract in contracts():
        if is_layered(contract):
            lines = "\n".join(f"    {line}" for line in layers(contract))
            parts.append(f"{contract['name']} (in `{contract['containers'].strip()}`):\n\n{lines}")
    others = [f"* {each['name']}." for each in contracts() if not is_layered(each)]
    return "\n\n".join([*parts, "The other contracts:", "\n".join(others)])


def written(page: str) -> str:
    """The page with both parts as the code has them now."""
    for name, part in (("modules", module_tables()), ("layers", layer_blocks())):
        begin, end = f"<!-- {name}: {COMMAND} -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n\n{part}\n\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
