"""A candidate in a real MLflow on SQLite and a real model store: one version however often, the same release byte for byte."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.adapters.mlflow_registry import MlflowRegistry
from argosy.domain import bundle as bundles
from argosy.domain import comparison
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, VerdictWord
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy
from argosy.domain.release import OnlineStore
from argosy.ports.features import Held, OnlineFeatures
from argosy.settings import Settings
from argosy.steps.register import run as register

# MLflow's own use of SQLAlchemy 2.1.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

INPUTS = ("settings", "bundle", "training", "history", "choice", "evidence", "snapshot", "lineage", "online")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's folder with an empty database, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("registry")
    MlflowRegistry(f"sqlite:///{folder}/mlflow.db").check()
    return folder


@pytest.fixture
def database(migrated: Path, here: Settings) -> Path:
    """The registry of the state folder: nothing in it."""
    return Path(shutil.copytree(migrated, here.home / "registry")) / "mlflow.db"


@pytest.fixture
def attempt(run_step: Callable[..., Any], database: Path) -> Callable[[Any], Any]:
    """The step over a candidate."""
    return lambda toy: run_step("register", {name: toy.folder / name for name in INPUTS})


def rows(database: Path, query: str) -> list[Any]:
    """What the database says."""
    with sqlite3.connect(database) as connection:
        return connection.execute(query).fetchall()


def versions(database: Path) -> list[int]:
    """Every version of the toy."""
    return [number for (number,) in rows(database, "select version from model_versions order by version")]


def aliases(database: Path) -> dict[str, int]:
    """Alias to version."""
    return dict(rows(database, "select alias, version from registered_model_aliases"))


def test_a_candidate_is_recorded_released_and_stored(
    attempt: Callable[[Any], Any], toy: Any, database: Path, here: Settings, tmp_path: Path
) -> None:
    """Version 1 is the challenger; the stores hold what the results name; a second attempt changes nothing, not one byte."""
    first, second = attempt(toy), attempt(toy)
    assert (first.code, second.code) == (0, 0), first.said
    for name in ("version", "storage-uri", "online-uri"):
        assert first.result(name) == second.result(name)
    assert first.result("version") == "1"
    assert versions(database) == [1]
    assert len(rows(database, "select run_uuid from runs")) == 1
    assert aliases(database) == {"challenger": 1}
    released = first.out("release") / "release.json"
    assert released.read_bytes() == (second.out("release") / "release.json").read_bytes()
    assert bundles.Release.read(released).counter == 1
    store = FileArtifacts(here.store_uri)
    store.get(first.result("storage-uri"), tmp_path / "stored")
    assert bundles.digest(tmp_path / "stored") == toy.digest
    assert (tmp_path / "stored" / "release.json").read_bytes() == released.read_bytes()
    online = OnlineStore.from_text(first.result("online-uri"))
    store.get(online.uri, tmp_path / "online")
    assert bundles.digest(tmp_path / "online") == online.digest


@pytest.mark.parametrize(
    ("on_holdout", "on_recent", "told"),
    [(0.1, 0.3, 0.3), (0.1, None, 0.1), (None, None, None)],
    ids=["newest-rows", "holdout", "not-compared"],
)
def test_the_release_says_how_far_it_is_from_the_champion(
    attempt: Callable[[Any], Any],
    toy: Any,
    database: Path,
    on_holdout: float | None,
    on_recent: float | None,
    told: float | None,
) -> None:
    """So that a canary is held against what evaluation saw, where requests are most like those of now."""
    champion = ChampionRef(model="toy", model_digest="sha256:" + "c" * 64, policy_digest="sha256:0")
    none = comparison.impossible(ComparisonPolicy(metric="auc", margin=0.01), "none", 0)
    held = {
        name: none.model_copy(update={"score_distance": distance})
        for name, distance in {"comparison": on_holdout, "recent": on_recent}.items()
    }
    toy.judge("promote", champion, **held)
    released = bundles.Release.read(attempt(toy).out("release") / "release.json")
    expected = bundles.Predecessor(model_digest="sha256:" + "c" * 64, score_distance=told) if told is not None else None
    assert released.predecessor == expected


def test_what_tells_runs_apart_is_recorded(attempt: Callable[[Any], Any], toy: Any, database: Path) -> None:
    """Commit, data, seed, libraries and surroundings are tags and parameters of the run; trials and folds are series."""
    attempt(toy)
    tags = dict(rows(database, "select key, value from tags"))
    assert tags["git_commit"] == "0" * 40
    assert tags["snapshot_digest"] == sha256(b"snapshot")
    assert tags["source.rows.digest"] == sha256(b"rows")
    assert tags["library.xgboost"] == "3.2.0"
    assert tags["image"] == "none: a process of this machine"
    parameters = dict(rows(database, "select key, value from params"))
    assert (parameters["xgboost.eta"], parameters["seed"]) == ("0.1", "7")
    scores = rows(database, "select step, value from metrics where key = 'trial.score' order by step")
    assert scores == [(0, 0.0), (1, 0.1), (2, 0.2)]


def test_another_model_is_another_version(
    attempt: Callable[[Any], Any], toy: Any, new_toy: Callable[[str], Any], database: Path
) -> None:
    """Numbers count up, and the newest that may be promoted is the challenger."""
    assert attempt(toy).result("version") == "1"
    assert attempt(new_toy("other")).result("version") == "2"
    assert attempt(toy).result("version") == "1"
    assert versions(database) == [1, 2]


def test_a_no_is_recorded_too(attempt: Callable[[Any], Any], toy: Any, database: Path) -> None:
    """The step ends 0: saying no is propose's business; the version is marked."""
    ran = attempt(toy.judge("reject"))
    assert (ran.code, ran.result("version")) == (0, "1")
    assert aliases(database) == {"rejected": 1}
    tags = dict(rows(database, "select key, value from model_version_tags"))
    assert tags["ready_for_deployment"] == "false"


