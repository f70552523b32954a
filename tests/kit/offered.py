"""A toy candidate, taken from its evaluation to its request with the real steps, adapters and signatures."""

import shutil
from pathlib import Path
from typing import Any

from argosy import wiring
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.evidence import ChampionRef
from argosy.domain.model_settings import ModelSettings
from argosy.domain.release import OnlineStore
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.promotion.offers import Offer
from argosy.settings import Settings
from argosy.steps.champion import run as champion
from argosy.steps.propose import run as propose
from argosy.steps.register import run as register
from argosy.steps.sign import run as sign
from kit.toy import Toy

INPUTS = ("bundle", "training", "history", "choice", "evidence", "snapshot", "lineage", "online")


def offer(toy: Toy, here: Settings, registry: Registry, **changes: Any) -> str:
    """Judge (with *changes* of the evidence), register, sign and propose *toy*; returns what propose said."""
    folder, forge, artifacts = toy.folder, wiring.forge(here), wiring.artifacts(here)
    for left in ("release", "signatures"):
        shutil.rmtree(folder / left, ignore_errors=True)
    judge(toy, forge, **changes)
    released = register.run(
        settings=ModelSettings.model_validate_json((folder / "settings").read_bytes()),
        inputs=register.Inputs(settings_file=folder / "settings", **{name: folder / name for name in INPUTS}),
        surroundings={},
        registry=registry,
        artifacts=artifacts,
        shared=None,
        objects=MemoryObjects(),
        image=here.serving_image,
        out=folder / "release",
    )
    sign.run(
        release=folder / "release",
        evidence=folder / "evidence",
        signer=wiring.signer(here),
        artifacts=artifacts,
        out=folder / "signatures",
    )
    return propose.run(offer=_offer(folder, released), forge=forge)


def judge(toy: Toy, forge: Forge, **changes: Any) -> None:
    """Let *toy* win against what *forge*'s main has in production."""
    champion.run(model="toy", forge=forge, out=toy.folder / "champion")
    toy.judge("promote", ChampionRef.read(toy.folder / "champion" / "champion.json"), **changes)


def _offer(folder: Path, released: register.Released) -> Offer:
    return Offer(
        version=released.version,
        storage_uri=released.storage_uri,
        online=OnlineStore.from_text(released.online_uri),
        release=folder / "release",
        evidence=folder / "evidence",
        signatures=folder / "signatures",
    )
