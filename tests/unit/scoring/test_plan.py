"""A scoring that several pods share."""

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.file_tables import FileTables
from argosy.domain import release
from argosy.domain.compute_settings import Compute
from argosy.domain.model_settings import ScoringSettings
from argosy.ports.prediction_log import Logged, ServedRelease
from argosy.promotion.approval import Approval
from argosy.scoring import job, part_results, parts, plan
from argosy.scoring.job import ScoringJob
from argosy.scoring.plan import ScoringPlan
from argosy.steps.finish_scoring import run as finishing
from argosy.steps.plan_scoring import run as planning
from argosy.steps.score_batch import run as scoring
from kit.serving_kit import FEATURES, rows, write_bundle

NOW = datetime.datetime(2026, 1, 31, 23, 30, tzinfo=datetime.UTC)
SETTINGS = ScoringSettings.model_validate({"in": "s3://raw/day={as_of}", "out": "s3://scored", "pods": 3})


class NoLog:
    """Keeps nothing."""

    def put(self, found: Logged, identity: str) -> None:
        """Nothing."""


@pytest.fixture
def made(tmp_path: Path) -> tuple[ScoringPlan, ScoringJob]:
    """The plan of three tables, and the job that carries it out."""
    digest, schema = (
        write_bundle(tmp_path / "bundle"),
        [(column.name, pa.string() if column.type == "category" else pa.float64()) for column in FEATURES],
    )
    (tmp_path / "in").mkdir()
    for name in "abc":
        table = pa.Table.from_pylist([dict(row) for row in rows(5, ord(name))], pa.schema(schema))
        pq.write_table(table, tmp_path / "in" / f"{name}.parquet")
    tables, results = FileTables(tmp_path / "in"), FileTables(tmp_path / "out")
    served = ServedRelease("leaving", "production", 4, digest)
    found = ScoringPlan(
        model=served.model,
        environment=served.environment,
        version=4,
        digest=digest,
        as_of=NOW.date(),
        began=part_results.begin(results, served, NOW, tables.uri),
        tables=tables.uri,
        results=results.uri,
        with_features=False,
        shares=2,
        parts=plan.planned(parts.of(tables)),
    )
    work = ScoringJob(
        tmp_path / "bundle", served, tables, results, found.began, features=False, hash_key=b"", log=NoLog
    )
    return found, work


def test_shares_of_a_plan_are_all_of_it(made: tuple[ScoringPlan, ScoringJob], tmp_path: Path) -> None:
    """Also as another pod reads it; a share that was never dealt is none."""
    made[0].write(tmp_path / "plan.json")
    read = ScoringPlan.read(tmp_path / "plan.json")
    assert read == made[0]
    assert [[part.name for part in read.share(name)] for name in read.share_names()] == [["a", "c"], ["b"]]
    with pytest.raises(errors.Misconfigured, match=r"share='3/2': the plan has the shares 1/2, 2/2"):
        read.share("3/2")


def test_the_end_is_written_when_all_is_there(made: tuple[ScoringPlan, ScoringJob]) -> None:
    """Not before; then nothing but the plan's results is there, of what scoring wrote."""
    found, work = made
    list(job.run(work, found.share("1/2"), workers=1, told=lambda *_: None))
    with pytest.raises(errors.TryAgain, match=r"1 of 3 parts are missing, b first"):
        finishing.run(plan=found, results=work.results)
    assert work.results.get(part_results.SUMMARY) is None
    list(job.run(work, found.all_parts(), workers=1, told=lambda *_: None))
    work.results.put("theirs.parquet", b"somebody else's")
    gone = found.model_copy(update={"parts": found.parts[:2]})
    assert finishing.run(plan=gone, results=work.results).scored == 10
    assert [name for name in work.results.names() if name.endswith(".parquet")] == [
        "a.parquet",
        "b.parquet",
        "theirs.parquet",
    ]
    assert work.results.get(part_results.SUMMARY) is not None


def test_results_of_other_tables_are_not_mixed_in(made: tuple[ScoringPlan, ScoringJob]) -> None:
    """They would be taken for tables that are gone."""
    found, work = made
    assert part_results.begin(work.results, work.served, NOW, found.tables) == NOW
    for other in ("s3://raw/other", None):
        with pytest.raises(errors.Misconfigured, match="name another place for results"):
            part_results.begin(work.results, work.served, NOW, other)


