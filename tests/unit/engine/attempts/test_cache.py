"""What a cached answer depends on."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.engine.attempts.cache import StepCache, condensed, key_of
from argosy.engine.manifest.model import Template
from argosy.engine.nodes import Outputs
from argosy.engine.state.object_store import ObjectStore

TEMPLATE: dict[str, Any] = {
    "name": "t",
    "metadata": {"annotations": {"argosy.dev/cache": "true", "argosy.dev/cache-reads": '["data"]'}},
    "container": {"image": "x", "command": ["x"]},
    "inputs": {
        "parameters": [{"name": "p", "value": "1"}],
        "artifacts": [{"name": "a", "path": "/a", "stored": {"digest": "sha256:1"}}],
    },
    "outputs": {"parameters": [{"name": "o", "valueFrom": {"path": "/o"}}]},
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working folder with data."""
    (tmp_path / "data").write_text("1", encoding="utf-8")
    return tmp_path


def cache(here: Path, **given: Any) -> StepCache:
    """A cache of its own."""
    return StepCache(here / "cache", ObjectStore(here / "objects"), home=here / "home", here=here, **given)


def key(here: Path, template: dict[str, Any] = TEMPLATE, **given: Any) -> str | None:
    """The key of *template*."""
    call: dict[str, Any] = {"code": "c", "argv": ("x",), "environment": {"A": "1"}, "keeps_result": False}
    states = {"registry": (here / "registry",)}
    parts = cache(here, states=states).parts(Template(template), **{**call, **given})
    return key_of(parts) if parts else None


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The template with one change."""
    template = copy.deepcopy(TEMPLATE)
    change(template)
    return template


@pytest.mark.parametrize(
    ("template", "given"),
    [
        pytest.param(changed(lambda t: t["inputs"]["parameters"][0].update(value="2")), {}, id="parameter"),
        pytest.param(
            changed(lambda t: t["inputs"]["artifacts"][0]["stored"].update(digest="sha256:2")), {}, id="artifact"
        ),
        pytest.param(changed(lambda t: t["outputs"]["parameters"][0].update(globalName="g")), {}, id="outputs"),
        pytest.param(TEMPLATE, {"code": "d"}, id="code"),
        pytest.param(TEMPLATE, {"argv": ("y",)}, id="command"),
        pytest.param(TEMPLATE, {"environment": {"A": "2"}}, id="environment"),
        pytest.param(TEMPLATE, {"keeps_result": True}, id="result"),
    ],
)
def test_everything_counts(template: dict[str, Any], given: dict[str, Any], here: Path) -> None:
    """A change of anything a step depends on is another key."""
    assert key(here, template, **given) not in (None, key(here))


def test_declared_reads_count(here: Path) -> None:
    """So is a change of what it reads outside its inputs."""
    before = key(here)
    (here / "data").write_text("2", encoding="utf-8")
    assert key(here) not in (None, before)


OBSERVING = {"argosy.dev/cache-observes": '["registry"]'}
READING = TEMPLATE["metadata"]["annotations"]
PURE = {"argosy.dev/cache": "true"}


@pytest.mark.parametrize(
    ("annotations", "variable", "counts"),
    [
        pytest.param(PURE, "{here}/home", False, id="state-folder"),
        pytest.param(PURE, "file://{here}/home/store", False, id="address-in-the-state-folder"),
        pytest.param(PURE, "sqlite:///{here}/home/db", False, id="database-in-the-state-folder"),
        pytest.param(PURE, "{here}", False, id="working-folder"),
        pytest.param(READING, "local:{here}/home/forge", False, id="state-folder-of-one-that-reads"),
        pytest.param(READING, "{here}", True, id="working-folder-of-one-that-reads"),
        pytest.param(OBSERVING, "file://{here}/home/store", True, id="state-folder-of-one-that-observes"),
        pytest.param(PURE, "{here}/data", True, id="below-the-working-folder"),
        pytest.param(PURE, "{here}/homestead", True, id="beside-the-state-folder"),
        pytest.param(PURE, "/mnt{here}/home", True, id="other-place-of-that-name"),
    ],
)
def test_what_moved_is_not_done_again(annotations: dict[str, str], variable: str, counts: bool, tmp_path: Path) -> None:
    """Where the state folder and the project lie counts for those alone that may say so in what they give."""
    keys = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").touch()
        template = changed(lambda t: t["metadata"].update(annotations=annotations))
        states = {"registry": (tmp_path / "registry",)}
        parts = cache(tmp_path / name, states=states).parts(
            Template(template), code="c", argv=("x",), keeps_result=False,
            environment={"A": variable.format(here=tmp_path / name)},
        )  # fmt: skip
        assert parts is not None
        keys.append(key_of(parts))
    assert (keys[0] != keys[1]) is counts


def test_position_does_not_count(here: Path) -> None:
    """The template's name, and where its volumes lie, do not."""
    assert key(here, changed(lambda t: t.update(name="other", nodeSelector={"a": "b"}))) == key(here)


