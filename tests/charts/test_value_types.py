"""Every value of every chart, set to null and to other types: refused by its name, or the default. Read from the schemas, so that none is
forgotten; each table is held against the schema as Helm would, and against Helm itself where there is one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from argosy.domain.chart_values import coalesced
from kit import inference_chart, platform_chart, quick_yaml

CHARTS = {path.parent.name: path.parent for path in sorted(inference_chart.ROOT.glob("charts/*/values.schema.yaml"))}
TEMPLATES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "inference": lambda over: inference_chart.template(inference_chart.values(over)),
    "platform": platform_chart.template,
}
Place = tuple[str, ...]
WRONG: dict[str, Any] = {
    "string-for-a-number": {"integer": "3", "number": "3", "boolean": "true"},
    "hexadecimal-text": {"integer": "0x10", "number": "0x10"},
    "fraction": {"integer": 2.5},
    "a-million": {"integer": 1_000_000},
    "number-for-a-word": {"string": 16, "enum": 16, "boolean": 1, "array": 16, "object": 16},
    "list-for-a-map": {"object": [1], "string": ["a"], "integer": [1], "number": [1], "boolean": [True]},
    "map-for-a-list": {"array": {"a": 1}, "string": {"a": 1}, "integer": {"a": 1}, "enum": {"a": 1}},
    "list-of-nothing": {"array": [None]},
}
"""What is given in place of a value of each type."""


def schema_of(chart: str) -> dict[str, Any]:
    """The JSON Schema that Helm reads."""
    found: dict[str, Any] = json.loads((CHARTS[chart] / "values.schema.json").read_text(encoding="utf-8"))
    return found


def places(schema: dict[str, Any], at: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every value and every group of values of *schema*."""
    for name, inner in schema.get("properties", {}).items():
        if at or name != "global":
            yield (*at, name), inner
            yield from places(inner, (*at, name))


def kind_of(schema: dict[str, Any]) -> str:
    """The type of a value; an enumeration is one of its own."""
    return "enum" if "enum" in schema else str(schema["type"])


def nested(place: Place, value: Any) -> dict[str, Any]:
    """Values with *value* at *place* and nothing else."""
    for name in reversed(place):
        value = {name: value}
    found: dict[str, Any] = value
    return found


def defaults_of(chart: str) -> dict[str, Any]:
    """The content of values.yaml."""
    found: dict[str, Any] = quick_yaml.load((CHARTS[chart] / "values.yaml").read_text(encoding="utf-8"))
    return found


def base(chart: str) -> dict[str, Any]:
    """Values that the chart takes."""
    return inference_chart.values() if chart == "inference" else {"converge": {"image": platform_chart.IMAGE}}


def refused(chart: str, over: dict[str, Any]) -> bool:
    """Whether the schema refuses *over* laid over values that it takes, null taking defaults away."""
    given = inference_chart.merged(base(chart), over)
    checker = jsonschema.Draft7Validator(schema_of(chart))
    assert not list(checker.iter_errors(coalesced(defaults_of(chart), base(chart))))
    return bool(list(checker.iter_errors(coalesced(defaults_of(chart), given))))


TABLE = [
    pytest.param(chart, place, kind_of(inner), id=f"{chart}-{'.'.join(place)}")
    for chart in CHARTS
    for place, inner in places(schema_of(chart))
]


def test_the_table_is_not_empty() -> None:
    """Two charts, and every value in values.yaml has its line."""
    assert set(CHARTS) == {"inference", "platform"}
    assert len(TABLE) > 100


@pytest.mark.parametrize(("chart", "place", "kind"), TABLE)
def test_null_never_takes_a_default_away(chart: str, place: Place, kind: str) -> None:
    """Helm's way to unset would leave the templates with nothing, such as a canary without steps."""
    assert refused(chart, nested(place, None))


@pytest.mark.parametrize(
    ("chart", "place", "value"),
    [
        pytest.param(chart, place, given[kind], id=f"{wrong}-{chart}-{'.'.join(place)}")
        for wrong, given in WRONG.items()
        for chart, place, kind in (one.values for one in TABLE)
        if kind in given and place[-1] not in {"version", "minimumVersion"}
    ],
)
def test_wrong_types_are_refused(chart: str, place: Place, value: Any) -> None:
    """By the schema, before a template makes something of them. A million is a float to Helm, and ``1e+06`` in what it writes."""
    assert refused(chart, nested(place, value))


