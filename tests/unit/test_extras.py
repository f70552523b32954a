"""What Argosy says when a library of an extra is lacking never has an index asked for a bare name."""

import json
from dataclasses import dataclass
from importlib import metadata

import pytest

from argosy import extras

UNKNOWN = "file:///PATH/argosy-1.2.3-py3-none-any.whl"
"""As a wheel is named of which nobody knows where it lies."""


@dataclass(frozen=True)
class InstalledFrom:
    """A distribution as an installer left it."""

    origin: str | None
    version: str = "1.2.3"

    def read_text(self, _name: str) -> str | None:
        """What `direct_url.json` holds; None where there is none."""
        return self.origin


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        pytest.param(
            {"url": "file:///tmp/argosy-1.2.3-py3-none-any.whl", "archive_info": {}},
            "pip install 'argosy[serve] @ file:///tmp/argosy-1.2.3-py3-none-any.whl'",
            id="a wheel",
        ),
        pytest.param(
            {"url": "file:///a%20place/argosy", "dir_info": {"editable": True}},
            "pip install --editable '/a place/argosy[serve]'",
            id="a checkout",
        ),
        pytest.param(
            {"url": "file:///place/argosy", "dir_info": {}},
            "pip install 'argosy[serve] @ file:///place/argosy'",
            id="a folder",
        ),
        pytest.param(
            {"url": "file:///tmp/argosy-1.2.3-py3-none-any.whl", "archive_info": {"hashes": {"sha256": "ab12"}}},
            "pip install 'argosy[serve] @ file:///tmp/argosy-1.2.3-py3-none-any.whl#sha256=ab12'",
            id="a wheel whose hash is known",
        ),
        pytest.param(None, f"pip install 'argosy[serve] @ {UNKNOWN}'", id="an index"),
    ],
)
def test_the_advice_names_where_this_came_from(
    origin: dict[str, object] | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, by its hash if that was kept, or a folder again; where an index handed it out nobody knows whose the name is on the next."""
    installed = InstalledFrom(json.dumps(origin) if origin else None)
    monkeypatch.setattr(metadata, "distribution", lambda _name: installed)
    assert extras.advice("serve") == said


def test_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two extras that have a library are two commands."""
    monkeypatch.setattr(metadata, "distribution", lambda _name: InstalledFrom(None))
    commands = [f"pip install 'argosy[{extra}] @ {UNKNOWN}'" for extra in ("data", "s3")]
    assert extras.advice("data", "s3") == " or ".join(commands)
