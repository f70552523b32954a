"""Versions of one small model as the pipeline would release them: signed bundles, good ones and bad ones of three kinds.

Nothing about a bad one is pretended: each is a real model that passes every check at loading and is bad at answering.
"""

import datetime
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xgboost

from argosy.adapters.model_signer import KeySigner
from argosy.domain import bundle
from argosy.ml.encoding import Encoder
from argosy.ml.predictor import Predictor, UndefinedPrediction
from argosy.serving.rows import Value
from kit import serving_kit

Kind = Literal["good", "failing", "slow", "shifted"]
MODEL = "leaving"
SLOW_TREES = 2_500
"""In each round, all of them the same: they answer as one would, in 2,500 times as long; and too many for
native code to lay out at a start."""


@dataclass(frozen=True)
class Version:
    """A released bundle on this disk."""

    folder: Path
    digest: str
    number: int
    signature: str


def make(folder: Path, number: int, kind: Kind, signing_key: Path) -> Version:
    """Release version *number* into *folder*."""
    sample = serving_kit.rows(400)
    signed = serving_kit.signature()
    encoder = Encoder(signed.features)
    matrix = encoder.rows(sample)
    risk = 0.1 + 0.4 * (matrix[:, 0] < 24) + 0.3 * (matrix[:, 2] == 0)
    label = (np.random.default_rng(11).random(len(risk)) < risk).astype(
        int
    )  # scores spread, as those of a real model do
    data = xgboost.DMatrix(matrix, label=label, feature_names=encoder.names, feature_types=encoder.types)
    # Another number of rounds gives another digest and nearly the same answers.
    booster = xgboost.train(_parameters(kind), data, num_boost_round=20 + number)
    target = folder / f"v{number}"
    target.mkdir(parents=True)
    (target / bundle.MODEL).write_bytes(_undefined_for_some(booster) if kind == "failing" else _saved(booster))
    signed.write(target / bundle.SIGNATURE)
    serving_kit.bins(sample).write(target / bundle.BINS)
    _write_golden(target, sample)
    digest = bundle.digest(target)
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    bundle.Release(model=MODEL, model_digest=digest, counter=number, not_after=end).write(target / bundle.RELEASE)
    KeySigner(signing_key).sign(target, folder / f"v{number}.sig")
    return Version(target, digest, number, (folder / f"v{number}.sig").read_text(encoding="utf-8"))


def damaged(version: Version, folder: Path) -> Version:
    """*version* with one byte of its model changed after it was signed."""
    shutil.copytree(version.folder, folder)
    model = folder / bundle.MODEL
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    return Version(folder, version.digest, version.number, version.signature)


def requests(rows: int, count: int) -> list[dict[str, Any]]:
    """Bodies of *count* requests of *rows* rows each, from the population that the model was trained on."""
    return [{"instances": serving_kit.rows(rows, seed=100 + number)} for number in range(count)]


def _parameters(kind: Kind) -> dict[str, Any]:
    parameters: dict[str, Any] = {"nthread": 1, "seed": 1, "max_depth": 3, "objective": "binary:logistic"}
    if kind == "slow":
        return {**parameters, "num_parallel_tree": SLOW_TREES}
    if kind == "shifted":
        return {**parameters, "base_score": 0.9, "scale_pos_weight": 50.0}
    return parameters


def _undefined_for_some(booster: xgboost.Booster) -> bytes:
    """The model with a leaf that is no number: one path of the first tree, which some rows take and others do not."""
    document = json.loads(booster.save_raw("json"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    leaves = [node for node, left in enumerate(tree["left_children"]) if left == -1]
    leaf = min(leaves, key=lambda node: float(tree["sum_hessian"][node]))
    tree["split_conditions"][leaf] = float("nan")
    text = json.dumps(document)
    return _saved(xgboost.Booster(model_file=bytearray(text.encode())))


def _saved(booster: xgboost.Booster) -> bytes:
    return bytes(booster.save_raw("ubj"))


def _write_golden(folder: Path, sample: Sequence[Mapping[str, Value]]) -> None:
    """Five rows that the model answers."""
    bundle.Golden(rows=[]).write(folder / bundle.GOLDEN)
    predictor = Predictor.load(folder, bundle.digest(folder))
    golden: list[bundle.GoldenRow] = []
    for row in sample:
        try:
            answer = predictor.predict([row])
        except UndefinedPrediction:
            continue
        golden.append(bundle.GoldenRow(features=dict(row), prediction=[float(np.atleast_1d(answer)[0])]))
        if len(golden) == 5:
            break
    bundle.Golden(rows=golden).write(folder / bundle.GOLDEN)
