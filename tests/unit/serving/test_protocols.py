"""What callers get: V1 and V2, by full row and by join key, and what they are told when they ask wrongly."""

import asyncio
import json
import math
from typing import Any

import pytest
from starlette.types import Message

from argosy.ml.predictor import Predictor
from argosy.serving.exchange import Bodies, BodyReader, RequestLimits
from argosy.serving.request_problems import RequestProblem
from kit.serving_kit import FEATURES, ROW, Client, rows

V1 = "/v1/models/leaving:predict"
V2 = "/v2/models/leaving/infer"


def tensors(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """*given* rows as V2 inputs."""
    kinds = {column.name: "FP64" if column.type == "number" else "BYTES" for column in FEATURES}
    return [
        {
            "name": name,
            "shape": [len(given)],
            "datatype": kinds.get(name, "BYTES"),
            "data": [row[name] for row in given],
        }
        for name in given[0]
    ]


def test_v1_answers_as_the_model_does(client: Client, predictor: Predictor) -> None:
    """Predictions are the predictor's to the last bit, decisions follow its threshold; how sure, which version, which request."""
    sample = rows(20)
    reply = client.post(V1, {"instances": sample}, x_request_id="r17")
    expected = predictor.predict(sample)
    assert reply.status == 200
    assert reply.json() == {
        "predictions": expected.tolist(),
        "decisions": predictor.decide(expected),
        "confidences": [max(one, 1 - one) for one in expected.tolist()],
        "model_version": "4",
        "request_id": "r17",
    }


def test_v2_answers_as_v1_does(client: Client) -> None:
    """The same rows get the same numbers, as tensors; the caller's id comes back."""
    sample = rows(3)
    v1 = client.post(V1, {"instances": sample}).json()
    v2 = client.post(V2, {"id": "mine", "inputs": tensors(sample)}).json()
    assert v2 == {
        "model_name": "leaving",
        "model_version": "4",
        "id": "mine",
        "outputs": [
            {"name": "prediction", "shape": [3], "datatype": "FP32", "data": v1["predictions"]},
            {"name": "decision", "shape": [3], "datatype": "BYTES", "data": v1["decisions"]},
            {"name": "confidence", "shape": [3], "datatype": "FP64", "data": v1["confidences"]},
        ],
    }


def test_v2_gives_only_the_outputs_asked_for(client: Client) -> None:
    """Whoever names outputs gets these."""
    reply = client.post(V2, {"inputs": tensors([ROW]), "outputs": [{"name": "decision"}]})
    assert [output["name"] for output in reply.json()["outputs"]] == ["decision"]


@pytest.mark.parametrize("shape", [[], [1]], ids=["n", "n-by-1"])
@pytest.mark.parametrize(
    ("count", "status"), [pytest.param(100, 200, id="all-of-it"), pytest.param(101, 413, id="one-more")]
)
def test_rows_have_the_same_limit_in_each_protocol(client: Client, count: int, status: int, shape: list[int]) -> None:
    """As many rows as the server allows are answered; one more is refused, before a row is looked at, whatever the protocol."""
    by_key = {"name": "customer_id", "shape": [count, *shape], "datatype": "BYTES", "data": ["C1"] * count}
    matrix = {"name": "x", "shape": [count, len(FEATURES)], "datatype": "FP64", "data": [None] * count * len(FEATURES)}
    v1, v2 = client.post(V1, {"instances": [{"customer_id": "C1"}] * count}), client.post(V2, {"inputs": [by_key]})
    assert (v1.status, v2.status) == (status, status)
    if status == 413:
        assert (v2.json()["field"], v2.json()["error"]) == (
            "inputs[0].shape",
            "101 rows came; at most 100 are answered at once",
        )
    assert client.post(V2, {"inputs": [matrix]}).status == status


def test_v2_takes_a_column_of_lists(client: Client) -> None:
    """Shape [n, 1] with nested data is the same request."""
    nested = [{**tensor, "shape": [1, 1], "data": [tensor["data"]]} for tensor in tensors([ROW])]
    flat = client.post(V2, {"id": "a", "inputs": tensors([ROW])})
    assert client.post(V2, {"id": "a", "inputs": nested}).body == flat.body


def test_v2_names_a_request_that_has_no_name(client: Client) -> None:
    """By the id that headers and log have."""
    reply = client.post(V2, {"inputs": tensors([ROW])})
    assert reply.json()["id"] == reply.headers["x-request-id"] == client.log.records[0].request_id


def test_a_join_key_alone_gets_the_answer_of_its_row(client: Client) -> None:
    """By the join key alone, beside a full row, or as a full row: the same bytes."""
    by_row = client.post(V1, {"instances": [ROW]}, x_request_id="a")
    by_key = client.post(V1, {"instances": [{"customer_id": "C1"}]}, x_request_id="a")
    both = client.post(V1, {"instances": [{**ROW, "customer_id": "C1"}]}, x_request_id="a")
    assert by_row.status == 200
    assert by_row.body == by_key.body == both.body
    v2_by_key = client.post(V2, {"id": "a", "inputs": tensors([{"customer_id": "C1"}])})
    assert v2_by_key.body == client.post(V2, {"id": "a", "inputs": tensors([ROW])}).body


def test_an_answer_says_which_model_gave_it(client: Client, predictor: Predictor) -> None:
    """Model, version and digest are headers, as is the caller's request id."""
    reply = client.post(V1, {"instances": [ROW]}, x_request_id="order-17")
    assert reply.headers["argosy-model"] == "leaving"
    assert reply.headers["argosy-model-version"] == "4"
    assert reply.headers["argosy-model-digest"] == predictor.digest
    assert reply.headers["x-request-id"] == "order-17"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("", id="none"),
        pytest.param("a b", id="blank"),
        pytest.param("x" * 200, id="long"),
        pytest.param("a\tb", id="control"),
    ],
)
def test_a_request_id_that_is_no_word_is_replaced(client: Client, given: str) -> None:
    """What a caller calls a request ends up in logs: only plain words do."""
    reply = client.post(V1, {"instances": [ROW]}, x_request_id=given)
    assert len(reply.headers["x-request-id"]) == 32


