"""Manifests that are nearly right: whatever was changed in one, it is fit to run, or there is one error of ours."""

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors
from argosy.engine import api
from argosy.engine.options import RunOptions

CASES = Path(__file__).parent / "cases"
MUTATIONS = 250
"""In one run of the tests, the same in each: the seed is given. 3,000 were compared with Argo's own validation."""
VALUES: list[Any] = [
    *(None, "", 0, -1, 1.5, True, "x", "yes", "a b", "A_b", "3", "10s", [], {}, [1], {"a": "b"}, "a" * 300),
    *("{{x}}", "{{inputs.parameters.none}}", "{{tasks.none.outputs.result}}", "{{=", "{{=1+}}", "{{item}}", "/a/../b"),
]
FIELDS = ("name", "template", "when", "withItems", "depends", "timeout", "value", "valueFrom", "steps", "dag", "onExit")


def workflows() -> list[dict[str, Any]]:
    """The cases that are one Workflow."""
    files = sorted(path for path in CASES.glob("*.yaml") if ".expected" not in path.name)
    found = [
        [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document] for path in files
    ]
    return [documents[0] for documents in found if len(documents) == 1 and documents[0]["kind"] == "Workflow"]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each field and element."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from places(entry, (*path, key))


def mutated(workflow: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """*workflow* with one place taken out, set, doubled, renamed, or taken from another place."""
    changed = copy.deepcopy(workflow)
    all_places = list(places(changed["spec"]))
    *above, key = chance.choice(all_places)
    parent = _at(changed["spec"], above)
    match chance.choice(["delete", "set", "set", "double", "rename", "move"]):
        case "delete":
            del parent[key]
        case "set":
            parent[key] = chance.choice(VALUES)
        case "double" if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        case "rename" if isinstance(parent, dict):
            parent[chance.choice([f"{key}s", *FIELDS])] = parent.pop(key)
        case _:
            parent[key] = copy.deepcopy(_at(workflow["spec"], chance.choice(all_places)))
    return changed


def _at(value: Any, path: Any) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("seed", range(5))
def test_any_mutation_is_answered(seed: int, tmp_path: Path) -> None:
    """Never a traceback; an error is one line, short enough to read, and says where."""
    chance = random.Random(seed)
    options = RunOptions(home=tmp_path / "home", process_images=("*",), working_folder=tmp_path)
    originals, refused = workflows(), list[str]()
    for _ in range(MUTATIONS // 5):
        manifest = tmp_path / "manifest.yaml"
        manifest.write_text(yaml.safe_dump(mutated(chance.choice(originals), chance)), encoding="utf-8")
        try:
            api.prepare(api.load([manifest]), options)
        except (errors.Misconfigured, errors.UsageError) as error:
            refused.append(str(error))
    assert [message for message in refused if len(message) > 2000] == []
    assert 5 < len(refused) < MUTATIONS // 5, "mutations that are all refused, or none, test little"
