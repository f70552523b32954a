"""One policy, one holdout, and for each of the six dimensions a model that fails its gate and no other; then the champion beside them.

The models are really fitted and packed; each is spoiled in one way only. What a good model has lies well inside every limit.
"""

import dataclasses
import datetime
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from argosy.adapters.file_artifacts import FileArtifacts
from argosy.domain import bundle as bundles
from argosy.domain import comparison, gates
from argosy.domain.data import FeatureColumn, SnapshotManifest
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.measuring import AS_EVER
from argosy.domain.policy import Policy
from argosy.ml import boosting, bundling, evaluation, frames, trainers
from argosy.ml.encoding import Encoder, Matrix
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor, UndefinedPrediction
from argosy.ml.xgboost_trainer import BoosterModel
from argosy.ports.trial_server import ReplayResult, TrialServer
from argosy.steps.evaluate import champion_comparison
from argosy.steps.evaluate import run as evaluate
from argosy.steps.evaluate.champion_comparison import PairedAnswers
from kit import toy
from kit.examples import make_settings, write_features

Judged = Callable[..., Evidence]

TODAY = datetime.date(2026, 1, 1)
ROWS = 8000
STRONG, WEAK = ["strong_1", "strong_2", "strong_3"], ["weak_1", "weak_2", "weak_3"]
KNOWN = [*STRONG, *WEAK]
SETTINGS = make_settings("binary", ["no", "yes"], "auc", evaluation={"sensitive": ["group"]})
POLICY = Policy.model_validate(
    {
        "model": "toy",
        "owners": ["tests"],
        "limits": [
            {"metric": "performance.auc", "at_least": 0.62, "why": "w"},
            {"metric": "fairness.group.demographic_parity_ratio", "at_least": 0.8, "why": "w"},
            {"metric": "robustness.noise_drop", "at_most": 0.03, "why": "w"},
            {"metric": "robustness.missing_drop", "at_most": 0.10, "why": "w"},
            {"metric": "robustness.flip_rate", "at_most": 0.25, "why": "w"},
            {"metric": "robustness.undefined", "at_most": 0, "why": "w"},
            {"metric": "calibration.ece", "at_most": 0.08, "why": "w"},
            {"metric": "explainability.top_share", "at_most": 0.5, "why": "w"},
            {"metric": "latency.p95_ms", "at_most": 100, "why": "w"},
        ],
        "comparison": {"metric": "auc", "margin": 0.01, "resamples": 200},
    }
)
"""The limits of a real policy, but for those on score, gaps and calibration, which are of this data."""


@dataclasses.dataclass(frozen=True)
class Model:
    """How a model is made: the features it is shown, the labels it is told, how it is fitted; and how long it takes to answer."""

    shown: list[str]
    told: Callable[[Examples], Any] = lambda train: train.labels
    parameters: dict[str, Any] = dataclasses.field(default_factory=lambda: {"max_depth": 3, "learning_rate": 0.1})
    rounds: int = 80
    seconds: float = 0.0


def told_unfairly(train: Examples) -> Any:
    """Labels of which some are turned to yes in one group and to no in the other; on the whole as many as there were."""
    turned = np.random.default_rng(3).random(len(train)) < 0.2
    favoured = np.array(train.table.column("group").to_pylist()) == "a"
    return np.where(turned, favoured.astype(float), train.labels)


GOOD = Model(KNOWN)
SPOILED = {
    "performance": Model(WEAK),
    "fairness": Model([*KNOWN, "group"], told=told_unfairly),
    # Goes by whether a reading is odd or even, which is true of the data, and gone when the reading moves a little.
    "robustness": Model([*KNOWN, "reading"], parameters={"max_depth": 6, "learning_rate": 0.2}),
    # Stopped long before it has learned how sure it can be; the order of its answers is good.
    "calibration": Model(KNOWN, parameters={"max_depth": 3, "learning_rate": 0.004}),
    "explainability": Model(["strong_1"]),
    "latency": Model(KNOWN, seconds=0.11),
}


class Server:
    """Answers golden rows in this process, each *seconds* late. What a crowded machine adds is not counted, so that no test hangs on it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def replay(self, folder: Path, digest: str) -> ReplayResult:
        """See the port."""
        predictor = Predictor.load(folder, digest)
        golden = bundles.Golden.read(folder / bundles.GOLDEN)
        taken = []
        for row in golden.rows:
            started = time.thread_time()
            predictor.predict([row.features])
            taken.append((time.thread_time() - started + self._seconds) * 1e3)
        taken.sort()
        return ReplayResult(predictor.explain_difference(golden), taken[len(taken) // 2], taken[-1], taken[-1])


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows whose label hangs on three strong numbers, three weak ones, and on whether a reading is odd; not on the group."""
    random = np.random.default_rng(11)
    strong, weak = random.normal(size=(3, ROWS)), random.normal(size=(3, ROWS))
    reading = random.integers(0, 24, ROWS)
    certainty = 1.1 * strong.sum(axis=0) + 0.35 * weak.sum(axis=0) + 1.2 * np.where(reading % 2, 1, -1)
    labels = (random.random(ROWS) < 1 / (1 + np.exp(-certainty))).astype(int)
    columns: dict[str, list[Any]] = {
        **dict(zip(KNOWN, [*strong.tolist(), *weak.tolist()], strict=True)),
        "reading": reading.astype(float).tolist(),
        "group": random.choice(["a", "b"], ROWS).tolist(),
    }
    folder = tmp_path_factory.mktemp("six")
    return write_features(folder / "features", columns, labels.tolist(), task="binary", holdout_every=2)


