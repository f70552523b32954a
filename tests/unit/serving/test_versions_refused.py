"""What may not be served is told once, by one process and by the one that looks for several workers."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.cli import approved_model, serve
from argosy.serving.models_file import ModelEntry
from argosy.serving.versions_refused import VersionsRefused
from argosy.settings import Settings


def test_a_reason_is_told_once_for_each_model(caplog: pytest.LogCaptureFixture) -> None:
    """Another reason is told, and the same one again once there was none meanwhile."""
    refusals = VersionsRefused()
    for model, reason in (("a", "x"), ("a", "x"), ("b", "x"), ("a", "y"), ("a", "y")):
        refusals.tell(model, "4", reason)
    refusals.forget("a")
    refusals.tell("a", "4", "y")
    assert [record.message[0] + record.message[-1] for record in caplog.records] == ["ax", "bx", "ay", "ay"]


class Source:
    """A source of versions, none of which may be served."""

    def newer_entry(self, _: ModelEntry) -> ModelEntry:
        """See the verb."""
        raise errors.Rejected("it is not signed")


class File:
    """A file of one model."""

    entries = (ModelEntry(model="a", bundle=Path("a"), digest="sha256:0", release=4, unsigned=True),)


def test_the_supervisor_of_several_tells_it_once(caplog: pytest.LogCaptureFixture) -> None:
    """However often it looks at what main approves."""
    file: Any = File()
    source: Any = Source()
    refusals = VersionsRefused()
    for _ in range(3):
        serve._renew(file, source, refusals)
    assert [record.message for record in caplog.records] == ["a version 4 is served as before: it is not signed"]


def test_a_version_that_may_not_be_served_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look fetches it anew, and says the same of it, though that names the folder: it is told once."""

    def proven(_: Any, __: Any, ___: str, place: Path, **_____: Any) -> Any:
        (place / "model").write_bytes(b"fetched")
        raise errors.Misconfigured(f"the model in {place} is none")

    monkeypatch.setattr(approved_model, "proven_whatever", proven)
    arguments = argparse.Namespace(environment="staging", allow_rollback=False)
    source = serve._ApprovedBundles(Settings.from_environment(), arguments, tmp_path)
    approval: Any = None
    said = set()
    for ask in (source.entry, source.bundle):
        with pytest.raises(errors.Misconfigured) as caught:
            ask(approval)
        said.add(str(caught.value))
    assert len(said) == 1
    assert not list(tmp_path.iterdir())
