"""Parts that are scored elsewhere: proven there, answered as here, and a failure is what it is."""

import functools
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors, wiring
from argosy.adapters.file_tables import FileTables
from argosy.domain import bundle
from argosy.scoring import job, part_results, parts, sent_work
from argosy.scoring.job import ScoringJob
from argosy.scoring.sent_work import Proof
from kit.scoring_kit import signed_job


class Processes:
    """A pool of this very process, to which all is sent as to any other."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def each(self, work: Callable[[int], str], count: int) -> Iterator[str]:
        """See the port."""
        sent = pickle.dumps(work)
        sent_work._workers.clear()  # another process
        for number in reversed(range(count)):
            self.asked.append(number)
            yield pickle.loads(sent)(number)  # noqa: S301 - made here


@pytest.fixture
def given(tmp_path: Path) -> tuple[ScoringJob, Proof]:
    """A job, and what proves its model."""
    return signed_job(tmp_path)


def scored(work: ScoringJob, proof: Proof, pool: Processes) -> dict[str, bool]:
    """The digest of each part's content with whether it was there already."""
    done = sent_work.run(work, parts.of(work.tables), proof, pool, lambda *_: None)
    return {result.fingerprint: already for result, already in done}


def test_the_files_are_those_of_this_process(given: tuple[ScoringJob, Proof], tmp_path: Path) -> None:
    """Results and log, byte for byte; and what is there is left."""
    work, proof = given
    here = replace(
        work,
        results=FileTables(tmp_path / "here"),
        log=functools.partial(wiring.batch_log_at, f"file://{tmp_path / 'mine'}"),
    )
    list(job.run(here, parts.of(work.tables), workers=1, told=lambda *_: None))
    pool = Processes()
    assert set(scored(work, proof, pool).values()) == {False}
    for mine, theirs in (("here", "out"), ("mine", "log")):
        files = [path for path in (tmp_path / mine).rglob("*") if path.is_file()]
        assert len(files) == 3
        for path in files:
            assert (tmp_path / theirs / path.relative_to(tmp_path / mine)).read_bytes() == path.read_bytes()
    (tmp_path / "out" / "b.parquet").unlink()
    assert sorted(scored(work, proof, pool).values()) == [False, True, True]
    assert pool.asked == [2, 1, 0, 0]


def test_a_bundle_that_was_changed_on_its_way(given: tuple[ScoringJob, Proof]) -> None:
    """Whoever sent it, a process loads what was signed and nothing else: 10."""
    work, proof = given
    (work.bundle / bundle.BINS).write_bytes((work.bundle / bundle.BINS).read_bytes() + b" ")
    with pytest.raises(errors.Rejected, match=r"not what was signed.*and 2 parts more failed"):
        scored(work, proof, Processes())
    assert not list(Path(work.results.uri).glob("*.parquet"))


def test_a_part_that_fails_leaves_the_others(given: tuple[ScoringJob, Proof]) -> None:
    """They are done and stay; what has to be mended is said, as what it is."""
    work, proof = given
    pq.write_table(pa.table({"strange": [1]}), Path(work.tables.uri) / "b.parquet")
    with pytest.raises(errors.Misconfigured, match=r"b\.parquet lacks"):
        scored(work, proof, Processes())
    done = [part.name for part, result in job.standing(work, parts.of(work.tables)) if result]
    assert done == ["a", "c"]
    assert part_results.ABOUT in (pq.read_metadata(Path(work.results.uri) / "a.parquet").metadata or {})
