"""What Argosy says when a library of an extra is lacking never has an index asked for a bare name."""

import json
from dataclasses import dataclass
from importlib import metadata

import pytest

from argosy import extras


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
        pytest.param(None, "pip install 'argosy[serve]==1.2.3'", id="an index"),
    ],
)
def test_the_advice_names_where_this_came_from(
    origin: dict[str, object] | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file or folder again; from an index the version that is installed, which only who published it has there."""
    installed = InstalledFrom(json.dumps(origin) if origin else None)
    monkeypatch.setattr(metadata, "distribution", lambda _name: installed)
    assert extras.advice("serve") == said


def test_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two extras that have a library are two commands."""
    monkeypatch.setattr(metadata, "distribution", lambda _name: InstalledFrom(None))
    assert extras.advice("data", "s3") == "pip install 'argosy[data]==1.2.3' or pip install 'argosy[s3]==1.2.3'"
