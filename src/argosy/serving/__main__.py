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
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, network
from argosy.serving import second_options, security_options, stream_options, trace_options, worker_options
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.serving.models_file import ModelEntry
    from argosy.serving.supervised import Sockets
    from argosy.serving.supervisor import WorkerPlace

HOST = "127.0.0.1"
PORT = 8080
LOOK_SECONDS = 5.0
"""Between two looks at the file of the models."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m argosy.serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--bundle", type=Path, help="folder of the bundle")
    made.add_argument("--digest", metavar="sha256:…", help="the model digest that was approved")
    made.add_argument(
        "--models",
        type=Path,
        metavar="FILE",
        help="serve the bundles that this file lists, and others in their place when it changes",
    )
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
    made.add_argument(
        "--request-seconds",
        type=_seconds,
        metavar="N",
        help="let no request to a language model take longer, whatever its bundle allows",
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


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number of seconds above 0")
    return seconds


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
    worker_options.add_arguments(to)
    to.add_argument("--drain-seconds", type=float, default=0.0, help="go on answering this long after SIGTERM")


def run(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Check the bundles, then serve them; *words*: the options that *arguments* were read from. Returns the exit code."""
    from argosy.serving import supervised, supervisor

    _refuse_half_of_options(arguments)
    second_options.check(arguments)
    settings = Settings.from_environment()
    first = arguments.online, arguments.online_digest
    if first[0] is None and first[1] is not None and settings.online_store_uri is None:
        raise errors.UsageError(
            "--online-digest without --online: pass the folder of the online store too, or set ARGOSY_ONLINE_STORE_URI"
        )
    place = supervisor.of_environment(os.environ)
    if place is not None:
        listener = socket.socket(fileno=place.listener)
        _serve(arguments, settings, supervised.Sockets(listener, None, _named(arguments)), place)
        return errors.DONE
    from argosy.serving import graceful_server

    # Before anything that takes time: a port in use is said at once.
    with ExitStack() as stack:
        listener = stack.enter_context(graceful_server.bind(arguments.host, arguments.port))
        beside = arguments.operations_port
        operations = None if beside is None else stack.enter_context(graceful_server.bind(arguments.host, beside))
        port = arguments.grpc_port
        grpc = None if port is None else graceful_server.reserved(arguments.host, port)
        sockets = supervised.Sockets(listener, operations, grpc)
        workers = worker_options.workers(arguments, settings)
        if workers > 1:
            return supervised.run(supervisor.command(words), workers, sockets)
        _serve(arguments, settings, sockets, None)
    return errors.DONE


def _named(arguments: argparse.Namespace) -> str | None:
    """The address for gRPC, which the supervisor chose."""
    if arguments.grpc_port is None:
        return None
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    return f"{host}:{arguments.grpc_port}"


def _refuse_half_of_options(arguments: argparse.Namespace) -> None:
    """Raises UsageError where it is not said which bundles are served, or by whom they are signed."""
    if arguments.models is not None:
        one = (
            "bundle",
            "digest",
            "model",
            "release",
            "minimum_release",
            "signature",
            "online",
            "online_digest",
            "score_edges",
        )
        if arguments.unsigned or any(getattr(arguments, name) is not None for name in one):
            raise errors.UsageError(
                "--models names bundles with all that belongs to them; pass it, or the options of one bundle"
            )
        return
    if arguments.bundle is None or arguments.digest is None:
        raise errors.UsageError("pass --bundle FOLDER and --digest sha256:…, or --models FILE")
    if (arguments.signature is None) != arguments.unsigned:
        raise errors.UsageError("pass --signature FILE, or --unsigned to serve a bundle that nobody signed yet")


def _serve(arguments: argparse.Namespace, settings: Settings, sockets: "Sockets", place: "WorkerPlace | None") -> None:
    from argosy.serving import launch, models_file
    from argosy.serving.bundle_source import BundleSource

    # What is quick to find wrong comes first.
    security_options.refuse_absent_rules(arguments)
    certificate = security_options.certificate(arguments)
    source = BundleSource(settings, arguments.environment, arguments.key, arguments.request_seconds)
    entries = [_entry(arguments)] if arguments.models is None else models_file.read(arguments.models).models
    if len(entries) > 1 and arguments.stream_from is not None:
        raise errors.UsageError("a stream is answered by one model; serve it by a server of its own")
    bundles = [source.opened(entry) for entry in entries]
    if arguments.models is None:
        bundles = [source.with_second(arguments, bundles[0], entries[0])]
    served = replace(bundles[0].served, model="+".join(bundled.served.model for bundled in bundles))
    follow = None if arguments.models is None else launch.Follow(source.successors(arguments.models), LOOK_SECONDS)
    around = launch.ServerDependencies(
        listener=sockets.listener,
        operations=sockets.operations,
        drain_seconds=arguments.drain_seconds,
        grpc=sockets.grpc,
        access=security_options.access_file(arguments, settings, served),
        certificate=certificate,
        stream=stream_options.opened(arguments, settings, served),
        follow=follow,
        traces=trace_options.opener(os.environ, served),
        worker=place,
    )
    launch.run(bundles, around)


def _entry(arguments: argparse.Namespace) -> "ModelEntry":
    """The bundle that the options name."""
    from argosy.serving.models_file import ModelEntry

    return ModelEntry(
        model=arguments.model,
        bundle=arguments.bundle,
        digest=arguments.digest,
        release=arguments.release,
        minimum_release=arguments.minimum_release,
        signature=arguments.signature,
        unsigned=arguments.unsigned,
        online=arguments.online,
        online_digest=arguments.online_digest,
        score_edges=arguments.score_edges,
    )


def main() -> None:
    """Run, and leave with the exit code of the outcome."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        network.prepare(os.environ)
        sys.exit(run(parser().parse_args(), sys.argv[1:]))
    except errors.ArgosyError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
