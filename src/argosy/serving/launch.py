"""Puts a server together and runs it: the app, its port, and one line that says how to call it.

Both entries use it: ``python -m argosy.serving``, which a container runs, and the command on a laptop, which finds out itself what is
approved.
"""

import json
import logging
import shlex
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle, figures
from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import PredictionLog, ServedRelease
from argosy.ports.streams import Stream
from argosy.serving import graceful_server, listeners, operations, schemas
from argosy.serving.access.rules_file import AccessFile, WatchedRules
from argosy.serving.app import ServerParts, app_of, server_parts
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.prometheus import of as metrics_of
from argosy.serving.rows import Value
from argosy.serving.schemas import InterfaceNotes
from argosy.serving.second_series import Role, SecondAbsent
from argosy.serving.second_version import SecondVersion
from argosy.serving.servable_predictor import ServablePredictor
from argosy.serving.stream import StreamServer
from argosy.serving.tls import Certificate

MOST = 0.8
"""Share of the values that a range is told of."""
_log = logging.getLogger("argosy.serving")


@dataclass(frozen=True)
class ServerDependencies:
    """The sockets, stores and settings that a server is handed besides its model."""

    listener: socket.socket
    online: OnlineFeatures | None = None
    log: PredictionLog | None = None
    hash_key: bytes = b""
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
    score_edges: Sequence[float] | None = None
    """Bins in which scores are counted; None: as the task suggests."""
    second: SecondVersion | None = None
    """A second version, as a shadow or for a share of the rows; None: there is none."""
    wants_second: Role | None = None
    """The role of the second version that should be there; it is counted as absent where it is not."""


def run(predictor: ServablePredictor, served: ServedRelease, folder: Path, around: ServerDependencies) -> None:
    """Serve until SIGTERM or SIGINT, then close listener, online store and log. *folder*: the bundle, for an example of a request."""
    lifecycle = Lifecycle()
    metrics = metrics_of(
        predictor.signature, served, around.log, around.score_edges, reference(folder), predecessor(folder)
    )
    if around.wants_second is not None:
        metrics.register(SecondAbsent(around.wants_second, absent=around.second is None))
    access = None if around.access is None else WatchedRules(around.access, metrics.access, metrics.access_rules_read)
    with around.listener, ExitStack() as stack:
        if around.log is not None:
            stack.callback(around.log.close)
        parts = server_parts(
            predictor=predictor,
            served=served,
            online=around.online,
            log=around.log,
            hash_key=around.hash_key,
            lifecycle=lifecycle,
            metrics=metrics,
            access=access,
            told=InterfaceNotes(_example(predictor.signature, folder), seen(predictor.signature, folder)),
            second=around.second,
        )
        stack.callback(parts.service.close)
        if around.operations is not None:
            beside = operations.build_app(metrics, lifecycle)
            stack.enter_context(listeners.beside(beside, around.operations, metrics.ended))
        line = _ready_line(served, around, _example(predictor.signature, folder))

        async def close() -> None:
            if around.online is not None:
                await around.online.close()
            if access is not None:
                await access.close()

        stages = graceful_server.LifecycleHooks(
            on_ready=lambda: _say(line),
            on_done=close,
            drain_seconds=around.drain_seconds,
            on_sweep=lambda: _look_again(access, around.certificate),
        )
        companions = [found for found in (_grpc(parts, around), _stream(parts, around)) if found is not None]
        tls = None if around.certificate is None else around.certificate.context
        graceful_server.run(app_of(parts), around.listener, lifecycle, stages, metrics.ended, companions, tls)


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


def _grpc(parts: ServerParts, around: ServerDependencies) -> graceful_server.Companion | None:
    if around.grpc is None:
        return None
    from argosy.serving.grpc_server import GrpcServer

    return GrpcServer(parts, around.grpc, around.certificate, drain_seconds=around.drain_seconds)


def _stream(parts: ServerParts, around: ServerDependencies) -> graceful_server.Companion | None:
    return None if around.stream is None else StreamServer(parts, around.stream)


def _ready_line(served: ServedRelease, around: ServerDependencies, example: dict[str, Value]) -> str:
    url = graceful_server.address(around.listener, tls=around.certificate is not None)
    beside = "" if around.grpc is None else f" and for gRPC at {around.grpc}"
    version = "" if served.version is None else f" version {served.version}"
    trust = "" if around.certificate is None else f" --cacert {shlex.quote(str(around.certificate.path))}"
    key = "" if around.access is None else ' -H "Authorization: Bearer $KEY"'
    body = shlex.quote(json.dumps({"instances": [example]}, separators=(",", ":"), ensure_ascii=False))
    second = "" if around.second is None else f"; {around.second.says()}"
    return (
        f"serving {served.model}{version} ({served.digest[:19]}) at {url}{beside}{second}; "
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