def pack(model: Model, features: Path, folder: Path) -> Path:
    """The bundle of *model*."""
    train, holdout = frames.read(features, "train"), frames.read(features, "holdout")
    seen = train.matrix.copy()
    seen[:, [index for index, each in enumerate(train.schema.features) if each.name not in model.shown]] = np.nan
    data = boosting.data(Encoder(train.schema.features), seen, model.told(train), nthread=1)
    fitted = boosting.fit(
        boosting.parameters(trainers.learning(SETTINGS, train.schema.features), model.parameters), data, model.rounds
    )
    bundling.pack(
        folder,
        settings=SETTINGS,
        model=BoosterModel(fitted.booster, train.schema.features),
        threshold=0.5,
        train=train,
        holdout=holdout,
    )
    return folder


@pytest.fixture
def judged(features: Path, tmp_path: Path) -> Judged:
    """What ``evaluate`` finds of a model; *champion*: the one in production, if there is any."""
    artifacts = FileArtifacts((tmp_path / "store").as_uri())

    def in_production(champion: Model | None) -> ChampionRef:
        if champion is None:
            return ChampionRef(model="toy", policy_digest="sha256:0")
        folder = pack(champion, features, tmp_path / "champions-bundle")
        uri, digest = artifacts.put(folder, "toy-1"), bundles.digest(folder)
        return ChampionRef(model="toy", model_digest=digest, version=1, storage_uri=uri, policy_digest="sha256:0")

    def judge(model: Model, champion: Model | None = None, policy: Policy = POLICY) -> Evidence:
        in_production(champion).write(tmp_path / "champion" / "champion.json")
        SnapshotManifest(model="toy", tables=[]).write(tmp_path / "snapshot" / "manifest.json")
        server: TrialServer = Server(model.seconds)
        verdict = evaluate.run(
            settings=SETTINGS,
            policy=policy,
            inputs=evaluate.Inputs(
                champion=tmp_path / "champion",
                snapshot=tmp_path / "snapshot",
                features=features,
                bundle=pack(model, features, tmp_path / "bundle"),
            ),
            artifacts=artifacts,
            server=server,
            provenance=toy.CLEAN,
            today=TODAY,
            machine="this machine",
            out=tmp_path / "evidence",
        )
        evidence = Evidence.read(tmp_path / "evidence" / "evidence.json")
        assert evidence.verdict == verdict
        return evidence

    return judge


def test_a_good_model_passes_all(judged: Judged) -> None:
    """Every dimension is gated, and every gate holds."""
    evidence = judged(GOOD)
    assert {gate.dimension for gate in evidence.gates} == set(SPOILED)
    assert [gate.gate for gate in evidence.gates if not gate.passed] == []
    assert evidence.verdict == "promote"


@pytest.mark.parametrize("dimension", SPOILED)
def test_a_model_that_fails_one_dimension(judged: Judged, dimension: str) -> None:
    """It is rejected for that alone; each failed gate says what was measured and what would pass."""
    evidence = judged(SPOILED[dimension])
    failed = [gate for gate in evidence.gates if not gate.passed]
    assert {gate.dimension for gate in failed} == {dimension}
    assert evidence.verdict == "reject"
    for gate in failed:
        assert gate.gate != gates.PARITY
        assert gate.measured == evidence.metrics[gate.gate]
        assert gate.gate in evidence.explanation
        assert gate.would_pass
        assert gate.gate in gate.would_pass


BETTER = SPOILED["robustness"]
"""What it knows besides is worth 0.04 of AUC."""


