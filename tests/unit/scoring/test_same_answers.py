"""One model, three ways to ask it: callers, tables and streams get the same answers, to the last bit, and the same rows are refused."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.domain.model_settings import Serving
from argosy.ml.predictor import Predictor, golden
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.streams import StreamMessage
from argosy.scoring.scorer import BatchScorer
from argosy.serving.app import ServerParts, app_of, server_parts
from argosy.serving.stream import StreamAnswering
from kit.serving_kit import FEATURES, Client, write_bundle
from kit.serving_kit import rows as plausible

Rows = Sequence[Mapping[str, Any]]
REFUSED = "refused"
SCHEMA = pa.schema([(column.name, pa.string() if column.type == "category" else pa.float64()) for column in FEATURES])
NUMBERS = st.one_of(
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**60), 2**60).map(float),
    st.sampled_from([0.0, -0.0, 16_777_217.0, 3.4028234663852886e38, 3.5e38, 5e-324]),
)
KNOWN = sorted({level for column in FEATURES for level in column.levels or ()})
WORDS = st.one_of(st.none(), st.sampled_from(KNOWN), st.sampled_from(["", "seven-year", "Ü"]))
ROWS = st.lists(
    st.fixed_dictionaries({column.name: WORDS if column.type == "category" else NUMBERS for column in FEATURES}),
    min_size=1,
    max_size=6,
)


class Three:
    """The three, for one model."""

    def __init__(self, folder: Path, policy: Any) -> None:
        self.bundle, digest = folder / policy, write_bundle(folder / policy)
        predictor = Predictor.load(self.bundle, digest)
        serving = Serving(unknown_level=policy, unexpected_null=policy)
        predictor.signature = predictor.signature.model_copy(update={"serving": serving})
        served = ServedRelease("leaving", "production", 4, digest)
        self._parts: ServerParts = server_parts(predictor=predictor, served=served)
        self._client, self._scorer = Client(app_of(self._parts)), BatchScorer(predictor)

    def callers(self, rows: Rows) -> list[Any]:
        """What callers are told, each of whom asks one row."""
        replies = [self._client.post("/v1/models/leaving:predict", {"instances": [row]}) for row in rows]
        assert {reply.status for reply in replies} <= {200, 422}
        return [
            (reply.json()["predictions"][0], reply.json()["decisions"][0]) if reply.status == 200 else REFUSED
            for reply in replies
        ]

    def table(self, rows: Rows) -> list[Any]:
        """What the rows of a table get."""
        numbered = pa.Table.from_pylist(list(rows), SCHEMA).append_column("place", pa.array(range(len(rows))))
        found = self._scorer.score(numbered, "a table")
        answers: list[Any] = [REFUSED] * len(rows)
        scored = zip(found.rows["place"].to_pylist(), found.predictions.tolist(), found.decisions or (), strict=True)
        for place, value, decision in scored:
            answers[place] = (value, decision)
        return answers

    def stream(self, rows: Rows) -> list[Any]:
        """What the messages of a stream are answered with."""
        messages = [StreamMessage("in", 0, place, None, json.dumps(row).encode()) for place, row in enumerate(rows)]
        answers = asyncio.run(StreamAnswering(self._parts).answers(messages))
        said = [None if answer.refused else json.loads(answer.value) for answer in answers]
        return [REFUSED if one is None else (one["prediction"], one["decision"]) for one in said]


@pytest.fixture(scope="module", params=["refuse", "missing"])
def three(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Three:
    """The small binary model, by either policy for what it was not made for."""
    return Three(tmp_path_factory.mktemp("bundles"), request.param)


@settings(max_examples=40)
@given(rows=ROWS)
def test_rows_of_any_kind(three: Three, rows: Rows) -> None:
    """Usual values, missing ones, and those that no model can take."""
    callers = three.callers(rows)
    assert three.table(rows) == callers
    assert three.stream(rows) == callers


def test_golden_and_plausible_rows(three: Three) -> None:
    """What the model answered where it was trained, too."""
    kept = golden(three.bundle).rows
    rows = [*(row.features for row in kept), *plausible(40, seed=11)]
    callers = three.callers(rows)
    assert three.table(rows) == three.stream(rows) == callers
    assert [[answer[0]] for answer in callers[: len(kept)]] == [row.prediction for row in kept]
    assert kept
