"""Scores all parts of a table: those that are done are left, each is written whole or not at all, and logged once.

The moment at which a job began is kept beside its results. Whoever goes on with it logs under the same moment, and what is logged of a part
has a name made of part, model and moment: a part that is done twice is logged once.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from argosy import errors
from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.domain.pseudonyms import hashed_columns
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import OTHER, BatchLog, Logged, ServedRelease
from argosy.ports.table_files import TableFiles
from argosy.scoring import part_results, parts
from argosy.scoring.part_results import PartResult, Summary
from argosy.scoring.parts import TablePart
from argosy.scoring.scorer import BatchScorer, Scored, levels_known


@dataclass(frozen=True)
class ScoringJob:
    """What is scored with what. Sent to the processes that do it."""

    bundle: Path
    served: ServedRelease
    tables: TableFiles
    results: TableFiles
    """Of this model's version."""
    began: datetime.datetime
    features: bool
    """True where results keep the features too."""
    hash_key: bytes
    log: Callable[[], BatchLog] | None
    """Opens the log, in whichever process."""


def run(
    job: ScoringJob, found: Sequence[TablePart], *, workers: int, told: Callable[[int, int], None]
) -> Iterator[tuple[PartResult, bool]]:
    """Score the parts *found*, each in one of *workers* processes; gives each part's result and whether it was there already, in no order.

    *told* hears how many parts of how many are done.
    """
    waiting, done = [], 0
    for part, result in standing(job, found):
        if result is None:
            waiting.append(part)
            continue
        done += 1
        yield result, True
    if not waiting:
        return
    count = min(workers, len(waiting))
    if count == 1:
        worker = ScoringWorker(job)
        for part in waiting:
            result = worker.score(part)
            done += 1
            told(done, len(found))
            yield result, False
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_prepare, initargs=(job,)) as pool:
        futures = [pool.submit(_one, part) for part in waiting]
        try:
            for future in as_completed(futures):
                result = future.result()
                done += 1
                told(done, len(found))
                yield result, False
        except BrokenProcessPool as error:
            raise errors.TryAgain(
                f"one of {count} processes that scored was killed, as a rule for memory; begin again with fewer --workers, and it goes on"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def standing(job: ScoringJob, found: Sequence[TablePart]) -> Iterator[tuple[TablePart, PartResult | None]]:
    """Each of the parts *found*, with its result where it was scored already."""
    for part in found:
        yield part, part_results.result_of(job.results, part, job.served)


def summary(job: ScoringJob, results: Sequence[tuple[PartResult, bool]]) -> Summary:
    """All *results* of *job* together."""
    return part_results.summed(job.served, job.began, results, logged=job.log is not None)


_worker: "ScoringWorker | None" = None


def _prepare(job: ScoringJob) -> None:
    global _worker  # noqa: PLW0603 - one model a process, which is what processes of a pool have in common
    _worker = ScoringWorker(job)


def _one(part: TablePart) -> PartResult:
    if _worker is None:
        raise RuntimeError("this process was not prepared")
    return _worker.score(part)


class ScoringWorker:
    """Scores parts, in one process."""

    def __init__(self, job: ScoringJob) -> None:
        self._job = job
        self._predictor = Predictor.load(job.bundle, job.served.digest)
        self._scorer = BatchScorer(self._predictor)
        self._log = None if job.log is None else job.log()

    def score(self, part: TablePart) -> PartResult:
        """Score *part*: log it, then show its results, so that no results are seen of which the log knows nothing.

        Raises TryAgain where somebody else has kept results of other content meanwhile.
        """
        signature = self._predictor.signature
        refused, missing = _PartFile(self._job.results, f"{part_results.REFUSED}/{part.name}.parquet"), Counter[str]()
        kept, log = _PartFile(self._job.results, f"{part.name}.parquet"), _PartLog(self._log, self._job, part)
        with kept, refused:
            first = 0
            for batch in parts.batches(self._job.tables, part, signature.features):
                scored = self._scorer.score(batch, part.file)
                kept.write(results(scored, signature, self._job))
                if scored.refused.num_rows:
                    refused.write(scored.refused)
                missing.update(scored.missing)
                log.add(scored, signature, first)
                first += batch.num_rows
            result = PartResult(
                fingerprint=part.fingerprint,
                digest=self._job.served.digest,
                scored=kept.rows,
                refused=refused.rows,
                missing=dict(missing),
            )
            log.flush()
            if not (refused.keep(result) and kept.keep(result)) and self._standing(part) != result:
                raise errors.TryAgain(
                    f"{part.name}: somebody else wrote its results meanwhile, of another content; begin again"
                )
        return result

    def _standing(self, part: TablePart) -> PartResult | None:
        return part_results.result_of(self._job.results, part, self._job.served)


def results(scored: Scored, signature: Signature, job: ScoringJob) -> pa.Table:
    """The results of a batch: the columns of its rows, without features unless these are wanted, and the answers beside them."""
    features = {column.name for column in signature.features}
    names = [name for name in scored.rows.column_names if job.features or name not in features]
    table = scored.rows.select(names)
    answers: dict[str, pa.Array] = {"prediction": _scores(scored)}
    if scored.decisions is not None:
        answers["decision"] = pa.array(scored.decisions, pa.string())
    answers["model_version"] = pa.array(np.full(table.num_rows, job.served.version or 0, dtype=np.int64))
    taken = next((name for name in answers if name in names), None)
    if taken is not None:
        raise errors.Misconfigured(f"the column {taken!r} of the table is called like one of the results; rename it")
    for name, values in answers.items():
        table = table.append_column(name, values)
    return table


def records(scored: Scored, signature: Signature, job: ScoringJob, request_id: str, first: int) -> pa.Table:
    """What is logged of a batch whose first row is number *first*: see :class:`argosy.ports.prediction_log.Logged`."""
    rows, count = scored.rows, scored.rows.num_rows
    features = [(column, _loggable(scored, column)) for column in signature.logged]
    kept = pa.StructArray.from_arrays([values for _, values in features], names=[column.name for column, _ in features])
    scores = scored.predictions if scored.predictions.ndim == 2 else scored.predictions[:, np.newaxis]
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * scores.shape[1])
    at = pa.scalar(job.began, pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "time": pa.array(np.full(count, at.value, dtype=np.int64)).cast(at.type),
            "request_id": pa.array([request_id] * count, pa.string()),
            "row": pa.array(np.arange(first, first + count, dtype=np.int32)),
            "entity": _entities(rows, signature, job),
            "score": pa.ListArray.from_arrays(offsets, pa.array(scores.ravel())),
            "decision": _decisions(scored),
            "features": kept,
        }
    )


