"""What the model was not made for: counted, refused or scored as missing, and said, in each form of each protocol."""

import copy
import json
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from argosy.domain.model_settings import Serving
from argosy.ml.predictor import Predictor
from argosy.ports.features import OnlineRow
from argosy.ports.prediction_log import ServedRelease
from kit.serving_kit import ROW, Client, MemoryLog, MemoryOnline, Reply, build_app

V1 = "/v1/models/leaving:predict"
V2 = "/v2/models/leaving/infer"
ODD = {**ROW, "contract": "for-life"}
HOLE = {**ROW, "charges": None}


def client(predictor: Predictor, **policy: Any) -> Client:
    """Calls the small model, in whose contract `charges` is never null, under *policy*."""
    features = [
        column.model_copy(update={"nullable": column.name != "charges"}) for column in predictor.signature.features
    ]
    served = copy.copy(predictor)
    update = {"features": features, "serving": Serving(**policy)}
    served.signature = predictor.signature.model_copy(update=update)
    log = MemoryLog()
    gone = OnlineRow({**ROW, "charges": None}, [], ["charges"])
    aged = OnlineRow({**ROW, "tenure": None, "contract": None}, [], ["tenure", "contract"])
    online = MemoryOnline({"well": ROW, "odd": ODD, "hole": HOLE, "gone": gone, "aged": aged})
    where = ServedRelease("leaving", "production", 4, predictor.digest)
    return Client(build_app(predictor=served, served=where, online=online, log=log, hash_key=b"secret"), log)


def by_name(to: Client, *rows: Mapping[str, Any]) -> Reply:
    """V1, each row an object."""
    return to.post(V1, {"instances": rows})


def by_place(to: Client, *rows: Mapping[str, Any]) -> Reply:
    """V1, each row a list."""
    return to.post(V1, {"instances": [list(row.values()) for row in rows]})


def as_json(to: Client, *rows: Mapping[str, Any]) -> Reply:
    """V2, data as JSON."""
    inputs = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": "BYTES" if name == "contract" else "FP64",
            "data": [row[name] for row in rows],
        }
        for name in ROW
    ]
    return to.post(V2, {"inputs": inputs})


def as_binary(to: Client, *rows: Mapping[str, Any]) -> Reply:
    """V2, data behind the JSON."""
    inputs, data = [], []
    for name in ROW:
        if name == "contract":
            column = b"".join(struct.pack("<I", len(row[name])) + row[name].encode() for row in rows)
        else:
            column = b"".join(struct.pack("<d", float("nan") if row[name] is None else row[name]) for row in rows)
        data.append(column)
        datatype = "BYTES" if name == "contract" else "FP64"
        size = {"binary_data_size": len(column)}
        inputs.append({"name": name, "shape": [len(rows)], "datatype": datatype, "parameters": size})
    text = json.dumps({"inputs": inputs}).encode()
    length = {"inference_header_content_length": str(len(text)), "content_type": "application/octet-stream"}
    return to.post(V2, text + b"".join(data), **length)


def metric(to: Client, name: str) -> float:
    """The counter *name*, 0 where it was never counted."""
    lines = to.get("/metrics").body.decode().splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} ")), 0.0)


FORMS = [
    pytest.param(by_name, "instances[1].{}", id="v1-objects"),
    pytest.param(by_place, "instances[1].{}", id="v1-lists"),
    pytest.param(as_json, "inputs: {}[1]", id="v2-json"),
    pytest.param(as_binary, "inputs: {}[1]", id="v2-binary"),
]
Form = Callable[..., Reply]


@pytest.mark.parametrize(("form", "path"), FORMS)
@pytest.mark.parametrize(
    ("row", "feature", "counter", "message"),
    [
        pytest.param(ODD, "contract", "unknown_levels", "it knows month, one-year, two-year", id="level"),
        pytest.param(HOLE, "charges", "unexpected_nulls", "the contract allows none", id="null"),
    ],
)
def test_a_surprise_is_refused_unless_the_model_says_otherwise(
    predictor: Predictor, form: Form, path: str, row: Mapping[str, Any], feature: str, counter: str, message: str
) -> None:
    """422 with row and column and no word of the value; counted; nothing is logged."""
    to = client(predictor)
    reply = form(to, ROW, row)
    assert (reply.status, reply.json()["field"]) == (422, path.format(feature))
    assert message in reply.json()["error"]
    assert b"for-life" not in reply.body
    assert metric(to, f'argosy_{counter}_total{{feature="{feature}"}}') == 1
    assert to.log.records == []


