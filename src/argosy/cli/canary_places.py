"""Where the canaries of environments are looked at: `--canaries NAMESPACE` for all of them, or ENVIRONMENT=NAMESPACE for each."""

import argparse
from collections.abc import Callable, Sequence

from argosy import wiring
from argosy.domain import environment_layout
from argosy.domain.rollouts import Rollout


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Declare it."""
    parser.add_argument(
        "--canaries",
        action="append",
        default=[],
        type=_place,
        metavar="[ENVIRONMENT=]NAMESPACE",
        help="show how canaries stand in this namespace of the cluster at hand; may be repeated, once for each environment",
    )


def _place(text: str) -> tuple[str, str]:
    environment, equals, namespace = text.rpartition("=")
    if equals and environment not in environment_layout.ENVIRONMENTS:
        known = ", ".join(environment_layout.ENVIRONMENTS)
        raise argparse.ArgumentTypeError(f"{environment!r} is no environment; there are {known}")
    if not namespace:
        raise argparse.ArgumentTypeError(f"{text!r} names no namespace")
    return environment, namespace


def looked_at(arguments: argparse.Namespace) -> Callable[[str], Sequence[Rollout]] | None:
    """The rollouts of an environment, by its name; None where *arguments* name no namespace."""
    places: dict[str, str] = dict(arguments.canaries)
    if not places:
        return None

    def of(environment: str) -> Sequence[Rollout]:
        namespace = places.get(environment, places.get(""))
        return wiring.rollouts(namespace).of(environment) if namespace else []

    return of