BAD_ROWS = [
    pytest.param({**ROW, "tenur": 1}, "tenur", "did you mean 'tenure'", id="unknown-feature"),
    pytest.param({k: v for k, v in ROW.items() if k != "tenure"} | {"tenur": 1}, "tenur", "did you mean", id="typo"),
    pytest.param({k: v for k, v in ROW.items() if k != "contract"}, "contract", "missing", id="missing-feature"),
    pytest.param({**ROW, "tenure": "3"}, "tenure", "expected a number, a string came", id="text-for-a-number"),
    pytest.param({**ROW, "tenure": True}, "tenure", "expected a number, true or false came", id="bool-for-a-number"),
    pytest.param({**ROW, "tenure": [1]}, "tenure", "expected a number, a list came", id="list"),
    pytest.param({**ROW, "tenure": {"a": {}}}, "tenure", "expected a number, an object came", id="object"),
    pytest.param({**ROW, "contract": 1}, "contract", "expected a string, a number came", id="number-for-a-text"),
    pytest.param({**ROW, "tenure": 1e39}, "tenure", "not finite in 32 bits", id="beyond-32-bits"),
    pytest.param({**ROW, "tenure": 10**30 * 10**30}, "tenure", "not finite in 32 bits", id="huge-integer"),
    pytest.param({**ROW, "contract": "x" * 2000}, "contract", "longer than 1024", id="long-text"),
    pytest.param({"customer_id": None}, "customer_id", "expected a string or a whole number, null came", id="no-id"),
    pytest.param({"customer_id": 1.5}, "customer_id", "expected a string or a whole number", id="half-an-id"),
]


@pytest.mark.parametrize(("row", "name", "message"), BAD_ROWS)
def test_a_wrong_field_is_named(client: Client, row: dict[str, Any], name: str, message: str) -> None:
    """V1: 422, with the path of the field in the request and what is wrong with it."""
    reply = client.post(V1, {"instances": [ROW, row]})
    assert reply.status == 422
    assert reply.json()["field"] == f"instances[1].{name}"
    assert message in reply.json()["error"]
    assert client.log.records == []


