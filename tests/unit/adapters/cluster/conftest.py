"""A cluster that is a table of answers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.web_server import Answer, Web, web_server


@pytest.fixture
def answers() -> dict[str, Answer]:
    """What the cluster answers, by path; anything else is not there."""
    return {}


@pytest.fixture
def api(answers: dict[str, Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Its API server, which KUBECONFIG names."""
    with web_server(answers) as web:
        path = tmp_path / "config"
        one = {"clusters": [{"name": "c", "cluster": {"server": web.url}}], "users": [{"name": "u", "user": {}}]}
        here = {"contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}], "current-context": "here"}
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **one, **here}), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield web
