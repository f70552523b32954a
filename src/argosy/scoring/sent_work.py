"""Parts that are scored in processes of other machines: what is sent there, and what comes back.

A process proves the bundle that it was sent, by its digest and by the signature over it, before its first part, and scores as any process
does. A failure comes back as what it is, so that nothing that has to be mended is tried again.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from argosy import errors, scratch
from argosy.domain import bundle
from argosy.domain.documents import Document
from argosy.ports.signer import Verifier
from argosy.promotion import verification
from argosy.scoring import job
from argosy.scoring.job import ScoringJob, ScoringWorker
from argosy.scoring.part_results import PartResult
from argosy.scoring.parts import TablePart

SIGNATURE, KEYS = "bundle.sig", "verifying-keys.pem"
KINDS = (errors.NotAllowed, errors.Misconfigured, errors.LocalDisk, errors.TryAgain, errors.Rejected)
"""Failures that come back as what they are, the narrower first."""


class Pool(Protocol):
    """Processes of other machines."""

    def each(self, work: Callable[[int], str], count: int) -> Iterator[str]:
        """What *work*, which is sent there, answers to each number below *count*, in no order.

        A number whose process went away is asked again elsewhere. Raises TryAgain where the pool went away.
        """


@dataclass(frozen=True)
class Proof:
    """What proves a bundle: the *signature* over it, *keys* whose signatures count, and what checks them, given a file of keys."""

    signature: bytes
    keys: bytes
    verifier: Callable[[Path], Verifier]


@dataclass(frozen=True)
class SentWork:
    """The *parts* of a *job*, with the *files* of its bundle by name. Sent to the processes that score."""

    job: ScoringJob
    parts: Sequence[TablePart]
    files: Mapping[str, bytes]
    proof: Proof

    def __call__(self, number: int) -> str:
        """Score the part *number*: a document of :class:`PartEnd`."""
        try:
            return PartEnd(result=self._worker().score(self.parts[number])).canonical_json()
        except KINDS as error:
            kind = next(kind for kind in KINDS if isinstance(error, kind))
            return PartEnd(failed=kind.__name__, said=str(error)).canonical_json()

    def _worker(self) -> ScoringWorker:
        """This process's, made once for a job."""
        name = f"{self.job.served.digest} {self.job.began.isoformat()} {self.job.tables.uri} {self.job.results.uri}"
        if name not in _workers:
            _workers.clear()
            _workers[name] = self._proven()
        return _workers[name]

    def _proven(self) -> ScoringWorker:
        with scratch.folder("score") as place:
            folder = place / "bundle"
            folder.mkdir()
            for name, content in self.files.items():
                (folder / name).write_bytes(content)
            (place / SIGNATURE).write_bytes(self.proof.signature)
            (place / KEYS).write_bytes(self.proof.keys)
            served = self.job.served
            approved = verification.Approved(folder, served.digest, model=served.model, version=served.version)
            verifier = self.proof.verifier(place / KEYS)
            verification.load(approved, verifier=verifier, signature=place / SIGNATURE)
            verification.release(approved)
            return ScoringWorker(dataclasses.replace(self.job, bundle=folder))


class PartEnd(Document):
    """What became of a part: a result, or which failure and what it said."""

    result: PartResult | None = None
    failed: str | None = None
    said: str = ""


def run(
    asked: ScoringJob, found: Sequence[TablePart], proof: Proof, pool: Pool, told: Callable[[int, int], None]
) -> Iterator[tuple[PartResult, bool]]:
    """Score the parts *found* in *pool*; as :func:`argosy.scoring.job.run` otherwise.

    Raises what the first part that failed met, once all others are done: begun again, those are left.
    """
    waiting, failures, done = [], [], 0
    for part, result in job.standing(asked, found):
        if result is None:
            waiting.append(part)
            continue
        done += 1
        yield result, True
    work = SentWork(asked, waiting, files_of(asked.bundle), proof)
    for text in pool.each(work, len(waiting)) if waiting else ():
        end = PartEnd.model_validate_json(text)
        if end.result is None:
            failures.append(end)
            continue
        done += 1
        told(done, len(found))
        yield end.result, False
    if failures:
        raise _first(failures)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of the bundle in *folder*, by name."""
    known = {*bundle.MODELS, *bundle.OTHERS, bundle.RELEASE}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name in known}


def _first(failures: Sequence[PartEnd]) -> errors.ArgosyError:
    """The first of *failures* that has to be mended; where there is none, the first."""
    names = {kind.__name__: kind for kind in KINDS}
    end = next((each for each in failures if each.failed != errors.TryAgain.__name__), failures[0])
    more = f" (and {len(failures) - 1} parts more failed)" if len(failures) > 1 else ""
    return names[end.failed or errors.TryAgain.__name__](f"{end.said}{more}")


_workers: dict[str, ScoringWorker] = {}
