"""`argosy trace`, as somebody on call types it, on a local forge with a toy in both environments and one that waits."""

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pytest

from argosy import errors, wiring
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.promotion.standing import Main
from argosy.settings import Settings
from kit.memory_history import MemoryHistory
from kit.offered import offer
from kit.toy import Toy, make_toy
from kit.web_server import Answer, web_server

NOW = datetime.datetime.now(datetime.UTC)


def _answers(request_id: str, rows: int, at: datetime.datetime) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"time": at, "request_id": request_id, "row": row, "entity": None, "score": [0.25], "decision": "No"}
            for row in reversed(range(rows))
        ]
    )


@pytest.fixture
def better(tmp_path: Path) -> Toy:
    """The one that waits."""
    return make_toy(tmp_path / "better", "better")


@pytest.fixture(autouse=True)
def promoted(
    toy: Toy,
    better: Toy,
    here: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Version 1 is served in both environments, version 2 waits for staging; version 1 answered two requests."""
    registry, history = MemoryRegistry(NOW), MemoryHistory()
    monkeypatch.setattr(wiring, "registry", lambda _settings: registry)
    monkeypatch.setattr(wiring, "prediction_history", lambda _settings: history)
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    offer(toy, here, registry)
    assert main.run(["pr", "merge", "1", "--as", "ada"]) == main.run(["pr", "merge", "2", "--as", "ben"]) == 0
    offer(better, here, registry)
    for hours, request_id in ((30, "early"), (2, "a-request")):
        at = NOW - datetime.timedelta(hours=hours)
        hour = at.replace(minute=0, second=0, microsecond=0)
        history.ship(hour, _answers(request_id, 7, at), digest=toy.digest)
    capsys.readouterr()


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    """What is printed: name to the texts that have it."""
    assert main.run(["trace", *arguments]) == 0
    found: dict[str, list[str]] = {}
    for text in capsys.readouterr().out.splitlines():
        found.setdefault(text[:12].strip(), []).append(text[13:])
    return found


def test_a_prediction(toy: Toy, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """From the answer to environments, approvers, evidence, data and code, each on a line with its name."""
    said = _said(capsys, "a-request")
    commits = [
        one.commit[:12]
        for place in ("staging", "production")
        for one in Main.now(wiring.forge(here)).servings("toy", place)
    ]
    assert said["answer"][0].endswith(" UTC in production, row 0: 0.25, decided No")
    assert (len(said["answer"]), said[""]) == (5, ["and 2 rows more (--json has them)"])
    assert said["model"] == [f"toy version 1, {toy.digest}"]
    assert said["served"] == [
        f"{place}, since commit {commit} of main"
        for place, commit in zip(("staging", "production"), commits, strict=True)
    ]
    assert [one.partition(", 2")[0] for one in said["request"]] == [
        "#1 promotion in staging: merged by ada",
        "#2 promotion in production: merged by ben",
    ]
    assert said["signatures"] == ["hold: bundle and evidence are signed with our key"]
    assert said["commit"] == ["0" * 40]
    assert said["data"][0].startswith("snapshot sha256:")


def test_a_prediction_for_a_program(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    """All rows, and every link by its digest."""
    assert main.run(["trace", "early", "--json", "--model", "toy", "--environment", "production"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["row"] for one in found["answers"]] == list(range(7))
    assert (found["version"]["modelDigest"], found["signed"], found["verdict"]) == (toy.digest, True, "promote")
    assert [one["live"] for one in found["placements"]] == [True, True]
    assert [one["ended_by"] for one in found["requests"]] == ["ada", "ben"]


@pytest.mark.parametrize("what", ["1", "#2", "toy/1", "toy@production", "https://forge.example/team/env/pull/2"])
def test_what_is_served(what: str, toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    """A request, its page, a version and an environment lead to one model."""
    said = _said(capsys, what)
    assert said["model"] == [f"toy version 1, {toy.digest}"]
    assert "answer" not in said


@pytest.mark.parametrize("what", ["#3", "toy/2"])
def test_what_is_proposed(what: str, better: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing serves it yet, and it can be traced all the same."""
    said = _said(capsys, what)
    assert said["model"] == [f"toy version 2, {better.digest}"]
    assert "served" not in said
    assert said["request"][0].startswith("#3 promotion in staging: open (")


def test_the_first_digits_of_a_digest(better: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    """As people copy them."""
    assert _said(capsys, f"toy/{better.digest[:19]}")["model"] == [f"toy version 2, {better.digest}"]


def test_a_model_that_was_replaced(better: Toy, toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it was, and that it is there no more."""
    assert main.run(["pr", "merge", "3", "--as", "ada"]) == 0
    capsys.readouterr()
    said = _said(capsys, "toy/1")
    assert [one.endswith("; no more") for one in said["served"]] == [True, False]


def test_a_running_server(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    """By what its metrics say that it serves."""
    info = f'argosy_model_info{{digest="{toy.digest}",environment="production",model="toy",version="1"}} 1.0\n'
    with web_server({"/metrics": Answer(info.encode())}) as web:
        assert _said(capsys, web.url)["model"] == [f"toy version 1, {toy.digest}"]


def test_a_model_store_that_is_away(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the signatures is known without it."""

    def away(*_: object) -> None:
        raise errors.TryAgain("the store does not answer")

    monkeypatch.setattr(FileArtifacts, "get", away)
    said = _said(capsys, "toy/1")
    assert said["signatures"] == ["NOT VERIFIED: cannot be checked now: the store does not answer"]
    assert said["evidence"][0].startswith("promote: ")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ["no-such-request"],
            2,
            "has no request 'no-such-request' of the last 7 days (toy/production, toy/staging); --days",
        ),
        (["a-request", "--model", "tpy"], 2, "the environment repo knows no model 'tpy'; models: toy"),
        (["a-request", "--environment", "staging"], 2, "of the last 7 days (toy/staging)"),
        (["#9"], 2, "there is no request 9; requests: 1, 2, 3"),
        (["toy/9"], 2, "no environment served toy with version 9, and no request proposes it; versions of toy: 1, 2"),
        (["toy@prod"], 2, "there is no environment 'prod'"),
        (["toy/sha256:0000000"], 2, "no environment served toy with a digest that begins with sha256:0000000"),
        (["http://127.0.0.1:9/"], 75, "http://127.0.0.1:9/metrics does not answer: "),
    ],
)
def test_what_leads_nowhere(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line: what was looked for, where, and what is there."""
    assert main.run(["trace", *arguments]) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("up 1\n", "is no metrics of a model server: it has no argosy_model_info"),
        (
            'argosy_model_info{digest="sha256:a",model="a"} 1\nargosy_model_info{digest="sha256:b",model="b"} 1\n',
            "of several models; trace one: a/sha256:a, b/sha256:b",
        ),
    ],
)
def test_other_servers(text: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is none of ours, and one that serves many."""
    with web_server({"/metrics": Answer(text.encode())}) as web:
        assert main.run(["trace", web.url]) == 2
    assert says in capsys.readouterr().err
