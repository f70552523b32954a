"""Which values charts/inference takes, and what it says of those it does not."""

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest

from argosy.domain.release import Version
from kit.inference_chart import CHART, ROOT, only, refusal, render, values


def test_schema_defaults_and_reference_are_current() -> None:
    """One source says what a value is; the rest is written from it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "charts" / "reference.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run charts/reference.py; stale: {done.stdout}"


def test_every_value_is_described() -> None:
    """The reference page has no empty line."""

    def undescribed(schema: dict[str, Any], path: str = "") -> list[str]:
        found = []
        for name, inner in schema.get("properties", {}).items():
            here = f"{path}{name}"
            found += [here] if not inner.get("description") else []
            found += undescribed(inner, f"{here}.")
            assert "properties" not in inner or inner["additionalProperties"] is False, f"{here} takes anything"
        return found

    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert schema["additionalProperties"] is False
    assert undescribed(schema) == []


def test_the_schema_knows_every_key_of_a_version() -> None:
    """What the pipeline writes to version.yaml is what the chart takes."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    keys = {field.alias for field in Version.model_fields.values()}
    assert keys <= schema["properties"].keys()


SHARES = json.loads((ROOT / "tests" / "charts" / "shares.json").read_text(encoding="utf-8"))["shares"]


@pytest.mark.parametrize("case", [case for case in SHARES if not case.startswith("1 replicas")])
def test_shares_are_those_of_argo_rollouts(case: str) -> None:
    """What is printed is what will be: the pods that Argo Rollouts' own code chooses."""
    replicas, _, _, surge = case.replace(",", "").split()
    canary = {"steps": [int(weight) for weight in SHARES[case]], "tolerance": 100, "maxSurge": int(surge)}
    canary["maxUnavailable"] = 1 - int(surge)
    noted = only(render({"replicas": int(replicas), "canary": canary}), "Rollout")["metadata"].get("annotations", {})
    lines = [line.split() for line in noted.get("argosy.dev/shares", "").split("; ") if line]
    printed = {weight: f"{new} of {every}" for weight, _, new, every in lines}
    expected = {
        weight: pods
        for weight, pods in SHARES[case].items()
        if int(pods.split()[0]) * 100 != int(weight) * int(pods.split()[2])
    }
    assert printed == expected


