"""A scoring that several pods share."""

import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.file_tables import FileTables
from argosy.domain.model_settings import ScoringSettings
from argosy.ports.prediction_log import Logged, ServedRelease
from argosy.scoring import job, part_results, parts, plan
from argosy.scoring.job import ScoringJob
from argosy.scoring.plan import ScoringPlan
from argosy.steps.finish_scoring import run as finishing
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
            plan.most_pods(SETTINGS, text)
    assert (plan.most_pods(SETTINGS, ""), plan.most_pods(None, ""), plan.most_pods(SETTINGS, "9")) == (3, 1, 9)
