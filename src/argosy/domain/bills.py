"""What runs cost: resources over time, in Argo's own units, times prices, by month, model and pipeline. Pure functions.

Argo calls its measure indicative: what a pod asks for, times how long it runs, whatever it uses of that. So is this.
"""

import datetime
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from argosy import errors

CPU, MEMORY, GPU = "cpu", "memory", "gpu"
KINDS = (CPU, MEMORY, GPU)
GIB_OF_UNIT = 100 / 1024
"""Argo counts memory in seconds of 100 MiB."""
HOUR = 3600
PRICE = re.compile(r"(?P<kind>cpu|memory|gpu)=(?P<price>\d{1,9}(\.\d{1,9})?)")


@dataclass(frozen=True)
class Used:
    """What one run used."""

    pipeline: str
    model: str
    owner: str
    at: datetime.datetime
    """When it began."""
    durations: Mapping[str, float]
    """Argo's ``resourcesDuration``: seconds of a core (``cpu``), of 100 MiB (``memory``), of one of whatever else is asked for."""

    def hours(self) -> dict[str, float]:
        """Hours of a core, of a GiB, and of a device, by kind."""
        found = dict.fromkeys(KINDS, 0.0)
        for name, seconds in self.durations.items():
            if name == MEMORY:
                found[MEMORY] += seconds * GIB_OF_UNIT / HOUR
            elif name == CPU:
                found[CPU] += seconds / HOUR
            elif name.endswith("/gpu") or "/mig-" in name:
                found[GPU] += seconds / HOUR
        return found


@dataclass(frozen=True)
class Prices:
    """The price of an hour of a core, of a GiB and of a GPU."""

    by_kind: Mapping[str, float]

    @classmethod
    def from_text(cls, text: str, where: str) -> "Prices":
        """From ``cpu=0.04,memory=0.005,gpu=2.5``. Raises Misconfigured, which names *where*."""
        found: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            matched = PRICE.fullmatch(part)
            if matched is None or matched["kind"] in found:
                raise errors.Misconfigured(
                    f"{where}: {part!r} is no price of an hour; expected such as cpu=0.04,memory=0.005,gpu=2.5, each once"
                )
            found[matched["kind"]] = float(matched["price"])
        return cls(found)

    def of(self, hours: Mapping[str, float]) -> float:
        """The price of *hours* by kind; what has no price costs nothing."""
        return math.fsum(self.by_kind.get(kind, 0.0) * amount for kind, amount in hours.items())


@dataclass(frozen=True)
class BillRow:
    """One line of a bill."""

    labels: Mapping[str, str]
    runs: int
    hours: Mapping[str, float]
    price: float


def bill(used: Iterable[Used], by: Sequence[str], prices: Prices) -> list[BillRow]:
    """A row for each combination of *by* (``month``, ``model``, ``pipeline``, ``owner``) in *used*, the months in order, then by price."""
    groups: dict[tuple[str, ...], list[Used]] = defaultdict(list)
    for one in used:
        groups[tuple(_label(one, name) for name in by)].append(one)
    rows = [_row(dict(zip(by, labels, strict=True)), members, prices) for labels, members in groups.items()]
    return sorted(
        rows, key=lambda row: (row.labels.get("month", ""), -row.price, -row.hours[CPU], *row.labels.values())
    )


def total(rows: Iterable[BillRow]) -> BillRow:
    """The sum of *rows*."""
    known = list(rows)
    hours = {kind: math.fsum(row.hours[kind] for row in known) for kind in KINDS}
    return BillRow({}, sum(row.runs for row in known), hours, math.fsum(row.price for row in known))


def _row(labels: Mapping[str, str], members: Sequence[Used], prices: Prices) -> BillRow:
    each = [one.hours() for one in members]
    hours = {kind: math.fsum(one[kind] for one in each) for kind in KINDS}
    return BillRow(labels, len(members), hours, prices.of(hours))


def _label(one: Used, name: str) -> str:
    return {
        "month": f"{one.at.astimezone(datetime.UTC):%Y-%m}",
        "model": one.model,
        "pipeline": one.pipeline,
        "owner": one.owner,
    }[name]
