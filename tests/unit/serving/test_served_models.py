"""Several models in one server, and versions that take the place of others while requests come."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from argosy import errors
from argosy.domain import bundle
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving.access.rules_file import AccessFile, WatchedRules
from argosy.serving.app import server_parts
from argosy.serving.hot_path import HotRequest
from argosy.serving.reloading import Reloader
from argosy.serving.served_models import ServedModel, ServedModels
from argosy.serving.shared_parts import SharedParts
from kit import grpc_calls
from kit.serving_kit import ROW, Client, MemoryLog, MemoryOnline, exchange, write_bundle


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Another model, which answers other numbers."""
    folder = tmp_path_factory.mktemp("bundles") / "other"
    write_bundle(folder, "multiclass")
    signature = bundle.Signature.read(folder / bundle.SIGNATURE).model_copy(update={"model": "staying"})
    signature.write(folder / bundle.SIGNATURE)
    return Predictor.load(folder, bundle.digest(folder))


def model(predictor: Predictor, shared: SharedParts, version: int = 4, **more: Any) -> ServedModel:
    """*predictor* as one of a server's."""
    served = ServedRelease(predictor.signature.model, "production", version, predictor.digest)
    given = {name: more[name] for name in ("log", "online") if name in more}
    parts = server_parts(predictor=predictor, served=served, shared=shared, hash_key=b"secret", **given)
    return ServedModel.of(parts, **more)


@pytest.fixture
def logs() -> dict[str, MemoryLog]:
    """A log of each model."""
    return {"leaving": MemoryLog(), "staying": MemoryLog()}


@pytest.fixture
def shared() -> SharedParts:
    """What the models share."""
    return SharedParts.made()


@pytest.fixture
def both(predictor: Predictor, other: Predictor, shared: SharedParts, logs: dict[str, MemoryLog]) -> ServedModels:
    """A server of two models."""
    made = [model(each, shared, log=logs[each.signature.model]) for each in (predictor, other)]
    return ServedModels(made, shared.metrics)


PATHS = {
    "v1": ("/v1/models/{}:predict", {"instances": [ROW]}),
    "v1 version": ("/v1/models/{}/versions/4:predict", {"instances": [ROW]}),
    "v2": (
        "/v2/models/{}/infer",
        {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1.0, 2.0, None, 4.0]}]},
    ),
    "plain": ("/models/{}/predict", {"rows": [ROW]}),
    "why": ("/models/{}/explain", {"rows": [ROW]}),
}


@pytest.mark.parametrize("kind", PATHS)
def test_each_model_answers_at_its_addresses(both: ServedModels, logs: dict[str, MemoryLog], kind: str) -> None:
    """With the headers, the log and the counters of its own."""
    path, body = PATHS[kind]
    for name, log in logs.items():
        reply = Client(both).post(path.format(name), body)
        assert (reply.status, reply.headers["argosy-model"], len(log.records)) == (200, name, 1), reply.body
    text = both.text().decode()
    for name in logs:
        assert f'argosy_predictions_total{{model="{name}"}} 1.0' in text
    assert text.count("# TYPE argosy_predictions_total counter") == 1
    assert text.count("# TYPE process_resident_memory_bytes gauge") == 1


def test_the_hot_path_answers_them_together(both: ServedModels, logs: dict[str, MemoryLog]) -> None:
    """Requests for both that come at one moment: each has its own model's answer, in the order of the questions."""
    asked = [("leaving", "plain"), ("staying", "v1"), ("leaving", "v1"), ("staying", "plain")]
    requests = []
    for name, kind in asked:
        path, body = PATHS[kind]
        scope = {"type": "http", "method": "POST", "path": path.format(name), "headers": [], "state": {}}
        assert both.may_take(scope)
        requests.append(HotRequest(scope, json.dumps(body).encode(), 0.0))
    answers = both.answer(requests)
    assert [
        f"argosy-model: {name}\r\n".encode() in (answer or b"")
        for (name, _), answer in zip(asked, answers, strict=True)
    ] == [True] * 4
    assert [len(log.records) for log in logs.values()] == [2, 2]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        pytest.param("/v1/models/leavin:predict", "there is no model 'leavin' here; models: leaving, staying", id="v1"),
        pytest.param("/v2/models/other/infer", "no model 'other' here", id="v2"),
        pytest.param("/models/other/predict", "no model 'other' here", id="plain"),
        pytest.param("/predict", "ask /models/leaving/predict, /models/staying/predict", id="none"),
        pytest.param("/docs", "ask /models/leaving/docs, /models/staying/docs", id="page"),
    ],
)
def test_an_address_of_no_model_is_404(both: ServedModels, path: str, says: str) -> None:
    """It says which models there are."""
    reply = Client(both).post(path, {})
    assert (reply.status, says in reply.body.decode()) == (404, True), reply.body