BAD_BODIES = [
    pytest.param(b"", 400, "not JSON: it is empty", id="empty"),
    pytest.param(b"{", 400, "not JSON", id="cut"),
    pytest.param(b'{"instances": [{"tenure": NaN}]}', 400, "NaN is no value of JSON; write null", id="nan"),
    pytest.param(b'{"instances": [{"tenure": -Infinity}]}', 400, "Infinity is no value of JSON", id="infinity"),
    pytest.param(b'{"instances": [{"tenure": 1e999}]}', 400, "infinity", id="beyond-a-double"),
    pytest.param(b'["\xe4"]', 400, "byte 2 is 0xe4, and the text is not UTF-8; send it as UTF-8", id="not-utf-8"),
    pytest.param(b"[" * 1_100, 400, "not JSON", id="deep"),
    pytest.param(b"[" * 10_000, 413, "more values", id="brackets"),
    pytest.param(b'{"instances": [' + b"0," * 3_000 + b"0]}", 413, "more values", id="values"),
    pytest.param(b'{"instances":' + b'[{"a":' * 400 + b"1" + b"}]" * 400 + b"}", 422, "no feature 'a'", id="nested"),
    pytest.param(b" " * 30_000, 413, "larger than 20000 bytes", id="large"),
    pytest.param(b"[]", 400, "expected an object", id="list"),
    pytest.param(b"{}", 400, "expected a list of rows", id="no-instances"),
    pytest.param(b'{"instances": []}', 400, "empty", id="no-rows"),
    pytest.param(
        b'{"instances": [[1, 2]]}', 422, "2 values; the model has 4 features: 'tenure, charges", id="too-short"
    ),
    pytest.param(b'{"instances": [7]}', 422, "expected an object, a number came", id="no-row"),
    pytest.param(b'{"instance": []}', 400, "did you mean 'instances'", id="typo"),
    pytest.param(b'{"instances": {"a": 1}}', 400, "expected a list of rows", id="object"),
    pytest.param(b'{"inputs": {}}', 400, "'inputs' came", id="other-key"),
    pytest.param(b'{"instances": [' + b"1," * 101 + b"1]}", 413, "at most 100", id="many-rows"),
]


@pytest.mark.parametrize(("body", "status", "message"), BAD_BODIES)
def test_a_wrong_body_is_refused(client: Client, body: bytes, status: int, message: str) -> None:
    """A body that is no request is a 4xx with a reason, never a 500."""
    reply = client.post(V1, body)
    assert (reply.status, message in reply.json()["error"]) == (status, True), reply.body


def test_null_is_no_mistyped_key(client: Client) -> None:
    """A key that came is not suggested."""
    assert client.post(V1, b'{"instances": null}').json()["error"] == "expected a list of rows"


def tensor(**changes: Any) -> dict[str, Any]:
    """A V2 request for one row, its first tensor changed."""
    first, *others = tensors([ROW])
    return {"inputs": [{**first, **changes}, *others]}


