"""The plain routes: rows and columns of named values, and problem documents that point to what is wrong."""

from typing import Any

import pytest

from argosy.ml.predictor import Predictor
from argosy.serving import problem_documents
from kit.serving_kit import ROW, Client, rows

ASKED = [{**row, "tenure": float(place)} for place, row in enumerate(rows(3))]
COLUMNS = {name: [row[name] for row in ASKED] for name in ROW}


def problem(client: Client, body: Any, path: str = "/predict") -> tuple[int, str, str | None]:
    """Status, detail and pointer of a refusal."""
    answer = client.post(path, body)
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["status"] == answer.status
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["title"]
    return answer.status, document["detail"], document.get("errors", [{"pointer": None}])[0]["pointer"]


@pytest.mark.parametrize("body", [{"rows": ASKED}, {"columns": COLUMNS}], ids=["rows", "columns"])
def test_rows_and_columns_get_the_model_s_answer(client: Client, predictor: Predictor, body: Any) -> None:
    """The same to the last bit, with the model and its version; each row is logged."""
    expected = predictor.predict(ASKED)
    answer = client.post("/predict", body)
    assert answer.json() == {
        "model": "leaving",
        "version": "4",
        "request_id": answer.headers["x-request-id"],
        "predictions": expected.tolist(),
        "decisions": predictor.decide(expected),
        "confidences": [max(one, 1 - one) for one in expected.tolist()],
    }
    assert len(client.log.records) == 3


@pytest.mark.parametrize(
    "body", [{"rows": [{"customer_id": "C1"}]}, {"columns": {"customer_id": ["C1"]}}], ids=["rows", "columns"]
)
def test_join_keys_alone_are_enough(client: Client, predictor: Predictor, body: Any) -> None:
    """The online store knows the rest."""
    assert client.post("/predict", body).json()["predictions"] == predictor.predict([ROW]).tolist()


def test_explain_adds_the_reasons(client: Client) -> None:
    """And is the answer of ``/predict`` otherwise."""
    answer = client.post("/explain", {"rows": ASKED}, x_request_id="a").json()
    assert len(answer.pop("explanations")) == 3
    assert answer == client.post("/predict", {"rows": ASKED}, x_request_id="a").json()


@pytest.mark.parametrize(
    ("body", "detail", "pointer"),
    [
        pytest.param({"rows": [ROW, {**ROW, "tenure": "3"}]}, "expected a number", "#/rows/1/tenure", id="cell-of-row"),
        pytest.param({"columns": {**COLUMNS, "tenure": [1, True, 3]}}, "expected a number", "#/columns/tenure/1", id="cell"),
        pytest.param({"columns": {**COLUMNS, "tenure": [1]}}, "3 values, but 'tenure' has 1", "#/columns/charges", id="lengths"),
        pytest.param({"columns": {**COLUMNS, "tenure": 1}}, "expected a list", "#/columns/tenure", id="no-list"),
        pytest.param({"columns": {"tenure": [1]}}, "the feature is missing", "#/columns/charges", id="missing"),
        pytest.param({"columns": {**COLUMNS, "a/b ~": [1, 2, 3]}}, "no feature 'a/b ~'", "#/columns/a~1b%20~0/0", id="unknown"),
        pytest.param({"columns": {"customer_id": ["C1", "C2"]}}, "does not know", "#/columns/customer_id/1", id="no-entity"),
        pytest.param({"rows": [{"customer_id": "C2"}]}, "does not know", "#/rows/0", id="no-entity-of-row"),
        pytest.param({"rows": []}, "there are no rows", "#/rows", id="no-rows"),
        pytest.param({"columns": {"tenure": []}}, "there are no rows", "#/columns", id="no-values"),
        pytest.param({"columns": {}}, "expected an object with a list", "#/columns", id="no-columns"),
        pytest.param({"rows": ROW}, "expected a list of rows", "#/rows", id="a-row-alone"),
        pytest.param({"row": [ROW]}, "did you mean 'rows'?", "#/row", id="typo"),
        pytest.param({"rows": [ROW], "columns": COLUMNS}, "both came", None, id="both"),
        pytest.param({}, "neither came", None, id="neither"),
        pytest.param([ROW], "expected an object", None, id="a-list"),
        pytest.param(b"{", "the body is not JSON", None, id="no-json"),
        pytest.param(b'{"rows":[{"tenure":1,"tenure":2}]}', "the key came twice", "#/rows/0/tenure", id="twice"),
        pytest.param({"rows": [ROW] * 101}, "at most 100 are answered", "#/rows", id="too-many"),
    ],
)  # fmt: skip
def test_a_problem_points_to_what_is_wrong(client: Client, body: Any, detail: str, pointer: str | None) -> None:
    """RFC 9457, with a JSON pointer into the request."""
    status, said, place = problem(client, body)
    assert 400 <= status < 500
    assert detail in said
    assert place == pointer


def test_an_address_knows_its_method(client: Client) -> None:
    """405 is a problem document too."""
    answer = client.get("/predict")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("field", "pointer"),
    [
        ("rows[12].tenure", "/rows/12/tenure"),
        ("parameters.binary_data", "/parameters/binary_data"),
        ("/rows/1", "/rows/1"),
        ("instances", "/instances"),
    ],
)
def test_a_field_as_a_pointer(field: str, pointer: str) -> None:
    """As RFC 6901 has it."""
    assert problem_documents.pointer(field) == pointer
