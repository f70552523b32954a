"""The server asked by its description, by a program that nobody here wrote: valid requests are answered, others refused, as described.

Schemathesis checks status, type and form of each answer. Some things a schema cannot say: that columns are equally long, which tensors fit
a shape, what follows in binary, that 3.0 is no id; requests that may fail for these are not expected to be answered. 413 is a refusal that
it does not count as one.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from kit.serving_kit import ROW, MemoryOnline, build_app

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
EXAMPLES = 40
POSTED = (
    "/predict",
    "/explain",
    "/v1/models/leaving:predict",
    "/v1/models/leaving:explain",
    "/v2/models/leaving/infer",
)
READ = (
    "/v1/models",
    "/v1/models/leaving",
    "/v2",
    "/v2/models/leaving",
    "/v2/models/leaving/ready",
    "/v2/health/live",
    "/v2/health/ready",
    "/healthz",
    "/readyz",
)


@pytest.fixture(scope="module")
def description(predictor: Predictor) -> Any:
    """Of the small binary model with one customer in its store."""
    served = ServedRelease("leaving", "none", 4, predictor.digest)
    app = build_app(predictor=predictor, served=served, online=MemoryOnline({"C1": ROW}))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def test_everything_that_is_described_is_asked(description: Any) -> None:
    """Below, each address once."""
    assert {operation.ok().path for operation in description.get_all_operations()} == {*POSTED, *READ}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "not-valid"])
@pytest.mark.parametrize("path", POSTED)
def test_answers_are_as_described(description: Any, path: str, mode: GenerationMode) -> None:
    """To requests that are valid by the description, and to those that are not."""
    _ask(description[path]["POST"], EXAMPLES, mode)


@pytest.mark.parametrize("path", READ)
def test_pages_are_as_described(description: Any, path: str) -> None:
    """There is nothing to vary but headers."""
    _ask(description[path]["GET"], 2, GenerationMode.POSITIVE)


def _ask(operation: Any, examples: int, mode: GenerationMode) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call()
        excluded = [negative_data_rejection] if answer.status_code == 413 else []
        if not _is_whole(case):
            excluded.append(positive_data_acceptance)
        assert answer.status_code < 500
        case.validate_response(answer, excluded_checks=excluded)

    ask()


def _is_whole(case: Any) -> bool:
    """Whether the description says all about a request like *case*."""
    body = case.body
    if not isinstance(body, dict) or {"columns", "inputs"} & body.keys():
        return False
    rows = body.get("rows", body.get("instances"))
    ids = [row.get("customer_id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return not any(isinstance(one, float) for one in ids)
