"""``python -m argosy.serving``: serve a bundle that lies in a folder. This is what a container runs.

The digest says which bundle was approved; the signature, that it is ours. Predictions are logged where an environment is named.
"""

import argparse
import itertools
import logging
import math
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, network
from argosy.serving import second_options, security_options, stream_options
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ports.features import OnlineFeatures
    from argosy.promotion import verification

HOST = "127.0.0.1"
PORT = 8080


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m argosy.serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--bundle", type=Path, required=True, help="folder of the bundle")
    made.add_argument("--digest", required=True, metavar="sha256:…", help="the model digest that was approved")
    made.add_argument("--model", help="name of the model; the bundle's own where absent")
    made.add_argument("--release", type=int, metavar="N", help="the version that was approved; any where absent")
    made.add_argument(
        "--minimum-release",
        type=Path,
        metavar="FILE",
        help="file with the oldest version that may be served",
    )
    made.add_argument("--signature", type=Path, help="signature of the bundle")
    made.add_argument(
        "--key", type=Path, help="public key (PEM) that the signature must be by [ARGOSY_VERIFYING_KEY_FILE]"
    )
    made.add_argument("--unsigned", action="store_true", help="serve a bundle that nobody signed or released yet")
    made.add_argument("--online", type=Path, help="folder of the online store, for requests that name join keys only")
    made.add_argument(
        "--online-digest",
        metavar="sha256:…",
        help="the online store that was approved; without --online it is read in the database of ARGOSY_ONLINE_STORE_URI",
    )
    made.add_argument("--environment", help="log predictions as those of this environment")
    made.add_argument(
        "--score-edges", type=_edges, metavar="X,Y,…", help="edges of the bins in which scores are counted, ascending"
    )
    made.add_argument(
        "--operations-port",
        type=int,
        metavar="N",
        help="answer health and metrics on this port too, whatever callers do; 0 for a free one",
    )
    second_options.add_arguments(made)
    security_options.add_arguments(made)
    stream_options.add_arguments(made)
    add_server_arguments(made)
    return made


def _edges(text: str) -> tuple[float, ...]:
    try:
        edges = tuple(float(part) for part in text.split(","))
    except ValueError:
        edges = ()
    if not edges or not all(map(math.isfinite, edges)) or any(a >= b for a, b in itertools.pairwise(edges)):
        raise argparse.ArgumentTypeError(f"{text!r}; expected numbers that ascend, with commas between")
    return edges


def add_server_arguments(to: argparse.ArgumentParser) -> None:
    """The command-line options that every way to start a server has."""
    to.add_argument("--host", default=HOST, help=f"address to listen on; default {HOST}")
    to.add_argument("--port", type=int, default=PORT, help=f"port to listen on, 0 for a free one; default {PORT}")
    to.add_argument(
        "--grpc-port",
        type=int,
        metavar="N",
        help="answer the Open Inference Protocol over gRPC on this port; 0 for a free one",
    )
    to.add_argument("--drain-seconds", type=float, default=0.0, help="go on answering this long after SIGTERM")


def run(arguments: argparse.Namespace) -> None:
    """Check the bundle, then serve it."""
    if (arguments.signature is None) != arguments.unsigned:
        raise errors.UsageError("pass --signature FILE, or --unsigned to serve a bundle that nobody signed yet")
    second_options.check(arguments)
    settings = Settings.from_environment()
    if arguments.online is None and arguments.online_digest is not None and settings.online_store_uri is None:
        raise errors.UsageError(
            "--online-digest without --online: pass the folder of the online store too, or set ARGOSY_ONLINE_STORE_URI"
        )
    from argosy.serving import graceful_server

    # Before anything that takes time: a port in use is said at once.
    with ExitStack() as stack:
        listener = stack.enter_context(graceful_server.bind(arguments.host, arguments.port))
        beside = arguments.operations_port
        operations = None if beside is None else stack.enter_context(graceful_server.bind(arguments.host, beside))
        port = arguments.grpc_port
        grpc = None if port is None else graceful_server.reserved(arguments.host, port)
        _serve(arguments, settings, listener, operations, grpc)


def _serve(
    arguments: argparse.Namespace,
    settings: Settings,
    listener: socket.socket,
    operations: socket.socket | None,
    grpc: str | None,
) -> None:
    from argosy import wiring
    from argosy.ports.prediction_log import ServedRelease
    from argosy.promotion import verification
    from argosy.serving import launch, records, rollback_protection

    # What is quick to find wrong comes first.
    security_options.refuse_absent_rules(arguments)
    certificate = security_options.certificate(arguments)
    approved = verification.Approved(
        arguments.bundle,
        arguments.digest,
        model=arguments.model,
        version=arguments.release,
        online=arguments.online_digest,
    )
    verifier = None if arguments.unsigned else wiring.verifier(settings, key=arguments.key)
    predictor = verification.load(approved, verifier=verifier, signature=arguments.signature)
    oldest = 0 if arguments.minimum_release is None else rollback_protection.minimum(arguments.minimum_release)
    version = None if arguments.unsigned else _released(approved, oldest)
    served = ServedRelease(predictor.signature.model, arguments.environment or "none", version, arguments.digest)
    logs = arguments.environment is not None
    around = launch.ServerDependencies(
        listener=listener,
        operations=operations,
        online=_online(settings, arguments.online, arguments.online_digest),
        log=wiring.prediction_log(settings, served, records.columns(predictor.signature)) if logs else None,
        hash_key=wiring.hash_key(settings) if logs else b"",
        drain_seconds=arguments.drain_seconds,
        grpc=grpc,
        score_edges=arguments.score_edges,
        access=security_options.access_file(arguments, settings, served),
        certificate=certificate,
        stream=stream_options.opened(arguments, settings, served),
        second=second_options.loaded(
            arguments, settings, predictor.signature, served, verifier=verifier, oldest=oldest
        ),
        wants_second=arguments.second_role,
    )
    launch.run(predictor, served, arguments.bundle, around)


def _released(approved: "verification.Approved", oldest: int) -> int:
    from argosy.promotion import verification

    return verification.release(approved, not_before=oldest, because=verification.IS_MINIMUM).counter


def _online(settings: Settings, folder: Path | None, approved: str | None) -> "OnlineFeatures | None":
    """The online store in *folder*, proven to be *approved* where that is given; without a folder, *approved* in the shared one."""
    from argosy import wiring
    from argosy.promotion import verification

    if folder is not None:
        if approved is not None:
            verification.online_store(folder, approved)
        return wiring.online_features(folder)
    shared = wiring.shared_online_store(settings) if approved is not None else None
    return shared.open(approved) if shared is not None and approved is not None else None


def main() -> None:
    """Run, and leave with the exit code of the outcome."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        network.prepare(os.environ)
        run(parser().parse_args())
    except errors.ArgosyError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
