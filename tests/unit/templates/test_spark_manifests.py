"""What a manifest says otherwise where a model asks Spark: image, Secret and account of the steps that do, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.domain import executor_names
from argosy.domain.compute_settings import SPARK_STEPS
from argosy.templates import compiler, score_workflow
from kit import quick_yaml

TOKEN = {"ARGOSY_SPARK_TOKEN": "token", "ARGOSY_SPARK_AUTHORITY": "ca.crt", "ARGOSY_SPARK_NAMESPACE": "namespace"}
ACCOUNTS = {"validate": "spark", "build-features": "spark", "train": "spark", "score-batch": "scores"}


def templates(model: Path, more: str) -> dict[str, dict[str, Any]]:
    """The templates of the pipeline and of the scoring of *model* with *more* settings, by name."""
    settings = model / "model.yaml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + more, encoding="utf-8")
    texts = [compiler.compile_folder(model), score_workflow.compile_folder(model) or ""]
    settings.write_text(before, encoding="utf-8")
    found = [next(iter(quick_yaml.load_all(text)))["spec"]["templates"] for text in texts]
    return {each["name"]: each for each in [*found[0], *found[1]]}


def test_only_the_steps_that_ask(model: Path) -> None:
    """The rest is the same to the last letter."""
    plain, asking = templates(model, ""), templates(model, "compute: {engine: spark}\n")
    changed = {name for name in plain if plain[name] != asking[name]}
    assert plain.keys() == asking.keys()
    assert changed == set(SPARK_STEPS) == set(ACCOUNTS)
    for name, account in ACCOUNTS.items():
        before, after = plain[name]["container"], asking[name]["container"]
        assert after["image"] == "argosy/spark:dev"
        own = [each for each in after["envFrom"] if each not in before["envFrom"]]
        assert own == [{"secretRef": {"name": "argosy-spark", "optional": True}}]
        assert asking[name]["serviceAccountName"] == f"argosy-{account}"
        assert [each for each in before["env"] if each not in after["env"]] == []
        more = [each for each in after["env"] if each not in before["env"]]
        assert more == [
            {"name": "ARGOSY_SPARK_IMAGE", "value": after["image"]},
            {"name": "ARGOSY_SPARK_POD", "value": "{{pod.name}}"},
            *(_of_the_token(f"argosy-{account}", variable, key) for variable, key in TOKEN.items()),
        ]
        assert asking[name]["metadata"]["labels"] == {"argosy.dev/spark": "driver"}
        same = {each: before[each] for each in ("image", "envFrom", "env")}
        assert {**after, **same} == before


def test_a_place_is_told_to_executors(model: Path) -> None:
    """Where the step's pod may run is in a variable of it, and in no key of the cache; without a place there is no variable."""
    placed = "resources: {train: {node_selector: {pool: ml}, tolerations: [{key: ml, operator: Exists}], priority_class: low}}\n"
    train = templates(model, f"compute: {{engine: spark}}\n{placed}")["train"]
    values = {each["name"]: each.get("value") for each in train["container"]["env"]}
    told = json.loads(values[executor_names.PLACEMENT])
    assert told == {name: train[name] for name in ("nodeSelector", "priorityClassName", "tolerations")}
    ignored = [value for value in train["metadata"]["annotations"].values() if executor_names.POD in value]
    assert ignored
    assert all(executor_names.PLACEMENT in value for value in ignored)
    assert executor_names.PLACEMENT not in {
        each["name"] for each in templates(model, placed)["train"]["container"]["env"]
    }


def _of_the_token(account: str, variable: str, key: str) -> dict[str, Any]:
    """Not there where the platform lets nobody start executors."""
    secret = {"name": f"{account}.service-account-token", "key": key, "optional": True}
    return {"name": variable, "valueFrom": {"secretKeyRef": secret}}


@pytest.mark.parametrize("step", SPARK_STEPS)
def test_a_step_alone(step: str, model: Path) -> None:
    """Whichever is named."""
    plain, asking = templates(model, ""), templates(model, f"compute: {{engine: spark, steps: [{step}]}}\n")
    assert {name for name in plain if plain[name] != asking[name]} == {step}
