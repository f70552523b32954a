"""What stands for a step's image on this machine."""

import configparser
from pathlib import Path

from argosy.cli import code_identity

ROOT = Path(__file__).parents[3]


def test_whatever_a_step_can_import_is_in_its_identity() -> None:
    """A cached answer is good for as long as the code is that gave it; only what lies above the steps may be left out."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    layers = contracts["importlinter:contract:layers"]["layers"].split("\n")
    steps = next(place for place, layer in enumerate(layers) if "steps" in layer.split(" | "))
    above = {name.strip() for layer in layers[:steps] for name in layer.split("|") if name.strip()}
    assert above == code_identity.NOT_IN_STEPS - {"testing"}