def test_the_server_s_pages_name_all_models(both: ServedModels) -> None:
    """The list of V1, the index of V2, and each model's page and description."""
    client = Client(both)
    assert client.get("/v1/models").json() == {"models": ["leaving", "staying"]}
    index = client.post("/v2/repository/index", {}).json()
    assert index == [{"name": name, "version": "4", "state": "READY"} for name in ("leaving", "staying")]
    assert client.get("/v2/models/staying").json()["name"] == "staying"
    assert client.get("/readyz").status == 200
    assert client.get("/models/staying/openapi.json").json()["info"]["title"] == "staying"
    assert client.get("/models/staying/docs").status == 200
    both.lifecycle.draining = True
    assert client.get("/readyz").status == client.get("/v1/models/leaving").status == 503
    assert {one["state"] for one in client.post("/v2/repository/index", {}).json()} == {"UNAVAILABLE"}


def test_rules_open_one_model_and_not_another(predictor: Predictor, other: Predictor, tmp_path: Path) -> None:
    """403 for the other over HTTP and gRPC; nothing at all without a key."""
    rules = tmp_path / "access.yaml"
    rules.write_text('proxies: [{networks: ["192.0.2.1/32"], header: x-user, models: [leaving]}]')
    shared = SharedParts.made(access=WatchedRules(AccessFile(rules, lambda _: None)))  # type: ignore[arg-type,return-value]
    served = ServedModels([model(each, shared) for each in (predictor, other)], shared.metrics)

    def status(path: str, peer: str, method: str = "POST") -> int:
        async def called(scope: Any, receive: Any, send: Any) -> None:
            await served(scope | {"client": (peer, 1)}, receive, send)

        asked = json.dumps({"instances": [ROW]}).encode()
        return asyncio.run(exchange(called, method, path, [asked], {"x-user": "ada"})).status

    predict = "/v1/models/{}:predict"
    assert [status(predict.format(name), "192.0.2.1") for name in ("leaving", "staying")] == [200, 403]
    assert [status(predict.format(name), "192.0.2.2") for name in ("leaving", "staying")] == [401, 401]
    assert [status("/v1/models", peer, "GET") for peer in ("192.0.2.1", "192.0.2.2")] == [200, 401]
    assert status("/readyz", "192.0.2.2", "GET") == 200


def test_grpc_names_the_model(both: ServedModels, logs: dict[str, MemoryLog]) -> None:
    """The message says which is asked; the trailers, which answered."""

    async def run() -> list[Any]:
        async with grpc_calls.listening_to(both) as (_, channel):
            answers = [
                await grpc_calls.called(channel, "ModelInfer", model_name=name, inputs=grpc_calls.row(ROW))
                for name in logs
            ]
            described = await grpc_calls.called(channel, "ModelMetadata", name="staying")
            with pytest.raises(grpc.aio.AioRpcError, match="no model 'x' here; models: leaving, staying") as failed:
                await grpc_calls.called(channel, "ModelInfer", model_name="x", inputs=grpc_calls.row(ROW))
            assert failed.value.code() == grpc.StatusCode.NOT_FOUND
            return [*answers, described]

    first, second, described = asyncio.run(run())
    assert (first.model_name, second.model_name, described.name) == ("leaving", "staying", "staying")
    assert [len(log.records) for log in logs.values()] == [1, 1]


class ClosingLog(MemoryLog):
    """Knows whether it is closed, and takes nothing then."""

    closed = False

    def append(self, predictions: Any) -> None:
        """See the port."""
        assert not self.closed
        super().append(predictions)

    def close(self) -> None:
        """See the port."""
        self.closed = True


class HeldOnline(MemoryOnline):
    """An online store that answers when it is let."""

    def __init__(self) -> None:
        super().__init__({"C1": ROW})
        self.asked, self.let, self.closed = asyncio.Event(), asyncio.Event(), False

    async def get(self, entities: Any, at: int) -> Any:
        """See the port."""
        self.asked.set()
        await self.let.wait()
        assert not self.closed
        return await super().get(entities, at)

    async def close(self) -> None:
        """See the port."""
        self.closed = True


