"""Serve the model that is approved for an environment, and nothing else.

Reads main of the environment repo, fetches the bundle it names, and serves it only if digest and signature are right and the release is
this model's, not expired and not older than what was served here before. Answers until Ctrl-C or SIGTERM; logs each prediction.
"""

import argparse
import logging
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, scratch, wiring
from argosy.cli import approved_model, second_model
from argosy.domain import release
from argosy.promotion import approval
from argosy.promotion.approval import Approval
from argosy.serving import security_options, stream_options
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ports.features import OnlineFeatures

HOST = "127.0.0.1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--environment", "--env", default="production", help="whose version is served; default production"
    )
    parser.add_argument("--host", default=HOST, help=f"address to listen on; default {HOST}")
    parser.add_argument("--port", type=_port, default=PORT, help=f"port to listen on, 0 for a free one; default {PORT}")
    second_model.add_arguments(parser)
    security_options.add_arguments(parser)
    stream_options.add_arguments(parser)
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
    found = approval.find(wiring.forge(settings), arguments.model, arguments.environment)
    from argosy.serving import graceful_server

    # Before anything that takes time: a port in use is said at once.
    listener = graceful_server.bind(arguments.host, arguments.port)
    with listener, scratch.folder("serve") as place:
        port = arguments.grpc_port
        grpc = None if port is None else graceful_server.reserved(arguments.host, port)
        _serve(settings, found, arguments, listener, place, grpc)
    return errors.DONE


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
    found: Approval,
    arguments: argparse.Namespace,
    listener: socket.socket,
    place: Path,
    grpc: str | None,
) -> None:
    from argosy.serving import launch, records

    certificate = security_options.certificate(arguments)
    second = second_model.chosen(settings, found, arguments)
    model = approved_model.proven(
        settings, found, arguments.environment, place, allow_rollback=arguments.allow_rollback
    )
    around = launch.ServerDependencies(
        listener=listener,
        online=_online(settings, found.version, place / "online"),
        log=wiring.prediction_log(settings, model.served, records.columns(model.predictor.signature)),
        hash_key=wiring.hash_key(settings),
        grpc=grpc,
        access=security_options.access_file(arguments, settings, model.served),
        certificate=certificate,
        stream=stream_options.opened(arguments, settings, model.served),
        second=None if second is None else second_model.loaded(settings, second, model, arguments, place / "second"),
    )
    model.last.set(found.version.version)
    _say_what_is_off(arguments)
    launch.run(model.predictor, model.served, model.folder, around)


def _online(settings: Settings, version: release.Version, folder: Path) -> "OnlineFeatures | None":
    """The online store of *version*: shared, or files whose digest is proven; None where it has none."""
    store = version.online_store
    if store is None:
        return None
    if shared := wiring.shared_online_store(settings):
        return shared.open(store.digest)
    return wiring.online_features(approval.fetch_online(wiring.artifacts(settings), version, store, folder))
