"""The Open Inference Protocol as it was published: messages, addresses, and what is sent and answered."""

from typing import Any

import pytest

from kit import grpc_descriptions, open_inference_protocol
from kit.open_inference_protocol import RestDescription
from kit.serving_kit import ROW, Client

INPUTS = [
    {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
    for name, value in ROW.items()
]


@pytest.fixture
def description() -> RestDescription:
    """Of the protocol over HTTP."""
    return RestDescription()


def test_the_messages_are_the_published_ones() -> None:
    """Names, numbers, types, what is repeated: field by field."""
    published = open_inference_protocol.messages()
    ours = {
        name.removeprefix("inference."): fields
        for name, fields in grpc_descriptions.described().items()
        if not name.endswith("Entry")
    }
    assert ours.keys() == published.keys()
    for message, fields in published.items():
        assert {number: name for number, (name, _, _) in fields.items()} == {
            number: field[0] for number, field in ours[message].items()
        }, message
        for number, (_, kind, repeated) in fields.items():
            _, code, many, held = ours[message][number]
            assert many == (repeated or kind.startswith("map")), (message, number)
            if kind in grpc_descriptions.SCALARS:
                assert code == grpc_descriptions.SCALARS[kind], (message, number)
            elif not kind.startswith("map"):
                assert held.rpartition(".")[2] == kind, (message, number)


def test_every_address_is_there(client: Client, description: RestDescription) -> None:
    """Each that the description has, for the version that is served."""
    addresses = description.addresses()
    assert len(addresses) >= 6
    for method, path in addresses:
        real = path.replace("${MODEL_NAME}", "leaving").replace("${MODEL_VERSION}", "4")
        answer = client.post(real, {"inputs": INPUTS}) if method == "post" else client.get(real)
        assert answer.status == 200, real


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/v2", "metadata_server_response"),
        ("/v2/models/leaving", "metadata_model_response"),
        ("/v2/models/other", "metadata_model_error_response"),
    ],
)
def test_what_is_read_is_as_published(client: Client, description: RestDescription, path: str, schema: str) -> None:
    """Metadata, and the refusal of a model that is not here."""
    description.check(schema, client.get(path).json())


@pytest.mark.parametrize(
    ("more", "schema"),
    [
        pytest.param({"id": "mine"}, "inference_response", id="answer"),
        pytest.param({"outputs": [{"name": "decision"}]}, "inference_response", id="an-output"),
        pytest.param({"parameters": {"explain": True}}, "inference_response", id="explained"),
        pytest.param({"outputs": [{"name": "x"}]}, "inference_error_response", id="refusal"),
    ],
)
def test_what_is_answered_is_as_published(
    client: Client, description: RestDescription, more: dict[str, Any], schema: str
) -> None:
    """The answer and the refusal, to requests that are as published too."""
    body = {"inputs": INPUTS, **more}
    description.check("inference_request", body)
    description.check(schema, client.post("/v2/models/leaving/infer", body).json())
