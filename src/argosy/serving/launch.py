"""Puts a server together and runs it: the app, its port, and one line that says how to call it.

Both entries use it: ``python -m argosy.serving``, which a container runs, and the command on a laptop, which finds out itself what is
approved.
"""

import json
import logging
import shlex
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from argosy import errors
from argosy.domain import bundle, figures
from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import PredictionLog, ServedRelease
from argosy.ports.streams import Stream
from argosy.serving import graceful_server, listeners, operations, schemas, served_models, worker
from argosy.serving.access.rules_file import AccessFile, WatchedRules
from argosy.serving.app import server_parts
from argosy.serving.exchange import RequestLimits
from argosy.serving.prometheus import Metrics
from argosy.serving.prometheus import of as metrics_of
from argosy.serving.reloading import Reloader
from argosy.serving.request_spans import RequestSpans
from argosy.serving.rows import Value
from argosy.serving.schemas import InterfaceNotes
from argosy.serving.second_series import Role, SecondAbsent
from argosy.serving.second_version import SecondVersion
from argosy.serving.servable_predictor import ServablePredictor
from argosy.serving.served_models import ServedModel, ServedModels
from argosy.serving.server_metrics import ServerMetrics
from argosy.serving.shared_parts import SharedParts
from argosy.serving.stream import StreamServer, of_rows
from argosy.serving.supervisor import WorkerPlace
from argosy.serving.tls import Certificate

MOST = 0.8
"""Share of the values that a range is told of."""
_log = logging.getLogger("argosy.serving")


class ServableBundle(Protocol):
    """A bundle that was verified, whatever its model answers."""

    @property
    def served(self) -> ServedRelease:
        """The release."""

    @property
    def log(self) -> PredictionLog | None:
        """The log of its answers; None: nobody keeps them."""

    def model(self, shared: SharedParts) -> ServedModel:
        """The model as it answers."""

    def example(self) -> dict[str, Value]:
        """An instance, as V1 has it, that the model answers."""

    def beside(self) -> str:
        """What answers beside it, in words behind a semicolon; empty where nothing does."""


@dataclass(frozen=True)
class ServedBundle:
    """A bundle of a model of tables that was verified, and what it is served with."""

    predictor: ServablePredictor
    served: ServedRelease
    folder: Path
    online: OnlineFeatures | None = None
    log: PredictionLog | None = None
    hash_key: bytes = b""
    score_edges: Sequence[float] | None = None
    """Bins in which scores are counted; None: as the task suggests."""
    second: SecondVersion | None = None
    """A second version, as a shadow or for a share of the rows; None: there is none."""
    wants_second: Role | None = None
    """The role of the second version that should be there; it is counted as absent where it is not."""
    discard: Callable[[], None] = lambda: None
    """Deletes what was fetched for it."""

    def model(self, shared: SharedParts) -> ServedModel:
        """The model as it answers."""
        signature = self.predictor.signature
        parts = server_parts(
            predictor=self.predictor,
            served=self.served,
            online=self.online,
            log=self.log,
            hash_key=self.hash_key,
            metrics=self._metrics(shared),
            told=InterfaceNotes(_example(signature, self.folder), seen(signature, self.folder)),
            shared=shared,
            second=self.second,
        )
        return ServedModel.of(parts, online=self.online, log=self.log, discard=self.discard)

    def example(self) -> dict[str, Value]:
        """See :class:`ServableBundle`."""
        return _example(self.predictor.signature, self.folder)

    def beside(self) -> str:
        """See :class:`ServableBundle`."""
        return "" if self.second is None else f"; {self.second.says()}"

    def _metrics(self, shared: SharedParts) -> Metrics:
        before = predecessor(self.folder)
        made = metrics_of(
            self.predictor.signature,
            self.served,
            self.log,
            self.score_edges,
            reference(self.folder),
            before,
            shared.metrics,
        )
        if self.wants_second is not None:
            made.register(SecondAbsent(self.wants_second, absent=self.second is None))
        return made


