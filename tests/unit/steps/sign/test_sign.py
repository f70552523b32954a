"""Bundle and evidence are signed together with a real key, and whatever is changed afterwards no longer verifies."""

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters import keys
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.model_signer import KeyVerifier
from argosy.domain.circumstances import Circumstances, Production, RunPlace
from argosy.domain.documents import sha256
from argosy.settings import Settings
from kit.toy import make_release

BEGAN = datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC)


@pytest.fixture
def inputs(toy: Any) -> dict[str, Path]:
    """A released bundle and its evidence."""
    return {"release": make_release(toy), "evidence": toy.folder / "evidence"}


def test_both_signatures_verify(
    run_step: Callable[..., Any], inputs: dict[str, Path], here: Settings, tmp_path: Path
) -> None:
    """As handed on and as stored; a second attempt has signatures of its own, and they are no conflict in the store."""
    verifier, store = KeyVerifier(here.verifying_key), Path(here.store_uri.removeprefix("file://"))
    for attempt in range(2):
        ran = run_step("sign", inputs)
        assert (ran.code, ran.said) == (0, "")
        verifier.verify(inputs["release"], ran.out("signatures") / "bundle.sig")
        verifier.verify(_shown(inputs, tmp_path / f"shown-{attempt}"), ran.out("signatures") / "evidence.sig")
    stored = sorted(store.glob("signatures/toy/*/*"))
    assert len(stored) == 2
    for number, folder in enumerate(stored):
        FileArtifacts(here.store_uri).get(folder.as_uri(), tmp_path / f"back-{number}")
        verifier.verify(inputs["release"], tmp_path / f"back-{number}" / "bundle.sig")


def _shown(inputs: dict[str, Path], folder: Path) -> Path:
    """What reviewers are shown: the evidence, and the release beside it."""
    shutil.copytree(inputs["evidence"], folder)
    shutil.copyfile(inputs["release"] / "release.json", folder / "release.json")
    return folder


@pytest.mark.parametrize("name", ["evidence.json", "evidence.md", "release.json"])
def test_what_is_shown_is_signed(
    run_step: Callable[..., Any], inputs: dict[str, Path], here: Settings, tmp_path: Path, name: str
) -> None:
    """Report, measurements and release are signed as one: each can be held against the others without the bundle."""
    ran, shown = run_step("sign", inputs), _shown(inputs, tmp_path / "shown")
    (shown / name).write_bytes((shown / name).read_bytes() + b" ")
    with pytest.raises(errors.Rejected, match=rf"the content of {name} differs"):
        KeyVerifier(here.verifying_key).verify(shown, ran.out("signatures") / "evidence.sig")


@pytest.mark.parametrize(
    "name", ["model.ubj", "signature.json", "bins.json", "golden.json", "release.json"], ids=lambda name: name.partition(".")[0]
)  # fmt: skip
def test_a_tampered_file(run_step: Callable[..., Any], inputs: dict[str, Path], here: Settings, name: str) -> None:
    """Any file of the released bundle, by one byte: refused, and the file is named."""
    ran = run_step("sign", inputs)
    changed = inputs["release"] / name
    changed.write_bytes(changed.read_bytes() + b" ")
    with pytest.raises(errors.Rejected, match=rf"the content of {name} differs"):
        KeyVerifier(here.verifying_key).verify(inputs["release"], ran.out("signatures") / "bundle.sig")


def test_a_file_that_was_added(run_step: Callable[..., Any], inputs: dict[str, Path], here: Settings) -> None:
    """A signature covers the folder: what was not there when it was signed is refused too."""
    ran = run_step("sign", inputs)
    (inputs["release"] / "model.pkl").write_bytes(b"payload")
    with pytest.raises(errors.Rejected, match="is not what was signed"):
        KeyVerifier(here.verifying_key).verify(inputs["release"], ran.out("signatures") / "bundle.sig")


def test_another_key(run_step: Callable[..., Any], inputs: dict[str, Path], tmp_path: Path) -> None:
    """Who signed is part of what is checked."""
    ran = run_step("sign", inputs)
    keys.ensure_signing_pair(tmp_path / "other.pem", tmp_path / "other.pub.pem")
    with pytest.raises(errors.Rejected, match="it was signed with another key"):
        KeyVerifier(tmp_path / "other.pub.pem").verify(inputs["release"], ran.out("signatures") / "bundle.sig")


def test_without_a_signature(inputs: dict[str, Path], here: Settings, tmp_path: Path) -> None:
    """An unsigned bundle is refused, whatever is in it."""
    with pytest.raises(errors.Rejected, match="has no signature: there is no file"):
        KeyVerifier(here.verifying_key).verify(inputs["release"], tmp_path / "bundle.sig")


@pytest.mark.parametrize("mixed", ["evidence", "bundle"])
def test_what_is_not_of_one_model_is_not_signed(
    run_step: Callable[..., Any], inputs: dict[str, Path], new_toy: Callable[[str], Any], mixed: str
) -> None:
    """A signature vouches for bundle and evidence together: 78 with both digests, and no signature is left."""
    if mixed == "evidence":
        inputs["evidence"] = new_toy("other").folder / "evidence"
    else:
        (inputs["release"] / "model.ubj").write_text("tampered", encoding="utf-8")
    ran = run_step("sign", inputs)
    assert ran.code == 78
    assert "not one run's outputs; nothing is signed" in ran.said
    assert not ran.out("signatures").exists()


def test_a_bundle_that_was_never_released(run_step: Callable[..., Any], inputs: dict[str, Path]) -> None:
    """Without release.json nothing says which version this is."""
    (inputs["release"] / "release.json").unlink()
    ran = run_step("sign", inputs)
    assert ran.code == 78
    assert "release.json does not exist; the step that writes it has not run" in ran.said


def test_without_a_key(run_step: Callable[..., Any], inputs: dict[str, Path], here: Settings) -> None:
    """The setting, the file, and how one is made."""
    here.signing_key.unlink()
    ran = run_step("sign", inputs)
    assert ran.code == 78
    assert f"ARGOSY_SIGNING_KEY_FILE: {here.signing_key} cannot be read" in ran.said
    assert "`argosy setup` makes keys" in ran.said


def test_circumstances_are_signed_with_the_evidence(
    run_step: Callable[..., Any], inputs: dict[str, Path], here: Settings, tmp_path: Path, toy: Any
) -> None:
    """Who asked for it is no less believed than what it measured; those of another model are not signed."""
    told = tmp_path / "told"
    how = Circumstances(
        model="toy",
        model_digest=toy.digest,
        place=RunPlace(kind="machine", name="box", workflow="toy-x7", began=BEGAN),
        written=BEGAN,
        production=Production(reason="nothing is in production yet"),
    )
    how.write(told / "circumstances.json")
    ran, shown = run_step("sign", {**inputs, "circumstances": told}), _shown(inputs, tmp_path / "shown")
    verifier = KeyVerifier(here.verifying_key)
    with pytest.raises(errors.Rejected, match=r"circumstances\.json"):
        verifier.verify(shown, ran.out("signatures") / "evidence.sig")
    (shown / "circumstances.json").write_bytes((told / "circumstances.json").read_bytes())
    verifier.verify(shown, ran.out("signatures") / "evidence.sig")
    how.model_copy(update={"model_digest": sha256(b"other")}).write(told / "circumstances.json")
    assert "circumstances.json is about" in run_step("sign", {**inputs, "circumstances": told}).said
