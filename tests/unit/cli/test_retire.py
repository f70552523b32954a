"""`argosy retire`, as an owner uses it, on a local forge with a toy in both environments."""

import datetime
import subprocess
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters import keys as key_files
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.domain import environment_layout
from argosy.files.git_repository import Person, Repository
from argosy.ports.forge import Forge
from argosy.promotion import approval, seals
from argosy.promotion.standing import Main
from argosy.settings import Settings
from argosy.steps.champion import run as champion
from kit.offered import offer
from kit.toy import make_toy

VERSION = {one: environment_layout.version_path("toy", one) for one in environment_layout.ENVIRONMENTS}
RETIRED = {one: environment_layout.retired_path("toy", one) for one in environment_layout.ENVIRONMENTS}
WHY = ("--reason", "the product ended", "--as", "ann")


@pytest.fixture
def forge(toy: Any, here: Settings, registry: MemoryRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Forge:
    """The environment repo, in which staging and production serve version 1."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    offer(toy, here, registry)
    assert main.run(["pr", "merge", "1", "--as", "ada"]) == main.run(["pr", "merge", "2", "--as", "ada"]) == 0
    return wiring.forge(here)


def _merged(*numbers: int) -> None:
    for number in numbers:
        assert main.run(["pr", "merge", str(number), "--as", "ben"]) == 0


def test_from_all_environments(forge: Forge, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A request each, production's first; merged, nothing is served or trained, and all that was known of it is still there."""
    evidence = forge.read(environment_layout.evidence_path("toy", "production"))
    served = {one: forge.read(path) for one, path in VERSION.items()}
    assert main.run(["retire", "toy", *WHY]) == 0
    said = capsys.readouterr().out
    assert said.index("toy leaves production, which serves version 1") < said.index("toy leaves staging")
    assert "stays: evidence" in said
    assert main.run(["pr", "check", "3"]) == main.run(["pr", "view", "4"]) == 0
    _merged(3, 4)
    assert "no version it knows is in production" in capsys.readouterr().out
    for environment in environment_layout.ENVIRONMENTS:
        assert forge.read(VERSION[environment]) is None
        kept = forge.read(RETIRED[environment]) or b""
        assert kept.endswith(served[environment] or b"nothing")
        assert b"by ann: the product ended\n" in kept
        with pytest.raises(errors.Rejected, match=r"served nowhere any more\. Retired from .* by ann: the product"):
            approval.find(forge, "toy", environment)
    assert forge.read(environment_layout.evidence_path("toy", "production")) == evidence
    with pytest.raises(errors.Rejected, match="is retired, so nothing of it is trained"):
        champion.run(model="toy", forge=forge, out=here.home)
    assert main.run(["env", "check", _checkout(here)]) == 0


def _checkout(here: Settings) -> str:
    place = here.home / "checkout"
    subprocess.run(["git", "clone", "--quiet", here.forge_uri.removeprefix("local:"), place], check=True)
    (place / "models" / "toy" / "values.yaml").write_text("model: toy\n")
    return str(place)


def test_the_key_of_what_is_retired_may_go(
    forge: Forge, here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request for the keys is judged by what is served; the evidence of what is not may be signed by anybody."""
    assert main.run(["retire", "toy", *WHY]) == 0
    _merged(3, 4)
    checkout = Path(_checkout(here))
    file = checkout / seals.KEY
    file.parent.mkdir(exist_ok=True)
    key_files.ensure_signing_pair(checkout / "other.pem", file)
    for words in (["add", seals.KEY, "models"], ["commit", "--quiet", "--message", "keys"]):
        subprocess.run(["git", "-c", "user.name=ann", "-c", "user.email=a@b.example", *words], cwd=checkout, check=True)
    (checkout / "other.pem").unlink()
    capsys.readouterr()
    assert main.run(["env", "check", str(checkout), "--base", "HEAD~1"]) == 0, capsys.readouterr().out


def test_asked_twice(forge: Forge, registry: MemoryRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    """The same requests are found, also merged; what is retired says so, by whom and why."""
    for _ in range(2):
        assert main.run(["retire", "toy", *WHY]) == 0
    assert [request.number for request in forge.requests()] == [1, 2, 3, 4]
    _merged(3, 4)
    capsys.readouterr()
    assert main.run(["retire", "toy", *WHY]) == 0
    assert "toy is retired already. Retired from production" in capsys.readouterr().out
    assert registry.aliases == {}


def test_of_one_environment(forge: Forge, here: Settings) -> None:
    """The other goes on, and so does training."""
    assert main.run(["retire", "toy", "--environment", "staging", *WHY]) == 0
    _merged(3)
    assert Main.now(forge).retired("toy") is None
    assert approval.find(forge, "toy", "production").version.version == 1
    champion.run(model="toy", forge=forge, out=here.home)
    assert main.run(["retire", "toy", "--environment", "staging", *WHY]) == 0
    assert len(forge.requests()) == 3


def test_a_dry_run(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what would go, and asks for nothing; so does a call that says no reason."""
    assert main.run(["retire", "toy", "--dry-run"]) == 0
    assert "toy leaves production" in capsys.readouterr().out
    assert main.run(["retire", "toy"]) == errors.UsageError.exit_code
    assert main.run(["retire", "toy", "--reason", "\n \t"]) == errors.UsageError.exit_code
    assert len(forge.requests()) == 2


def test_a_dry_run_of_what_would_be_refused(
    forge: Forge, here: Settings, registry: MemoryRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says every reason, and is done: nobody was refused anything."""
    offer(make_toy(tmp_path / "newer", "newer"), here, registry)
    _merged(3)
    offer(make_toy(tmp_path / "newest", "newest"), here, registry)
    capsys.readouterr()
    assert main.run(["retire", "toy", "--dry-run"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.count("would be refused now: ") == 2
    for number in (4, 5):
        assert f"argosy pr close {number} --reason TEXT" in told.out


@pytest.mark.parametrize(("words", "said"), [(["tyo"], "toy"), (["toy", "--environment", "prod"], "production")])
def test_wrong_names(forge: Forge, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with what was probably meant."""
    with pytest.raises(SystemExit) as left:
        main.main(["retire", *words, *WHY])
    assert left.value.code == errors.UsageError.exit_code
    assert said in capsys.readouterr().err


def test_an_open_request_needs_it(
    forge: Forge, here: Settings, registry: MemoryRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would bring it back, or needs it there, is decided first; opened afterwards, it turns the retirement red, and not for good."""
    newer = make_toy(tmp_path / "newer", "newer")
    offer(newer, here, registry)
    assert main.run(["retire", "toy", *WHY]) == errors.Rejected.exit_code
    assert "argosy pr close 3 --reason TEXT" in capsys.readouterr().err
    assert main.run(["pr", "close", "3", "--reason", "no", "--as", "ada"]) == 0
    assert main.run(["retire", "toy", *WHY]) == 0
    assert main.run(["pr", "reopen", "3", "--as", "ada"]) == 0
    assert main.run(["pr", "check", "5"]) == errors.Rejected.exit_code
    assert "needed by the open #3" in capsys.readouterr().out
    assert main.run(["pr", "merge", "5", "--as", "ada", "--override", "needed"]) == 0


def test_somebody_still_calls_it(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What answered within a day is retired only by who knows."""
    now = datetime.datetime.now(datetime.UTC)

    class History:
        def segments(self, model: str, environment: str, *, since: datetime.datetime) -> Any:
            from argosy.ports.prediction_log import SegmentRef

            assert since < now
            return [SegmentRef(model, environment, 1, "sha256:" + "0" * 64, now, "x")] * (environment == "production")

    monkeypatch.setattr(wiring, "prediction_history", lambda _settings: History())
    assert main.run(["retire", "toy", *WHY]) == errors.Rejected.exit_code
    assert "answered in production" in capsys.readouterr().err
    assert main.run(["retire", "toy", "--environment", "staging", *WHY]) == 0
    assert main.run(["retire", "toy", "--although-used", *WHY]) == 0


def test_main_moves_meanwhile(
    forge: Forge, here: Settings, registry: MemoryRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request to retire what main names no more is red for good."""
    assert main.run(["retire", "toy", "--environment", "staging", *WHY]) == 0
    offer(make_toy(tmp_path / "newer", "newer"), here, registry)
    _merged(4)
    assert main.run(["pr", "merge", "3", "--as", "ada", "--override", "needed"]) == errors.Rejected.exit_code
    assert "close it and retire what is there" in capsys.readouterr().err


def test_coming_back(forge: Forge, here: Settings, registry: MemoryRegistry, tmp_path: Path) -> None:
    """Whoever takes the notes away, in their own name, may train and promote again."""
    assert main.run(["retire", "toy", *WHY]) == 0
    _merged(3, 4)
    repository = Repository(Path(here.forge_uri.removeprefix("local:")))
    at = forge.head()
    gone: dict[str, bytes | None] = dict.fromkeys(RETIRED.values())
    assert repository.move("refs/heads/main", repository.commit(at, gone, "back\n", Person("ann")), at)
    offer(make_toy(tmp_path / "newer", "newer"), here, registry)
    _merged(5, 6)
    assert approval.find(forge, "toy", "production").version.version == 2


def test_what_is_retired_by_hand_says_so(forge: Forge, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A version and a retirement beside each other are a mistake of somebody's, and said."""
    repository = Repository(Path(here.forge_uri.removeprefix("local:")))
    before = forge.head()
    files: dict[str, bytes | None] = {RETIRED["staging"]: forge.read(VERSION["staging"])}
    commit = repository.commit(before, files, "by hand\n", Person("eve"))
    assert repository.move("refs/heads/main", commit, before)
    assert Main.now(forge).retired("toy") is None
    assert main.run(["env", "check", _checkout(here)]) == errors.Rejected.exit_code
    assert "and version.yaml beside it that it is served; remove one" in capsys.readouterr().out