def _together(chart: str, value: Callable[[str], Any]) -> tuple[dict[str, Any], list[Place]]:
    """One set of values in which every leaf is what *value* says for its type, and the places of those."""
    over: dict[str, Any] = {}
    wanted = []
    for place, inner in places(schema_of(chart)):
        given = value(kind_of(inner))
        if given is not ... and "properties" not in inner and place[-1] not in {"version", "minimumVersion"}:
            over = inference_chart.merged(over, nested(place, given))
            wanted.append(place)
    return over, wanted


@pytest.mark.parametrize("wrong", ["null", *(wrong for wrong in WRONG if wrong != "list-of-nothing")])
@pytest.mark.parametrize("chart", CHARTS)
def test_helm_names_every_one(chart: str, wrong: str) -> None:
    """Helm itself refuses all of them at once, each by its name (of a list with nothing in it, Helm 4.1 gives no words of its own)."""
    over, wanted = _together(chart, lambda kind: None if wrong == "null" else WRONG[wrong].get(kind, ...))
    done = TEMPLATES[chart](over)
    assert wanted
    assert done.returncode != 0
    assert [place for place in wanted if place[-1] not in done.stderr] == []


@pytest.mark.parametrize(
    ("chart", "place"),
    [
        (chart, place)
        for chart, place, kind in (one.values for one in TABLE)
        if kind == "object" and place != ("converge",)  # which the kit fills in
    ],
)
def test_helm_refuses_a_group_that_is_null(chart: str, place: Place) -> None:
    """In words, never with a template's stack."""
    done = TEMPLATES[chart](nested(place, None))
    assert done.returncode != 0
    assert "nil pointer" not in done.stderr
    assert "schema" in done.stderr


def test_large_numbers_are_written_in_full() -> None:
    """The number of a version may pass a million; what is written of it is digits."""
    (service,) = [one for one in inference_chart.render({"version": 12_345_678}) if one["kind"] == "InferenceService"]
    predictor = service["spec"]["predictor"]
    assert "--release=12345678" in predictor["model"]["args"]
    assert predictor["annotations"]["argosy.dev/model-version"] == "12345678"


@pytest.mark.parametrize("word", ["true", "no", "null", "on", "y"])
@pytest.mark.parametrize("value", ["model", "environment"])
def test_names_that_yaml_takes_for_something_else(value: str, word: str) -> None:
    """Objects would be named by a truth value."""
    assert refused("inference", {value: word})


@pytest.mark.parametrize("text", ["1e3", "0x10", "true", "null", "123"])
def test_texts_that_look_like_something_else_stay_texts(text: str) -> None:
    """A Secret may be called 123."""
    over = {
        "storage": {"credentialsSecret": text, "container": text},
        "server": {"pullSecrets": [text], "env": [{"name": "A", "value": text}]},
        "scheduling": {"priorityClass": text},
        "onlineFeatures": {"secret": text},
        "predictionLog": {"claim": text, "hashKeySecret": text},
        "access": {"enabled": True, "secret": text},
        "tls": {"secret": text},
        "stream": {"from": "a", "to": "b", "secret": text},
        "labels": {"team": text},
    }
    found = list(_strings(inference_chart.render(over), text))
    assert len(found) >= 12


def _strings(value: Any, text: str) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _strings(each, text)
    elif value == text:
        yield value


def test_the_image_of_the_platform_is_named() -> None:
    """No job is made that would pull an image that nobody chose, and none by a tag that can change."""
    done = platform_chart.template({"converge": {"image": ""}})
    assert done.returncode != 0
    assert "images/images.lock" in done.stderr
    assert refused("platform", {"converge": {"image": "registry/argosy/promote:0.1.0"}})
    assert platform_chart.template({"converge": {"image": "", "enabled": False}}).returncode == 0


def test_the_image_that_serves_is_named() -> None:
    """In version.yaml, or in the environment's values."""
    assert "images/images.lock" in inference_chart.refusal({"server": {"image": ""}})


def test_schemas_are_where_helm_looks() -> None:
    """A schema under another name would be read by nobody."""
    assert all((folder / "values.schema.json").is_file() for folder in map(Path, CHARTS.values()))