@dataclass(frozen=True)
class Follow:
    """Where other versions come from while the server runs."""

    successor: Callable[[ServedRelease], ServableBundle | None]
    """The bundle to serve in place of one; None: it is the right one. Called in a thread. Raises ArgosyError where it may not be served."""
    every: float | None = None
    """Seconds between two looks; None: on SIGHUP only."""


@dataclass(frozen=True)
class ServerDependencies:
    """The sockets and settings that a server is handed besides its models."""

    listener: socket.socket
    drain_seconds: float = 0.0
    """Drain: seconds after SIGTERM for which requests are still answered, until load balancers have noticed."""
    operations: socket.socket | None = None
    """A second port for health and metrics, which callers cannot fill; None: on the listener only."""
    access: AccessFile | None = None
    """Who may ask; None: whoever reaches the port."""
    grpc: str | None = None
    """The address that gRPC is answered on, ``host:port``; None: not at all."""
    stream: Stream | None = None
    """A stream of questions that is answered too; None: there is none."""
    certificate: Certificate | None = None
    """For TLS on the listener; None: in the open."""
    follow: Follow | None = None
    """Where other versions come from; None: what is served stays."""
    traces: Callable[[Callable[[str, int], None]], RequestSpans | None] = lambda _: None
    """Opens the traces of requests, and is told what counts spans; None: nobody collects them."""
    worker: WorkerPlace | None = None
    """The process's place among several that share the listener; None: it is alone."""


def run(bundles: Sequence[ServableBundle], around: ServerDependencies) -> None:
    """Serve *bundles* until SIGTERM or SIGINT, then close listener, online stores and logs."""
    metrics, member = ServerMetrics(), worker.member(around.worker)
    access = None
    if around.access is not None:
        access = WatchedRules(around.access, metrics.access, metrics.access_rules_read, member.rates())
    with around.listener, ExitStack() as stack:
        spans = around.traces(metrics.spans)
        if spans is not None:
            stack.callback(spans.close)
        shared = SharedParts.made(member.share(RequestLimits()), member.lifecycle, access, metrics, spans=spans)
        for bundled in bundles:
            if bundled.log is not None:
                stack.callback(bundled.log.close)
        models = ServedModels([bundled.model(shared) for bundled in bundles], metrics)
        metrics.scrape = member.scraped(models)
        stack.callback(member.publish)
        stack.callback(_close_logs, models)
        if around.operations is not None:
            beside = operations.build_app(models, shared.lifecycle)
            stack.enter_context(listeners.beside(beside, around.operations, metrics.ended))
        lines = [_ready_line(bundled, around) for bundled in bundles]

        async def close() -> None:
            for model in models.models.values():
                await served_models.close_online(model)
            if access is not None:
                await access.close()

        stages = graceful_server.LifecycleHooks(
            on_ready=lambda: member.answers(lambda: _say("\n".join(lines))),
            on_done=close,
            drain_seconds=around.drain_seconds,
            request_seconds=lambda: models.request_seconds,
            on_sweep=lambda: _sweep(member, access, around.certificate),
        )
        tls = None if around.certificate is None else around.certificate.context
        companions = [*member.companions(), *_companions(models, shared, around)]
        graceful_server.run(
            models,
            around.listener,
            shared.lifecycle,
            stages,
            metrics.ended,
            companions,
            tls,
            share=member.connection_share(),
        )


def _close_logs(models: ServedModels) -> None:
    for model in models.models.values():
        served_models.close_log(model)


