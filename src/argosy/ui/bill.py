"""What runs cost, as a page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.domain import bills
from argosy.domain.bills import BillRow, Prices, Used


@dataclass(frozen=True)
class Bill:
    """The bill of some runs, by month and model, and by pipeline."""

    by_month: Sequence[BillRow]
    by_pipeline: Sequence[BillRow]
    total: BillRow
    has_prices: bool
    left: int
    """Older runs that are not counted."""


def of(used: Sequence[Used], prices: Prices, left: int) -> Bill:
    """The bill of *used*. *left*: older runs that are not in it."""
    by_month = bills.bill(used, ("month", "model", "owner"), prices)
    return Bill(
        by_month=list(reversed(by_month)),
        by_pipeline=bills.bill(used, ("pipeline",), prices),
        total=bills.total(by_month),
        has_prices=bool(prices.by_kind),
        left=left,
    )
