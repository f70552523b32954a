"""From a finished run to a served model, as reviewers and users go about it."""

import contextlib
import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.slow

ADDRESS = re.compile(r"http://[\d.]+:\d+")


@pytest.fixture(scope="module")
def merged(new_project: Callable[[str], Any], known: Callable[..., Any]) -> Any:
    """A project whose first model was merged for staging, then for production."""
    project = known(new_project("churn"))
    project.run_json("run", "churn")
    for number in ("1", "2"):
        done = project.call("pr", "merge", number, "--as", "reviewer")
        assert done.returncode == 0, done.stderr
    return project


@contextlib.contextmanager
def _served(project: Any, *words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server that ``argosy serve`` started, and its process."""
    process = project.start("serve", "churn", "--port", "0", *words)
    try:
        for line in process.stdout:
            if found := ADDRESS.search(line):
                yield found[0], process
                break
        else:
            pytest.fail(f"the server ended before it was ready: {process.stderr.read()}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def address(merged: Any) -> Iterator[str]:
    """Where a server of the merged model answers all that need no server of their own."""
    with _served(merged) as (address, _):
        yield address


def _post(address: str, path: str, body: object) -> tuple[int, bytes]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = requests.post(address + path, data=data, headers={"Content-Type": "application/json"}, timeout=30)
    return answer.status_code, answer.content


def _customer(project: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A customer by id alone, and by all features, as the served bundle's golden rows have them."""
    import pandas as pd

    features = next(iter(project.home.glob("objects/*/*/rows.parquet")), None)
    assert features is not None, "no feature rows among the artifacts"
    schema = json.loads(features.with_name("schema.json").read_text(encoding="utf-8"))
    row = pd.read_parquet(features).sort_values("customer_id").iloc[0]
    names = [feature["name"] for feature in schema["features"]]
    values = {name: row[name].item() if hasattr(row[name], "item") else row[name] for name in names}
    return {"customer_id": row["customer_id"]}, values


def test_both_requests_are_merged_and_the_champion_is_known(merged: Any) -> None:
    """Merging staging's request opened production's; nothing is left open."""
    assert merged.call("pr", "list").stdout.startswith("no open requests")
    listed = [json.loads(line) for line in merged.call("pr", "list", "--all", "--json").stdout.splitlines()]
    assert sorted((one["subject"]["environment"], one["state"]) for one in listed) == [
        ("production", "merged"),
        ("staging", "merged"),
    ]


def test_the_served_model_answers_by_row_and_by_id(merged: Any) -> None:
    """The same, but for the request's own id; and it is gone after SIGTERM."""
    by_id, by_row = _customer(merged)
    with _served(merged) as (address, process):
        answers = [_post(address, "/v1/models/churn:predict", {"instances": [one]}) for one in (by_id, by_row)]
        assert requests.get(f"{address}/v2/health/ready", timeout=30).status_code == 200
        inputs = requests.get(f"{address}/v2/models/churn", timeout=30).json()["inputs"]
    assert [status for status, _ in answers] == [200, 200]
    said = [json.loads(text) for _, text in answers]
    assert said[0].pop("request_id") != said[1].pop("request_id")
    assert said[0] == said[1]
    assert 0 < said[0]["predictions"][0] < 1
    assert {one["name"] for one in inputs} >= set(by_row)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        pytest.param(b"{", 400, "JSON", id="not-json"),
        pytest.param({"instances": []}, 400, "instances", id="no-instances"),
        pytest.param({"instances": [{"customer_id": "nobody"}]}, 404, "customer_id", id="unknown-id"),
        pytest.param({"instances": [{"tenure": 1}]}, 422, "instances[0].senior_citizen", id="missing-columns"),
    ],
)
def test_a_wrong_request_is_answered_in_words(merged: Any, address: str, body: object, status: int, told: str) -> None:
    """The caller is told what is wrong with it; the server stays."""
    code, answer = _post(address, "/v1/models/churn:predict", body)
    assert (code, told in answer.decode()) == (status, True), answer
    assert _post(address, "/v1/models/churn:predict", {"instances": [_customer(merged)[0]]})[0] == 200


def test_drift_compares_what_was_logged(merged: Any) -> None:
    """Few rows are no verdict; a hundred times one customer is drift, and ends 10."""
    _, by_row = _customer(merged)
    with _served(merged) as (address, _):
        assert _post(address, "/v1/models/churn:predict", {"instances": [by_row]})[0] == 200
        few = merged.call("drift", "churn", "--json")
        assert _post(address, "/v1/models/churn:predict", {"instances": [by_row] * 300})[0] == 200
        many = merged.call("drift", "churn", "--json")
    assert (few.returncode, json.loads(few.stdout)["verdict"]) == (0, "too few"), few.stdout[:500]
    assert (many.returncode, json.loads(many.stdout)["verdict"]) == (10, "drift")


