"""What charts/inference makes of the environment repo's files: committed as rendered, and looked at whether helm is there or not."""

import os
from pathlib import Path
from typing import Any

import pytest

from kit.inference_chart import IMAGE, Objects, merged, only, parsed, template, values

GOLDEN = Path(__file__).parent / "golden"
SECOND: dict[str, Any] = {
    "role": "shadow",
    "percent": 100,
    "version": 8,
    "modelDigest": "sha256:" + "8" * 64,
    "storageUri": "s3://models/churn/8/",
    "signature": '{"of": "the second"}',
}
CASES: dict[str, dict[str, Any]] = {
    "canary": {},
    "canary-routed": {"trafficRouting": {"gateway": {"parentRefs": [{"name": "edge", "namespace": "gateways"}]}}},
    "blue-green": {"strategy": "blueGreen"},
    "sequential": {"analysis": {"sequential": {"enabled": True}}},
    "answers": {
        "answers": {"enabled": True, "chatSecret": "argosy-chat", "egress": [{"ports": [{"port": 443}]}]},
        "analysis": {"sequential": {"enabled": True}},
        "networkPolicy": {"enabled": True},
    },
    "plain-canary": {
        "mode": "plain",
        "storage": {"uri": "s3://models", "endpoint": "http://s3:9000", "credentialsSecret": "store"},
        "second": SECOND,
    },
    "plain-rolling": {
        "access": {"enabled": False},
        "mode": "plain",
        "strategy": "rolling",
        "storage": {"uri": "s3://models/"},
        "onlineFeatures": {"secret": "argosy-online"},
    },
    "everything": {
        "replicas": 10,
        "grpc": {"enabled": True},
        "autoscaling": {"enabled": True, "maxReplicas": 20},
        "serviceMonitor": {"enabled": True, "labels": {"release": "monitoring"}},
        "networkPolicy": {"enabled": True, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
        "onlineFeatures": {"secret": "argosy-online"},
        "predictionLog": {"claim": "predictions", "hashKeySecret": "argosy-ids"},
        "tls": {"secret": "churn-tls"},
        "stream": {"from": "customers", "to": "scores", "refusals": "no-scores", "group": "us"},
        "storage": {"credentialsSecret": "store", "container": "argosy"},
        "server": {"pullSecrets": ["registry"], "env": [{"name": "TZ", "value": "UTC"}], "workers": 2},
        "resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": "2", "memory": "2Gi"}},
        "telemetry": {"endpoint": "http://collector.monitoring:4318", "headersSecret": "collector"},
        "scheduling": {
            "nodeSelector": {"pool": "serving"},
            "tolerations": [{"key": "serving"}],
            "priorityClass": "high",
        },
        "labels": {"team": "retention"},
        "analysis": {"undecided": "abort"},
        "second": SECOND | {"role": "candidate", "percent": 10},
    },
}
TRACES = ("--second-", "argosy.dev/second", "second.sig", "/mnt/models/second")
"""Of a second version, in what is rendered."""
ALL = pytest.mark.parametrize("case", CASES)


def _golden(case: str) -> Objects:
    return parsed((GOLDEN / f"{case}.yaml").read_text(encoding="utf-8"))


def _containers(objects: Objects) -> list[dict[str, Any]]:
    """Every container that is spelled out, wherever it stands."""
    found = []
    for each in objects:
        spec = each.get("spec", {})
        if each["kind"] == "ServingRuntime":
            continue  # a name, and nothing else
        if each["kind"] == "InferenceService":
            found.append(spec["predictor"]["model"])
        for pod in (spec, spec.get("template", {}).get("spec", {})):
            found += [*pod.get("containers", []), *pod.get("initContainers", [])]
    return found


