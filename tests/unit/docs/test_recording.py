"""The recording in the README: small, of commands that there are, and nobody's in particular."""

import html
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from argosy.cli import main

ROOT = Path(__file__).parents[3]
PICTURE = ROOT / "docs/recording.svg"


@pytest.fixture(scope="module")
def recording() -> Iterator[ModuleType]:
    """The program that makes it."""
    spec = importlib.util.spec_from_file_location("recording", ROOT / ".ci/recording.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # its dataclasses look themselves up there
    spec.loader.exec_module(found)
    yield found
    del sys.modules[spec.name]


def test_the_recording_shows_commands_that_there_are(recording: ModuleType) -> None:
    """Of the size that a page bears, without a script; each command it shows is one that `make recording` runs."""
    text = PICTURE.read_text(encoding="utf-8")
    assert PICTURE.stat().st_size < 300_000
    assert "<script" not in text
    assert "/tmp/" not in text
    typed = [html.unescape(found) for found in re.findall(r'<text[^>]* class="typed">([^<]*)</text>', text)]
    assert typed == [f"$ {command}" for command in recording.COMMANDS]
    assert {command.split()[1] for command in recording.COMMANDS} <= set(main.VERBS)
    assert re.search(r"merged #1 by ada", text)


def test_text_that_looks_like_markup_stays_text(recording: ModuleType) -> None:
    """Whatever a command prints."""
    drawn = recording.drawn([recording.Shown("<script>alert(1)</script> & co", 0.1)])
    assert "<script>" not in drawn
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co</text>" in drawn
