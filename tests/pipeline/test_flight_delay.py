"""The second model, from three files to a served answer: it differs from the first by its folder and its policy only."""

import json
import re
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

ADDRESS = re.compile(r"http://[\d.]+:\d+")


@pytest.fixture(scope="module")
def flown(new_project: Callable[[str], Any]) -> tuple[Any, dict[str, Any]]:
    """A project in which the pipeline ran once, and what it said."""
    project = new_project("flight_delay")
    project.edit_settings(r"max_boost_rounds: \d+", "max_boost_rounds: 100")
    return project, project.run_json("run", "flight_delay")


def flights(project: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each of some held-out flights by id alone, and by all its features."""
    rows = next(project.home.glob("objects/*/*/rows.parquet"))
    schema = json.loads(rows.with_name("schema.json").read_text(encoding="utf-8"))
    names = [feature["name"] for feature in schema["features"]]
    held_out = pq.read_table(rows, filters=[("side", "=", "holdout")]).to_pylist()
    return [({"flight_id": row["flight_id"]}, {name: row[name] for name in names}) for row in held_out[::1500]]


def ask(address: str, instances: list[dict[str, Any]]) -> bytes:
    """The server's answer, as it stands on the wire."""
    answer = httpx.post(f"{address}/v1/models/flight_delay:predict", json={"instances": instances}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.content


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


def test_it_is_merged_and_answers_by_row_and_by_id(flown: tuple[Any, dict[str, Any]]) -> None:
    """Three views looked up by three keys, joined into one online row a flight: byte for byte the answer to the full row."""
    project, _ = flown
    for number in ("1", "2"):
        assert project.call("pr", "merge", number, "--as", "reviewer").returncode == 0
    process = project.start("serve", "flight_delay", "--env", "production", "--port", "0")
    try:
        address = next(found[0] for line in process.stdout if (found := ADDRESS.search(line)))
        some = flights(project)
        assert len(some) > 5
        for by_id, by_row in some:
            assert ask(address, [by_id]) == ask(address, [by_row])
        assert len({ask(address, [by_id]) for by_id, _ in some}) > 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert project.call("drift", "flight_delay", "--json").returncode == 0
