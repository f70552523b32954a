"""Why a row got its prediction: over V1, over V2, and what nobody is told."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from argosy.domain import bundle
from argosy.domain.model_settings import Task
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import explanation
from argosy.serving.app import server_parts
from argosy.serving.exchange import RequestLimits
from kit import grpc_calls
from kit.serving_kit import ROW, Client, build_app, rows, write_bundle

EXPLAIN, PREDICT, INFER = "/v1/models/leaving:explain", "/v1/models/leaving:predict", "/v2/models/leaving/infer"
OUTPUTS = ["prediction", "decision", "confidence"]
SHOWN = {"tenure", "charges", "contract"}
"""Features that are no personal data."""


def inputs() -> list[dict[str, Any]]:
    """``ROW`` as tensors."""
    return [
        {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
        for name, value in ROW.items()
    ]


def test_v1_explains_what_it_predicts(client: Client, predictor: Predictor) -> None:
    """The answer is that of ``:predict``, with a sentence and the numbers that add up to the log-odds."""
    sample = rows(3)
    answer = client.post(EXPLAIN, {"instances": sample})
    explained = answer.json()["explanations"]
    margins = [np.log(p / (1 - p)) for p in predictor.predict(sample)]
    assert answer.status == 200
    given = {"explanations", "request_id"}
    predicted = client.post(PREDICT, {"instances": sample}).json()
    assert {name: predicted[name] for name in predicted.keys() - given} == {
        name: value for name, value in answer.json().items() if name not in given
    }
    for one, margin in zip(explained, margins, strict=True):
        assert one["scale"] == "log-odds of 'yes'"
        assert set(one["contributions"]) == SHOWN
        assert one["base"] + sum(one["contributions"].values()) + one["rest"] == pytest.approx(margin, abs=1e-4)


def test_the_sentence_names_decision_and_values(client: Client) -> None:
    """It can be read to a customer."""
    said = client.post(EXPLAIN, {"instances": [ROW]}).json()["explanations"][0]["sentence"]
    assert said.startswith("Decided 'yes' with 90% for 'yes' (from 40% on): ")
    assert "tenure = 3 raises it (" in said
    assert "contract = month raises it (" in said


def test_personal_data_is_not_named(client: Client) -> None:
    """Neither feature nor value."""
    told = client.post(EXPLAIN, {"instances": [ROW]}).body
    assert b"birth_year" not in told
    assert b"1980" not in told


def test_values_that_the_store_has_are_not_told(client: Client) -> None:
    """Whoever may ask by id may not read features by it."""
    by_id = client.post(EXPLAIN, {"instances": [{"customer_id": "C1"}]}).json()["explanations"][0]
    sent = client.post(EXPLAIN, {"instances": [ROW]}).json()["explanations"][0]
    assert "tenure raises it (" in by_id["sentence"]
    assert not {"= 3", "70.5", "month"} & set(by_id["sentence"].replace(";", "").split())
    assert "=" not in by_id["sentence"]
    assert by_id["contributions"] == sent["contributions"]


def test_an_explained_prediction_is_logged(client: Client) -> None:
    """One path predicts and logs."""
    client.post(EXPLAIN, {"instances": [ROW, ROW]})
    assert len(client.log.records) == 2


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        pytest.param({"parameters": {"explain": True}}, [*OUTPUTS, "reasons", "explanation"], id="by-parameter"),
        pytest.param({"outputs": [{"name": "reasons"}]}, ["reasons"], id="by-output"),
        pytest.param(
            {"outputs": [{"name": "decision"}, {"name": "explanation"}]}, ["decision", "explanation"], id="with-others"
        ),
        pytest.param({"parameters": {"explain": False}}, OUTPUTS, id="not-at-all"),
    ],
)
def test_v2_explains_where_it_is_asked(client: Client, asked: dict[str, Any], given: list[str]) -> None:
    """By parameter or by the outputs' names; what V1 says, a text a row."""
    answer = client.post(INFER, {"inputs": inputs(), **asked}).json()
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    v1 = client.post(EXPLAIN, {"instances": [ROW]}).json()["explanations"][0]
    assert sorted(outputs) == sorted(given)
    assert outputs.get("reasons", [v1["sentence"]]) == [v1["sentence"]]
    assert json.loads(outputs.get("explanation", [json.dumps(v1)])[0]) == v1


def test_grpc_explains(predictor: Predictor) -> None:
    """The same sentence."""
    parts = server_parts(predictor=predictor, served=ServedRelease("leaving", "none", 4, predictor.digest))

    async def asked() -> Any:
        async with grpc_calls.listening(parts) as (_, channel):
            outputs = [{"name": "reasons"}]
            return await grpc_calls.called(
                channel, "ModelInfer", model_name="leaving", inputs=grpc_calls.row(ROW), outputs=outputs
            )

    answer = asyncio.run(asked())
    assert b"tenure = 3 raises it" in answer.outputs[0].contents.bytes_contents[0]


def test_v2_takes_no_explanation_for_a_number(client: Client) -> None:
    """A parameter that is neither true nor false is refused, with its path."""
    answer = client.post(INFER, {"inputs": inputs(), "parameters": {"explain": 1}})
    assert (answer.status, answer.json()["field"]) == (422, "parameters.explain")


@pytest.mark.parametrize("path", [EXPLAIN, INFER])
def test_few_rows_are_explained_at_once(predictor: Predictor, path: str) -> None:
    """A request takes milliseconds a row, and others wait for it."""
    served = ServedRelease("leaving", "none", 4, predictor.digest)
    client = Client(build_app(predictor=predictor, served=served, limits=RequestLimits()))
    count = explanation.MOST_ROWS + 1
    wide = [tensor | {"shape": [count], "data": tensor["data"] * count} for tensor in inputs()]
    body = {"instances": [ROW] * count, "inputs": wide, "parameters": {"explain": True}}
    answer = client.post(path, body)
    assert answer.status == 413
    assert "at most 100 are explained" in answer.json()["error"]


@pytest.mark.parametrize(
    ("task", "scale", "sentence"),
    [
        pytest.param("multiclass", "score of 'high' before softmax", "Decided 'high' with ", id="multiclass"),
        pytest.param("regression", "the value", "Predicted ", id="regression"),
    ],
)
def test_each_task_is_explained(tmp_path: Path, task: Task, scale: str, sentence: str) -> None:
    """Of several classes the one decided for; of a regression the value."""
    write_bundle(tmp_path / "bundle", task)
    predictor = Predictor.load(tmp_path / "bundle", bundle.digest(tmp_path / "bundle"))
    client = Client(build_app(predictor=predictor, served=ServedRelease("leaving", "none", 4, predictor.digest)))
    told = client.post(EXPLAIN, {"instances": [ROW]}).json()["explanations"][0]
    assert told["scale"] == scale
    assert told["sentence"].startswith(sentence)
    if task == "regression":
        total = told["base"] + sum(told["contributions"].values()) + told["rest"]
        assert total == pytest.approx(predictor.predict([ROW])[0], abs=1e-4)


def test_get_is_no_way_to_ask(client: Client) -> None:
    """405, with the method that is."""
    answer = client.get(EXPLAIN)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