@pytest.mark.parametrize(
    ("over", "words"),
    [
        pytest.param({"replica": 3}, ["replica", "additional"], id="unknown-value"),
        pytest.param({"canary": {"step": [10]}}, ["step", "additional"], id="unknown-value-inside"),
        pytest.param({"modelDigest": "sha256:123"}, ["modelDigest", "pattern"], id="digest-that-is-none"),
        pytest.param({"storageUri": "s3://models/v1"}, ["storageUri", "pattern"], id="address-without-its-end"),
        pytest.param({"model": "Churn; curl x | sh"}, ["model", "pattern"], id="name-that-is-code"),
        pytest.param({"signature": ""}, ["nothing unsigned is served", "--set-file signature"], id="no-signature"),
        pytest.param({"verifyingKey": ""}, ["cannot be checked without it"], id="no-key"),
        pytest.param(
            {"unsigned": True, "environment": "production"}, ["production serves nothing unsigned"], id="unsigned"
        ),
        pytest.param({"image": "registry/serve:1.0"}, ["image", "pattern"], id="image-by-tag"),
        pytest.param(
            {"server": {"workers": 2}},
            ["server.workers is 2, but resources.limits.cpu is 1", "resources.limits.cpu: 2"],
            id="workers-without-cores",
        ),
        pytest.param(
            {"server": {"workers": 2}, "resources": {"limits": {"cpu": "1900m"}}},
            ["resources.limits.cpu is 1900m"],
            id="workers-and-half-a-core",
        ),
        pytest.param({"server": {"workers": 0}}, ["workers", "minimum"], id="no-worker"),
        pytest.param(
            {"telemetry": {"endpoint": "collector:4318"}}, ["endpoint", "pattern"], id="collector-without-scheme"
        ),
        pytest.param({"telemetry": {"sampler": "sometimes"}}, ["sampler"], id="sampler-that-is-none"),
        pytest.param(
            {
                "telemetry": {"endpoint": "http://collector:4318"},
                "server": {"env": [{"name": "OTEL_TRACES_SAMPLER", "value": "always_on"}]},
            },
            ["OTEL_TRACES_SAMPLER is what telemetry sets too"],
            id="sampler-twice",
        ),
        pytest.param(
            {"server": {"env": [{"name": "LD_PRELOAD", "value": "x.so"}]}}, ["LD_PRELOAD", "other code"], id="preload"
        ),
        pytest.param(
            {"server": {"env": [{"name": "ARGOSY_ONLINE_STORE_URI", "value": "x"}]}},
            ["another place"],
            id="our-setting",
        ),
        pytest.param({"minimumVersion": 4}, ["version is 3, but minimumVersion is 4", "nothing older"], id="too-old"),
        pytest.param({"minimumVersion": 3000000}, ["version is 3, but minimumVersion is 3000000"], id="too-old-by-far"),
        pytest.param({"strategy": "rolling"}, ["rolling needs mode: plain"], id="rolling-with-kserve"),
        pytest.param(
            {"mode": "plain"}, ["storage.uri is", "fetches s3://models/churn/aaaa"], id="plain-without-a-store"
        ),
        pytest.param({"canary": {"steps": [50, 25]}}, ["25 comes after 50", "ascend"], id="descending"),
        pytest.param(
            {"replicas": 1},
            ["10 % of the requests would be 50.0 %", "1 of 2 pods", "canary.tolerance"],
            id="unreachable",
        ),
        pytest.param({"canary": {"maxSurge": 0}}, ["both 0", "ever be replaced"], id="no-pod-can-move"),
        pytest.param({"analysis": {"minimumRequests": 20}}, ["below 100 one error alone"], id="sample-for-errors"),
        pytest.param(
            {"analysis": {"predictions": {"minimum": 100}}}, ["below 338 chance alone"], id="sample-for-distributions"
        ),
        pytest.param({"analysis": {"windowSeconds": 30}}, ["never be looked at"], id="window-with-gaps"),
        pytest.param(
            {"storageUri": "gs://models/churn/"},
            ["predictionLog.uri", "turn predictionLog.enabled off"],
            id="log-without-a-place",
        ),
        pytest.param({"predictionLog": {"claim": "p", "uri": "s3://p"}}, ["uri and claim"], id="log-in-two-places"),
        pytest.param({"stream": {"from": "customers"}}, ["stream: from and to go together"], id="half-a-stream"),
        pytest.param(
            {"autoscaling": {"enabled": True, "maxReplicas": 2}}, ["maxReplicas is 2, below replicas (3)"], id="ceiling"
        ),
        pytest.param(
            {"trafficRouting": {"gateway": {"parentRefs": [{"name": "g"}]}, "other": {"nginx": {}}}},
            ["one router"],
            id="two-routers",
        ),
    ],
)
def test_values_that_are_refused(over: dict[str, Any], words: list[str]) -> None:
    """What, why, and what to do, before anything reaches a cluster."""
    said = refusal(over)
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({"storageUri": "s3://models/churn/v1"}, id="bundle"),
        pytest.param(
            {"onlineStore": {"uri": "s3://models/online/v1", "digest": "sha256:" + "b" * 64}}, id="online-store"
        ),
    ],
)
def test_an_address_that_begins_like_others(over: dict[str, Any]) -> None:
    """Refused: KServe fetches every key that begins with it, `v1` brings `v11` too. A slash at its end ends it."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    for key, value in over.items():
        jsonschema.validate(values()[key], schema["properties"][key])
        with pytest.raises(jsonschema.ValidationError, match="does not match"):
            jsonschema.validate(value, schema["properties"][key])


def test_a_try_may_be_unsigned() -> None:
    """Somebody must say so; then nothing about signatures is left in it."""
    objects = render({"unsigned": True, "signature": "", "verifyingKey": ""})
    predictor = only(objects, "InferenceService")["spec"]["predictor"]
    assert "--unsigned" in predictor["model"]["args"]
    assert "bundle.sig" not in json.dumps(objects)


def test_nothing_but_the_version_changes_the_pods() -> None:
    """A change of how it is rolled out, watched or measured starts no canary."""

    def pods(over: dict[str, Any]) -> Any:
        objects = render(over)
        service = only(objects, "InferenceService")
        return service["spec"], service["metadata"], only(objects, "ServingRuntime")["spec"]

    watched = {"canary": {"stepSeconds": 60}, "serviceMonitor": {"enabled": True}, "latency": {"p95Milliseconds": 50}}
    assert pods({}) == pods(watched)
    assert pods({}) != pods({"version": 4})


def test_a_model_is_named_as_clusters_name_things() -> None:
    """Underscores are for Python."""
    objects = render({"model": "flight_delay"})
    assert only(objects, "Rollout")["metadata"]["name"] == "flight-delay"
    assert "--model=flight_delay" in only(objects, "InferenceService")["spec"]["predictor"]["model"]["args"]


def test_everybody_is_kept_out_where_nobody_is_let_in() -> None:
    """An empty list of callers is nobody; Kubernetes would read it as everybody."""
    policy = {"enabled": True, "callers": [], "monitoring": []}
    spec = only(render({"networkPolicy": policy}), "NetworkPolicy")["spec"]
    assert spec["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"argosy.dev/nobody": "true"}}}]
    assert values()["replicas"] == 3


@pytest.mark.parametrize(("workers", "cpu"), [(2, "2"), (2, "2500m"), (2, 2), (1, "500m"), (4, 4.5)])
def test_workers_with_a_core_each_are_started(workers: int, cpu: str | float) -> None:
    """By one option; one process is what there is without it."""
    objects = render({"server": {"workers": workers}, "resources": {"limits": {"cpu": cpu}}})
    words = only(objects, "InferenceService")["spec"]["predictor"]["model"]["args"]
    assert [word for word in words if word.startswith("--workers")] == ([f"--workers={workers}"] if workers > 1 else [])


def test_a_collector_is_named_to_the_server_alone() -> None:
    """As OpenTelemetry's variables have it; without one no variable is there."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.05",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=staging",
    }
    for endpoint, expected in (("http://collector:4318", variables), ("", {})):
        model = only(render({"telemetry": {"endpoint": endpoint}}), "InferenceService")["spec"]["predictor"]["model"]
        assert {each["name"]: each["value"] for each in model["env"] if each["name"].startswith("OTEL_")} == expected
