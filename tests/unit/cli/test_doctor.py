"""The verb ``doctor`` over a cluster that is not there."""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.cli import main
from argosy.domain import diagnosis, prerequisites, team_checks
from argosy.domain.diagnosis import Right
from argosy.domain.team_checks import PolicyHold, QuotaUse
from kit import quick_yaml

CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
RESTRICTED = {diagnosis.PROFILE: "restricted"}


SECRETS = {
    "argosy-signing": ["ARGOSY_SIGNING_KEY"],
    "argosy-search": ["ARGOSY_SEARCH_STORAGE_URI"],
    "argosy-data": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    "argosy-artifacts": ["accesskey"],
}
ARTIFACTS = {"name": "argosy-artifacts", "key": "accesskey"}
TEMPLATE = quick_yaml.load(
    (Path(__file__).parents[3] / "workflows" / "churn" / "pipeline.yaml").read_text(encoding="utf-8")
)


class Seen:
    """A cluster on which all is well, unless a test says otherwise."""

    def __init__(self) -> None:
        self.down = False
        self.denied: list[Right] = []
        self.endpoints: dict[str, str] | None = {}
        self.profiles: dict[str, Mapping[str, str]] | None = {}
        self.contexts: dict[str, Mapping[str, Any]] | None = {"argo": CONFINED, "default": CONFINED}
        self.secrets = {"argosy-executor.service-account-token": ["token"], **SECRETS}
        self.templates: list[Mapping[str, Any]] | None = [TEMPLATE]
        self.servers: list[tuple[str, list[str]]] | None = []
        self.sources: list[Mapping[str, Any]] | None = []
        self.there: Sequence[str] = sorted(prerequisites.USUAL_ACCOUNTS)
        self.repository: Mapping[str, Any] | None = {"s3": {"bucket": "b", "accessKeySecret": ARTIFACTS}}

        self.quota: list[QuotaUse] | None = []
        self.semaphores: dict[str, str] | None = {"pipelines": "4"}
        self.holds: list[PolicyHold] | None = []
        self.restrictions: dict[str, str] | None = {"argo": "Secure"}

    def quotas(self, namespace: str) -> Sequence[QuotaUse] | None:
        """See the port."""
        return self.quota

    def policy_holds(self) -> Sequence[PolicyHold] | None:
        """See the port."""
        return self.holds

    def template_referencing(self) -> Mapping[str, str] | None:
        """See the port."""
        return self.restrictions

    def version(self) -> str:
        """See the port."""
        if self.down:
            raise errors.TryAgain("asking for the version: the cluster cannot be reached")
        return "v1.34.4"

    def ahead(self) -> float:
        """See the port."""
        return 0.0

    def definitions(self) -> Mapping[str, Sequence[str]]:
        """See the port."""
        return {name: [used] for one in diagnosis.CONTROLLERS for name, used in one.definitions.items()}

    def images(self) -> Sequence[str] | None:
        """See the port."""
        return None

    def may(self, right: Right, namespace: str) -> bool:
        """See the port."""
        return right not in self.denied

    def accounts(self, namespace: str) -> Sequence[str]:
        """See the port."""
        return self.there

    def pipelines(self, namespace: str) -> Sequence[Mapping[str, Any]] | None:
        """See the port."""
        return self.templates

    def event_sources(self, namespace: str) -> Sequence[Mapping[str, Any]] | None:
        """See the port."""
        return self.sources

    def artifact_repository(self, namespace: str) -> Mapping[str, Any] | None:
        """See the port."""
        return self.repository

    def config_map(self, name: str, namespace: str) -> Mapping[str, str] | None:
        """See the port."""
        return self.semaphores if name == "argosy-semaphores" else self.endpoints

    def secret_keys(self, name: str, namespace: str) -> Sequence[str] | None:
        """See the port."""
        return self.secrets.get(name)

    def server_arguments(self, namespace: str) -> Sequence[tuple[str, Sequence[str]]] | None:
        """See the port."""
        return self.servers

    def namespaces(self) -> Mapping[str, Mapping[str, str]] | None:
        """See the port."""
        return self.profiles

    def executors(self) -> Mapping[str, Mapping[str, Any]] | None:
        """See the port."""
        return self.contexts

    def initializers(self) -> Mapping[str, Mapping[str, Any]] | None:
        """See the port."""
        return self.contexts


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seen:
    """The cluster; the stores and the forge are a new state folder's."""
    made = Seen()
    made.endpoints = {
        "ARGOSY_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "ARGOSY_STORE_URI": f"file://{tmp_path}/store",
        "ARGOSY_FORGE_URI": f"local:{tmp_path}/home/environment.git",
        "ARGOSY_DATA_ROOT": str(tmp_path),
    }
    monkeypatch.setattr(wiring, "inspection", lambda _context: made)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    return made


