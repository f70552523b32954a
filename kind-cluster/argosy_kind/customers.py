"""Customers for the story of a model that has to be trained again: those of the sample data, and others who pay more."""

import csv
import datetime
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from argosy import errors
from argosy_kind.site import ROOT

PROGRAM = Path(__file__).with_name("load.py")
"""What sends their requests, in a pod."""
MODEL = ROOT / "workflows" / "churn"
CUSTOMERS = ROOT / "data" / "churn" / "customers.csv"
TIME = "recorded"
"""The column that says when a customer was known."""
MORE = 40
"""Dollars a month that customers pay more once they have changed."""


def settings() -> dict[str, Any]:
    """The model's settings with customers of whom it is said when they were known, so that the newest can be kept for judging."""
    (source,) = yaml.safe_load((MODEL / "model.yaml").read_text(encoding="utf-8"))["sources"]
    del source["observed_at"]
    recorded = {"name": TIME, "type": "timestamp", "meaning": "When it was known whether the customer left."}
    return {
        "sources": [{**source, "timestamp": TIME, "columns": [*source["columns"], recorded]}],
        "evaluation": {"recent": "20d"},
        "monitor": {"window": "1h", "every": "15m", "minimum_rows": 200},
        "retraining": {"minimum_rows": 200, "enter": {"looks": 1, "of": 1}},
    }


def name_the_time(project: Path) -> None:
    """Have the features of *project* go by it."""
    file = project / "workflows" / MODEL.name / "features.py"
    text = file.read_text(encoding="utf-8")
    if '"event_timestamp"' not in text:
        raise errors.Misconfigured(f"{file} names no event_timestamp; the demonstration was written for one that does")
    file.write_text(text.replace('"event_timestamp"', f'"{TIME}"'), encoding="utf-8")


def write_customers(path: Path, *, changed: bool) -> None:
    """Write the customers of half a year to *path*; where they have *changed*, two more months of others besides.

    Those pay more, and most who pay by cheque leave.
    """
    with CUSTOMERS.open(encoding="utf-8", newline="") as stream:
        customers = list(csv.DictReader(stream))
    chance = random.Random(7)  # noqa: S311 - the same customers each time
    written = [{**each, TIME: _moment(chance, 0, 150)} for each in customers]
    billed = [each for each in customers if each["total_charges"] and int(each["tenure"]) > 0]
    others = [_changed(chance, number, each) for number, each in enumerate(chance.sample(billed, 3000))]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(written[0]))
        writer.writeheader()
        writer.writerows(written + others if changed else written)


def usual(like: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Customers as a caller describes them, with the features that *like*, one of them, has."""
    with CUSTOMERS.open(encoding="utf-8", newline="") as stream:
        customers = [each for each in csv.DictReader(stream) if each["total_charges"]]
    chosen = random.Random(8).sample(customers, 1500)  # noqa: S311
    return [
        {name: each[name] if isinstance(value, str) else float(each[name]) for name, value in like.items()}
        for each in chosen
    ]


def pay_more(features: dict[str, Any]) -> dict[str, Any]:
    """A row of *features* as it is of customers who have changed."""
    more = {"monthly_charges": features["monthly_charges"] + MORE}
    if features["total_charges"] is not None:
        more["total_charges"] = features["total_charges"] + MORE * features["tenure"]
    return {**features, **more}


def _changed(chance: random.Random, number: int, customer: dict[str, str]) -> dict[str, str]:
    by_cheque = customer["payment_method"] == "Mailed check"
    leaves = ("Yes" if chance.random() < 0.7 else "No") if by_cheque else customer["churn"]
    return {
        **customer,
        "customer_id": f"C{20000 + number}",
        "monthly_charges": f"{float(customer['monthly_charges']) + MORE:.2f}",
        "total_charges": f"{float(customer['total_charges']) + MORE * int(customer['tenure']):.2f}",
        "churn": leaves,
        TIME: _moment(chance, 150, 210),
    }


def _moment(chance: random.Random, first: int, last: int) -> str:
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=chance.uniform(first, last))
    return moment.isoformat(timespec="seconds")
