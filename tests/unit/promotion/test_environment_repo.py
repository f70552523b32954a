"""The environment repo that this project starts with: every model in it is complete."""

from pathlib import Path
from typing import Any

import pytest

from argosy import wiring
from argosy.domain import environment_layout
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.champion import run as champion
from kit import quick_yaml

REPO = Path(__file__).parents[3] / "gitops-env"
MODELS = sorted(path.stem for path in (REPO / "policies").glob("*.yaml"))


def _yaml(path: Path) -> Any:
    return quick_yaml.load(path.read_text(encoding="utf-8"))


def test_every_model_of_the_project_has_a_policy(workflows: list[Path]) -> None:
    """A model without gates could never be promoted."""
    assert workflows
    assert {path.name for path in workflows} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_s_folder_is_complete(model: str) -> None:
    """Its policy is readable and its own, its values name it, it has a place in every environment, and it serves nothing yet."""
    assert model_folder.load_policy(REPO / "policies" / f"{model}.yaml").model == model
    assert _yaml(REPO / "models" / model / "values.yaml")["model"] == model
    for environment in environment_layout.ENVIRONMENTS:
        assert (REPO / environment_layout.folder(model, environment)).is_dir()
        assert not (REPO / environment_layout.version_path(model, environment)).exists()


@pytest.mark.parametrize("model", MODELS)
def test_a_first_run_finds_its_policy(model: str, tmp_path: Path) -> None:
    """A laptop's environment repo is made from the folder; the policy comes out byte for byte."""
    here = Settings.from_environment({"ARGOSY_HOME": str(tmp_path / "home"), "ARGOSY_DATA_ROOT": str(REPO.parent)})
    assert champion.run(model=model, forge=wiring.forge(here, make=True), out=tmp_path / "champion") == "none"
    policy = (REPO / "policies" / f"{model}.yaml").read_bytes()
    assert (tmp_path / "champion" / "policy.yaml").read_bytes() == policy
    assert ChampionRef.read(tmp_path / "champion" / "champion.json").policy_digest == sha256(policy)


@pytest.mark.parametrize("environment", environment_layout.ENVIRONMENTS)
def test_each_cluster_syncs_what_its_environment_serves(environment: str) -> None:
    """The ApplicationSet looks for exactly the files that a merge changes, and takes the chart from the file beside it."""
    folder = REPO / "clusters" / environment
    manifest = _yaml(folder / "applicationset.yaml")
    assert manifest["kind"] == "ApplicationSet"
    paths = [one["git"]["files"] for one in manifest["spec"]["generators"][0]["matrix"]["generators"]]
    assert paths == [
        [{"path": f"clusters/{environment}/chart.yaml"}],
        [{"path": environment_layout.version_path("*", environment)}],
    ]
    assert {"repository", "version", "revision", "path"} == _yaml(folder / "chart.yaml")["chart"].keys()


@pytest.mark.parametrize("environment", environment_layout.ENVIRONMENTS)
def test_a_server_s_image_reaches_one_environment_at_a_time(environment: str) -> None:
    """The environment's own file counts before what its models share, and a version's before both; Argo CD finds it where nobody set it."""
    spec = _yaml(REPO / "clusters" / environment / "applicationset.yaml")["spec"]["template"]["spec"]
    assert spec["sources"][0]["helm"]["valueFiles"] == [
        "$environment/models/{{ .model }}/values.yaml",
        f"$environment/{environment_layout.server_path(environment)}",
        f"$environment/{environment_layout.version_path('{{ .model }}', environment)}",
        f"$environment/{environment_layout.second_path('{{ .model }}', environment)}",
    ]
    assert spec["sources"][0]["helm"]["ignoreMissingValueFiles"] is True  # few have a second version
    assert _yaml(REPO / environment_layout.server_path(environment)) is None


@pytest.mark.parametrize("environment", environment_layout.ENVIRONMENTS)
def test_what_is_signed_is_handed_on(environment: str) -> None:
    """The signature that reviewers saw, and main's key, go to the chart; a version without them cannot be rendered."""
    spec = _yaml(REPO / "clusters" / environment / "applicationset.yaml")["spec"]["template"]["spec"]
    files = {one["name"]: one["path"] for one in spec["sources"][0]["helm"]["fileParameters"]}
    place = environment_layout.evidence_folder("{{ .model }}", environment)
    assert files == {
        "signature": f"$environment/{place}/{environment_layout.BUNDLE_SIGNATURE}",
        "verifyingKey": "$environment/keys/signing.pub.pem",
    }


@pytest.mark.parametrize("environment", environment_layout.ENVIRONMENTS)
def test_a_project_allows_what_the_chart_makes(environment: str) -> None:
    """All of it, in one namespace, and nothing that grants rights."""
    spec = _yaml(REPO / "clusters" / environment / "project.yaml")["spec"]
    allowed = {(one["group"], one["kind"]) for one in spec["namespaceResourceWhitelist"]}
    rendered = [
        one
        for path in (REPO.parent / "tests/charts/golden").glob("*.yaml")
        for one in quick_yaml.load_all(path.read_text(encoding="utf-8"))
        if one
    ]
    made = {(one["apiVersion"].rpartition("/")[0], one["kind"]) for one in rendered}
    assert len(made) > 5
    assert made - allowed - {("", "Pod")} == set()
    assert not {kind for _, kind in allowed} & {"Role", "RoleBinding", "Secret"}
    assert [one["namespace"] for one in spec["destinations"]] == [f"argosy-{environment}"]


def test_what_argo_cd_calls_healthy() -> None:
    """The check that is applied is the one that the chart comes with."""
    script = (REPO.parent / "charts/inference/argo-cd/health-inferenceservice.lua").read_text(encoding="utf-8")
    data = _yaml(REPO / "clusters/argocd-cm.yaml")["data"]
    assert data == {"resource.customizations.health.serving.kserve.io_InferenceService": script}