@pytest.mark.parametrize(
    ("given", "results", "folders"),
    [
        ("", "s3://scored", ["as_of=2026-01-31"]),
        ("s3://other", "s3://other", ["as_of=2026-01-31"]),
        ("s3://other/{as_of}/x", "s3://other/2026-01-31/x", []),
    ],
)
def test_a_day_has_a_place_of_its_own(given: str, results: str, folders: list[str]) -> None:
    """Below where results go, unless that names the day."""
    day = plan.day("", NOW)
    assert plan.place(given, SETTINGS.results, "out", day) == results
    assert plan.below(given, SETTINGS.results, day) == folders


def test_parameters_that_are_none() -> None:
    """Each named, with what it should look like."""
    with pytest.raises(errors.Misconfigured, match=r"as-of='2026-02-30' is no day"):
        plan.day("2026-02-30", NOW)
    with pytest.raises(errors.Misconfigured, match=r"in is empty: pass -p in=<place>, or set `scoring.in`"):
        plan.place("", None, "in", NOW.date())
    for text in ("0", "many", "257"):
        with pytest.raises(errors.Misconfigured, match="from 1 to 256"):
            plan.most_pods(SETTINGS, text, Compute())
    asked = [(SETTINGS, ""), (None, ""), (SETTINGS, "9")]
    assert [plan.most_pods(scoring, text, Compute()) for scoring, text in asked] == [3, 1, 9]


def test_one_pod_asks_spark() -> None:
    """Its executors share the parts, so that a number of pods means nothing."""
    assert plan.most_pods(SETTINGS, "", Compute(engine="spark")) == 1
    assert plan.most_pods(SETTINGS, "", Compute(engine="spark", steps=["train"])) == 3
    with pytest.raises(errors.Misconfigured, match=r"pods='2': .* one pod asks it; leave `pods` out"):
        plan.most_pods(SETTINGS, "2", Compute(engine="spark"))


def test_a_plan_that_names_another_model_than_main_scores_nothing(
    made: tuple[ScoringPlan, ScoringJob], tmp_path: Path
) -> None:
    """The plan passes through a bucket; the digest that main named comes by the workflow's status."""
    found, work = made

    def never(*_: object) -> Any:
        raise AssertionError("the model was looked at")

    with pytest.raises(errors.Rejected, match="somebody changed the plan"):
        scoring.run(
            plan=found,
            share="1/2",
            approved=f"sha256:{'0' * 64}",
            model=tmp_path,
            verifier=never,  # type: ignore[arg-type]
            opened=never,
            hash_key=b"",
            log=NoLog,
            told=lambda *_: None,
        )
    assert not list(Path(work.results.uri).glob("*.parquet"))


@pytest.mark.parametrize(
    ("of_main", "own", "counts"), [(b"main's", b"own", b"main's"), (None, b"own", b"own"), (None, None, None)]
)
def test_the_keys_of_main_count_and_only_without_them_this_machines(
    of_main: bytes | None,
    own: bytes | None,
    counts: bytes | None,
    made: tuple[ScoringPlan, ScoringJob],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pod has no key of its own; who scores without any is told where one belongs."""
    found, _ = made
    version = release.Version(
        model=found.model,
        version=4,
        model_digest=found.digest,
        storage_uri="file:///store/",
        evidence_digest=found.digest,
        policy_digest=found.digest,
    )
    monkeypatch.setattr(planning.approval, "find", lambda *_: Approval(version, b"signature", of_main))
    monkeypatch.setattr(planning.approval, "fetch_proven_bundle", lambda _artifacts, _version, into: into.mkdir())

    def planned() -> planning.PlannedScoring:
        return planning.run(
            model=found.model,
            scoring=None,
            compute=Compute(),
            asked=planning.AskedScoring("in", "another", "2026-01-31", "production", "", ""),
            now=NOW,
            forge=None,  # type: ignore[arg-type]
            artifacts=None,  # type: ignore[arg-type]
            opened=lambda place, _: FileTables(tmp_path / place),
            bundle=tmp_path,
            own_keys=lambda: own,
        )

    (tmp_path / "bundle").rename(tmp_path / "made")
    if counts is None:
        with pytest.raises(errors.Misconfigured, match=r"has no keys/signing\.pub\.pem"):
            planned()
    else:
        assert planned().verifying_keys == counts