@ALL
def test_what_is_committed_is_what_helm_renders(case: str) -> None:
    """The rendered files are reviewed as diffs, and read where no helm is."""
    done = template(values(CASES[case]))
    assert done.returncode == 0, done.stderr
    path = GOLDEN / f"{case}.yaml"
    if os.environ.get("ARGOSY_REGENERATE") == "1":
        assert "CI" not in os.environ, "CI never rewrites what it checks"
        path.write_text(done.stdout, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == done.stdout, "run the tests with ARGOSY_REGENERATE=1"


@ALL
def test_every_object_says_whose_it_is(case: str) -> None:
    """Everything stands in one namespace, and is found by model and environment."""
    objects = _golden(case)
    assert len(objects) >= 6
    for each in objects:
        metadata = each["metadata"]
        assert metadata["namespace"] == "argosy-staging"
        assert metadata["labels"]["argosy.dev/model"] == "churn"
        assert metadata["labels"]["argosy.dev/environment"] == "staging"


@ALL
def test_no_container_has_privileges(case: str) -> None:
    """They fit a namespace that enforces the restricted profile."""
    containers = _containers(_golden(case))
    assert containers
    for each in containers:
        security = each["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}


@ALL
def test_what_is_served_is_what_is_approved(case: str) -> None:
    """Digest, release and signature reach the server, and the pods say which version they are."""
    objects = _golden(case)
    kserve = [each for each in objects if each["kind"] == "InferenceService"]
    if kserve:
        predictor = kserve[0]["spec"]["predictor"]
        given, annotations = predictor["model"]["args"], predictor["annotations"]
        runtime = only(objects, "ServingRuntime")
        assert predictor["model"]["runtime"] == runtime["metadata"]["name"]
        volumes = predictor["volumes"]
    else:
        owner = next(each for each in objects if each["kind"] in {"Rollout", "Deployment"})
        pod = owner["spec"]["template"]
        given, annotations = pod["spec"]["containers"][0]["args"], pod["metadata"]["annotations"]
        volumes = pod["spec"]["volumes"]
    assert "--digest=sha256:" + "a" * 64 in given
    assert "--online-digest=sha256:" + "b" * 64 in given
    assert "--release=3" in given
    assert "--signature=/etc/argosy/bundle.sig" in given
    assert "--unsigned" not in given
    assert annotations["argosy.dev/model-digest"] == "sha256:" + "a" * 64
    assert annotations["argosy.dev/bundle-signature"] == '{"signed": "by us"}'
    paths = {item["path"] for each in volumes for item in each.get("downwardAPI", {}).get("items", [])}
    assert paths - {"second.sig"} == {"bundle.sig", "signing.pub.pem"}
    assert ("second.sig" in paths) is ("second" in CASES[case])


@ALL
def test_a_second_version_is_proven_like_the_first(case: str) -> None:
    """Its own bundle, digest, release and signature reach the server; without one no pod has a word of it."""
    text = (GOLDEN / f"{case}.yaml").read_text(encoding="utf-8")
    given = [each.get("args", []) for each in _containers(parsed(text)) if each.get("name") == "kserve-container"]
    second = CASES[case].get("second")
    if second is None:
        assert not any(word in text for word in TRACES)
        return
    for words in filter(None, given):
        assert {
            f"--second-digest={second['modelDigest']}",
            "--second-release=8",
            "--second-bundle=/mnt/models/second",
        } < {*words}
        assert {f"--second-role={second['role']}", "--second-signature=/etc/argosy/second.sig"} < {*words}
    assert text.count("s3://models/churn/8/") == 1
    assert "argosy.dev/second-signature" in text


def test_a_second_version_that_is_served_by_now_is_left_out() -> None:
    """A promotion ends what was tried; `second.yaml` may go later."""
    done = template(values({"second": SECOND | {"modelDigest": values()["modelDigest"]}}))
    assert done.returncode == 0, done.stderr
    assert not any(word in done.stdout for word in TRACES)


@ALL
def test_callers_are_asked_unless_somebody_decided_otherwise(case: str) -> None:
    """Each container that answers has the rules; where they are not there it starts and says so, rather than wait for ever."""
    objects = _golden(case)
    answering = [one for one in _containers(objects) if one.get("name") == "kserve-container"]
    assert answering
    asked = case != "plain-rolling"
    for one in answering:
        assert ("--access=/etc/argosy-access/access.yaml" in one["args"]) is asked
        assert one["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert ('secret: {secretName: "argosy-access", optional: true}' in (GOLDEN / f"{case}.yaml").read_text()) is asked


@ALL
def test_what_changes_reaches_pods_that_run(case: str) -> None:
    """Folders of Secrets and ConfigMaps are mounted whole: the kubelet never brings a change to a file that is mounted by itself."""
    mounts = [mount for each in _containers(_golden(case)) for mount in each.get("volumeMounts", [])]
    assert mounts
    assert [mount for mount in mounts if "subPath" in mount or "subPathExpr" in mount] == []


@ALL
def test_what_is_too_old_is_said_outside_the_pods(case: str) -> None:
    """A pod of an earlier rollout, or one that an abort brings back, asks the same file as a new one; no pod template holds it."""
    text = (GOLDEN / f"{case}.yaml").read_text(encoding="utf-8")
    told = only(_golden(case), "ConfigMap")
    assert told["data"] == {"version": "0"}
    assert "--minimum-release=/etc/argosy-minimum/version" in text
    assert "mountPath: /etc/argosy-minimum, readOnly: true}" in text
    assert f"configMap: {{name: {told['metadata']['name']}}}" in text


def test_raising_the_minimum_starts_no_rollout() -> None:
    """Only the ConfigMap is another one."""
    before, after = (parsed(template(values({"minimumVersion": oldest})).stdout) for oldest in (0, 3))
    assert [one["kind"] for one, other in zip(before, after, strict=True) if one != other] == ["ConfigMap"]


@pytest.mark.parametrize("case", [case for case in CASES if case != "plain-rolling"])
def test_selectors_meet_the_pods(case: str) -> None:
    """Rollout, Services, budget and policy select the same pods: those that KServe, or the chart, labels."""
    objects = _golden(case)
    rollout = only(objects, "Rollout")["spec"]
    wanted = rollout["selector"]["matchLabels"]
    for each in objects:
        if each["kind"] == "Service":
            assert each["spec"]["selector"] == wanted
        if each["kind"] == "PodDisruptionBudget":
            assert each["spec"]["selector"]["matchLabels"] == wanted
        if each["kind"] == "NetworkPolicy":
            assert each["spec"]["podSelector"]["matchLabels"] == wanted
    if "template" in rollout:
        assert wanted.items() <= rollout["template"]["metadata"]["labels"].items()
    else:
        assert wanted == {"app": f"isvc.{only(objects, 'InferenceService')['metadata']['name']}-predictor"}


@pytest.mark.parametrize("case", [case for case in CASES if case != "plain-rolling"])
def test_the_rollout_names_services_and_analysis_that_are_there(case: str) -> None:
    """A name that does not exist would leave the Rollout invalid."""
    objects = _golden(case)
    names = {(each["kind"], each["metadata"]["name"]) for each in objects}
    strategy = only(objects, "Rollout")["spec"]["strategy"]
    text = str(strategy)
    way = strategy.get("canary") or strategy["blueGreen"]
    for key in ("stableService", "canaryService", "activeService", "previewService"):
        assert key not in way or ("Service", way[key]) in names
    assert "'templateName': 'churn'" in text
    assert ("AnalysisTemplate", "churn") in names


def test_the_autoscaler_scales_the_rollout() -> None:
    """KServe's Deployment has no pods; and git says no number of replicas beside an autoscaler."""
    objects = _golden("everything")
    target = only(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "churn"}
    assert "replicas" not in only(objects, "Rollout")["spec"]
    assert (
        only(objects, "InferenceService")["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "external"
    )


def test_analysis_spells_nan_and_no_sample_out() -> None:
    """Too few requests are no objection; a measurement that is no number is one; both ways are decided here, not by Argo Rollouts."""
    metrics = {metric["name"]: metric for metric in only(_golden("canary"), "AnalysisTemplate")["spec"]["metrics"]}
    assert set(metrics) == {
        "errors",
        "latency-p95-seconds",
        "prediction-distance",
        "shed",
        "answering",
        "requests",
        "predictions",
    }
    for name, limit in {"errors": "0.01", "latency-p95-seconds": "0.1", "prediction-distance": "0.15"}.items():
        metric = metrics[name]
        assert metric["successCondition"] == f"len(result) == 0 || (!isNaN(result[0]) && result[0] <= {limit})"
        assert metric["failureCondition"] == f"len(result) > 0 && (isNaN(result[0]) || result[0] > {limit})"
        assert metric["failureLimit"] == 0
        assert metric["count"] * 60 == 300
    # Between success and failure lies undecided, which pauses.
    assert metrics["requests"]["successCondition"] == "!isNaN(result[0]) && result[0] >= 200"
    assert metrics["requests"]["failureCondition"] == "isNaN(result[0])"
    assert metrics["requests"]["initialDelay"] == "301s"


def test_undecided_aborts_where_that_is_asked_for() -> None:
    """Without a condition for failure, whatever is no success is one."""
    metrics = {metric["name"]: metric for metric in only(_golden("everything"), "AnalysisTemplate")["spec"]["metrics"]}
    assert "failureCondition" not in metrics["requests"]
    assert "failureCondition" not in metrics["predictions"]


@pytest.mark.parametrize(
    ("case", "shared"),
    [
        pytest.param("canary", False, id="kserve-files"),
        pytest.param("everything", True, id="kserve-shared"),
        pytest.param("plain-canary", False, id="plain-files"),
        pytest.param("plain-rolling", True, id="plain-shared"),
    ],
)
def test_features_by_id_are_files_or_shared_never_both(case: str, shared: bool) -> None:
    """What was approved is named by its digest either way; pods fetch no files that they would not read, and see one key of one Secret."""
    objects = _golden(case)
    served = next(found for found in _containers(objects) if found["name"] == "kserve-container")
    digest = values()["onlineStore"]["digest"]
    given = [word for word in served["args"] if word.startswith("--online")]
    assert given == ([] if shared else ["--online=/mnt/models/online"]) + [f"--online-digest={digest}"]
    reference = {"secretKeyRef": {"name": "argosy-online", "key": "ARGOSY_ONLINE_STORE_URI"}}
    sources = [one["valueFrom"] for one in served["env"] if one["name"] == "ARGOSY_ONLINE_STORE_URI"]
    assert sources == ([reference] if shared else [])
    assert ("/mnt/models/online" in str(objects)) is not shared


def test_grpc_has_its_port_wherever_callers_come_by() -> None:
    """In the pods, in every Service that callers use, and in the policy; monitoring has none of it, and TLS is not called plain HTTP/2."""
    objects = parsed(template(values({"grpc": {"enabled": True}, "networkPolicy": {"enabled": True}})).stdout)
    model = only(objects, "InferenceService")["spec"]["predictor"]["model"]
    assert "--grpc-port=9000" in model["args"]
    assert {"name": "grpc", "containerPort": 9000, "protocol": "TCP"} in model["ports"]
    ports = {
        one["metadata"]["name"].rpartition("-")[2]: one["spec"]["ports"] for one in objects if one["kind"] == "Service"
    }
    expected = {"name": "grpc", "port": 9000, "targetPort": 9000, "protocol": "TCP", "appProtocol": "kubernetes.io/h2c"}
    assert {suffix for suffix, found in ports.items() if expected in found} == {"live", "stable", "canary"}
    opened = [[port["port"] for port in rule["ports"]] for rule in only(objects, "NetworkPolicy")["spec"]["ingress"]]
    assert opened == [[8080, 9000], [8081]]
    secured = parsed(template(values({"grpc": {"enabled": True}, "tls": {"secret": "certificate"}})).stdout)
    assert all(
        "appProtocol" not in port for one in secured if one["kind"] == "Service" for port in one["spec"]["ports"]
    )


def test_grpc_is_off_where_nobody_asked_for_it() -> None:
    """A server of before does not know the option, and a chart that is brought up to date starts no canary."""
    text = (GOLDEN / "canary.yaml").read_text(encoding="utf-8")
    assert "grpc" not in text.replace("v1|v2|grpc|plain", "")


@pytest.mark.parametrize(
    ("over", "ends", "told"),
    [
        pytest.param({}, 40, None, id="tables"),
        pytest.param({"answers": {"enabled": True}}, 50, 30, id="answers"),
        pytest.param({"answers": {"enabled": True, "requestSeconds": 5}}, 40, 5, id="short"),
        pytest.param(
            {"answers": {"enabled": True, "requestSeconds": 120}, "server": {"image": IMAGE, "drainSeconds": 15}},
            145,
            120,
            id="long",
        ),
    ],
)
def test_a_pod_that_is_replaced_has_time_for_its_longest_request(
    over: dict[str, Any], ends: int, told: int | None
) -> None:
    """After the drain time, with ten seconds to spare; the server holds requests to the same."""
    asked = merged({"analysis": {"sequential": {"enabled": True}}}, over)
    service = only(parsed(template(values(asked)).stdout), "InferenceService")["spec"]["predictor"]
    assert service["terminationGracePeriodSeconds"] == ends
    said = [word for word in service["model"]["args"] if word.startswith("--request-seconds")]
    assert said == ([] if told is None else [f"--request-seconds={told}"])


def test_a_sequential_analysis_ends_with_its_answer_and_waits_without_one() -> None:
    """An answer of yes ends the step, one of no gives the version up, and until then it is asked again; each step says which it is."""
    objects = _golden("sequential")
    metrics = {each["name"]: each for each in only(objects, "AnalysisTemplate")["spec"]["metrics"]}
    for name in ("errors", "requests", "predictions"):
        metric = metrics[name]
        assert (metric["consecutiveSuccessLimit"], metric["failureLimit"]) == (1, 0)
        assert metric["inconclusiveLimit"] >= metric["count"] == 120
    steps = only(objects, "Rollout")["spec"]["strategy"]["canary"]["steps"]
    told = [
        arg["value"]
        for step in steps
        if "analysis" in step
        for arg in step["analysis"]["args"]
        if arg["name"] == "step"
    ]
    assert told == ["1", "2", "3"]
    plain = only(_golden("canary"), "AnalysisTemplate")["spec"]
    assert "step" not in [arg["name"] for arg in plain["args"]]
    assert not any("consecutiveSuccessLimit" in each for each in plain["metrics"])