def test_a_request_in_progress_keeps_what_answers_it(predictor: Predictor, shared: SharedParts) -> None:
    """One that came before another version did is answered by the old one, whose store and log are let go of after that."""
    body, path = {"instances": [{"customer_id": "C1"}]}, "/v1/models/leaving:predict"

    async def run() -> None:
        online, old_log, new_log = HeldOnline(), ClosingLog(), ClosingLog()
        discarded: list[str] = []
        models = ServedModels(
            [model(predictor, shared, online=online, log=old_log, discard=lambda: discarded.append("old"))],
            shared.metrics,
        )
        # As servers do it, not in a turn in which requests are read: what that takes would count as work before them.
        new = model(predictor, shared, 5, online=MemoryOnline({"C1": ROW}), log=new_log)
        early = asyncio.create_task(exchange(models, "POST", path, [json.dumps(body).encode()], {}))
        await online.asked.wait()
        retired = asyncio.create_task(models.retire(models.replace(new)))
        late = await exchange(models, "POST", path, [json.dumps(body).encode()], {})
        assert (late.headers["argosy-model-version"], len(new_log.records)) == ("5", 1)
        assert not old_log.closed
        assert not online.closed
        online.let.set()
        answer = await early
        assert (answer.status, answer.headers["argosy-model-version"], len(old_log.records)) == (200, "4", 1)
        await retired
        assert (old_log.closed, online.closed, discarded) == (True, True, ["old"])
        text = models.text().decode()
        assert "argosy_predictions_total 2.0" in text  # of both, counters only grow
        assert ('version="5"' in text, 'version="4"' in text) == (True, False)

    asyncio.run(run())


class FailingLog(ClosingLog):
    """A log that cannot be closed."""

    def close(self) -> None:
        """See the port."""
        raise errors.TryAgain("the store is gone")


def test_what_does_not_close_keeps_no_version(predictor: Predictor, shared: SharedParts) -> None:
    """It is told, and neither the version nor what was fetched for it stays: nobody would let go of it later."""
    discarded: list[str] = []
    old = model(predictor, shared, log=FailingLog(), discard=lambda: discarded.append("old"))
    models = ServedModels([old], shared.metrics)
    with pytest.raises(errors.TryAgain, match="the store is gone"):
        asyncio.run(models.retire(models.replace(model(predictor, shared, 5))))
    assert discarded == ["old"]
    assert models._counted.retiring == ()


class Between(Collector):
    """Does something once, while metrics are read."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._acts = [act]

    def collect(self) -> list[Metric]:
        """See the library."""
        if self._acts:
            self._acts.pop()()
        return []


def test_a_version_that_goes_while_metrics_are_read_counts_once(predictor: Predictor, shared: SharedParts) -> None:
    """A second port's thread reads them while the event loop lets go of a version."""
    old = model(predictor, shared)
    models = ServedModels([old], shared.metrics)
    old.parts.metrics.predictions.inc(3)
    models.replace(model(predictor, shared, 5))
    old.parts.metrics.register(Between(lambda: models.forget(old)))
    for _ in range(2):
        assert "argosy_predictions_total 3.0" in models.text().decode()


def test_what_may_not_be_served_changes_nothing(
    predictor: Predictor, shared: SharedParts, caplog: pytest.LogCaptureFixture
) -> None:
    """One line, one count; the version of before answers, and the next one that may be served takes its place."""
    models = ServedModels([model(predictor, shared)], shared.metrics)
    said: list[str] = []

    coming: list[Any] = [
        errors.Rejected("version 5 is not signed"),
        ValueError("what"),
        None,
        model(predictor, shared, 6),
    ]

    def successor(_: ServedModel) -> ServedModel | None:
        found = coming.pop(0)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    async def run() -> None:
        reloader = Reloader(models, successor, every=None, say=said.append)
        for version in ("4", "4", "4", "6"):
            await reloader.look()
            assert models.version_of("leaving") == version
        await reloader.stop(10)

    asyncio.run(run())
    assert said == ["leaving version 6 answers now, in place of 4"]
    assert "leaving version 4 is served as before: version 5 is not signed" in caplog.text
    text = models.text().decode()
    assert 'argosy_reloads_total{outcome="refused"} 2.0' in text
    assert 'argosy_reloads_total{outcome="taken"} 1.0' in text