def test_a_model_that_is_not_as_good_as_the_champion(judged: Judged) -> None:
    """Every gate of the policy holds, and still it is rejected: the champion is better by more than the margin on the same rows."""
    evidence = judged(GOOD, champion=BETTER)
    assert [gate.gate for gate in evidence.gates if not gate.passed] == [comparison.GATE]
    assert evidence.verdict == "reject"
    found = evidence.comparison
    assert found is not None
    assert (found.outcome, found.rows) == ("inferior", ROWS // 2)
    assert found.low < found.difference < found.high < -found.margin


def test_a_model_that_beats_the_champion(judged: Judged) -> None:
    """It is promoted by the comparison's own words."""
    evidence = judged(GOOD, champion=SPOILED["performance"])
    assert evidence.verdict == "promote"
    assert evidence.comparison is not None
    assert evidence.comparison.outcome == "better"
    assert evidence.comparison.reason in evidence.explanation
    beside = [curve.title for curve in evidence.curves if "champion" in curve.series]
    assert beside == ["ROC curve", "Precision and recall", "Calibration"]
    assert all(curve.series["champion"] != curve.series["model"] for curve in evidence.curves)
    # What the policy limits is shown of both, but for what it compares already and what needs more than their answers.
    assert [each.metric for each in evidence.shown] == ["fairness.group.demographic_parity_ratio", "calibration.ece"]
    assert all(each.low < each.difference < each.high for each in evidence.shown)
    assert [each.candidate for each in evidence.shown] == pytest.approx(
        [evidence.metrics[each.metric] for each in evidence.shown]
    )


def test_each_model_answers_the_holdout_once(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves, comparison and what a promotion would change are of the same answers. By itself the champion is measured by the draws by
    which it was measured when it was a candidate."""
    asked: Counter[tuple[str, bytes]] = Counter()
    answer = Predictor.predict_matrix

    def counted(predictor: Predictor, matrix: Matrix) -> Any:
        asked[predictor.digest, matrix.tobytes()] += len(matrix) == ROWS // 2
        return answer(predictor, matrix)

    monkeypatch.setattr(Predictor, "predict_matrix", counted)
    before = judged(BETTER)
    asked.clear()
    evidence = judged(GOOD, champion=BETTER)
    for digest in (evidence.model_digest, evidence.champion.model_digest):
        # The rows as they are, with noise, and with values missing.
        assert [times for (of, _), times in asked.items() if of == digest and times] == [1, 1, 1]
    limited = [each.metric for each in POLICY.limits if each.metric.startswith(("robustness.", "explainability."))]
    assert evidence.champion_metrics == {name: before.metrics[name] for name in limited}
    assert evidence.champion_metrics["robustness.noise_drop"] != evidence.metrics["robustness.noise_drop"]


def test_a_champion_that_cannot_answer_holds_no_candidate_back() -> None:
    """With noise or gaps it may have nothing to say: that is its own fault, and said of it as undefined."""

    class Mute:
        """A champion whose answer is no number."""

        signature = SimpleNamespace(features=[])

        def contributions(self, _: Matrix) -> Any:
            raise UndefinedPrediction("not a number")

    answered = SimpleNamespace(champion=SimpleNamespace(predictions=np.zeros(1)), matrix=np.zeros((1, 0), np.float32))
    limited = ["performance.auc", "robustness.flip_rate", "latency.p95_ms", "explainability.top_share"]

    def asked(names: list[str]) -> dict[str, float | None]:
        champion, rows = cast("Predictor", Mute()), cast("PairedAnswers", answered)
        return champion_comparison.alone(SETTINGS, AS_EVER, names, champion, rows, np.zeros(1))

    assert asked(limited) == {"robustness.flip_rate": None, "explainability.top_share": None}
    # Where the policy limits none of those, it is not even asked.
    assert asked(["performance.auc"]) == {}


@pytest.mark.parametrize(
    ("declared", "violations"),
    [
        pytest.param({"age": "increasing", "new": "increasing"}, {"robustness.order_violations": 0.0}, id="one-of-two"),
        pytest.param({"new": "increasing"}, {}, id="of-none-that-it-has"),
    ],
)
def test_a_feature_that_is_new_may_be_declared_monotone(
    declared: dict[str, str], violations: dict[str, float | None]
) -> None:
    """The champion does not take it: what is measured of it by itself is of the features that it has."""
    features = [FeatureColumn(name="age", type="number", view="v")]
    champion = SimpleNamespace(
        signature=SimpleNamespace(features=features),
        threshold=0.5,
        predict_matrix=lambda matrix: np.nan_to_num(0.5 + np.tanh(matrix[:, 0].astype(np.float64)) / 2),
        contributions=lambda matrix: np.zeros((len(matrix), 2)),
    )
    matrix = np.linspace(-2, 2, 40, dtype=np.float32)[:, np.newaxis]
    settings = make_settings("binary", ["no", "yes"], "auc", training={"monotone": declared})
    found = evaluation.measure_alone(
        settings, cast("Predictor", champion), matrix, (matrix[:, 0] > 0).astype(np.float64),
        champion.predict_matrix(matrix), AS_EVER,
    )  # fmt: skip
    assert {name: value for name, value in found.items() if "order" in name} == violations


def test_the_champion_itself(judged: Judged) -> None:
    """Nothing to compare, and nothing to promote."""
    evidence = judged(GOOD, champion=GOOD)
    assert (evidence.verdict, evidence.comparison) == ("champion", None)
    assert not any("champion" in curve.series for curve in evidence.curves)


def test_a_sample_that_cannot_tell(judged: Judged) -> None:
    """Fewer rows than the policy asks for are no reason to reject; nor to promote."""
    asked = POLICY.model_copy(update={"comparison": POLICY.comparison.model_copy(update={"minimum_rows": 10 * ROWS})})
    assert judged(GOOD, champion=SPOILED["performance"], policy=asked).verdict == "inconclusive"
