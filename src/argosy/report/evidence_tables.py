"""Tables of the evidence about a run rather than a model: what it read, and what its speed was measured on."""

from collections.abc import Sequence

from argosy.domain import figures
from argosy.domain.data import SnapshotManifest
from argosy.domain.evidence import DATA, Table
from argosy.domain.source_settings import Source


def sources(settings: Sequence[Source], snapshot: SnapshotManifest) -> Table:
    """What was read, where from, and its digest: whoever has the same reads the same."""
    places = {source.name: _place(source) for source in settings}
    return Table(
        title="What it was made from",
        dimension=DATA,
        header=["Source", "Read from", "Rows", "Digest"],
        rows=[[one.source, places.get(one.source, ""), f"{one.rows:,}", one.digest] for one in snapshot.tables],
    )


def _place(source: Source) -> str:
    kinds = {"file": source.file, "folder": source.folder, "sql": source.sql, "kafka": source.kafka, "url": source.url}
    kind, value = next((kind, value) for kind, value in kinds.items() if value is not None)
    return str(value) if kind in {"file", "folder"} else f"{kind}: {source.name} of model.yaml"


def speed(milliseconds: Sequence[float | None], per_million: float | None, price: float, machine: str) -> list[Table]:
    """How fast the server answered: of half, of 95 and of 99 in 100 requests; and what a million of them costs at *price* a CPU-hour.

    None where it answered nothing.
    """
    known = [value for value in milliseconds if value is not None]
    if len(known) < len(milliseconds) or per_million is None:
        return []
    shares = ("half of the requests", "95 of 100", "99 of 100")
    return [
        Table(
            title="Speed and cost",
            dimension="latency",
            header=["", ""],
            rows=[
                *([share, f"{figures.number(value)} ms"] for share, value in zip(shares, known, strict=True)),
                [
                    "a million",
                    f"{figures.number(per_million)} dollars, at {figures.number(price)} for an hour of one CPU",
                ],
                ["asked", "one row a request, over HTTP, one after the other"],
                ["measured on", machine],
            ],
        )
    ]
