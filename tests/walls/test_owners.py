"""Each library has an owner, a new one too: a contract of ``.importlinter`` lists them, and this holds the list against the imports."""

import ast
import configparser
import sys
from pathlib import Path

EVERYBODYS = {"numpy", "orjson", "pandas", "pyarrow", "pydantic", "pydantic_core", "yaml"}
"""Values, tables and texts: what parts hand to each other, or any may read."""


def imported(file: Path) -> set[str]:
    """The first names of the modules that *file* imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name.split(".")[0] for name in found}


def test_every_library_has_an_owner(root: Path) -> None:
    """What is imported of others is in the list of owners or is everybody's; and what is listed is imported."""
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter")
    owned = set(contracts["importlinter:contract:one-owner"]["forbidden_modules"].split())
    libraries = {name for file in (root / "src" / "argosy").rglob("*.py") for name in imported(file)}
    assert libraries - sys.stdlib_module_names - {"argosy"} == owned | EVERYBODYS
