"""Serve the models that are approved for an environment, and nothing else.

Reads main of the environment repo, fetches the bundles it names, and serves each only if digest and signature are right and the release is
this model's, not expired and not older than what was served here before. Answers until Ctrl-C or SIGTERM; logs each prediction. On SIGHUP,
and with --follow now and then, it reads main again: what is approved by then takes the place of what is served, and no request is dropped.
"""

import argparse
import contextlib
import functools
import logging
import math
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, scratch, wiring
from argosy.cli import approved_model, second_model
from argosy.cli.approved_model import ProvenAnswers, ProvenModel
from argosy.domain import release
from argosy.promotion import approval
from argosy.promotion.approval import Approval
from argosy.serving import security_options, stream_options, trace_options, worker_options
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.cli.served_models_file import ServedModelsFile
    from argosy.ports.features import OnlineFeatures
    from argosy.ports.prediction_log import ServedRelease
    from argosy.serving.launch import ServableBundle, ServedBundle
    from argosy.serving.models_file import ModelEntry
    from argosy.serving.supervised import Sockets
    from argosy.serving.versions_refused import VersionsRefused

HOST = "127.0.0.1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PORT = 8080
FOLLOW_SECONDS = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="+")
    parser.add_argument(
        "--environment", "--env", default="production", help="whose version is served; default production"
    )
    parser.add_argument("--host", default=HOST, help=f"address to listen on; default {HOST}")
    parser.add_argument("--port", type=_port, default=PORT, help=f"port to listen on, 0 for a free one; default {PORT}")
    second_model.add_arguments(parser)
    security_options.add_arguments(parser)
    stream_options.add_arguments(parser)
    worker_options.add_arguments(parser)
    parser.add_argument("--open", action="store_true", help="with another --host, let anybody ask who reaches it")
    parser.add_argument(
        "--grpc-port",
        type=_port,
        metavar="PORT",
        help="answer the Open Inference Protocol over gRPC on this port; 0 for a free one",
    )
    parser.add_argument(
        "--allow-rollback", action="store_true", help="serve a version older than the last one that was served here"
    )
    parser.add_argument(
        "--follow",
        type=_seconds,
        nargs="?",
        const=FOLLOW_SECONDS,
        metavar="SECONDS",
        help=f"look so often at what main approves, and serve that from then on; {FOLLOW_SECONDS:g} where no number follows",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected seconds, 1 or more (name models in front of --follow)")
    return seconds


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected a number from 0 to 65535")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Check what is approved, then serve it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings.from_environment()
    _refuse_open_door(arguments)
    security_options.refuse_absent_rules(arguments)
    _refuse_one_port_for_both(arguments.port, arguments.grpc_port)
    _refuse_models(arguments)
    forge = wiring.forge(settings)
    found = [approval.find(forge, model, arguments.environment) for model in arguments.models]
    from argosy.serving import graceful_server
    from argosy.serving.supervised import Sockets

    # Before anything that takes time: a port in use is said at once.
    listener = graceful_server.bind(arguments.host, arguments.port)
    with listener, scratch.folder("serve") as place:
        port = arguments.grpc_port
        grpc = None if port is None else graceful_server.reserved(arguments.host, port)
        workers = worker_options.workers(arguments, settings)
        if workers > 1 and (arguments.shadow, arguments.split) != (None, None):
            raise errors.UsageError("--shadow and --split want one process; pass --workers 1")
        if workers > 1:
            return _supervise(settings, found, arguments, place, Sockets(listener, None, grpc), workers)
        _serve(settings, found, arguments, listener, place, grpc)
    return errors.DONE


def _refuse_models(arguments: argparse.Namespace) -> None:
    """Raises UsageError where models are named that one server cannot have together."""
    names = arguments.models
    if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
        raise errors.UsageError(f"{twice} is named twice; name each model once")
    if len(names) > 1 and arguments.stream_from is not None:
        raise errors.UsageError("a stream is answered by one model; serve it by a server of its own")
    if (arguments.shadow, arguments.split) != (None, None) and (len(names) > 1 or arguments.follow is not None):
        raise errors.UsageError(
            "--shadow and --split put a version beside one that stays: pass one model, and no --follow"
        )


def _refuse_one_port_for_both(port: int, grpc_port: int | None) -> None:
    """Raises UsageError where HTTP and gRPC would listen at one port; 0 is another free one each."""
    if port == grpc_port != 0:
        raise errors.UsageError(f"--port and --grpc-port are both {port}; gRPC needs a port of its own, pass another")


def _refuse_open_door(arguments: argparse.Namespace) -> None:
    """Raises UsageError where others than this machine would reach a model that nobody guards."""
    if arguments.access is not None:
        if arguments.open:
            raise errors.UsageError("--access names who may ask, and --open lets anybody; pass one of them")
        return
    if arguments.host not in LOOPBACK and not arguments.open:
        raise errors.UsageError(
            f"--host {arguments.host}: others would reach the model, and nobody asks them who they are; "
            "pass --access FILE (`argosy access key NAME` begins one), or --open"
        )


def _say_what_is_off(arguments: argparse.Namespace) -> None:
    if arguments.access is None:
        whoever = "anybody on this machine" if arguments.host in LOOPBACK else f"anybody who reaches {arguments.host}"
        print(f"note: {whoever} may ask; no keys and no rates (--access FILE)", file=sys.stderr)


def _serve(
    settings: Settings,
    found: Sequence[Approval],
    arguments: argparse.Namespace,
    listener: socket.socket,
    place: Path,
    grpc: str | None,
) -> None:
    from argosy.serving import launch

    certificate = security_options.certificate(arguments)
    second = second_model.chosen(settings, found[0], arguments)
    source = _ApprovedBundles(settings, arguments, place)
    bundles = [source.bundle(each) for each in found]
    if second is not None:
        bundles = [_with_second(settings, second, bundles[0], source.first, arguments, place / "second")]
    served = replace(bundles[0].served, model="+".join(arguments.models))
    around = launch.ServerDependencies(
        listener=listener,
        grpc=grpc,
        access=security_options.access_file(arguments, settings, served),
        certificate=certificate,
        stream=stream_options.opened(arguments, settings, served),
        traces=trace_options.opener(os.environ, served),
        # A second version was chosen to stand beside this one.
        follow=launch.Follow(source.newer, arguments.follow) if second is None else None,
    )
    _say_what_is_off(arguments)
    launch.run(bundles, around)


def _with_second(
    settings: Settings,
    second: second_model.ChosenSecond,
    bundled: "ServableBundle",
    first: ProvenModel | None,
    arguments: argparse.Namespace,
    place: Path,
) -> "ServedBundle":
    """*bundled*, which is that of *first*, with *second* beside it. Raises UsageError beside a language model, which is no *first*."""
    from argosy.serving.launch import ServedBundle

    if first is None or not isinstance(bundled, ServedBundle):
        raise errors.UsageError(
            f"{bundled.served.model} answers questions, and a second version stands beside models of tables; leave --shadow and --split out"
        )
    return replace(bundled, second=second_model.loaded(settings, second, first, arguments, place))


def _supervise(
    settings: Settings,
    found: Sequence[Approval],
    arguments: argparse.Namespace,
    place: Path,
    sockets: "Sockets",
    workers: int,
) -> int:
    """Serve by *workers* processes of ``python -m argosy.serving``, which are told of the models by a file; returns the exit code."""
    from argosy.cli.served_models_file import ServedModelsFile
    from argosy.serving import supervised, supervisor, versions_refused

    source = _ApprovedBundles(settings, arguments, place)
    file = ServedModelsFile(place / "models.yaml", [source.entry(each) for each in found])
    words = ["--models", str(file.path), "--environment", arguments.environment, "--host", arguments.host]
    words += security_options.words(arguments) + stream_options.words(arguments)
    _say_what_is_off(arguments)

    def follow(started: supervisor.Supervisor) -> None:
        started.watch(functools.partial(_renew, file, source, versions_refused.VersionsRefused()), arguments.follow)

    return supervised.run(supervisor.command(words), workers, sockets, follow)


def _renew(file: "ServedModelsFile", source: "_ApprovedBundles", refusals: "VersionsRefused") -> None:
    """Write what main approves by now into *file*, which the workers read again. What may not be served is told by *refusals*."""
    for entry in file.entries:
        try:
            found = source.newer_entry(entry)
        except errors.ArgosyError as error:
            refusals.tell(entry.model or "", str(entry.release), str(error))
        else:
            refusals.forget(entry.model or "")
            if found is not None:
                file.replace(found)


class _ApprovedBundles:
    """What main approves for an environment, fetched and proven."""

    def __init__(self, settings: Settings, arguments: argparse.Namespace, place: Path) -> None:
        """*place*: a folder for what is fetched."""
        self._settings = settings
        self._environment = arguments.environment
        self._allow_rollback = arguments.allow_rollback
        self._place = place
        self._number = 1
        self.first: ProvenModel | None = None
        """What was proven first."""

    def newer(self, served: "ServedRelease") -> "ServableBundle | None":
        """The bundle that main approves by now in place of *served*; None where it is that one."""
        found = approval.find(wiring.forge(self._settings), served.model, self._environment)
        version = found.version
        if (version.version, version.model_digest) == (served.version, served.digest):
            return None
        return self.bundle(found)

    def newer_entry(self, entry: "ModelEntry") -> "ModelEntry | None":
        """What main approves by now in place of *entry*; None where it is that."""
        found = approval.find(wiring.forge(self._settings), entry.model or "", self._environment)
        same = (found.version.version, found.version.model_digest) == (entry.release, entry.digest)
        return None if same else self.entry(found)

    def entry(self, found: Approval) -> "ModelEntry":
        """That of *found*, for a process that opens and proves it again. Raises as :meth:`bundle` does."""
        with self._place_of_one() as place:
            return self._entry(found, place)

    def _entry(self, found: Approval, place: Path) -> "ModelEntry":
        from argosy.serving.models_file import ModelEntry

        model = approved_model.proven_whatever(
            self._settings, found, self._environment, place, allow_rollback=self._allow_rollback
        )
        store = found.version.online_store
        shared = wiring.shared_online_store(self._settings)
        if store is not None and shared is None:
            approval.fetch_online(wiring.artifacts(self._settings), found.version, store, place / "online")
        model.last.set(found.version.version)
        return ModelEntry(
            model=found.version.model,
            bundle=model.folder,
            digest=found.version.model_digest,
            release=found.version.version,
            signature=place / approved_model.SIGNATURE,
            online=place / "online" if store is not None and shared is None else None,
            online_digest=None if store is None else store.digest,
        )

    def bundle(self, found: Approval) -> "ServableBundle":
        """That of *found*. Raises as :func:`argosy.cli.approved_model.proven` does."""
        with self._place_of_one() as place:
            return self._bundle(found, place)

    @contextlib.contextmanager
    def _place_of_one(self) -> Iterator[Path]:
        """A folder for one bundle, gone again where that may not be served. It is looked at again and again, and has one name each time:
        what is said of it names the folder, and is told once."""
        place = self._place / str(self._number)
        place.mkdir()
        try:
            yield place
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        self._number += 1

    def _bundle(self, found: Approval, place: Path) -> "ServableBundle":
        model = approved_model.proven_whatever(
            self._settings, found, self._environment, place, allow_rollback=self._allow_rollback
        )
        made = (
            self._tables(model, found.version, place) if isinstance(model, ProvenModel) else self._answers(model, place)
        )
        model.last.set(found.version.version)
        return made

    def _tables(self, model: ProvenModel, version: release.Version, place: Path) -> "ServableBundle":
        from argosy.serving import launch, records

        settings = self._settings
        self.first = self.first or model
        return launch.ServedBundle(
            model.predictor,
            model.served,
            model.folder,
            online=_online(settings, version, place / "online"),
            log=wiring.prediction_log(settings, model.served, records.columns(model.predictor.signature)),
            hash_key=wiring.hash_key(settings),
            discard=functools.partial(shutil.rmtree, place, ignore_errors=True),
        )

    def _answers(self, model: ProvenAnswers, place: Path) -> "ServableBundle":
        from argosy.serving import answer_records
        from argosy.serving.served_answers import ServedAnswers

        signature = model.assistant.signature
        columns, judge = answer_records.columns(signature.serving), wiring.sample_judge(self._settings, signature)
        return ServedAnswers(
            model.assistant,
            model.served,
            model.folder,
            log=wiring.prediction_log(self._settings, model.served, columns),
            judge=judge,
            judged_log=wiring.judged_log(self._settings, model.served) if judge else None,
            discard=functools.partial(shutil.rmtree, place, ignore_errors=True),
        )


def _online(settings: Settings, version: release.Version, folder: Path) -> "OnlineFeatures | None":
    """The online store of *version*: shared, or files whose digest is proven; None where it has none."""
    store = version.online_store
    if store is None:
        return None
    if shared := wiring.shared_online_store(settings):
        return shared.open(store.digest)
    return wiring.online_features(approval.fetch_online(wiring.artifacts(settings), version, store, folder))
