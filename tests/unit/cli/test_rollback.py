"""`argosy rollback`, as somebody types it at three in the morning, on a local forge whose production has served three versions."""

from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.domain import environment_layout
from argosy.domain.promotion_requests import State
from argosy.files.git_repository import Person, Repository
from argosy.ports.forge import Forge
from argosy.promotion.standing import Main
from argosy.settings import Settings
from kit.offered import offer
from kit.toy import Toy, make_toy

WHY = ("--reason", "half of the\nanswers are 0", "--as", "ann")


@pytest.fixture
def toys(here: Settings, registry: MemoryRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Toy]:
    """Three versions, each served in both environments after the other."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    made = [make_toy(tmp_path / name, name) for name in ("first", "second", "third")]
    for number, toy in enumerate(made):
        offer(toy, here, registry)
        for request in (2 * number + 1, 2 * number + 2):
            assert main.run(["pr", "merge", str(request), "--as", "ada"]) == 0
    return made


@pytest.fixture
def forge(toys: list[Toy], here: Settings) -> Forge:
    """The environment repo of those."""
    return wiring.forge(here)


def served(forge: Forge, environment: str = "production") -> int | None:
    """The version that *environment* serves."""
    version = Main.now(forge).version("toy", environment)
    return version and version.version


def push(here: Settings, files: dict[str, bytes | None]) -> None:
    """A commit on main, as after a reviewed request."""
    repository = Repository(here.home / "forge" / "environment.git")
    head = repository.resolve("refs/heads/main")
    assert head
    assert repository.move("refs/heads/main", repository.commit(head, files, "By hand\n", Person("ann")), head)


def test_at_night(
    forge: Forge, here: Settings, toys: list[Toy], registry: MemoryRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line: served is what was before, byte for byte; what is left is rejected everywhere, and is not proposed again."""
    before = Main.now(forge).ways_back(Main.now(forge).version("toy", "production"), "production")  # type: ignore[arg-type]
    at, version = next(iter(before))
    files = forge.contents(environment_layout.served_paths("toy", "production"), at.commit)
    capsys.readouterr()
    assert main.run(["rollback", "toy", "--merge", *WHY]) == 0
    said = capsys.readouterr().out
    assert said.startswith("toy in production: from version 3 back to version 2\n")
    assert "merged #7 by ann" in said
    assert "registry: toy: champion is version 2" in said
    assert "staging serves it too: argosy rollback toy --env staging --reason TEXT" in said
    assert (version.version, served(forge), served(forge, "staging")) == (2, 2, 3)
    assert forge.contents(environment_layout.served_paths("toy", "production"), forge.head()) == files
    note = Main.now(forge).rejection("toy", toys[2].digest)
    assert note == "version 3 was rolled back in production by ann: half of the answers are 0"
    with pytest.raises(errors.Rejected, match="was taken out of service before: version 3 was rolled back"):
        offer(toys[2], here, registry)
    assert main.run(["rollback", "toy", "--env", "staging", "--merge", *WHY]) == 0
    assert served(forge, "staging") == 2


