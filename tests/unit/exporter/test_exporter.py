"""The exporter as Prometheus meets it: one source that is down takes nothing of the others away, and is seen."""

import argparse
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import looks
from argosy.exporter import command, look_samples, metrics_server, notice_samples, samples, series
from argosy.exporter.collector import Exposition
from argosy.exporter.samples import Reading
from argosy.exporter.source_readers import ReadSource, ReadSources
from argosy.settings import Settings
from kit import looked
from kit.looked import NOON

READING = Reading([samples.of(series.RETRAININGS, 5, model="churn"), samples.age(series.LOOK_AGE, 40, model="churn",
                   environment="production", version="3", digest="d")])  # fmt: skip


def shown_in_a_pod(home: Path, **given: str) -> set[str]:
    """The sources that an exporter in a pod reads, by its environment."""
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "ARGOSY_HOME": str(home)}
    settings = Settings.from_environment({**pod, **given})
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = parser.parse_args(["--namespace", "ml", "--canaries", "staging=argosy-staging"])
    absent = command.left_out(settings)
    assert all(absent.values())
    return {source.name for source in command.sources(settings, arguments) if source.name not in absent}


EVERYWHERE = {
    "ARGOSY_MONITORING_URI": "s3://b/monitoring",
    "ARGOSY_FORGE_URI": "github:o/n",
    "ARGOSY_LOOP_STORAGE_URI": "postgresql://db/loop",
}


@pytest.mark.parametrize(
    ("without", "absent"),
    [
        pytest.param("ARGOSY_LOOP_STORAGE_URI", {"retrainings"}, id="no-retraining-by-itself"),
        pytest.param("ARGOSY_MONITORING_URI", {"looks", "notices"}, id="no-monitoring-store"),
        pytest.param("ARGOSY_FORGE_URI", {"requests", "releases"}, id="no-environment-repo"),
    ],
)
def test_what_a_platform_does_not_have_cannot_fail(tmp_path: Path, without: str, absent: set[str]) -> None:
    """A source whose place no setting names is left out; one that was named is read, and alarms where it fails."""
    everything = shown_in_a_pod(tmp_path / "home", **EVERYWHERE)
    assert everything == {"looks", "notices", "requests", "releases", "runs", "canaries", "retrainings"}
    given = {name: value for name, value in EVERYWHERE.items() if name != without}
    assert everything - shown_in_a_pod(tmp_path / "home", **given) == absent


def test_a_home_that_stays_is_read_in_a_pod_too(tmp_path: Path) -> None:
    """Whoever works in a pod has a store and a repository under the home; there is something to show of them."""
    for place in ("monitoring", "forge/environment.git"):
        (tmp_path / place).mkdir(parents=True)
    assert {"looks", "requests"} <= shown_in_a_pod(tmp_path)


def failing(error: Exception) -> Callable[[], Reading]:
    """Reads nothing."""

    def read() -> Reading:
        raise error

    return read


def page(*sources: ReadSource, now: float = 100.0) -> str:
    """What Prometheus is shown."""
    return Exposition(ReadSources(sources).shown, lambda: now).text().decode()


def test_series_as_they_are_scraped() -> None:
    """A count by its name, and an age that goes on between two readings."""
    source = ReadSource("looks", lambda: READING, clock=lambda: 90.0)
    source.refresh()
    text = page(source)
    assert 'argosy_retrainings_total{model="churn"} 5.0' in text
    assert 'argosy_look_age_seconds{digest="d",environment="production",model="churn",version="3"} 60.0' in text
    assert 'argosy_source_up{source="looks"} 1.0' in text
    assert 'argosy_source_read_timestamp_seconds{source="looks"} 90.0' in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(errors.TryAgain("the store is down"), "TryAgain", id="down"),
        pytest.param(errors.Misconfigured("no bucket"), "Misconfigured", id="misconfigured"),
        pytest.param(ZeroDivisionError(), "ZeroDivisionError", id="a-bug"),
    ],
)
def test_a_source_that_fails(error: Exception, kind: str) -> None:
    """Its last values stay, with their age; that it fails is a series; the others are as they were."""
    source, other = ReadSource("looks", lambda: READING, clock=lambda: 90.0), ReadSource("runs", Reading)
    source.refresh()
    source.read = failing(error)
    assert not source.refresh()
    assert other.refresh()
    text = page(source, other)
    assert 'argosy_retrainings_total{model="churn"} 5.0' in text
    assert 'argosy_source_up{source="looks"} 0.0' in text
    assert 'argosy_source_up{source="runs"} 1.0' in text
    assert 'argosy_source_read_timestamp_seconds{source="looks"} 90.0' in text
    assert f'argosy_source_failures_total{{error="{kind}",source="looks"}} 1.0' in text