BAD_TENSORS = [
    pytest.param(tensor(shape=[2], data=[1, 2]), "inputs[1].shape", "1 rows, but inputs[0] has 2", id="shapes-differ"),
    pytest.param(tensor(shape=[]), "inputs[0].shape", "[n], [n, 1] or [n, features]", id="scalar"),
    pytest.param(tensor(shape=[1, 1, 1]), "inputs[0].shape", "[n], [n, 1] or [n, features]", id="cube"),
    pytest.param(tensor(shape=[1, 2], data=[1, 2]), "inputs[0].shape", "one value a row", id="wide"),
    pytest.param(tensor(shape=[1, 10**9]), "inputs[0].shape", "takes 5", id="very-wide"),
    pytest.param(tensor(shape=[1, 2]), "inputs[0].data", "the shape says 2", id="shape-says-more"),
    pytest.param(tensor(shape=[True]), "inputs[0].shape", "whole numbers", id="shape-is-true"),
    pytest.param(tensor(shape=[-1]), "inputs[0].shape", "whole numbers", id="negative"),
    pytest.param(tensor(shape=[0]), "inputs[0].data", "the shape says 0", id="no-rows"),
    pytest.param(tensor(shape=[0], data=[]), "inputs[1].shape", "1 rows", id="fewer-rows"),
    pytest.param(tensor(shape="1"), "inputs[0].shape", "[n], [n, 1]", id="shape-is-text"),
    pytest.param(tensor(data=[1, 2]), "inputs[0].data", "2 values, but the shape says 1", id="too-many"),
    pytest.param(tensor(data=["3"]), "inputs[0].data[0]", "not FP64", id="text"),
    pytest.param(tensor(data=[[[3]]]), "inputs[0].data[0]", "not FP64", id="nested-deep"),
    pytest.param(tensor(data=[True]), "inputs[0].data[0]", "not FP64", id="true"),
    pytest.param(tensor(datatype="INT8", data=[128]), "inputs[0].data[0]", "not INT8", id="beyond-int8"),
    pytest.param(tensor(datatype="UINT64", data=[-1]), "inputs[0].data[0]", "not UINT64", id="below-uint64"),
    pytest.param(tensor(datatype="INT64", data=[1.5]), "inputs[0].data[0]", "not INT64", id="half-an-int"),
    pytest.param(tensor(datatype="FP16", data=[70_000]), "inputs[0].data[0]", "not FP16", id="beyond-fp16"),
    pytest.param(tensor(datatype="FP32", data=[1e39]), "inputs[0].data[0]", "not FP32", id="beyond-fp32"),
    pytest.param(tensor(datatype="BYTES"), "inputs[0].data[0]", "not BYTES", id="number-for-bytes"),
    pytest.param(tensor(datatype="BYTES", data=["3"]), "inputs: tenure[0]", "expected a number", id="text-feature"),
    pytest.param(tensor(datatype="BOOL"), "inputs[0].data[0]", "not BOOL", id="number-for-bool"),
    pytest.param(tensor(parameters=[]), "inputs[0].parameters", "expected an object", id="parameters"),
    pytest.param(tensor(parameters={"shared_memory_region": "r"}), "inputs[0]", "shares no memory", id="shared-memory"),
    pytest.param(
        tensor(parameters={"binary_data_size": 8}), "inputs[0].data", "the data came twice", id="binary-and-json"
    ),
    pytest.param(
        tensor(parameters={"binary_data_size": -8}),
        "inputs[0].parameters.binary_data_size",
        "whole number",
        id="negative-size",
    ),
    pytest.param(tensor(datatype="FP99"), "inputs[0].datatype", "expected one of", id="datatype"),
    pytest.param(tensor(datatype=["FP64"]), "inputs[0].datatype", "expected one of", id="datatype-is-a-list"),
    pytest.param(tensor(name="charges"), "inputs[1].name", "two tensors", id="twice"),
    pytest.param(tensor(name="tenur"), "inputs: tenur[0]", "did you mean 'tenure'", id="unknown"),
    pytest.param(tensor(name=7), "inputs[0].name", "expected a string", id="name-is-a-number"),
    pytest.param({"inputs": [1]}, "inputs[0]", "expected an object", id="no-tensor"),
    pytest.param({"inputs": {}}, "inputs", "list of tensors", id="no-list"),
    pytest.param({"inputs": tensors([ROW]), "id": 7}, "id", "expected a string", id="id"),
    pytest.param({"inputs": tensors([ROW]), "outputs": [{"name": "x"}]}, "outputs[0].name", "prediction", id="output"),
    pytest.param({"inputs": tensors([ROW]), "outputs": [[]]}, "outputs[0].name", "prediction", id="output-is-a-list"),
    pytest.param(
        {"inputs": tensors([ROW]), "outputs": [{"name": "decision", "parameters": {"classification": 2}}]},
        "outputs[0].parameters",
        "gives no classes ranked",
        id="classification",
    ),
    pytest.param(
        {"inputs": tensors([ROW]), "outputs": [{"name": "decision", "parameters": {"binary_data": 1}}]},
        "outputs[0].parameters.binary_data",
        "true or false",
        id="binary-is-a-number",
    ),
    pytest.param({"inputs": tensors([ROW]), "parameters": 1}, "parameters", "expected an object", id="request-params"),
    pytest.param({"inputs": tensors([ROW]) * 30}, "inputs", "takes 5 at most", id="many-tensors"),
    pytest.param(
        {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]},
        "inputs[0].shape",
        "3 columns are not the model's 4",
        id="narrow-matrix",
    ),
]


@pytest.mark.parametrize(("body", "name", "message"), BAD_TENSORS)
def test_a_wrong_tensor_is_named(client: Client, body: dict[str, Any], name: str, message: str) -> None:
    """V2: 4xx, with the path of the field."""
    reply = client.post(V2, body)
    assert reply.status in {400, 422}
    assert reply.json()["field"] == name
    assert message in reply.json()["error"]


def test_an_unknown_customer_is_not_found(client: Client) -> None:
    """404, with the row; what was asked for is not repeated, as it may be personal."""
    reply = client.post(V1, {"instances": [{"customer_id": "C1"}, {"customer_id": "C-secret"}]})
    assert (reply.status, reply.json()["field"]) == (404, "instances[1]")
    assert b"C-secret" not in reply.body


def test_another_model_is_not_found(client: Client) -> None:
    """404, with the model that is here."""
    reply = client.post("/v1/models/other:predict", {"instances": [ROW]})
    assert reply.status == 404
    assert "'leaving'" in reply.json()["error"]


@pytest.mark.parametrize("path", ["/x", "/v1/models/leaving/x", "/v3", "/v2/models/leaving/infer/"])
def test_other_addresses_are_not_found(client: Client, path: str) -> None:
    """404 as JSON."""
    reply = client.get(path)
    assert reply.status == 404
    assert "error" in reply.json()