def _companions(
    models: ServedModels, shared: SharedParts, around: ServerDependencies
) -> list[graceful_server.Companion]:
    """What runs beside callers' own server."""
    made: list[graceful_server.Companion] = []
    if around.grpc is not None:
        from argosy.serving.grpc_server import GrpcServer

        made.append(
            GrpcServer(
                models,
                around.grpc,
                around.certificate,
                drain_seconds=around.drain_seconds,
                shared=around.worker is not None,
            )
        )
    if around.stream is not None:
        of_rows(next(iter(models.models.values())))
        made.append(StreamServer(lambda: next(iter(models.models.values())), around.stream))
    if around.follow is not None:
        follow = around.follow

        def successor(model: ServedModel) -> ServedModel | None:
            found = follow.successor(model.parts.service.served)
            return None if found is None else found.model(shared)

        made.append(Reloader(models, successor, every=follow.every, say=worker.speaker(around.worker, _say)))
    return made


def _sweep(member: worker.Member, access: WatchedRules | None, certificate: Certificate | None) -> None:
    member.publish()
    _look_again(access, certificate)


def _look_again(access: WatchedRules | None, certificate: Certificate | None) -> None:
    """At the files of who may ask and of the certificate. What cannot be understood is said, and changes nothing."""
    if access is not None:
        access.look()
    if certificate is not None:
        try:
            certificate.look()
        except errors.Misconfigured as error:
            _log.error("the certificate stays as it was: %s", error)


def reference(folder: Path) -> bundle.Moments | None:
    """Of the scores of the holdout; None where the bundle in *folder* is of an earlier release, which counted something else."""
    try:
        return bundle.read_bins(folder / bundle.BINS).scores
    except errors.Misconfigured:
        return None


def predecessor(folder: Path) -> bundle.Predecessor | None:
    """The model that the one in *folder* was compared with; None where its release names none, and for a bundle that was never released."""
    path = folder / bundle.RELEASE
    return bundle.Release.read(path).predecessor if path.exists() else None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _ready_line(bundled: ServableBundle, around: ServerDependencies) -> str:
    served, example = bundled.served, bundled.example()
    url = graceful_server.address(around.listener, tls=around.certificate is not None)
    beside = "" if around.grpc is None else f" and for gRPC at {around.grpc}"
    version = "" if served.version is None else f" version {served.version}"
    trust = "" if around.certificate is None else f" --cacert {shlex.quote(str(around.certificate.path))}"
    key = "" if around.access is None else ' -H "Authorization: Bearer $KEY"'
    body = shlex.quote(json.dumps({"instances": [example]}, separators=(",", ":"), ensure_ascii=False))
    return (
        f"serving {served.model}{version} ({served.digest[:19]}) at {url}{beside}{bundled.beside()}; "
        f"try: curl -s{trust}{key} {url}/v1/models/{served.model}:predict -d {body}"
    )


def _example(signature: bundle.Signature, folder: Path) -> dict[str, Value]:
    """A row that the model answers: the first golden one, without what is personal."""
    features = bundle.Golden.read(folder / bundle.GOLDEN).rows[0].features
    plain = schemas.documentation(signature).example
    return {
        column.name: plain[column.name] if column.personal else features[column.name] for column in signature.features
    }


def seen(signature: bundle.Signature, folder: Path) -> dict[str, str]:
    """By feature, none of them personal: between which values those of the holdout lie, in words."""
    try:
        counted = {column.column: column for column in bundle.read_bins(folder / bundle.BINS).columns}
    except errors.Misconfigured:
        return {}
    said = {}
    for column in signature.features:
        if not column.personal and column.name in counted:
            said[column.name] = _range(counted[column.name])
    return {name: text for name, text in said.items() if text}


def _range(counted: bundle.Histogram) -> str:
    """Where most values lie; nothing where they lie at few places, between which the edges of bins are."""
    within, values = sum(counted.counts[1:-1]), sum(counted.counts)
    if not counted.edges or within < MOST * values or not values:
        return ""
    first, last = figures.number(counted.edges[0]), figures.number(counted.edges[-1])
    return f"{within / values:.0%} of the holdout lies between {first} and {last}."
