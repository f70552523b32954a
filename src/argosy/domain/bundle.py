"""The model bundle: which files it holds, what each says, and what its digest is.

``model.ubj`` (``model.bin`` of a trainer that a package brings), ``signature.json``, ``bins.json``, ``golden.json`` and, once released,
``release.json``. The model digest covers all but the last, so that it depends on commit and data only and never on a time, a run or a
counter.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.domain.documents import Document, sha256
from argosy.domain.model_settings import EntitySplit, Serving, Task, TimeSplit
from argosy.domain.release import Image, OnlineStore

MODEL = "model.ubj"
OWN_MODEL = "model.bin"
"""In place of :data:`MODEL` where the trainer of another package fitted it; its form is that trainer's."""
SIGNATURE = "signature.json"
BINS = "bins.json"
GOLDEN = "golden.json"
RELEASE = "release.json"
ANSWERS = "answers.json"
"""In place of the signature in the bundle of a language model (`argosy.domain.answers.answer_bundle`)."""
MODELS = (MODEL, OWN_MODEL)
OTHERS = (SIGNATURE, BINS, GOLDEN)
FILES = (MODEL, *OTHERS)
"""Of a bundle that XGBoost fitted."""

SCALE = 2**20
"""Scores are summed as whole multiples of 1 / SCALE: floating-point sums depend on their order, these do not."""


class Library(Document):
    """The trainer of another package that fitted a model."""

    name: str
    """As ``training.library`` and the entry point call it."""
    package: str
    package_version: str
    version: str
    """Of the library itself; a server of another minor version refuses it."""


class Signature(Document):
    """The model's signature: all that turns a request into a prediction without running code of the model's own."""

    model: str
    task: Task
    features: list[FeatureColumn]
    join_keys: list[str]
    classes: list[str]
    threshold: float | None = None
    split: EntitySplit | TimeSplit = Field(discriminator="by")
    """Which rows the model never saw: a later comparison on a holdout must not hold any it was trained on."""
    trained_until: AwareDatetime | None = None
    """The newest row it was trained on; None in bundles of earlier Argosys."""
    transformation: Literal["argosy.dev/tabular-v1"] = "argosy.dev/tabular-v1"
    """The encoding of rows as a matrix: columns in order; numbers as float32; a category as the index of its level; null, and a level not
    listed, as missing."""
    serving: Serving = Serving()
    """The policy for rows that the model was not made for."""
    xgboost: str | None = None
    """Version of XGBoost that fitted the model; a server of another minor version refuses it."""
    library: Library | None = None
    """What fitted the model in place of XGBoost."""

    @model_validator(mode="after")
    def _was_fitted_by_one(self) -> Self:
        if (self.xgboost is None) == (self.library is None):
            raise ValueError("names either `xgboost` or `library`, what fitted the model, not both")
        return self

    @property
    def logged(self) -> list[FeatureColumn]:
        """The features that a prediction log keeps: those that are not personal."""
        return [column for column in self.features if not column.personal]


MARGIN = 8
"""Of few values, each has a bin that reaches this part of the gap to the next one to either side."""


class Histogram(Document):
    """Counts of one column in fixed bins.

    A number: ``edges`` ascending, e of them; ``counts`` has e + 1 entries (below the first edge … from the last edge on).
    A category: ``levels``; ``counts`` has one entry a level and one more for any other. ``missing`` is counted apart.
    """

    column: str
    edges: list[float] | None = None
    levels: list[str] | None = None
    counts: list[int]
    missing: int

    def few_values(self) -> list[float] | None:
        """The values of a number that has so few that each was given a narrow bin (see ``MARGIN``), by these counts of their own sample.

        None where they are more, and of a category.
        """
        edges, counts = self.edges, self.counts
        if not edges or len(edges) % 2 or any(counts[1::2]) or not all(counts[::2]):
            return None
        pairs = list(zip(edges[::2], edges[1::2], strict=True))
        values = [below - (above - below) / (MARGIN - 2) for below, above in pairs]
        below, above = pairs[-1]
        return [*values, above + (above - below) / (MARGIN - 2)]


