"""The dashboards are what Grafana's own published types take, whoever wrote them: read by these and written again, nothing is different."""

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from kit.platform_chart import CHART

NAMES = ("fleet", "model")


def read(name: str) -> dict[str, Any]:
    """A dashboard as it is installed."""
    found: dict[str, Any] = json.loads((CHART / "files" / "dashboards" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def lost(given: Any, kept: Any, place: str = "") -> list[str]:
    """The fields of *given* that *kept* has not, or has otherwise."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [one for key, value in given.items() for one in lost(value, kept.get(key), f"{place}/{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [
            one for index, (a, b) in enumerate(zip(given, kept, strict=True)) for one in lost(a, b, f"{place}/{index}")
        ]
    return [] if given == kept else [place]


def through_grafana(made: dict[str, Any]) -> Any:
    """Read by Grafana's types, and written again."""
    return json.loads(JSONEncoder().encode(Dashboard.from_json(made)))


@pytest.mark.parametrize("name", NAMES)
def test_grafana_knows_every_field(name: str) -> None:
    """Of the dashboard, its panels and their targets; one that it does not know is lost, and found here."""
    made = read(name)
    assert lost(made, through_grafana(made)) == []
    strange = {**made, "panels": [{**made["panels"][0], "titel": "typo"}, *made["panels"][1:]]}
    assert lost(strange, through_grafana(strange)) == ["/panels/0/titel"]


@pytest.mark.parametrize("name", NAMES)
def test_what_grafana_refuses_beside_types(name: str) -> None:
    """An id that is another database's, a long or odd uid, panels with one id or beyond the 24 columns, a source by one cluster's uid."""
    made = read(name)
    assert made.get("id") is None
    assert made["uid"].replace("-", "").isalnum()
    assert len(made["uid"]) <= 40
    assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])
    for panel in made["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    sources = {panel["datasource"]["uid"] for panel in made["panels"] if panel["type"] != "row"}
    assert sources == {"${datasource}"}
    asked = {variable["name"] for variable in made["templating"]["list"]}
    assert "datasource" in asked
