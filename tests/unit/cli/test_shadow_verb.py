"""`argosy shadow`, as somebody types it, on a local forge whose production serves version 1 and whose staging serves version 2."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.domain import environment_layout
from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import EntitySplit
from argosy.domain.promotion_requests import State
from argosy.files.git_repository import Person, Repository
from argosy.ports.forge import Forge
from argosy.promotion.standing import Main
from argosy.settings import Settings
from kit.offered import offer
from kit.toy import Toy, make_toy

PATH = environment_layout.second_path("toy", "production")
WHY = ("--reason", "is it\nbetter?", "--as", "ann")
DAY = datetime.date(2099, 1, 31)


def toy(folder: Path, name: str, *features: str) -> Toy:
    """A toy that takes *features*."""
    made = make_toy(folder, name)
    signature = Signature(
        model="toy", task="binary", join_keys=["id"], classes=["no", "yes"], threshold=0.5, xgboost="3.2.0",
        features=[FeatureColumn(name=each, type="number", view="toys") for each in features],
        split=EntitySplit(by="entity", holdout=0.2),
    )  # fmt: skip
    (made.folder / "bundle" / "signature.json").write_text(signature.canonical_json(), encoding="utf-8")
    return made.judge()


@pytest.fixture
def forge(here: Settings, registry: MemoryRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Forge:
    """Version 1 in both environments, then version 2 in staging, and its request for production open."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    for name, numbers in (("first", (1, 2)), ("second", (3,))):
        offer(toy(tmp_path / name, name, "age", "income"), here, registry)
        for number in numbers:
            assert main.run(["pr", "merge", str(number), "--as", "ada"]) == 0
    return wiring.forge(here)


def push(here: Settings, files: dict[str, bytes | None]) -> None:
    """A commit on main, as after a reviewed request."""
    repository = Repository(here.home / "forge" / "environment.git")
    head = repository.resolve("refs/heads/main") or ""
    assert repository.move("refs/heads/main", repository.commit(head, files, "By hand\n", Person("ann")), head)


def opened(forge: Forge) -> list[int]:
    """The open experiments."""
    return [one.number for one in forge.requests() if one.state is State.OPEN and one.subject.kind == "experiment"]