class Moments(Document):
    """Count, sum and sum of squares of scores, the sums in multiples of 1 / SCALE."""

    count: int = 0
    total: int = 0
    squares: int = 0

    def plus(self, other: "Moments") -> "Moments":
        """Both together."""
        return Moments(
            count=self.count + other.count, total=self.total + other.total, squares=self.squares + other.squares
        )

    @property
    def mean(self) -> float:
        """The mean score; NaN of nothing."""
        return self.total / SCALE / self.count if self.count else math.nan

    @property
    def variance(self) -> float:
        """Of the scores, as of a sample; NaN below two."""
        if self.count < 2:
            return math.nan
        mean = self.mean
        return max(0.0, (self.squares / SCALE - self.count * mean * mean) / (self.count - 1))


class Bins(Document):
    """``bins.json``: rows that the model never saw, and this model's answers to them, as counts: what drift is measured from."""

    reference: Literal["holdout"]
    """Whose rows are counted. Bundles written before this field counted training rows, answered by the models of cross-validation."""
    rows: int
    columns: list[Histogram]
    prediction: Histogram
    """Of a multiclass model the class decided for, else the score."""
    scores: Moments
    """Of a multiclass model the probability of the class decided for."""


def read_bins(path: Path) -> Bins:
    """The counts in *path*. Raises Misconfigured where they are of the kind that cannot be compared with what a server logs."""
    if _counts_training_rows(path):
        raise errors.Misconfigured(
            "this version's bins.json counts training rows and the answers of other models, as earlier releases of Argosy wrote it; "
            "a server's answers differ from those without any drift. Train the model again, `argosy run MODEL`, and promote that version"
        )
    return Bins.read(path)


def read_comparable_bins(path: Path) -> Bins | None:
    """The counts in *path*; None where an earlier Argosy wrote them, of other rows."""
    return None if _counts_training_rows(path) else Bins.read(path)


def _counts_training_rows(path: Path) -> bool:
    return path.exists() and "mean_prediction" in json.loads(path.read_bytes())


class GoldenRow(Document):
    """One request and the answer the training environment gave."""

    features: dict[str, float | str | None]
    prediction: list[float]


class Golden(Document):
    """``golden.json``: replayed wherever the bundle is served; answers must be equal to the last bit."""

    rows: list[GoldenRow]


class Predecessor(Document):
    """The model in production when this one was evaluated, and how far their scores are apart."""

    model_digest: str
    score_distance: float
    """Kolmogorov-Smirnov, in 0 to 1: on the newest labelled rows where some were kept, else on the holdout."""


class Release(Document):
    """``release.json``: which model this is, its place in the sequence, and how long it may be served."""

    model: str
    model_digest: str
    counter: int
    not_after: AwareDatetime
    online_store: OnlineStore | None = None
    """That belongs to the model; None also in releases of earlier Argosys, whatever their stores."""
    image: Image | None = None
    """That serves the model; None where the environment's own does."""
    predecessor: Predecessor | None = None
    """None where there was none, or the two could not be compared."""


def model_file(signature: Signature) -> str:
    """The file that holds the model of a bundle with *signature*."""
    return MODEL if signature.library is None else OWN_MODEL


def store_name(model: str, model_digest: str, released: bytes) -> str:
    """The name in the model store of a bundle whose ``release.json`` is *released*.

    By its release too, which the model's digest leaves out: what is stored never changes, and a release may.
    """
    return f"models/{model}/{_hex(sha256(released))[:12]}-{_hex(model_digest)}"


def name_in_store(uri: str) -> str:
    """The name under which a model store keeps what was stored at *uri*, three words, the same wherever the store lies by now."""
    return "/".join(uri.rstrip("/").split("/")[-3:])


def stores_release(uri: str, released: bytes) -> bool:
    """Whether the bundle at *uri* was stored with *released* as its ``release.json``, as far as its name says: other names say nothing."""
    named = re.fullmatch(r"(?:.*/)?([0-9a-f]{12})-[0-9a-f]{64}/?", uri)
    return named is None or named[1] == _hex(sha256(released))[:12]


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def digest_of(files: Mapping[str, bytes]) -> str:
    """The model digest of a bundle given as path to content: SHA-256 over the sorted (path, SHA-256) lines, release.json left out."""
    lines = sorted(
        f"{path}\0{hashlib.sha256(content).hexdigest()}\n" for path, content in files.items() if path != RELEASE
    )
    return sha256("".join(lines).encode())


def digest(folder: Path) -> str:
    """The model digest of the bundle in *folder*."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return digest_of(files)
