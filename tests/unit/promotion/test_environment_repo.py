"""The environment repo that this project starts with: every model in it is complete."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import wiring
from argosy.adapters import model_folder
from argosy.domain import promotion
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef
from argosy.settings import Settings
from argosy.steps.champion import run as champion

REPO = Path(__file__).parents[3] / "gitops-env"
MODELS = sorted(path.stem for path in (REPO / "policies").glob("*.yaml"))


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_model_of_the_project_has_a_policy(workflows: list[Path]) -> None:
    """A model without gates could never be promoted."""
    assert workflows
    assert {path.name for path in workflows} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_s_folder_is_complete(model: str) -> None:
    """Its policy is readable and its own, its values name it, it has a place in every environment, and it serves nothing yet."""
    assert model_folder.load_policy(REPO / "policies" / f"{model}.yaml").model == model
    assert _yaml(REPO / "models" / model / "values.yaml")["model"] == model
    for environment in promotion.ENVIRONMENTS:
        assert (REPO / promotion.folder(model, environment)).is_dir()
        assert not (REPO / promotion.version_path(model, environment)).exists()


@pytest.mark.parametrize("model", MODELS)
def test_a_first_run_finds_its_policy(model: str, tmp_path: Path) -> None:
    """A laptop's environment repo is made from the folder; the policy comes out byte for byte."""
    here = Settings.from_environment({"ARGOSY_HOME": str(tmp_path / "home"), "ARGOSY_DATA_ROOT": str(REPO.parent)})
    assert champion.run(model=model, forge=wiring.forge(here), out=tmp_path / "champion") == "none"
    policy = (REPO / "policies" / f"{model}.yaml").read_bytes()
    assert (tmp_path / "champion" / "policy.yaml").read_bytes() == policy
    assert ChampionRef.read(tmp_path / "champion" / "champion.json").policy_digest == sha256(policy)


@pytest.mark.parametrize("environment", promotion.ENVIRONMENTS)
def test_each_cluster_syncs_what_its_environment_serves(environment: str) -> None:
    """The ApplicationSet looks for exactly the files that a merge changes."""
    manifest = _yaml(REPO / "clusters" / environment / "applicationset.yaml")
    assert manifest["kind"] == "ApplicationSet"
    files = manifest["spec"]["generators"][0]["git"]["files"]
    assert files == [{"path": promotion.version_path("*", environment)}]
