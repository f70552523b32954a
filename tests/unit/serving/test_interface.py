"""The interface's description and its page: valid, of this model, true to what the server does, and from no other host."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
from pydantic import TypeAdapter

from argosy.domain import bundle
from argosy.domain.model_settings import Task
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import docs_page, launch, schemas
from kit.serving_kit import ROW, Client, MemoryOnline, build_app, rows, signature, write_bundle

POSTED = (
    "/predict",
    "/explain",
    "/v1/models/leaving:predict",
    "/v1/models/leaving:explain",
    "/v2/models/leaving/infer",
)


@pytest.fixture
def description(client: Client) -> Any:
    """Of the small binary model."""
    return client.get("/openapi.json").json()


def accepted(description: Any, path: str, body: Any) -> bool:
    """Whether *description* has *body* at *path*."""
    schema = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator(schema | {"components": description["components"]})
    return bool(validator.is_valid(body))


def test_the_bounds_of_ids_are_exact(client: Client) -> None:
    """The largest id that is taken is the largest that is described, digit by digit."""
    text = client.get("/openapi.json").body.decode()
    assert '"maximum":18446744073709551615' in text.replace(" ", "")
    assert "1.8446744073709552e" not in text


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_description_is_valid(tmp_path: Path, task: Task) -> None:
    """By the specification of OpenAPI, for each kind of model, with a store or without."""
    write_bundle(tmp_path / "bundle", task)
    predictor = Predictor.load(tmp_path / "bundle", bundle.digest(tmp_path / "bundle"))
    for online in (None, MemoryOnline({})):
        app = build_app(
            predictor=predictor, served=ServedRelease("leaving", "none", 4, predictor.digest), online=online
        )
        description = Client(app).get("/openapi.json").json()
        openapi_spec_validator.validate(description)
        assert "EntityRow" in description["components"]["schemas"] or online is None


@pytest.mark.parametrize("path", POSTED)
def test_every_example_is_answered(client: Client, description: Any, path: str) -> None:
    """Whoever copies one gets a prediction; values that are null stay in it."""
    content = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    assert content["examples"]
    for example in content["examples"].values():
        answer = client.post(path, example["value"])
        assert answer.status == 200, answer.body
        assert accepted(description, path, example["value"])


def test_every_page_that_is_described_is_there(client: Client, description: Any) -> None:
    """And its answer is of the type that is described."""
    read = {path: one["get"] for path, one in description["paths"].items() if "get" in one}
    assert len(read) >= 9
    for path, operation in read.items():
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(client.get(path).json(), schema | {"components": description["components"]})


@pytest.mark.parametrize("path", POSTED)
def test_answers_are_of_the_type_that_is_described(client: Client, description: Any, path: str) -> None:
    """The good ones and the refusals."""
    operation = description["paths"][path]["post"]
    good = next(iter(operation["requestBody"]["content"]["application/json"]["examples"].values()))["value"]
    for body in (good, {}, b"{"):
        answer = client.post(path, body)
        content = operation["responses"][str(answer.status)]["content"][answer.headers["content-type"]]
        jsonschema.validate(answer.json(), content["schema"] | {"components": description["components"]})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"tenure": "3"}, id="text-for-a-number"),
        pytest.param({"tenure": True}, id="true-for-a-number"),
        pytest.param({"tenure": 1e39}, id="beyond-32-bits"),
        pytest.param({"contract": "weekly"}, id="unknown-level"),
        pytest.param({"contract": 3}, id="number-for-a-category"),
        pytest.param({"tenur": 3}, id="unknown-feature"),
        pytest.param({"customer_id": 1.5}, id="fraction-for-a-key"),
        pytest.param({"tenure": None}, id="null"),
        pytest.param({"customer_id": "C9"}, id="with-join-key"),
        pytest.param({"tenure": 1}, id="whole-number"),
    ],
)
def test_a_row_is_taken_where_it_is_described(client: Client, description: Any, change: dict[str, Any]) -> None:
    """Types, levels, ranges and nulls: what the description allows is answered, what it does not is refused."""
    row = {**ROW, **change}
    answered = client.post("/predict", {"rows": [row]}).status == 200
    assert accepted(description, "/predict", {"rows": [row]}) == answered
    assert accepted(description, "/v1/models/leaving:predict", {"instances": [row]}) == answered
    assert accepted(description, "/predict", {"columns": {name: [value] for name, value in row.items()}}) == answered


def test_a_missing_feature_is_not_described(client: Client, description: Any) -> None:
    """Nothing is optional."""
    for name in ROW:
        part = {other: value for other, value in rows(1)[0].items() if other != name}
        assert not accepted(description, "/predict", {"rows": [part]})


def test_a_policy_of_missing_is_described(tolerant: Predictor) -> None:
    """Where unknown levels are scored, any text is allowed."""
    served = ServedRelease("leaving", "none", 4, tolerant.digest)
    description = Client(build_app(predictor=tolerant, served=served)).get("/openapi.json").json()
    assert accepted(description, "/predict", {"rows": [{**ROW, "contract": "weekly"}]})


@pytest.mark.parametrize(
    "name", ["name", "said", "model_dump", "model_config", "_hidden", "__index_level_0__", "__doc__"]
)
def test_a_column_may_be_called_anything(name: str) -> None:
    """Words of Python's and Pydantic's among them: the description names the column as it is called."""
    first, *others = (known := signature("binary")).features
    changed = known.model_copy(update={"features": [first.model_copy(update={"name": name}), *others]})
    found = schemas.bodies(changed, schemas.documentation(changed), by_id=True, rows=10)
    described = TypeAdapter(found.plain[""]).json_schema()["$defs"]
    assert {kind for kind, schema in described.items() if name in schema.get("properties", {})} == {
        "Row", "KeyedRow", "FeatureColumns", "KeyedColumns",
    }  # fmt: skip


def test_the_page_asks_no_other_host(client: Client) -> None:
    """Its policy says so to the browser; its own files are there, and hold to types."""
    page = client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert page.status == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert b"://" not in page.body
    for name in ("start.js", "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        found = client.get(f"/docs/{name}")
        assert (found.status, found.headers["x-content-type-options"]) == (200, "nosniff")
        assert found.body
    assert b'url: "openapi.json"' in client.get("/docs/start.js").body


def test_the_page_has_nothing_inline() -> None:
    """The policy would stop it."""
    text = docs_page._PAGE
    assert text.count("<script") == text.count("<script src=")
    assert "style=" not in text


def test_the_description_is_made_once(client: Client) -> None:
    """Asking again costs next to nothing."""
    assert client.get("/openapi.json").body is client.get("/openapi.json").body


def test_operations_have_names_that_a_generator_can_use(description: Any) -> None:
    """One each."""
    names = [operation["operationId"] for one in description["paths"].values() for operation in one.values()]
    assert len(set(names)) == len(names) >= 14
    assert all(name.isidentifier() for name in names)
    assert json.dumps(description)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        pytest.param([5, 90, 5], {"tenure": "90% of the holdout lies between 0.5 and 71.5."}, id="spread"),
        pytest.param([50, 0, 50], {}, id="at-two-places"),
        pytest.param([0, 0, 0], {}, id="none-known"),
    ],
)
def test_a_range_is_told_where_there_is_one(tmp_path: Path, counts: list[int], said: dict[str, str]) -> None:
    """Of what is not personal; flags of 0 and 1 have none."""
    write_bundle(tmp_path / "bundle")
    path = tmp_path / "bundle" / bundle.BINS
    columns = [
        bundle.Histogram(column=name, edges=[0.5, 71.5], counts=counts, missing=0) for name in ("tenure", "birth_year")
    ]
    path.write_text(bundle.Bins.read(path).model_copy(update={"columns": columns}).model_dump_json())
    assert launch.seen(signature(), tmp_path / "bundle") == said
