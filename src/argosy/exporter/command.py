"""The command of the exporter: which sources it reads, how often, and until when it answers."""

import argparse
import datetime
import logging
import signal
import threading
from collections.abc import Callable
from typing import NoReturn

from argosy import errors, wiring
from argosy.engine.stored_runs import StoredRuns
from argosy.exporter import (
    canary_samples,
    environment_samples,
    look_samples,
    metrics_server,
    notice_samples,
    pipeline_samples,
    retraining_samples,
)
from argosy.exporter.samples import Reading
from argosy.exporter.series import Source
from argosy.exporter.source_readers import ReadSource, ReadSources
from argosy.settings import Settings

log = logging.getLogger(__name__)
SECONDS: dict[Source, float] = {"requests": 300.0, "releases": 300.0}
"""Between two readings of a source. A forge counts how often it is asked."""
OTHERWISE = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--host", default=metrics_server.HOST, help=f"address to listen on; default {metrics_server.HOST}"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=metrics_server.PORT,
        help=f"port to listen on, 0 for a free one; default {metrics_server.PORT}",
    )
    parser.add_argument(
        "--interval",
        type=_seconds,
        metavar="SECONDS",
        help=f"between two readings of each source; default {OTHERWISE:g}, and {SECONDS['requests']:g} of what a forge keeps",
    )
    parser.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="the pipelines are those of this namespace of a cluster; may be repeated, default this machine's",
    )
    parser.add_argument(
        "--canaries",
        action="append",
        default=[],
        type=_environment,
        metavar="ENVIRONMENT=NAMESPACE",
        help="read the canaries of an environment in that namespace of a cluster; may be repeated",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 1 <= found <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r}; expected seconds, from 1 to 86400")
    return found


def _environment(text: str) -> tuple[str, str]:
    environment, separator, namespace = text.partition("=")
    if not (environment and separator and namespace):
        raise argparse.ArgumentTypeError(f"{text!r}; expected ENVIRONMENT=NAMESPACE, such as staging=argosy-staging")
    return environment, namespace


def run(arguments: argparse.Namespace) -> int:
    """Read and answer until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    from argosy.exporter.collector import Exposition

    settings = Settings.from_environment()
    absent = left_out(settings)
    found = ReadSources([each for each in sources(settings, arguments) if each.name not in absent])
    exposition = Exposition(found.shown)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with (
        metrics_server.serving(arguments.host, arguments.port, exposition.text, found.tried.is_set) as address,
        found.reading(lambda name: arguments.interval or SECONDS.get(name, OTHERWISE)),
    ):
        names = ", ".join(each.name for each in found.each)
        for name, why in absent.items():
            log.warning("not showing %s: %s", name, why)
        print(f"showing {names or 'nothing'} at {address}/metrics", flush=True)  # noqa: T201 - the ready line
        ended.wait()
    return errors.DONE


def sources(settings: Settings, arguments: argparse.Namespace) -> list[ReadSource]:
    """The sources that there are, by *settings* and *arguments*."""
    made: dict[Source, Callable[[], Callable[[], Reading]]] = {
        "looks": lambda: _looks(settings),
        "notices": lambda: _notices(settings),
        "requests": lambda: _requests(settings),
        "releases": lambda: environment_samples.Releases(wiring.forge(settings)),
        "runs": lambda: _pipelines(settings, arguments.namespace),
        "retrainings": lambda: _retrainings(settings),
    }
    if arguments.canaries:
        made["canaries"] = lambda: _canaries(dict(arguments.canaries))
    return [ReadSource(name, _Late(make)) for name, make in made.items()]


def left_out(settings: Settings) -> dict[Source, str]:
    """The sources that *settings* name no place for, with the setting: what nobody has cannot fail, and is no reason for an alert.

    Only a pod has such: on a laptop each has its default place. In a pod's own home nobody puts anything, unless it is one that stays.
    """
    nowhere: dict[Source, str] = {}
    if settings.loop_storage_uri is None:
        nowhere["retrainings"] = "ARGOSY_LOOP_STORAGE_URI is not set (Secret argosy-loop): nothing is trained by itself"
    if settings.in_pod and _is_empty(settings, settings.monitoring_uri):
        monitoring = "ARGOSY_MONITORING_URI is not set (endpoints.monitoringUri of the chart platform)"
        nowhere |= {"looks": monitoring, "notices": monitoring}
    if settings.in_pod and _is_empty(settings, settings.forge_uri):
        forge = "ARGOSY_FORGE_URI is not set (endpoints.forgeUri of the chart platform)"
        nowhere |= {"requests": forge, "releases": forge}
    return nowhere


def _is_empty(settings: Settings, uri: str) -> bool:
    place = settings.own_place(uri)
    return place is not None and not place.exists()


class _Late:
    """Makes what reads a source when it is first asked, and again after that failed: a setting may be mended, a store come up."""

    def __init__(self, make: Callable[[], Callable[[], Reading]]) -> None:
        self._make = make
        self._read: Callable[[], Reading] | None = None

    def __call__(self) -> Reading:
        if self._read is None:
            self._read = self._make()
        return self._read()


def _looks(settings: Settings) -> Callable[[], Reading]:
    objects = wiring.objects(settings, settings.monitoring_uri)
    return lambda: look_samples.read(objects)


def _notices(settings: Settings) -> Callable[[], Reading]:
    objects = wiring.objects(settings, settings.monitoring_uri)
    return lambda: notice_samples.read(objects, lambda: datetime.datetime.now(datetime.UTC))


def _requests(settings: Settings) -> Callable[[], Reading]:
    forge = wiring.forge(settings)
    return lambda: environment_samples.requests(forge)


def _retrainings(settings: Settings) -> Callable[[], Reading]:
    state = wiring.admission_state(settings)
    return lambda: retraining_samples.read(state)


def _canaries(namespaces: dict[str, str]) -> Callable[[], Reading]:
    of_environments = {environment: wiring.rollouts(namespace) for environment, namespace in namespaces.items()}
    return lambda: canary_samples.read(of_environments)


def _pipelines(settings: Settings, namespaces: list[str]) -> pipeline_samples.Pipelines:
    objects = wiring.objects(settings, settings.monitoring_uri)
    if namespaces:
        looks = [pipeline_samples.of_cluster(wiring.workflows(name, None)) for name in dict.fromkeys(namespaces)]
        return pipeline_samples.Pipelines(pipeline_samples.together(looks), objects)

    def nobody(*_: object) -> NoReturn:
        raise errors.UsageError("the exporter only looks at runs")

    return pipeline_samples.Pipelines(pipeline_samples.of_machine(StoredRuns(settings.home, nobody, nobody)), objects)
