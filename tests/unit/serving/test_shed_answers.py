"""What a caller is told who is refused because too many ask: in the form of the address that was asked."""

import json

import pytest

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving.app import server_parts
from argosy.serving.hot_path import HotPath, HotRequest


@pytest.mark.parametrize(
    ("path", "media", "said"),
    [
        ("/predict", "application/problem+json", "detail"),
        ("/v1/models/leaving:predict", "application/json", "error"),
    ],
)
def test_a_refusal_has_the_form_of_its_address(predictor: Predictor, path: str, media: str, said: str) -> None:
    """A problem document on the plain route, the protocol's own elsewhere; its length, the wait and the request's id are right."""
    parts = server_parts(predictor=predictor, served=ServedRelease("leaving", "none", 4, predictor.digest))
    scope = {"path": path, "method": "POST", "headers": [(b"x-request-id", b"mine")]}
    answer = HotPath({path: parts.plain}, parts.service, parts.metrics).refusal(HotRequest(scope, b"{}", 0.0))
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    assert headers["content-type"] == media
    assert int(headers["content-length"]) == len(body)
    assert (headers["retry-after"], headers["x-request-id"]) == ("1", "mine")
    assert "more requests come" in json.loads(body)[said]