def test_an_object_store_that_is_down_for_an_hour() -> None:
    """The exporter answers all the while: what was last seen stays, its age goes on, and each source that needs the store says so."""
    store, now = Switched(), [NOON.timestamp()]
    seen = looked.look("drift", model="churn", looked=NOON)
    store.put(looks.latest_key("churn", "production"), seen.canonical_json().encode())
    reads = {"looks": lambda: look_samples.read(store), "notices": lambda: notice_samples.read(store, lambda: NOON)}
    sources = [ReadSource(name, read, clock=lambda: now[0]) for name, read in reads.items()]  # type: ignore[arg-type]
    assert [source.refresh() for source in sources] == [True, True]
    store.is_down = True
    for _ in range(60):
        now[0] += 60
        assert [source.refresh() for source in sources] == [False, False]
    text = page(*sources, now=now[0])
    assert 'argosy_source_up{source="looks"} 0.0' in text
    assert 'argosy_source_up{source="notices"} 0.0' in text
    assert 'argosy_source_failures_total{error="TryAgain",source="looks"} 60.0' in text
    (verdict,) = (line for line in text.splitlines() if line.startswith("argosy_drift_verdict") and '"drift"' in line)
    assert verdict.endswith(" 1.0")
    (age,) = (line for line in text.splitlines() if line.startswith("argosy_look_age_seconds"))
    assert age.endswith(" 3600.0")
    store.is_down = False
    assert [source.refresh() for source in sources] == [True, True]
    assert 'argosy_source_up{source="looks"} 1.0' in page(*sources, now=now[0])


class Switched(MemoryObjects):
    """A store that can be down."""

    is_down = False

    def get(self, key: str) -> bytes | None:
        self._demand()
        return super().get(key)

    def keys(self, prefix: str = "") -> Iterator[str]:
        self._demand()
        return super().keys(prefix)

    def folders(self, prefix: str = "") -> list[str]:
        self._demand()
        return super().folders(prefix)

    def _demand(self) -> None:
        if self.is_down:
            raise errors.TryAgain("the object store does not answer")


def test_a_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not every minute of an outage, but again when it is another one."""
    source = ReadSource("looks", failing(errors.TryAgain("the store is down")))
    for _ in range(3):
        source.refresh()
    source.read = failing(errors.TryAgain("the store refuses"))
    source.refresh()
    assert [record.getMessage() for record in caplog.records] == [
        "looks: the store is down",
        "looks: the store refuses",
    ]


def test_a_series_stands_once() -> None:
    """Prometheus refuses a page on which one stands twice, and would lose all of them."""
    source = ReadSource("looks", lambda: Reading([*READING.samples, samples.of(series.RETRAININGS, 6, model="churn")]))
    source.refresh()
    assert page(source).count("argosy_retrainings_total{") == 1


def test_a_source_that_hangs() -> None:
    """The others are read and shown; the exporter is not ready until each was tried once."""
    goes_on = threading.Event()

    def hang() -> Reading:
        goes_on.wait(30)
        return Reading()

    sources = ReadSources([ReadSource("looks", hang), ReadSource("retrainings", lambda: READING)])
    with sources.reading(lambda _: 3600.0):
        until = threading.Event()
        for _ in range(200):
            if 'argosy_source_up{source="retrainings"}' in Exposition(sources.shown).text().decode():
                break
            until.wait(0.05)
        text = Exposition(sources.shown).text().decode()
        assert 'argosy_source_up{source="retrainings"} 1.0' in text
        assert 'source="looks"' not in text
        assert not sources.tried.is_set()
        goes_on.set()
        assert sources.tried.wait(30)


def status(address: str) -> int:
    """Of a GET."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_health() -> None:
    """Alive at once, ready once every source was tried, and nothing at any other address."""
    ready = threading.Event()
    with metrics_server.serving("127.0.0.1", 0, lambda: b"argosy_source_up 1\n", ready.is_set) as address:
        assert [status(f"{address}/{path}") for path in ("healthz", "readyz", "metrics", "")] == [200, 503, 200, 404]
        ready.set()
        assert status(f"{address}/readyz") == 200
        with (
            pytest.raises(errors.Misconfigured, match="name another port with --port"),
            metrics_server.serving("127.0.0.1", int(address.rpartition(":")[2]), lambda: b"", ready.is_set),
        ):
            pass  # not reached: the port is taken