def test_from_the_first_word_to_the_end(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for, reviewed, merged, widened, ended: each is one request, and typed twice it is done once."""
    capsys.readouterr()
    assert main.run(["shadow", "toy", "--share", "20", "--until", str(DAY), *WHY]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "toy in production: version 2 is asked 20 % of the requests, until 2099-01-31, beside version 1\n"
    )
    assert "its bundle is signed with our key" in said
    assert "the requests of the served version ask it too" in said
    assert "the evaluation says 'promote'" in said
    (number,) = opened(forge)
    assert f"not merged yet: argosy pr merge {number}" in said
    assert main.run(["shadow", "toy", "--share", "20", "--until", str(DAY), *WHY]) == 0
    assert opened(forge) == [number]
    assert main.run(["pr", "check", str(number)]) == 0
    capsys.readouterr()
    assert main.run(["pr", "view", str(number)]) == 0
    seen = capsys.readouterr().out
    assert "shadow 20 % in production, beside" in seen
    assert "ann asks for it: is it better?" in seen
    assert "signature verified: its bundle is signed with our key" in seen
    assert "argosy compare toy --environment production" in seen
    assert main.run(["pr", "merge", str(number), "--as", "ada"]) == 0
    second = Main.now(forge).second("toy", "production")
    assert second is not None
    assert (second.role, second.percent, second.version, second.until) == ("shadow", 20, 2, DAY)
    assert Main.now(forge).version("toy", "production").version == 1  # type: ignore[union-attr]
    capsys.readouterr()
    assert main.run(["shadow", "toy"]) == 0
    assert (
        "production serves version 1 of toy; version 2 is asked 20 % of the requests, until 2099-01-31"
        in capsys.readouterr().out
    )
    assert main.run(["shadow", "toy", "--version", "staging", "--split", "10", "--merge", *WHY]) == 0
    assert "It takes the place of what is tried now: version 2 is asked 20 %" in forge.request(number + 1).body
    assert Main.now(forge).second("toy", "production").role == "candidate"  # type: ignore[union-attr]
    assert main.run(["shadow", "toy", "--stop", "--merge", *WHY]) == 0
    assert forge.read(PATH) is None
    capsys.readouterr()
    assert main.run(["shadow", "toy", "--stop", "--merge", *WHY]) == 0
    assert "production tries no second version of toy; there is nothing to end" in capsys.readouterr().out
    assert main.run(["pr", "view", str(number + 2)]) == 0
    assert "no second version any more" in capsys.readouterr().out
    assert opened(forge) == []


def test_an_environment_repo_that_tries_one_is_sound(
    forge: Forge, here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`env check` of the request's own commit finds nothing; of one that is over it says so, and fails nobody."""
    values = {"models/toy/values.yaml": b"model: toy\nserver: {image: r/server@sha256:" + b"a" * 64 + b"}\n"}
    push(here, values)  # type: ignore[arg-type]
    assert (
        main.run(["shadow", "toy", "--candidate", Main.now(forge).version("toy", "staging").model_digest[:22], *WHY])
        == 0
    )  # type: ignore[union-attr]
    (number,) = opened(forge)
    git = Repository(here.home / "forge" / "environment.git")
    checkout = tmp_path / "checkout"
    git.git("clone", "--quiet", str(git.path), str(checkout))
    capsys.readouterr()
    head, base = forge.request(number).head, forge.head()
    assert main.run(["env", "check", str(checkout), "--commit", head, "--base", base]) == 0, capsys.readouterr()
    second = forge.read(PATH, head)
    assert second
    push(here, {PATH: second + b'  until: "2020-01-01"\n'})
    git.git("--git-dir", str(checkout / ".git"), "fetch", "--quiet", "origin", "main")
    capsys.readouterr()
    assert main.run(["env", "check", str(checkout), "--commit", forge.head()]) == 0
    assert (
        "was to be tried until 2020-01-01: `argosy shadow toy --environment production --stop"
        in capsys.readouterr().err
    )


WRONG = {
    "is version 1, which production serves already": ("--version", "1", *WHY),
    "no environment serves or served version 7 of toy": ("--version", "7", *WHY),
    "'newest' is no version; expected a number": ("--version", "newest", *WHY),
    "no environment serves or served the model": ("--candidate", "sha256:" + "0" * 64, *WHY),
    "say why: --reason TEXT": ("--share", "20"),
    "--reason says nothing": ("--reason", " \n"),
    "'0.2' is no share; an environment repo says whole percents": ("--share", "0.2", *WHY),
    "'0' is no share": ("--share", "0", *WHY),
    "is a promotion": ("--split", "100", *WHY),
    "--until 2020-01-01 is over already": ("--until", "2020-01-01", *WHY),
    "is no day": ("--until", "christmas", *WHY),
    "pass it without --share": ("--stop", "--share", "20", *WHY),
    "which version is to be tried in staging?": ("--env", "staging", *WHY),
}


def test_typed_wrong(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what to type, and nothing is asked for."""
    for said, words in WRONG.items():
        assert ended(words) == 2, words
        assert said in capsys.readouterr().err
    assert opened(forge) == []


def ended(words: tuple[str, ...]) -> object:
    """How ``argosy shadow toy`` ends, whoever refuses *words*: the parser or the verb."""
    try:
        return main.run(["shadow", "toy", *words])
    except SystemExit as error:
        return error.code


def test_a_rehearsal_asks_for_nothing(forge: Forge) -> None:
    """With --dry-run, whether it begins or ends."""
    assert main.run(["shadow", "toy", "--dry-run"]) == main.run(["shadow", "toy", "--stop", "--dry-run"]) == 0
    assert opened(forge) == []


def test_what_cannot_be_asked_is_not_tried(
    forge: Forge, here: Settings, registry: MemoryRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A version with another schema, one whose evidence is not what was signed, one that servers refuse, and one that was recalled: the
    request is not opened, and says why."""
    offer(toy(tmp_path / "third", "third", "age", "height"), here, registry)
    assert main.run(["shadow", "toy", "--version", "3", *WHY]) == 10
    assert "schema: it needs the feature 'height', which the first does not" in capsys.readouterr().err
    path = environment_layout.evidence_path("toy", "staging")
    evidence = forge.read(path) or b""
    push(here, {path: evidence.replace(b"promote", b"reject")})
    assert main.run(["shadow", "toy", *WHY]) == 10
    assert "evidence: there is none that holds" in capsys.readouterr().err
    push(here, {path: evidence, "models/toy/values.yaml": b"model: toy\nminimumVersion: 3\n"})
    assert main.run(["shadow", "toy", *WHY]) == 10
    assert "minimum: models/toy/values.yaml lets version 3 and newer be served" in capsys.readouterr().err
    second = Main.now(forge).version("toy", "staging")
    assert second
    push(here, {environment_layout.rejected_path("toy", second.model_digest): b"wrong\n"})
    assert main.run(["shadow", "toy", *WHY]) == 10
    assert "was taken out of service: wrong" in capsys.readouterr().err
    assert opened(forge) == []


def test_a_file_that_somebody_edits_is_not_merged(
    forge: Forge, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every field of it is signed, or compared with something signed; no reviewer can overrule that."""
    assert main.run(["shadow", "toy", *WHY]) == 0
    (number,) = opened(forge)
    whole = yaml.safe_load(forge.read(PATH, forge.request(number).head) or b"")["second"]
    served = Main.now(forge).version("toy", "production")
    assert served
    edits: dict[str, dict[str, Any]] = {
        "signatures": {"signature": "forged"},
        "release": {"version": 9},
        "signatures ": {"storageUri": served.storage_uri},
    }
    for name, change in edits.items():
        amend(here, number, {**whole, **change})
        capsys.readouterr()
        assert main.run(["pr", "check", str(number)]) == 10
        assert f"RED {name}" in capsys.readouterr().out
        assert main.run(["pr", "merge", str(number), "--override", name.strip(), "--as", "eve"]) == 2
        assert forge.read(PATH) is None


def amend(here: Settings, number: int, second: dict[str, Any]) -> None:
    """Let request *number* propose *second*, and its text say so, as somebody could who may push."""
    repository, ref = Repository(here.home / "forge" / "environment.git"), "refs/argosy/requests/ledger"
    at, path = repository.resolve(ref) or "", f"{number}/request.json"
    content = "".join(["second:\n", *(f"  {key}: {json.dumps(value)}\n" for key, value in second.items())]).encode()
    head = repository.commit(repository.resolve("refs/heads/main") or "", {PATH: content}, "By hand\n", Person("eve"))
    record = json.loads(repository.files(at, path)[path])
    record["head"], record["subject"]["version"] = head, second["version"]
    edited = repository.commit(at, {path: json.dumps(record).encode()}, "By hand\n", Person("eve"), also=[head])
    assert repository.move(ref, edited, at)


def test_a_live_version_that_changed_meanwhile(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """What was to stand beside another version is red until it is asked anew; what is served itself is no trial."""
    assert main.run(["shadow", "toy", *WHY]) == 0
    (number,) = opened(forge)
    promotion = next(one for one in forge.requests() if one.state is State.OPEN and one.subject.kind == "promotion")
    assert main.run(["pr", "merge", str(promotion.number), "--as", "ada"]) == 0
    capsys.readouterr()
    assert main.run(["pr", "check", str(number)]) == 10
    said = capsys.readouterr().out
    assert "RED served" in said
    assert "RED another     it is served already; there is nothing to try" in said
