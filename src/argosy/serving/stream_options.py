"""Options of the command line that name a stream of questions for a server to answer besides its callers."""

import argparse
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ports.prediction_log import ServedRelease
    from argosy.ports.streams import Stream


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to *parser*."""
    parser.add_argument(
        "--stream-from",
        metavar="TOPIC",
        help="answer the rows of this topic too; Kafka is the one of ARGOSY_KAFKA_BOOTSTRAP_SERVERS",
    )
    parser.add_argument("--stream-to", metavar="TOPIC", help="where their answers go")
    parser.add_argument(
        "--stream-refusals",
        metavar="TOPIC",
        help="where rows go that cannot be answered; default <--stream-to>.refused",
    )
    parser.add_argument(
        "--stream-group",
        metavar="NAME",
        help="servers of one group share the rows of the topic; default argosy-<model>-<environment>",
    )


def words(arguments: argparse.Namespace) -> list[str]:
    """The options again, for another process."""
    given = {
        "--stream-from": arguments.stream_from,
        "--stream-to": arguments.stream_to,
        "--stream-refusals": arguments.stream_refusals,
        "--stream-group": arguments.stream_group,
    }
    return [word for name, value in given.items() if value is not None for word in (name, value)]


def opened(arguments: argparse.Namespace, settings: Settings, served: "ServedRelease") -> "Stream | None":
    """The stream; None where none is named. Raises UsageError for half of one, Misconfigured or TryAgain where it cannot be read."""
    source, target = arguments.stream_from, arguments.stream_to
    if source is None and target is None:
        return None
    if source is None or target is None:
        raise errors.UsageError("--stream-from and --stream-to go together")
    refusals = arguments.stream_refusals or f"{target}.refused"
    if source in {target, refusals}:
        raise errors.UsageError(f"the answers to {source} would be read as questions; name another topic")
    group = arguments.stream_group or f"argosy-{served.model}-{served.environment}"
    return wiring.stream(settings, group, source, target, refusals)
