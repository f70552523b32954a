"""Every query of every dashboard is one that Prometheus understands, and has an answer where there is something to show."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerting.conftest import RunningStack
from alerting.test_alerting import ask
from argosy.exporter import series
from kit import faulty_server, prometheus_stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FOLDER = Path(__file__).parents[2] / "charts" / "platform" / "files" / "dashboards"
VALUES = {"fleet": {"environment": ".*"}, "model": {"model": "leaving", "environment": "production"}}
"""What a person has chosen."""
OF_STAGING = ("argosy_prediction_log_",)
"""Only the server of staging logs here."""
LAYERS = ["Infrastructure", "Model", "Business"]
NAME = re.compile(r"\b(?:argosy|process)[a-z0-9_:]*(?=\{|\[|\s|\)|$)")


def queries(name: str) -> Iterator[Any]:
    """Each with the title of its panel, and what a person has chosen in place."""
    made = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for panel in made["panels"]:
        for number, target in enumerate(panel.get("targets", ())):
            expression = target["expr"]
            for key, value in VALUES[name].items():
                chosen = "staging" if key == "environment" and any(map(expression.count, OF_STAGING)) else value
                expression = expression.replace(f"${key}", chosen)
            yield pytest.param(expression, id=f"{name}: {panel['title']} {number}".replace(" ", "-"))


QUERIES = [*queries("fleet"), *queries("model")]


@pytest.fixture(scope="module")
def busy(world: RunningStack) -> RunningStack:
    """The world, after a bit of everything was asked."""
    counted = 'argosy:requests:rate5m{code="500"} > 0'

    def look() -> bool:
        """Asked again and again: what was counted before the first scrape is no increase."""
        ask(world.faulty)
        ask(world.faulty, tenure=faulty_server.UNDEFINED)
        ask(world.faulty, contract="never-seen")
        return bool(prometheus_stack.queried(world.prometheus, counted))

    prometheus_stack.awaited(counted, look)
    return world


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_has_an_answer(busy: RunningStack, query: str) -> None:
    """From a Prometheus that scrapes real servers and the real exporter."""
    assert "$" not in query
    assert prometheus_stack.awaited(query, lambda: prometheus_stack.queried(busy.prometheus, query), seconds=60)


@pytest.mark.parametrize("name", VALUES)
def test_three_layers(name: str) -> None:
    """From the machine to what it is worth, each with panels that say what they show."""
    made = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert [panel["title"] for panel in made["panels"] if panel["type"] == "row"] == LAYERS
    shown = [panel for panel in made["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])
    assert all(panel["description"] and panel["targets"] for panel in shown)
    assert len(shown) >= 18


def test_rules_ask_for_series_that_there_are(busy: RunningStack) -> None:
    """Of a server, of the exporter, or recorded; a name that nobody shows is an alert that never comes."""
    found = prometheus_stack.asked(busy.prometheus, "/api/v1/label/__name__/values")["data"]
    rules = [rule for group in prometheus_stack.rules()["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    known = {
        *found,
        *recorded,
        *(each.name for each in series.ALL),
        "argosy:predictions:expected",
        "argosy:features_age:allowed",
    }
    asked = {name for rule in rules for name in NAME.findall(rule["expr"])}
    assert len(asked) > 20
    assert asked - known == set()