def test_the_wrong_method_is_refused(client: Client) -> None:
    """405 as JSON, with what is allowed."""
    for path in (V1, V2):
        reply = client.get(path)
        assert (reply.status, reply.headers["allow"]) == (405, "POST")
        assert reply.json()["error"] == "GET is not answered at this address, only POST"


def test_another_verb_of_v1_is_not_found(client: Client) -> None:
    """404 that says what there is; the verb is not taken for a part of the model's name."""
    reply = client.post("/v1/models/leaving:classify", {"instances": [ROW]})
    assert reply.status == 404
    assert reply.json()["error"] == "leaving cannot 'classify'; POST rows to /v1/models/leaving:predict or :explain"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"content_type": "application/octet-stream"}, id="octets"),
        pytest.param({"content_type": "text/csv"}, id="csv"),
        pytest.param({"inference_header_content_length": "10"}, id="binary-tensors"),
        pytest.param({"content_encoding": "gzip"}, id="compressed"),
    ],
)
def test_what_is_no_json_by_its_type_is_refused(client: Client, headers: dict[str, str]) -> None:
    """415, with what to send instead."""
    reply = client.post(V1, {"instances": [ROW]}, **headers)
    assert reply.status == 415
    assert "send " in reply.json()["error"]


def test_null_is_an_unknown_value(client: Client, predictor: Predictor) -> None:
    """Null is allowed for every feature, and means what it meant in training."""
    empty = dict.fromkeys(ROW, None)
    reply = client.post(V1, {"instances": [empty]})
    assert reply.json()["predictions"] == predictor.predict([empty]).tolist()
    assert not math.isnan(reply.json()["predictions"][0])


def test_metadata_says_what_to_send(client: Client) -> None:
    """V2 metadata lists inputs and outputs with their types."""
    said = client.get("/v2/models/leaving").json()
    assert [(tensor["name"], tensor["datatype"]) for tensor in said["inputs"]] == [
        ("tenure", "FP64"),
        ("charges", "FP64"),
        ("contract", "BYTES"),
        ("birth_year", "FP64"),
    ]
    assert [tensor["name"] for tensor in said["outputs"]] == ["prediction", "decision", "confidence"]
    assert said["versions"] == ["4"]


def test_answers_are_json_of_the_exact_numbers(client: Client, predictor: Predictor) -> None:
    """The text of a number is the shortest that reads back as the same double."""
    value = float(predictor.predict([ROW])[0])
    assert json.dumps(value).encode() in client.post(V1, {"instances": [ROW]}).body


def test_a_body_that_is_announced_too_large_is_not_waited_for() -> None:
    """Its length is in the headers: the answer comes before any of it is read."""

    async def receive() -> Message:
        raise AssertionError("nothing of the body is read")

    scope = {"type": "http", "headers": [(b"content-length", b"11")]}
    with (
        BodyReader(Bodies(RequestLimits(body_bytes=10))) as reader,
        pytest.raises(RequestProblem, match="larger than 10") as refused,
    ):
        asyncio.run(reader.read(scope, receive))
    assert (refused.value.status, refused.value.closes) == (413, True)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        pytest.param({"tenure": {"data": [3, "3"]}}, "inputs[0].data[1]", "the value is not FP64", id="text"),
        pytest.param({"tenure": {"data": [True, 3]}}, "inputs[0].data[0]", "the value is not FP64", id="true"),
        pytest.param({"contract": {"data": ["month", 1]}}, "inputs[2].data[1]", "the value is not BYTES", id="number"),
        pytest.param(
            {"charges": {"data": [1, []]}, "contract": {"data": ["for-life", "month"]}},
            "inputs[1].data[1]",
            "the value is not FP64",
            id="beside-an-unknown-level",
        ),
        pytest.param(
            {"birth_year": {"name": "tenure"}, "contract": {"data": [1, 2]}},
            "inputs[2].data[0]",
            "the value is not BYTES",
            id="beside-two-of-a-name",
        ),
        pytest.param({"tenure": {"datatype": "BYTES"}}, "inputs[0].data[0]", "the value is not BYTES", id="datatype"),
    ],
)
def test_v2_values_are_held_to_their_datatype(
    client: Client, change: dict[str, dict[str, Any]], field: str, message: str
) -> None:
    """Whatever else is wrong: the first value that is not of its tensor's datatype is named."""
    inputs = [tensor | change.get(tensor["name"], {}) for tensor in tensors([ROW, ROW])]
    reply = client.post(V2, {"inputs": inputs})
    assert (reply.status, reply.json()["field"], reply.json()["error"]) == (422, field, message)