def test_evidence_of_another_model(attempt: Callable[[Any], Any], toy: Any, database: Path, here: Settings) -> None:
    """A bundle whose file was changed after the evaluation is recorded nowhere: 78, with both digests."""
    judged = toy.digest
    (toy.folder / "bundle" / "model.ubj").write_text("tampered", encoding="utf-8")
    ran = attempt(toy)
    assert ran.code == 78
    assert f"the evidence is about {judged}, the bundle is {toy.digest}: not one run's outputs" in ran.said
    assert versions(database) == []
    assert not Path(here.store_uri.removeprefix("file://")).exists()


def test_a_store_that_was_tampered_with(attempt: Callable[[Any], Any], toy: Any) -> None:
    """What lies under the model's name and is not this model is never taken for it: 78, and the file that differs."""
    stored = Path(attempt(toy).result("storage-uri").removeprefix("file://"))
    (stored / "bins.json").write_text("{ }", encoding="utf-8")
    ran = attempt(toy)
    assert ran.code == 78
    assert "bins.json differs. What is stored never changes" in ran.said


def test_everything_that_is_known_is_handed_to_the_registry(toy: Any, tmp_path: Path) -> None:
    """Numbers by name: what was measured in training, per class, per fold and per round; what is undefined is left out."""
    registry = MemoryRegistry()
    released = register.run(
        settings=ModelSettings.model_validate_json((toy.folder / "settings").read_bytes()),
        inputs=register.Inputs(
            settings_file=toy.folder / "settings", **{name: toy.folder / name for name in INPUTS if name != "settings"}
        ),
        surroundings={"library.python": "3"},
        registry=registry,
        artifacts=FileArtifacts(f"file://{tmp_path}/store"),
        shared=None,
        objects=MemoryObjects(),
        out=tmp_path / "out",
    )
    assert released.version == 1
    recorded = registry.candidates["toy"][0]
    assert recorded.metrics == {
        "cross_validated.auc": 0.8,
        "confusion.no.as.no": 50.0,
        "confusion.no.as.yes": 10.0,
        "confusion.yes.as.no": 5.0,
        "confusion.yes.as.yes": 15.0,
        "class.yes.precision": 0.6,
        "class.yes.recall": 0.75,
        "importance.plan": 3.5,
        "training.rows": 80.0,
        "search.best_score": 0.2,
    }
    assert recorded.history["fold.f1"] == [(0, 0.5), (1, 0.6)]
    assert recorded.history["learning_curve.logloss.train"] == [(5, 0.6), (10, 0.5)]
    assert recorded.tags["library.python"] == "3"
    assert recorded.tags["features_digest"] == sha256(b"features")
    assert registry.judgements["toy", 1][0].metrics.keys() == {
        "performance.auc",
        "performance.slice.plan.Month-to-month (auto).auc",
    }
    # The end follows from the version's time, not from the clock: the registry in memory counts from 2026.
    assert json.loads((tmp_path / "out" / "release.json").read_text())["not_after"] == "2026-06-30T00:01:00Z"


class Shared:
    """A shared online store that remembers what was loaded into it."""

    def __init__(self) -> None:
        self.loaded: list[tuple[Path, str, str]] = []

    def load(self, folder: Path, digest: str, model: str) -> None:
        """See the port."""
        self.loaded.append((folder, digest, model))

    def open(self, digest: str) -> OnlineFeatures:
        """See the port."""
        raise AssertionError("the step reads nothing")

    def held(self) -> Sequence[Held]:
        """See the port."""
        raise AssertionError("the step looks at nothing")

    def drop(self, digest: str) -> None:
        """See the port."""
        raise AssertionError("the step removes nothing")


@pytest.mark.parametrize(
    ("verdict", "times"),
    [
        pytest.param("promote", 1, id="to-be-proposed"),
        pytest.param("reject", 0, id="rejected"),
        pytest.param("inconclusive", 0, id="inconclusive"),
        pytest.param("champion", 0, id="in-production"),
    ],
)
def test_only_features_of_what_will_be_proposed_take_room(
    toy: Any, tmp_path: Path, verdict: VerdictWord, times: int
) -> None:
    """Under the digest that the request names; the files are stored whatever the verdict."""
    toy.judge(verdict)
    shared = Shared()
    released = register.run(
        settings=ModelSettings.model_validate_json((toy.folder / "settings").read_bytes()),
        inputs=register.Inputs(
            settings_file=toy.folder / "settings", **{name: toy.folder / name for name in INPUTS[1:]}
        ),
        surroundings={},
        registry=MemoryRegistry(),
        artifacts=FileArtifacts(f"file://{tmp_path}/store"),
        shared=shared,
        objects=MemoryObjects(),
        out=tmp_path / "out",
    )
    digest = OnlineStore.from_text(released.online_uri).digest
    assert shared.loaded == [(toy.folder / "online", digest, "toy")] * times