def test_a_port_in_use(merged: Any) -> None:
    """The port is named, and what to do."""
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = merged.call("serve", "churn", "--port", port)
    assert done.returncode == 78, done.stderr
    assert port in done.stderr
    assert "--port" in done.stderr


def test_a_table_is_scored_as_its_rows_are_served(merged: Any, address: str, tmp_path: Path) -> None:
    """Every row has the server's answer; begun again nothing is done; `drift` sees all of it; other words are refused in one line."""
    import pandas as pd

    rows = next(iter(merged.home.glob("objects/*/*/rows.parquet")))
    words = ["score", "churn", "--in", str(rows), "--out", str(tmp_path / "scored")]
    done = merged.call(*words)
    assert done.returncode == 0, done.stderr
    scored = pd.read_parquet(tmp_path / "scored" / "version=1").set_index("customer_id")
    assert f"{len(scored):,} rows scored by churn version 1" in done.stdout
    entity, values = _customer(merged)
    code, body = _post(address, "/v1/models/churn:predict", {"instances": [values, entity]})
    assert code == 200, body
    answer = scored.loc[entity["customer_id"]]
    assert json.loads(body)["predictions"] == [answer["prediction"]] * 2
    assert json.loads(body)["decisions"] == [answer["decision"]] * 2
    again = merged.call(*words)
    assert "1, 1 of them done before" in again.stdout
    looked = merged.call("drift", "churn", "--json")
    assert json.loads(looked.stdout)["rows"] >= len(scored), looked.stdout
    for wrong, said in (
        (["--in", "nosuch.parquet", "--out", "x"], "no such file or folder"),
        (["--in", str(tmp_path), "--out", str(tmp_path / "y")], "lies in --in"),
        (["--in", str(rows), "--out", "x", "--env", "prod"], "environments: staging, production"),
    ):
        refused = merged.call("score", "churn", *wrong)
        assert refused.returncode in {2, 78}
        assert said in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_a_workflow_scores_tables(merged: Any, address: str, tmp_path: Path) -> None:
    """Plan, a pod a share, an end; run again it does nothing twice; what main does not name scores nothing, and results of a table that
    is gone go."""
    import pandas as pd

    rows = pd.read_parquet(next(iter(merged.home.glob("objects/*/*/rows.parquet"))))
    (tmp_path / "day=2026-01-31").mkdir()
    for number in range(3):
        rows.iloc[number::3].to_parquet(tmp_path / "day=2026-01-31" / f"{number}.parquet")
    words = ["run", "churn-score", "-p", f"in={tmp_path}/day={{as_of}}", "-p", f"out={tmp_path}/scored"]
    words += ["-p", "as-of=2026-01-31", "-p", "pods=2"]
    done = merged.call(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"summary: {len(rows):,} rows by version 1" in done.stdout
    assert "(4 steps" in done.stdout
    place = tmp_path / "scored" / "as_of=2026-01-31" / "version=1"
    assert json.loads((place / "_summary.json").read_text())["scored"] == len(rows)
    scored = pd.read_parquet(place).set_index("customer_id")
    assert sorted(scored.index) == sorted(rows["customer_id"])
    entity, values = _customer(merged)
    _, body = _post(address, "/v1/models/churn:predict", {"instances": [values]})
    assert json.loads(body)["predictions"] == [scored.loc[entity["customer_id"], "prediction"]]
    (tmp_path / "day=2026-01-31" / "2.parquet").unlink()
    assert merged.call(*words).returncode == 0
    assert len(pd.read_parquet(place)) == len(rows) - len(rows.iloc[2::3])
    other = merged.call(*words, "-p", "version=7")
    assert other.returncode == 10
    assert "main names version 1 of churn for production, and version 7 was asked for" in other.stdout
    nowhere = merged.call("run", "churn-score", "-p", "in=nosuch", "-p", "out=x")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (2, 1)


def test_the_champion_again_is_no_new_request(merged: Any) -> None:
    """The same data and code give the model that serves already: the run ends 0 and opens nothing."""
    before = merged.call("pr", "list", "--all").stdout
    assert merged.run_json("run", "churn")["phase"] == "Succeeded"
    assert merged.call("pr", "list", "--all").stdout == before


def test_another_bundle_is_not_served(merged: Any) -> None:
    """One byte of the stored bundle changed: refused, and told why."""
    bundle = next(iter(merged.home.glob("store/models/churn/*/model.ubj")), None)
    assert bundle is not None, sorted(merged.home.glob("store/**/*"))
    whole = bundle.read_bytes()
    bundle.chmod(0o644)
    bundle.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        done = merged.call("serve", "churn", "--port", "0")
    finally:
        bundle.write_bytes(whole)
    assert done.returncode in (10, 78), done.stderr
    assert "digest" in done.stderr or "signature" in done.stderr