@pytest.mark.parametrize(
    "template",
    [
        pytest.param(changed(lambda t: t["metadata"]["annotations"].pop("argosy.dev/cache")), id="not-asked-for"),
        pytest.param(
            changed(lambda t: t["metadata"]["annotations"].update({"argosy.dev/cache-reads": '["s3://b/k"]'})),
            id="not-local",
        ),
    ],
)
def test_uncached(template: dict[str, Any], here: Path) -> None:
    """A step is cached where it says so and all it reads can be read here."""
    assert key(here, template) is None


def test_keep_and_find(here: Path) -> None:
    """A kept answer is found again, unless an artifact of it is gone or the cache is not to be read."""
    store = ObjectStore(here / "objects")
    (here / "f").write_text("x", encoding="utf-8")
    digest = store.take(here / "f")
    outputs = Outputs({"o": "1"}, {"f": {"name": "f", "stored": {"digest": digest}}}, exit_code="0")
    cache(here).keep("abcd", outputs)
    assert cache(here).find("abcd") == outputs
    assert cache(here, reads_hits=False).find("abcd") is None
    cache(here, keeps=False).keep("abcd", Outputs({"o": "2"}))
    assert cache(here).find("abcd") == outputs
    store.path(digest).unlink()
    assert cache(here).find("abcd") is None


def observing(*states: str) -> dict[str, Any]:
    """The template as one that is not cached for its inputs alone, but observes *states*."""
    annotations = {"argosy.dev/cache": "false", "argosy.dev/cache-observes": json.dumps(states)}
    return changed(lambda t: t["metadata"].update(annotations=annotations))


def test_a_state_that_moved_is_another_key(here: Path) -> None:
    """What a step with effects outside gave is good for the state that it left, whoever changes that; reading it changes nothing."""
    template = observing("registry")
    before = key(here, template)
    assert before is not None
    (here / "registry").mkdir()
    (here / "registry" / "versions.db").write_text("1", encoding="utf-8")
    left = key(here, template)
    (here / "registry" / "versions.db").read_text(encoding="utf-8")
    (here / "registry" / "versions.db-shm").write_text("a reader's", encoding="utf-8")
    (here / "registry" / "lock").touch()
    (here / "registry" / "lock").unlink()
    assert left == key(here, template) != before
    (here / "registry" / "versions.db").write_text("2", encoding="utf-8")
    assert key(here, template) not in (None, left)


def test_a_state_elsewhere_is_never_cached(here: Path) -> None:
    """Of a registry on a server nobody knows from here whether it has moved."""
    assert key(here, observing("registry", "forge")) is None


def test_what_is_remembered_of_a_key_is_short() -> None:
    """A file that travels with the manifest is remembered by its digest, a setting as it is."""
    remembered = condensed({"artifacts": {"settings": [["trials", 3]], "definitions": ["x" * 5000]}})
    assert remembered["artifacts"]["settings"] == [["trials", 3]]
    assert remembered["artifacts"]["definitions"][0].startswith("sha256:")
