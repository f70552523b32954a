"""The second model, from three files to a served answer: it differs from the first by its folder and its policy only."""

import contextlib
import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests

from kit.databases import redis_server

pytestmark = pytest.mark.slow

ADDRESS = re.compile(r"http://[\d.]+:\d+")


@pytest.fixture(scope="module")
def flown(new_project: Callable[[str], Any]) -> tuple[Any, dict[str, Any]]:
    """A project in which the pipeline ran once, and what it said."""
    project = new_project("flight_delay")
    # The flights are those of 2013: by now timetable and planes would have outlived their views, and not only the weather.
    project.edit("features.py", (r"ttl=timedelta\(days=\d+\)", "ttl=timedelta(days=36_500)"), times=2)
    missing = "serving: {unknown_level: missing, unexpected_null: missing}"
    project.edit_settings(*project.SHORT, (r"serving: .*", missing))
    return project, project.run_json("run", "flight_delay")


def flights(project: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each of some held-out flights by id alone, and by all its features; without the weather, which is older than its view allows."""
    rows = next(project.home.glob("objects/*/*/rows.parquet"))
    schema = json.loads(rows.with_name("schema.json").read_text(encoding="utf-8"))
    names = [feature["name"] for feature in schema["features"]]
    weather = {feature["name"] for feature in schema["features"] if feature["view"] == "conditions"}
    held_out = pq.read_table(rows, filters=[("side", "=", "holdout")]).to_pylist()
    return [
        ({"flight_id": row["flight_id"]}, {name: None if name in weather else row[name] for name in names})
        for row in held_out[::1500]
    ]


def post(address: str, instances: list[dict[str, Any]]) -> requests.Response:
    """The server's answer, whatever it is."""
    return requests.post(f"{address}/v1/models/flight_delay:predict", json={"instances": instances}, timeout=30)


def ask(address: str, instances: list[dict[str, Any]]) -> dict[str, Any]:
    """The server's answer, but for the request's own id and its warnings, which are about the weather."""
    answer = post(address, instances)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    assert said.pop("request_id")
    warnings = said.pop("warnings", [])
    kind = "expired value" if instances[0].keys() == {"flight_id"} else "unexpected null"
    assert {each.partition(": ")[2] for each in warnings} <= {f"{kind}, scored as missing", ""}
    return said


def test_a_run_ends_with_a_request(flown: tuple[Any, dict[str, Any]]) -> None:
    """Every gate of its policy holds, even after a short search."""
    project, result = flown
    assert (result["phase"], result["verdict"]) == ("Succeeded", "promote")
    assert project.call("pr", "list").stdout.count("staging") == 1
    viewed = project.call("pr", "view", "1").stdout
    assert "robustness.flip_rate" in viewed
    # A dimension without a gate is a decision of somebody's, and is shown to whoever reviews.
    policy = (project.folder / "gitops-env" / "policies" / "flight_delay.yaml").read_text(encoding="utf-8")
    assert "dimension: fairness" in policy


@pytest.fixture(scope="module")
def merged(flown: tuple[Any, dict[str, Any]]) -> Any:
    """The project, its model in production."""
    project, _ = flown
    for number in ("1", "2"):
        assert project.call("pr", "merge", number, "--as", "reviewer").returncode == 0
    return project


@contextlib.contextmanager
def served(project: Any) -> Iterator[str]:
    """The model, served: where."""
    process = project.start("serve", "flight_delay", "--env", "production", "--port", "0")
    try:
        yield next(found[0] for line in process.stdout if (found := ADDRESS.search(line)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def answers_alike(address: str, some: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Each flight by id is answered as its row without weather is, to the last digit; so are all of them in one request."""
    assert len(some) > 5
    for by_id, by_row in some:
        assert ask(address, [by_id]) == ask(address, [by_row])
    assert ask(address, [by_id for by_id, _ in some]) == ask(address, [by_row for _, by_row in some])
    assert len({ask(address, [by_id])["predictions"][0] for by_id, _ in some}) > 1


def test_it_is_merged_and_answers_by_row_and_by_id(merged: Any) -> None:
    """Three views looked up by three keys, joined into one online row a flight."""
    with served(merged) as address:
        answers_alike(address, flights(merged))
    assert merged.call("drift", "flight_delay", "--json").returncode == 0


def test_what_it_answered_is_held_against_what_became_of_the_flights(merged: Any) -> None:
    """By the ids it was asked for, hashed on both sides. The flights landed in 2013, before anybody asked: that is told."""
    done = merged.call("performance", "flight_delay", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["labels"]["labelled"] >= len(flights(merged))
    assert report["labels"]["early"] == report["labels"]["labelled"]
    assert [line for line in report["problems"] if "known before it was made" in line]
    assert report["verdict"] == "no labels"  # none of them is due yet


def test_it_answers_from_a_shared_database_too(merged: Any, tmp_path: Path) -> None:
    """Loaded from the model store, because the run had no such database; not served before; and an outage needs no restart."""
    with redis_server(tmp_path) as server:
        sharing = merged.at_home(merged.home, ARGOSY_ONLINE_STORE_URI=server.uri)
        refused = sharing.call("serve", "flight_delay", "--port", "0")
        assert (refused.returncode, "`argosy online load MODEL` puts it there" in refused.stderr) == (78, True)
        assert sharing.call("online", "load", "flight_delay").returncode == 0
        some = flights(merged)
        by_id, by_row = some[0]
        with served(sharing) as address:
            answers_alike(address, some)
            server.stop()
            unanswered = post(address, [by_id])
            assert (unanswered.status_code, unanswered.headers["retry-after"]) == (503, "1")
            assert "send every feature, or try again" in unanswered.json()["error"]
            ask(address, [by_row])
            server.start()
            answers_alike(address, some)
