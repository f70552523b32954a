"""``docs/architecture.md`` leads somewhere: its places are there, its layers are those of the contract, and no package is left out."""

import configparser
import re
from pathlib import Path

PLACE = re.compile(r"`((?:src|tests|charts|gitops-env|images|docs|workflows)/[\w./-]*|charts|images)`")


def test_each_place_is_there(root: Path) -> None:
    """A file that was renamed is renamed in the document."""
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    places = PLACE.findall(text)
    assert len(places) > 50
    assert [place for place in places if not (root / place).exists()] == []


def test_the_layers_are_those_of_the_contract(root: Path) -> None:
    """The walls that the document shows are the walls that `make check` holds."""
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter", encoding="utf-8")
    layers = contracts["importlinter:contract:layers"]["layers"].strip()
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "\n".join(f"    {line.strip()}" for line in layers.splitlines()) in text


def test_no_package_is_left_out(root: Path) -> None:
    """A newcomer finds each package of the top in the table that says what it is for."""
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`(\w+)`", rows))
    there = {path.stem for path in (root / "src" / "argosy").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert there - {"__init__", "__pycache__"} <= named