@pytest.mark.parametrize(("form", "path"), FORMS)
def test_by_policy_a_surprise_is_missing_and_said(predictor: Predictor, form: Form, path: str) -> None:
    """Scored as null is, counted, and named in the answer: V1 beside the predictions, V2 in the parameters."""
    to = client(predictor, unknown_level="missing", unexpected_null="missing")
    reply = form(to, ROW, ODD, HOLE)
    body = reply.json()
    told = [
        f"{path.format('contract')}: unknown level, scored as missing",
        f"{path.format('charges').replace('1', '2')}: unexpected null, scored as missing",
    ]
    assert reply.status == 200
    assert body.get("warnings", body.get("parameters")) in (told, {"warnings": "; ".join(told)})
    scores = body["predictions"] if "predictions" in body else body["outputs"][0]["data"]
    as_null = [{**ROW, "contract": None}, HOLE]
    assert scores == predictor.predict([ROW, *as_null]).tolist()
    assert metric(to, 'argosy_unknown_levels_total{feature="contract"}') == 1
    assert metric(to, 'argosy_unexpected_nulls_total{feature="charges"}') == 1
    assert len(to.log.records) == 3


@pytest.mark.parametrize("key", ["odd", "hole"])
def test_what_the_online_store_holds_is_looked_at_too(predictor: Predictor, key: str) -> None:
    """The caller is told where the value came from."""
    reply = client(predictor).post(V1, {"instances": [{"customer_id": key}]})
    assert reply.status == 422
    assert "in the online store" in reply.json()["error"]


def test_what_has_outlived_its_view_is_missing_and_said(predictor: Predictor) -> None:
    """Where the contract allows null: scored as null is, counted, named by row and feature, and logged as it was scored."""
    to = client(predictor)
    reply = to.post(V1, {"instances": [ROW, {"customer_id": "aged"}, {"customer_id": "well"}]})
    assert reply.json()["warnings"] == [
        "instances[1].tenure: expired value, scored as missing",
        "instances[1].contract: expired value, scored as missing",
    ]
    as_null = {**ROW, "tenure": None, "contract": None}
    assert reply.json()["predictions"] == predictor.predict([ROW, as_null, ROW]).tolist()
    counts = [metric(to, f'argosy_expired_values_total{{feature="{name}"}}') for name in ROW]
    assert counts == [1, 0, 1, 0]
    assert [record.features for record in to.log.records][1] == {"tenure": None, "charges": 70.5, "contract": None}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/predict", {"rows": [{"customer_id": "aged"}]}, id="plain"),
        pytest.param("/explain", {"rows": [{"customer_id": "aged"}]}, id="explained"),
        pytest.param(
            V2, {"inputs": [{"name": "customer_id", "shape": [1], "datatype": "BYTES", "data": ["aged"]}]}, id="v2"
        ),
    ],
)
def test_every_protocol_says_what_expired(predictor: Predictor, path: str, body: Any) -> None:
    """In its own words for the field."""
    answer = client(predictor).post(path, body)
    assert answer.status == 200
    assert answer.body.count(b"expired value, scored as missing") == 2


def test_what_has_outlived_its_view_and_may_not_be_null_is_by_policy(predictor: Predictor) -> None:
    """Refused, and why; or missing like any null there. It is counted as what it is, once."""
    to = client(predictor)
    reply = to.post(V1, {"instances": [{"customer_id": "well"}, {"customer_id": "gone"}]})
    assert (reply.status, reply.json()["field"]) == (422, "instances[1].charges")
    assert "in the online store has outlived the `ttl` of its view" in reply.json()["error"]
    assert to.log.records == []
    to = client(predictor, unexpected_null="missing")
    reply = to.post(V1, {"instances": [{"customer_id": "gone"}]})
    assert reply.json()["warnings"] == ["instances[0].charges: expired value, scored as missing"]
    assert metric(to, 'argosy_expired_values_total{feature="charges"}') == 1
    assert metric(to, 'argosy_unexpected_nulls_total{feature="charges"}') == 0