def test_typed_twice_it_is_done_once(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the merge the same request is found; after it nothing more is taken out, unless a version is named."""
    assert main.run(["rollback", "toy", *WHY]) == main.run(["rollback", "toy", *WHY]) == 0
    assert [one.number for one in forge.requests() if one.state is State.OPEN] == [7]
    assert main.run(["rollback", "toy", "--merge", *WHY]) == main.run(["rollback", "toy", "--merge", *WHY]) == 0
    assert (
        "production serves version 2 of toy already, put back by #7; `--to VERSION` goes back further"
        in capsys.readouterr().out
    )
    assert served(forge) == 2
    assert main.run(["rollback", "toy", "--to", "1", "--merge", *WHY]) == 0
    assert served(forge) == 1


def test_requests_that_end_within_a_second_are_told_apart(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Main's history says what was put back: two requests that end in the same second have the same time."""
    listed, same = type(forge).requests, {"ended_at": "2026-03-01T12:00:00+00:00"}
    monkeypatch.setattr(
        type(forge),
        "requests",
        lambda self: [one.model_copy(update=same if one.ended_at else {}) for one in listed(self)],
    )
    assert main.run(["rollback", "toy", "--merge", *WHY]) == main.run(["rollback", "toy", "--merge", *WHY]) == 0
    assert "production serves version 2 of toy already, put back by #7" in capsys.readouterr().out
    assert served(forge) == 2


def test_further_back_at_once(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """Past a version that was not the matter: it stays good, and may be served again."""
    assert main.run(["rollback", "toy", "--to", "v1", "--merge", *WHY]) == 0
    assert served(forge) == 1
    assert "toy in production: from version 3 back to version 1" in capsys.readouterr().out
    assert main.run(["rollback", "toy", "--to", "1", "--merge", *WHY]) == 0
    assert "production serves version 1 of toy already" in capsys.readouterr().out


def test_typed_wrong(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what to type, and nothing is asked for."""
    for code, why, *typed in (
        (2, "say why: --reason TEXT", "toy"),
        (2, "--reason says nothing", "toy", "--reason", " \n"),
        (2, "did you mean 'toy'?", "tyo", *WHY),
        (10, "before version 3, or it was taken out of service; it served 2, 1.", "toy", "--to", "9", *WHY),
    ):
        assert main.run(["rollback", *map(str, typed)]) == code
        assert why in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main.run(["rollback", "toy", "--to", "latest", *WHY])
    assert "'latest' is no version's number" in capsys.readouterr().err
    assert all(one.state is not State.OPEN for one in forge.requests())


def test_a_dry_run_asks_for_nothing(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """It says to which version, and whether that one holds."""
    capsys.readouterr()
    assert main.run(["rollback", "toy", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "from version 3 back to version 2" in said
    assert "signatures" in said
    assert len(forge.requests()) == 6


def test_what_cannot_be_served_is_not_put_back(
    forge: Forge, here: Settings, toys: list[Toy], capsys: pytest.CaptureFixture[str]
) -> None:
    """A bundle that is gone, and a version below what servers take: said before anything is asked for, by check and reason."""
    push(here, {environment_layout.values_path("toy"): b"model: toy\nminimumVersion: 3\n"})
    assert main.run(["rollback", "toy", "--dry-run"]) == 10
    assert main.run(["rollback", "toy", "--merge", *WHY]) == 10
    said = capsys.readouterr().err
    assert (
        "version 2 cannot be put back, minimum: models/toy/values.yaml lets version 3 and newer be served (minimumVersion), not 2"
        in said
    )
    push(here, {environment_layout.values_path("toy"): b"model: toy\n"})
    assert main.run(["rollback", "toy", *WHY]) == 0
    push(here, {environment_layout.values_path("toy"): b"model: toy\nminimumVersion: 3\n"})
    capsys.readouterr()
    assert main.run(["pr", "merge", "7", "--as", "ada"]) == 10
    assert "minimum: models/toy/values.yaml" in capsys.readouterr().err


def test_the_newest_word_counts(forge: Forge) -> None:
    """Somebody asks for version 1 while a request for version 2 is open: at most one is, and the other leads to it."""
    assert main.run(["rollback", "toy", *WHY]) == main.run(["rollback", "toy", "--to", "1", *WHY]) == 0
    assert {one.number: one.state for one in forge.requests() if one.number > 6} == {7: State.SUPERSEDED, 8: State.OPEN}


def test_nothing_to_go_back_to(
    toy: Any, here: Settings, registry: MemoryRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    """The first version, and one that nobody serves."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    offer(toy, here, registry)
    assert main.run(["pr", "merge", "1", "--as", "ada"]) == 0
    push(here, {environment_layout.values_path("toy"): b"model: toy\n"})
    assert main.run(["rollback", "toy", *WHY]) == 10
    assert "production does not serve toy: main names no version of it" in capsys.readouterr().err
    assert main.run(["rollback", "toy", "--env", "staging", *WHY]) == 10
    assert "staging never served another version of toy before version 1" in capsys.readouterr().err