def _loggable(scored: Scored, column: FeatureColumn) -> pa.Array:
    values = scored.rows.column(column.name).combine_chunks()
    if column.type == "number" or not scored.missing[column.name]:  # no level of it was taken for missing
        return values
    strange = ~levels_known(scored.rows, column) & np.asarray(
        values.is_valid().to_numpy(zero_copy_only=False), dtype=bool
    )
    return pa.compute.if_else(pa.array(strange), pa.scalar(OTHER), values)


def _entities(rows: pa.Table, signature: Signature, job: ScoringJob) -> pa.Array:
    if not all(name in rows.column_names for name in signature.join_keys):
        return pa.nulls(rows.num_rows, pa.string())
    for name in signature.join_keys:
        kind = rows.column(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            # The server takes no other, so that one customer has one hash in every log.
            raise errors.Misconfigured(f"the join key {name} is {kind}; ids are whole numbers or text")
    ids = {name: rows.column(name).to_pylist() for name in signature.join_keys}
    return pa.array(hashed_columns(ids, job.hash_key), pa.string())


def _decisions(scored: Scored) -> pa.Array:
    if scored.decisions is None:
        return pa.nulls(scored.rows.num_rows, pa.string())
    return pa.array(scored.decisions, pa.string())


def _scores(scored: Scored) -> pa.Array:
    if scored.predictions.ndim == 1:
        return pa.array(scored.predictions)
    width = scored.predictions.shape[1]
    offsets = pa.array(np.arange(len(scored.predictions) + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(scored.predictions.ravel()))


class _PartLog:
    """Logs one part, a segment after the other, so that a file of any length takes the memory of one."""

    def __init__(self, log: BatchLog | None, job: ScoringJob, part: TablePart) -> None:
        self._log = log
        self._job = job
        self._identity = f"{job.began.isoformat()} {part.name} {part.fingerprint}"
        self._request_id = f"batch-{job.began:%Y%m%dT%H%M%SZ}-{part.fingerprint.removeprefix('sha256:')[:12]}"
        self._waiting: list[pa.Table] = []
        self._put = 0

    def add(self, scored: Scored, signature: Signature, first: int) -> None:
        """The answers to a batch whose first row is number *first*."""
        if self._log is None or not scored.rows.num_rows:
            return
        self._waiting.append(records(scored, signature, self._job, self._request_id, first))
        if sum(table.num_rows for table in self._waiting) >= parts.PART_ROWS:
            self.flush()

    def flush(self) -> None:
        """Put what waits. Segments are cut at the same rows each time, and have the same identities."""
        if self._log is not None and self._waiting:
            self._log.put(Logged(self._job.served, pa.concat_tables(self._waiting)), f"{self._identity} {self._put}")
            self._put += 1
            self._waiting = []


class _PartFile:
    """A Parquet file that is seen once it is whole, and only if something was written."""

    def __init__(self, among: TableFiles, name: str) -> None:
        self._among, self._name = among, name
        self._over = among.version(name)
        self._stack = ExitStack()
        self._draft: Path | None = None
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def __enter__(self) -> "_PartFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        self._stack.close()

    def write(self, table: pa.Table) -> None:
        """Add the rows of *table*."""
        if self._writer is None:
            self._draft = self._stack.enter_context(self._among.draft(self._name))
            # Not of numbers, which rarely repeat: trying costs more than writing them.
            texts = [column.name for column in table.schema if pa.types.is_string(column.type)]
            self._writer = pq.ParquetWriter(self._draft, table.schema, compression="zstd", use_dictionary=texts)
        self._writer.write_table(table)
        self.rows += table.num_rows

    def keep(self, result: PartResult) -> bool:
        """Show it, with *result* in it. Of nothing there is no file, and an older one goes. False where somebody else wrote meanwhile."""
        if self._writer is None or self._draft is None:
            if self._over is not None:
                self._among.remove(self._name)
            return True
        self._writer.add_key_value_metadata({part_results.ABOUT.decode(): result.canonical_json()})
        self._writer.close()
        self._writer = None
        return self._among.keep(self._name, self._draft, self._over)
