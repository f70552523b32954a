"""What a scoring leaves beside its results: when it began, what became of each part, the summary. Knows no model."""

import datetime
import json
from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AwareDatetime

from argosy import errors
from argosy.domain.documents import Document
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.table_files import TableFiles
from argosy.scoring.parts import TablePart

BEGAN = "_began.json"
SUMMARY = "_summary.json"
REFUSED = "_refused"
"""Names that begin with ``_`` are no part of the table for those who read the folder as one."""
ABOUT = b"argosy.scored"
"""Where in the metadata of a file of results it says what became of its part."""


class Began(Document):
    """``_began.json``."""

    at: AwareDatetime
    model: str
    version: int | None = None
    digest: str
    tables: str | None = None
    """Whose results lie there, where nobody else's may."""


class PartResult(Document):
    """What became of one part; kept in the metadata of its file of results."""

    fingerprint: str
    digest: str
    scored: int
    refused: int
    missing: dict[str, int]


class Summary(Document):
    """``_summary.json``, or ``_summary-<i>-of-<n>.json`` of a share."""

    model: str
    environment: str
    version: int | None = None
    digest: str
    began: AwareDatetime
    parts: int
    already: int
    """Of them, done before."""
    scored: int
    refused: int
    missing: dict[str, int]
    """Values scored as missing, by feature."""
    logged: bool


def begin(
    results: TableFiles, served: ServedRelease, now: datetime.datetime, tables: str | None = None
) -> datetime.datetime:
    """When the job with *results* began: *now*, or what it says there.

    *tables*: where the tables lie, whose results alone are to be there. Raises Misconfigured where another model's are, or other tables'.
    """
    if results.get(BEGAN) is None:
        with results.draft(BEGAN) as draft:
            Began(at=now, model=served.model, version=served.version, digest=served.digest, tables=tables).write(draft)
            results.keep(BEGAN, draft, None)  # the first of several wins
    found = _began(results)
    if found.digest != served.digest:
        raise errors.Misconfigured(
            f"{results.uri} has results of {found.digest[:19]}, not of {served.digest[:19]}; pass another --out"
        )
    if found.tables != tables:
        raise errors.Misconfigured(
            f"{results.uri} has results of {found.tables or 'tables that `argosy score` was given'}, not of {tables or 'those'}; "
            "name another place for results"
        )
    return found.at


def _began(results: TableFiles) -> Began:
    try:
        return Began.model_validate_json(results.get(BEGAN) or b"")
    except ValueError as error:
        raise errors.Misconfigured(
            f"{results.uri}: {BEGAN} is not what was written there; remove it, and all is scored anew"
        ) from error


def summed(
    served: ServedRelease, began: datetime.datetime, results: Sequence[tuple[PartResult, bool]], *, logged: bool
) -> Summary:
    """All *results* by *served* together, each with whether it was done before."""
    missing: Counter[str] = Counter()
    for result, _ in results:
        missing.update(result.missing)
    return Summary(
        model=served.model,
        environment=served.environment,
        version=served.version,
        digest=served.digest,
        began=began,
        parts=len(results),
        already=sum(already for _, already in results),
        scored=sum(result.scored for result, _ in results),
        refused=sum(result.refused for result, _ in results),
        missing=dict(missing),
        logged=logged,
    )


def result_of(results: TableFiles, part: TablePart, served: ServedRelease) -> PartResult | None:
    """The result of *part* by *served*, where it is there and of this content; None else."""
    found = _result_in(results, f"{part.name}.parquet")
    return found if found and (found.fingerprint, found.digest) == (part.fingerprint, served.digest) else None


def _result_in(results: TableFiles, name: str) -> PartResult | None:
    """The result that the file *name* says it is of; None where it is none of ours, or torn."""
    version = results.version(name)
    if version is None:
        return None
    try:
        with results.open(name, version) as stream:
            metadata: Mapping[bytes, bytes] = pq.read_metadata(stream).metadata or {}
        return PartResult.model_validate(json.loads(metadata.get(ABOUT, b"")))
    except (OSError, ValueError, pa.ArrowException):
        return None  # it is made anew


def remove_others(results: TableFiles, found: Sequence[TablePart]) -> list[str]:
    """Remove from *results* what was scored of anything but the parts *found*, as of a table that is gone; returns the names."""
    ours = {name for part in found for name in (f"{part.name}.parquet", f"{REFUSED}/{part.name}.parquet")}
    others = [name for name in results.names() if name.endswith(".parquet") and name not in ours]
    removed = [name for name in others if _result_in(results, name) is not None]
    for name in removed:
        results.remove(name)
    return removed
