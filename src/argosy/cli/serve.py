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
from argosy.domain import environment_layout, release
from argosy.ports.signer import Tampered
from argosy.promotion import approval
from argosy.promotion.approval import Approval
from argosy.serving import security_options
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
    security_options.add_arguments(parser)
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
    found = approval.find(wiring.forge(settings), arguments.model, arguments.environment)
    from argosy.serving import graceful_server

    # Before anything that takes time: a port in use is said at once.
    listener = graceful_server.bind(arguments.host, arguments.port)
    with listener, scratch.folder("serve") as place:
        port = arguments.grpc_port
        grpc = None if port is None else graceful_server.reserved(arguments.host, port)
        _serve(settings, found, arguments, listener, place, grpc)
    return errors.DONE


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
    from argosy.ports.prediction_log import ServedRelease
    from argosy.serving import launch, records, rollback_protection, verification

    certificate = security_options.certificate(arguments)
    version = found.version
    folder = approval.fetch_bundle(wiring.artifacts(settings), version, place / "bundle")
    store = version.online_store
    wanted = verification.Approved(
        folder,
        version.model_digest,
        model=version.model,
        version=version.version,
        online=store.digest if store else None,
    )
    signature = _signature(found, place)
    try:
        predictor = verification.load(wanted, verifier=wiring.verifier(settings), signature=signature)
    except Tampered as error:
        raise _refusal(error, version, place) from error
    last = rollback_protection.Counter(settings.home / "served" / f"{version.model}-{arguments.environment}.json")
    verification.release(wanted, not_before=0 if arguments.allow_rollback else last.value())
    served = ServedRelease(version.model, arguments.environment, version.version, version.model_digest)
    around = launch.ServerDependencies(
        listener=listener,
        online=_online(settings, version, place / "online"),
        log=wiring.prediction_log(settings, served, records.columns(predictor.signature)),
        hash_key=wiring.hash_key(settings),
        grpc=grpc,
        access=security_options.access_file(arguments, settings, served),
        certificate=certificate,
    )
    last.set(version.version)
    _say_what_is_off(arguments)
    launch.run(predictor, served, folder, around)


def _refusal(error: Tampered, version: release.Version, place: Path) -> errors.Rejected:
    """*error* about where the files lie rather than our copy of them, and what to do about it."""
    committed = f"{environment_layout.BUNDLE_SIGNATURE} beside the version on main"
    places = {place / "bundle.sig": committed, place / "bundle": version.storage_uri}
    text = str(error)
    for copy, known in places.items():
        text = text.replace(str(copy), known)
    return errors.Rejected(f"{text}. Nothing is served. {approval.remedy(version)}")


def _signature(found: Approval, place: Path) -> Path | None:
    if found.signature is None:
        return None
    path = place / "bundle.sig"
    path.write_bytes(found.signature)
    return path


def _online(settings: Settings, version: release.Version, folder: Path) -> "OnlineFeatures | None":
    """The online store of *version*: shared, or files whose digest is proven; None where it has none."""
    store = version.online_store
    if store is None:
        return None
    if shared := wiring.shared_online_store(settings):
        return shared.open(store.digest)
    return wiring.online_features(approval.fetch_online(wiring.artifacts(settings), version, store, folder))
