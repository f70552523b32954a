"""The verb ``env second`` over a real environment repo: what it writes is what servers and reviewers get."""

from pathlib import Path

import pytest

from argosy import wiring
from argosy.cli import main
from argosy.domain import environment_layout, release, second_file
from argosy.domain.documents import sha256
from argosy.files.git_repository import Person, Repository
from argosy.settings import Settings

ROOT = Path(__file__).parents[3]
PATH = environment_layout.second_path("toy", "production")


def version(number: int) -> release.Version:
    """A version."""
    return release.Version(
        model="toy", version=number, storage_uri=f"s3://b/{number}/", model_digest=sha256(str(number).encode()),
        evidence_digest=sha256(b"e"), policy_digest=sha256(b"p"),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, and an environment repo whose production serves version 1, and staging version 2."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    policies = tmp_path / "gitops-env" / "policies"
    policies.mkdir(parents=True)
    text = (ROOT / "gitops-env" / "policies" / "churn.yaml").read_text(encoding="utf-8")
    (policies / "toy.yaml").write_text(text.replace("model: churn", "model: toy"), encoding="utf-8")
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(tmp_path))
    settings = Settings.from_environment()
    wiring.forge(settings, make=True)
    repository = Repository(Path(settings.forge_uri.removeprefix("local:")))
    files = {}
    for number, environment in ((1, "production"), (2, "staging")):
        files[environment_layout.version_path("toy", environment)] = version(number).yaml().encode()
        files[f"{environment_layout.evidence_folder('toy', environment)}/bundle.sig"] = b'{"of": "two"}'
    head = repository.resolve("refs/heads/main") or ""
    commit = repository.commit(head, files, "Serve\n", Person("jane"))
    assert repository.move("refs/heads/main", commit, head)
    checkout = tmp_path / "checkout"
    (checkout / "models").mkdir(parents=True)
    return checkout


def run(folder: Path, *words: str) -> int:
    return main.run(["env", "second", "toy", "--folder", str(folder), *words])


@pytest.mark.parametrize("which", ["2", "toy@2", "staging", "toy@staging"])
def test_it_writes_what_is_meant(folder: Path, which: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By number or environment; digest, address and signature are those of main. Asked again, the share is another."""
    assert run(folder, "--split", f"{which}=10") == 0
    assert "version 2 answers 10 % of the entities beside version 1" in capsys.readouterr().out
    found = second_file.parse((folder / PATH).read_bytes(), PATH)
    assert found == second_file.SecondFile(
        role="candidate", percent=10, version=2, model_digest=version(2).model_digest, storage_uri="s3://b/2/",
        signature='{"of": "two"}',
    )  # fmt: skip
    assert run(folder, "--shadow", which, "--shadow-share", "0.29") == 0
    found = second_file.parse((folder / PATH).read_bytes(), PATH)
    assert (found.role, found.percent) == ("shadow", 29)
    assert run(folder, "--stop") == 0
    assert not (folder / PATH).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "which version is to be tried?", id="nothing"),
        pytest.param(("--shadow", "7"), "no environment serves or served version 7 of toy", id="unknown"),
        pytest.param(("--shadow", "1"), "is version 1, which is served already", id="served"),
        pytest.param(("--shadow", "stagin"), "'stagin' is no version; expected an environment", id="typo"),
        pytest.param(("--shadow", "other@2"), "'other' is another model than toy", id="another-model"),
        pytest.param(("--split", "2=0.5"), "whole percents", id="half-a-percent"),
        pytest.param(("--stop",), "no second version is tried", id="nothing-to-stop"),
        pytest.param(("--stop", "--shadow", "2"), "pass it without --shadow", id="stop-and-begin"),
        pytest.param(("--shadow", "2", "--split", "2=10"), "are both given", id="both"),
        pytest.param(("--shadow-share", "0.2"), "name the version by --shadow", id="a-share-of-nothing"),
    ],
)
def test_what_cannot_be_meant_is_said(
    folder: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, and nothing is written."""
    assert run(folder, *words) == 2
    assert said in capsys.readouterr().err
    assert list((folder / "models").iterdir()) == []
