"""A run held against itself, run again."""

import pytest

from argosy.domain import reproductions, surroundings
from argosy.domain.reproductions import Came
from argosy.domain.surroundings import Surroundings

BEFORE = Came(
    {"snapshot": "a", "features": "b", "model": "c"},
    "promote",
    {"performance.auc": 0.8, "performance.odd": None, "latency.p95_ms": 3.0},
)
CHANGES = {"data": ["rows"], "libraries": ["xgboost 1 -> 2"], "champion": ["another"], "machine": ["cores 2 -> 4"]}


def came(**changes: object) -> Came:
    """As before but for *changes*."""
    parts = {"digests": BEFORE.digests, "verdict": BEFORE.verdict, "metrics": BEFORE.metrics, **changes}
    return Came(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "stage", "why"),
    [
        pytest.param(came(metrics={**BEFORE.metrics, "latency.p95_ms": 9.0}), None, [], id="the-clock"),
        pytest.param(
            came(digests={"snapshot": "x", "features": "y", "model": "z"}),
            "snapshot",
            ["rows", "xgboost 1 -> 2"],
            id="data",
        ),
        pytest.param(
            came(digests={**BEFORE.digests, "model": "z"}), "model", ["xgboost 1 -> 2", "cores 2 -> 4"], id="model"
        ),
        pytest.param(came(digests={"snapshot": "a"}), "features", ["xgboost 1 -> 2", "cores 2 -> 4"], id="not-so-far"),
        pytest.param(
            came(verdict="reject"), "verdict", ["another", "xgboost 1 -> 2", "cores 2 -> 4"], id="another-champion"
        ),
        pytest.param(
            came(metrics={**BEFORE.metrics, "performance.auc": 0.8000001}),
            "measurements",
            ["another", "xgboost 1 -> 2", "cores 2 -> 4"],
            id="a-measurement",
        ),
        pytest.param(
            came(metrics={**BEFORE.metrics, "performance.odd": 0.0}),
            "measurements",
            ["another", "xgboost 1 -> 2", "cores 2 -> 4"],
            id="defined-now",
        ),
    ],
)
def test_the_first_difference_and_its_reasons(after: Came, stage: str | None, why: list[str]) -> None:
    """Data explain no model that differs on equal features, and no run has a latency twice."""
    found = reproductions.compare(BEFORE, after)
    assert found.first_difference == stage
    assert reproductions.reasons(found, CHANGES) == why
    assert (found.measured, found.left_out) == (2, 1)


def test_a_run_without_evidence() -> None:
    """Of a run that did not come to its evaluation the digests are held together that it has."""
    found = reproductions.compare(Came({"snapshot": "a"}), BEFORE)
    assert ([each.stage for each in found.stages], found.measured, found.first_difference) == (["snapshot"], 0, None)


def test_surroundings() -> None:
    """Versions that changed, came and went; nothing where all is as it was."""
    then = Surroundings(
        python="3.11.7", system="Linux", processor="a", cores=2, own_code="sha256:1", packages={"a": "1", "b": "1"}
    )
    now = then.model_copy(update={"packages": {"a": "2", "c": "1"}, "cores": 4, "own_code": "sha256:2"})
    assert surroundings.library_changes(then, now) == ["a 1 -> 2", "b 1 -> not installed", "c not installed -> 1"]
    assert surroundings.machine_changes(then, now) == ["cores 2 -> 4"]
    assert surroundings.code_changes(then, now) == ["argosy's own code 1 -> 2"]
    assert not [*surroundings.library_changes(then, then), *surroundings.code_changes(then, then)]
