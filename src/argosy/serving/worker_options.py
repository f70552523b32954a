"""The option of the command line, of every way to start a server, that says by how many processes it answers."""

import argparse

from argosy.settings import Settings

MOST = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add it to *parser*."""
    parser.add_argument(
        "--workers",
        type=_workers,
        metavar="N",
        help="processes that answer on the port; default [ARGOSY_SERVE_WORKERS], or 1",
    )


def workers(arguments: argparse.Namespace, settings: Settings) -> int:
    """The number of processes."""
    said: int | None = arguments.workers
    return settings.serve_workers if said is None else said


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number of processes, 1 to {MOST}")
    return int(text)