def test_nothing_is_said_of_rows_that_hold_no_surprise(predictor: Predictor) -> None:
    """Null where the contract allows it is a value like others."""
    to = client(predictor)
    assert "warnings" not in by_name(to, {**ROW, "birth_year": None}).json()
    assert "parameters" not in as_json(to, ROW).json()


def test_many_warnings_are_summed_up(predictor: Predictor) -> None:
    """An answer does not grow with what is wrong."""
    warnings = by_name(client(predictor, unknown_level="missing"), *[ODD] * 100).json()["warnings"]
    assert (len(warnings), warnings[-1]) == (21, "and 80 more")


TWICE = [
    pytest.param(V1, b'{"instances": [{"tenure": 1, "tenure": 2}]}', "instances[0].tenure", id="row"),
    pytest.param(V1, b'{"instances": [], "instances": [1]}', "instances", id="top"),
    pytest.param(V1, b'{"instances": [{"te\\u006eure": 1, "tenure": 2}]}', "instances[0].tenure", id="escaped"),
    pytest.param(V1, b'{"instances": [{"tenure": "a:b", "x": {"y": 1, "y": 2}}]}', "instances[0].x.y", id="nested"),
    pytest.param(V2, b'{"inputs": [{"name": "a", "name": "b"}]}', "inputs[0].name", id="tensor"),
    pytest.param(V2, b'{"id": "1", "id": "2", "inputs": []}', "id", id="v2-top"),
    pytest.param(
        V2, b'{"inputs": [{"parameters": {"a": 1, "a": 2}}]}', "inputs[0].parameters.a", id="tensor-parameters"
    ),
    pytest.param(V2, b'{"parameters": {"a": 1, "a": 2}, "inputs": []}', "parameters.a", id="request-parameters"),
]


@pytest.mark.parametrize(("path", "body", "field"), TWICE)
def test_equal_keys_are_refused(predictor: Predictor, path: str, body: bytes, field: str) -> None:
    """Which of two values is meant is not guessed, wherever they are."""
    reply = client(predictor).post(path, body)
    assert (reply.status, reply.json()["field"]) == (422, field)
    assert "twice" in reply.json()["error"]


def test_equal_keys_behind_binary_data_are_refused(predictor: Predictor) -> None:
    """The JSON in front of tensors is read as all JSON is."""
    text = b'{"inputs": [{"name": "a", "name": "b"}]}'
    reply = client(predictor).post(V2, text + b"::::", inference_header_content_length=str(len(text)))
    assert (reply.status, reply.json()["field"]) == (422, "inputs[0].name")


def test_texts_may_hold_colons(predictor: Predictor) -> None:
    """A colon in a value is no key."""
    to = client(predictor, unknown_level="missing")
    assert by_name(to, {**ROW, "contract": "a:b:c"}, {**ROW, "customer_id": "x:1"}).status == 200


def test_what_may_come_is_counted_from_nothing(predictor: Predictor) -> None:
    """To Prometheus a series that first appears with 1 has not grown: what the signature makes known stands at 0 before it comes."""
    to = client(predictor)
    counted = to.get("/metrics").body.decode()
    assert re.findall(r'^argosy_unknown_levels_total\{feature="(\w+)"\} 0\.0$', counted, re.MULTILINE) == ["contract"]
    assert re.findall(r'^argosy_unexpected_nulls_total\{feature="(\w+)"\} 0\.0$', counted, re.MULTILINE) == ["charges"]
    for labels in ('code="500",route="v1"', 'code="503",route="v2"', 'code="200",route="grpc"'):
        assert f"argosy_requests_total{{{labels}}} 0.0" in counted
    assert 'argosy_connections_ended_total{reason="slow body"} 0.0' in counted
    assert by_name(to, HOLE).status == 422
    assert 'argosy_unexpected_nulls_total{feature="charges"} 1.0' in to.get("/metrics").body.decode()