def test_all_is_well(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be seen is said, and fails nothing; addresses come from the cluster's ConfigMap."""
    assert main.run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "unknown kserve version" in said
    assert "/store takes and gives" in said
    assert said.endswith("nothing is wrong\n")


def test_each_wrong_thing_has_its_fix(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """All are found in one go, and the exit code says that somebody has to act."""
    seen.denied = [Right("create", "argoproj.io", "workflows")]
    seen.secrets["argosy-signing"] = []
    assert main.run(["doctor", "--json"]) == 78
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    wrong = {one["said"]: one["fix"] for one in found if one["state"] == "wrong"}
    assert set(wrong) == {
        "in argosy you may not create workflows.argoproj.io",
        "argosy-signing holds nothing under ARGOSY_SIGNING_KEY",
    }
    assert all(wrong.values())


def test_a_cluster_that_does_not_answer(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once, not once a question; the stores are looked at all the same."""
    seen.down = True
    assert main.run(["doctor"]) == 78
    said = capsys.readouterr().out
    assert said.count("cannot be reached") == 1
    assert "1 thing is wrong" in said


def test_no_cluster_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which file was looked at, and how to look at the rest."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert main.run(["doctor"]) == 78
    said = capsys.readouterr().out
    assert str(tmp_path / "none") in said
    assert "--no-cluster" in said
    assert main.run(["doctor", "--no-cluster"]) == 0


def test_a_store_that_refuses(seen: Seen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The store is tried, not believed."""
    (tmp_path / "store").write_text("a file\n", encoding="utf-8")
    assert main.run(["doctor"]) != 0
    assert "model store" in capsys.readouterr().out.partition("WRONG")[2]


@pytest.mark.parametrize(
    ("contexts", "state"),
    [
        pytest.param({"a": CONFINED}, "ok", id="confined"),
        pytest.param({"a": {}}, "wrong", id="nothing-said"),
        pytest.param({"a": {**CONFINED, "allowPrivilegeEscalation": True}}, "wrong", id="may-become-more"),
        pytest.param({"a": {**CONFINED, "capabilities": {"drop": ["NET_RAW"]}}}, "wrong", id="keeps-capabilities"),
        pytest.param({"a": {**CONFINED, "capabilities": None}}, "wrong", id="no-capabilities-named"),
        pytest.param({"a": {**CONFINED, "runAsNonRoot": False}}, "wrong", id="may-be-root"),
        pytest.param({}, "unknown", id="none-found"),
        pytest.param(None, "unknown", id="may-not-be-seen"),
    ],
)
def test_pods_that_a_namespace_would_refuse(
    seen: Seen, contexts: dict[str, Any] | None, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first run is refused, and the first model: Argo's own containers, and what fetches models for KServe."""
    seen.profiles = {"argosy": RESTRICTED, "argosy-staging": {**RESTRICTED, diagnosis.ENVIRONMENT: "staging"}}
    seen.contexts = contexts
    assert main.run(["doctor", "--json"]) == (78 if state == "wrong" else 0)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    looked_at = [one for one in found if one["name"] == diagnosis.POD_SECURITY]
    assert [one["state"] for one in looked_at] == [state, state]
    assert "argosy enforces restricted" in looked_at[0]["said"]
    assert "argosy-staging enforces restricted" in looked_at[1]["said"]
    if state == "wrong":
        assert "workflow-controller-configmap: executor: {securityContext: {allowPriv" in looked_at[0]["fix"]
        assert "spec.container.securityContext: {allowPriv" in looked_at[1]["fix"]
        assert "storage.container of the chart inference" in looked_at[1]["fix"]


@pytest.mark.parametrize(
    ("profiles", "state"),
    [
        pytest.param({"other": RESTRICTED, "argosy": {diagnosis.PROFILE: "baseline"}}, "ok", id="another-namespace"),
        pytest.param(None, "unknown", id="may-not-be-listed"),
    ],
)
def test_where_nothing_would_be_refused(
    seen: Seen, profiles: dict[str, Mapping[str, str]] | None, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A controller that gives nothing is not wrong where nothing is asked of it."""
    seen.profiles, seen.contexts = profiles, {"argo": {}}
    assert main.run(["doctor", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["state"] for one in found if one["name"] == diagnosis.POD_SECURITY} == {state}


def test_one_of_several_initializers_is_enough(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """The chart names the one that it uses."""
    seen.profiles = {"argosy-staging": {**RESTRICTED, diagnosis.ENVIRONMENT: "staging"}}
    seen.contexts = {"default": {}, "confined": CONFINED}
    assert main.run(["doctor"]) == 0
    assert "the ClusterStorageContainer confined fits" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("keys", "servers", "state", "said"),
    [
        pytest.param(["access.yaml"], [("churn", ["--access=/etc/a"])], "ok", "have the rules", id="asked"),
        pytest.param(["access.yaml"], [], "ok", "have the rules", id="nothing-served-yet"),
        pytest.param(None, [], "unknown", "no Secret argosy-access in argosy-staging: no server starts", id="no-rules"),
        pytest.param(["other"], None, "unknown", "holds nothing under access.yaml", id="other-key"),
        pytest.param(
            ["access.yaml"],
            [("churn", ["--access=/etc/a"]), ("churn", ["--port=1"]), ("upsell", [])],
            "unset",
            "whoever reaches the pods of churn, upsell in argosy-staging may ask",
            id="somebody-turned-it-off",
        ),
    ],
)
def test_who_may_ask_is_said_of_each_environment(
    seen: Seen,
    capsys: pytest.CaptureFixture[str],
    keys: list[str] | None,
    servers: list[tuple[str, list[str]]] | None,
    state: str,
    said: str,
) -> None:
    """A door that is open is named, and so are rules that are lacking; neither alone is a failure."""
    seen.profiles, seen.servers = {"argosy-staging": {diagnosis.ENVIRONMENT: "staging"}}, servers
    if keys is not None:
        seen.secrets["argosy-access"] = keys
    assert main.run(["doctor", "--json"]) == errors.DONE
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (one,) = (each for each in found if each["name"] == "who may ask")
    assert one["state"] == state
    assert said in one["said"]


def test_a_shared_online_store_is_asked(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where one is named: whether it answers; its password is not shown."""
    monkeypatch.setenv("ARGOSY_ONLINE_STORE_URI", "redis://:hunter2@127.0.0.1:1/0")
    assert main.run(["doctor"]) == 78
    said = capsys.readouterr().out
    assert "WRONG   online store" in said
    assert "fix: see whether it runs and can be reached from here" in said
    assert "hunter2" not in said


def wrong(seen: Seen, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is said to be wrong."""
    main.run(["doctor", "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [one["said"] for one in found if one["state"] == "wrong"]


@pytest.mark.parametrize("account", sorted(prerequisites.USUAL_ACCOUNTS))
def test_every_account_that_pipelines_name_is_looked_for(
    seen: Seen, capsys: pytest.CaptureFixture[str], account: str
) -> None:
    """By what is installed; and nothing is looked for that no pipeline names."""
    seen.there = [name for name in seen.there if name != account]
    assert wrong(seen, capsys) == [f"argosy has no service account {account}"]
    seen.templates = [{"metadata": {"name": "x"}, "spec": {"serviceAccountName": "x", "templates": []}}]
    seen.there = ["x"]
    assert wrong(seen, capsys) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("argosy-search", "there is no Secret argosy-search", id="search"),
        pytest.param("argosy-signing", "there is no Secret argosy-signing", id="signing"),
        pytest.param(
            "argosy-artifacts",
            "it is opened by the key accesskey of the Secret argosy-artifacts, which is not in argosy",
            id="artifacts",
        ),
    ],
)
def test_every_secret_that_steps_cannot_do_without_is_looked_for(
    seen: Seen, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    """The search's database and the artifact store too."""
    del seen.secrets[name]
    assert wrong(seen, capsys) == [said]


def test_tokens_of_the_forge_are_wanted_where_it_takes_tokens(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder takes none."""
    assert wrong(seen, capsys) == []
    assert seen.endpoints is not None
    seen.endpoints["ARGOSY_FORGE_URI"] = "github:o/n"
    said = wrong(seen, capsys)
    assert "there is no Secret argosy-forge" in said
    assert "there is no Secret argosy-forge-reader" in said


def test_an_app_of_github_needs_no_token(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """Its id and its key, both."""
    assert seen.endpoints is not None
    seen.endpoints["ARGOSY_FORGE_URI"] = "github:o/n"
    app = ("ARGOSY_FORGE_APP_ID", "ARGOSY_FORGE_APP_KEY")
    seen.secrets["argosy-forge"], seen.secrets["argosy-forge-reader"] = app, app[:1]
    said = [line for line in wrong(seen, capsys) if line.startswith("argosy-forge")]
    assert said == ["argosy-forge-reader holds nothing under ARGOSY_FORGE_TOKEN"]


def test_a_forge_that_is_not_there(seen: Seen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in the address of a repository on this machine is found, and makes none."""
    seen.endpoints = {**seen.endpoints, "ARGOSY_FORGE_URI": f"local:{tmp_path}/mistyped"}
    assert [said.partition(",")[0] for said in wrong(seen, capsys)] == [
        f"there is no environment repo at {tmp_path}/mistyped"
    ]
    assert not (tmp_path / "mistyped").exists()


def test_keys_that_sources_of_events_name(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty secret of a webhook lets everybody start a retraining: it is looked for where sources listen."""
    secret = {"name": "argosy-events", "key": "push"}
    seen.sources = [{"metadata": {"name": "argosy-push"}, "spec": {"github": {"churn": {"webhookSecret": secret}}}}]
    seen.secrets["argosy-events"] = ["alertmanager"]
    assert [said.partition(",")[0] for said in wrong(seen, capsys)] == [
        "argosy-push names the key push of the Secret argosy-events"
    ]
    seen.secrets["argosy-events"] = ["alertmanager", "push"]
    assert wrong(seen, capsys) == []


def test_no_artifact_store(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """Without one the first step waits for ever; where it cannot be seen, that is said and fails nothing."""
    seen.repository = {}
    assert "waits for ever" in wrong(seen, capsys)[0]
    seen.repository = None
    assert wrong(seen, capsys) == []


def test_the_object_store_is_the_clusters(seen: Seen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An S3 client of this process asks the address that steps are given, never AWS with somebody's keys."""
    asked = []
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(wiring, "artifacts", lambda _: asked.append(os.environ["AWS_ENDPOINT_URL"]))
    assert seen.endpoints is not None
    seen.endpoints["AWS_ENDPOINT_URL"] = "http://s3.inside:9000"
    with contextlib.suppress(AttributeError):  # there is no store behind it
        main.run(["doctor"])
    assert asked == ["http://s3.inside:9000"]
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


class TestTeams:
    """What is looked at in the namespace of a team, and nowhere else."""

    FULL = QuotaUse("pods", "200", "200", 1.0)
    SOME = QuotaUse("requests.cpu", "2", "32", 2 / 32)
    NONE = QuotaUse("services.loadbalancers", "0", "0", 0.0)
    HELD = tuple(PolicyHold(f"argosy-{kind}", ["argosy"], ["Deny"]) for kind in ("pipelines", "runs", "pods"))

    @staticmethod
    def found(seen: Seen, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
        """What doctor finds, by name."""
        main.run(["doctor", "--json"])
        return {one["name"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}

    def test_all_is_well(self, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
        """How much is left is said."""
        seen.profiles = {"argosy": {team_checks.TEAM: "credit"}}
        seen.quota, seen.holds = [self.SOME, self.NONE], list(self.HELD)
        found = self.found(seen, capsys)
        names = (team_checks.QUOTA, team_checks.POLICIES, team_checks.REFERENCING)
        assert {name: found[name]["state"] for name in names} == dict.fromkeys(names, "ok")
        assert found[team_checks.QUOTA]["said"] == "requests.cpu 2 of 32"

    def test_a_namespace_that_is_no_team_s(self, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
        """It needs none of this, and a controller that runs anything is only named."""
        seen.profiles, seen.restrictions = {"argosy": {}}, {"argo": ""}
        found = self.found(seen, capsys)
        assert {team_checks.QUOTA, team_checks.POLICIES} & found.keys() == set()
        assert found[team_checks.REFERENCING]["state"] == "unknown"

    @pytest.mark.parametrize(
        ("change", "name", "state", "said", "fix"),
        [
            pytest.param({"quota": [FULL, SOME]}, "quota", "wrong", "pods 200 of 200: new pods", "argosy runs", id="full"),
            pytest.param({"quota": []}, "quota", "wrong", "has none", "argosy platform upgrade", id="no-quota"),
            pytest.param({"quota": None}, "quota", "unknown", "may not be listed", "", id="quota-unseen"),
            pytest.param({"holds": []}, "admission policies", "wrong", "pipelines, runs, pods", "platform upgrade", id="no-policy"),
            pytest.param({"holds": HELD[:2]}, "admission policies", "wrong", "for pods:", "platform upgrade", id="one-missing"),
            pytest.param(
                {"holds": [PolicyHold(one.policy, ["other"], ["Deny"]) for one in HELD]},
                "admission policies",
                "wrong",
                "none holds in argosy",
                "platform upgrade",
                id="of-another-team",
            ),
            pytest.param(
                {"holds": [PolicyHold(one.policy, one.namespaces, ["Warn"]) for one in HELD]},
                "admission policies",
                "unknown",
                "only warn",
                "admission.action",
                id="lenient",
            ),
            pytest.param({"holds": None}, "admission policies", "unknown", "may not be listed", "", id="policies-unseen"),
            pytest.param({"restrictions": {"argo": ""}}, "template referencing", "wrong", "runs what", "kubectl -n argo edit", id="open"),
            pytest.param({"restrictions": {"argo": "Strict"}}, "template referencing", "ok", "(Strict)", "", id="strict"),
            pytest.param({"restrictions": None}, "template referencing", "unknown", "cannot be read", "", id="controller-unseen"),
        ],
    )  # fmt: skip
    def test_what_is_said(
        self,
        seen: Seen,
        capsys: pytest.CaptureFixture[str],
        change: dict[str, Any],
        name: str,
        state: str,
        said: str,
        fix: str,
    ) -> None:
        """Each with the next command where somebody has to act."""
        seen.profiles = {"argosy": {team_checks.TEAM: "credit"}}
        seen.quota, seen.holds = [self.SOME], list(self.HELD)
        for field, value in change.items():
            setattr(seen, field, value)
        found = self.found(seen, capsys)[name]
        assert (found["state"], said in found["said"], fix in found["fix"]) == (state, True, True), found

    def test_what_a_team_may_not_see_is_no_fault(
        self, seen: Seen, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A data scientist reads no Secret and lists no resource types, and nothing is wrong with that."""

        def refuse(*_: object, **__: object) -> Any:
            raise errors.NotAllowed(
                "reading the Secret x of argosy: the cluster does not allow it (403): User ada cannot"
            )

        for name in ("definitions", "secret_keys", "accounts"):
            monkeypatch.setattr(seen, name, refuse)
        found = self.found(seen, capsys)
        for name in ("resource types", "secrets", "accounts"):
            assert found[name]["state"] == "unknown"
            assert (
                found[name]["said"] == "reading the Secret x of argosy: you may not; whoever runs the platform sees it"
            )

    def test_a_team_s_own_people(self, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
        """They may not list namespaces; the quota tells that theirs is a team's."""
        seen.profiles, seen.quota, seen.holds = None, [self.FULL], None
        assert self.found(seen, capsys)[team_checks.QUOTA]["state"] == "wrong"

    @pytest.mark.parametrize("sizes", [None, {}, {"pipelines": "0"}, {"pipelines": "many"}], ids=str)
    def test_a_semaphore_without_a_size(
        self, seen: Seen, capsys: pytest.CaptureFixture[str], sizes: dict[str, str] | None
    ) -> None:
        """A platform of before has none: every run would end with Argo's error."""
        assert self.found(seen, capsys)[team_checks.SEMAPHORES]["said"] == "pipelines 4"
        seen.semaphores = sizes
        found = self.found(seen, capsys)[team_checks.SEMAPHORES]
        assert "pipelines of the ConfigMap argosy-semaphores, which has no size" in found["said"]
        assert "argosy platform upgrade" in found["fix"]
