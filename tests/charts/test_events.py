"""What charts/platform makes of `events`: Argo Events' objects, what they may do, and what becomes of an event."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy.domain import alerts
from argosy.steps.retrain_admission.spec import SPEC
from argosy.templates import folder
from kit import quick_yaml
from kit.platform_chart import ROOT, Objects, named, render, template

SCHEMA = "ARGO_EVENTS_SCHEMA"
"""Variable that names Argo Events' own JSON Schema (api/jsonschema/schema.json of its sources), which is not kept here."""

LONGEST_NAME = "m" * 53
VALUES: dict[str, Any] = {
    "events": {
        "enabled": True,
        "objects": {"endpoint": "minio:9000"},
        "push": {"from": [{"podSelector": {"matchLabels": {"app": "ingress"}}}]},
        "models": [
            {
                "name": "flight_delay",
                "push": {"owner": "team", "repository": "models", "branch": "release-1.2"},
                "data": {"bucket": "sources", "prefix": "flights/"},
                "schedule": {"cron": "0 2 * * *"},
            },
            {"name": "churn"},
            {"name": LONGEST_NAME},
        ],
    }
}
ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "ArgosyDrift", "model": "churn", "environment": "production", "retrain": "true"},
    "startsAt": "2026-03-01T10:00:00Z",
    "fingerprint": "35fea2ef9f5d2a12",
}


@pytest.fixture(scope="module")
def objects() -> Objects:
    """What the chart makes where everything listens."""
    return render(VALUES)


def of_events(objects: Objects) -> Objects:
    """Those that are Argo Events'."""
    return [one for one in objects if one["kind"] in {"EventBus", "EventSource", "Sensor"}]


def trigger(objects: Objects, model: str, name: str) -> dict[str, Any]:
    """The trigger *name* of a model's sensor."""
    sensor = named(objects, "Sensor", f"retrain-{model}")
    (found,) = (one for one in sensor["spec"]["triggers"] if one["template"]["name"] == name)
    return dict(found)


def message(*among: Mapping[str, Any]) -> dict[str, Any]:
    """What Alertmanager sends, as its event holds it."""
    return {"body": {"version": "4", "status": "firing", "alerts": list(among) or [ALERT]}, "header": {}}


def filled(objects: Objects, model: str, name: str, event: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The workflow that a trigger creates for *event*: its templates are Go's and Sprig's, which Helm has, too."""
    k8s = trigger(objects, model, name)["template"]["k8s"]
    workflow: dict[str, Any] = json.loads(json.dumps(k8s["source"]["resource"]))
    for parameter in k8s["parameters"]:
        text = evaluated(parameter["src"]["dataTemplate"], event, folder)
        if parameter["dest"] == "metadata.name":
            workflow["metadata"]["name"] = text
        else:
            assert parameter["dest"] == "spec.arguments.parameters.0.value"
            workflow["spec"]["arguments"]["parameters"][0]["value"] = text
    return workflow


def evaluated(text: str, event: Mapping[str, Any], folder: Path) -> str:
    """*text* as a Go template, with *event* as its input."""
    helm = shutil.which("helm") or pytest.skip("helm is not installed")
    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: go\nversion: 0.1.0\n")
    (chart / "templates" / "out.yaml").write_text(
        'out: {{ tpl .Values.text (dict "Input" .Values.event "Template" .Template) | quote }}\n'
    )
    values = folder / "values.json"
    values.write_text(json.dumps({"text": text, "event": event}))
    done = subprocess.run(
        [helm, "template", "x", str(chart), "--values", str(values)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return str(quick_yaml.load(done.stdout)["out"])


def test_nothing_listens_unless_it_is_asked_for() -> None:
    """A cluster without Argo Events gets none of its objects, and nobody who creates workflows."""
    objects = render()
    assert of_events(objects) == []
    assert not [one for one in objects if one["metadata"]["name"] in {"argosy-sensor", "argosy-event-source"}]


def test_a_sensor_creates_workflows_and_nothing_else(objects: Objects) -> None:
    """It reads none, and what receives events may do nothing and has no token."""
    rules = named(objects, "Role", "argosy-sensor")["rules"]
    assert rules == [{"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["create"]}]
    assert named(objects, "ServiceAccount", "argosy-event-source")["automountServiceAccountToken"] is False
    bound = [one for one in objects if one["kind"] == "RoleBinding" and one["metadata"]["name"] == "argosy-sensor"]
    assert [subject["name"] for one in bound for subject in one["subjects"]] == ["argosy-sensor"]
    sources = [one for one in objects if one["kind"] == "EventSource"]
    assert {one["spec"]["template"]["serviceAccountName"] for one in sources} == {"argosy-event-source"}


def _pods(objects: Objects) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for one in of_events(objects):
        spec = one["spec"]
        if one["kind"] == "EventBus":
            for container in ("containerTemplate", "reloaderContainerTemplate", "metricsContainerTemplate"):
                yield spec["jetstream"]["securityContext"], spec["jetstream"][container]
        else:
            yield spec["template"]["securityContext"], spec["template"]["container"]


def test_pods_are_restricted(objects: Objects) -> None:
    """As the profile `restricted` wants it, with limits."""
    pods = list(_pods(objects))
    assert len(pods) >= 10
    for pod, container in pods:
        assert pod["runAsNonRoot"] is True
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}


def test_the_webhook_wants_a_token(objects: Objects) -> None:
    """And takes no more than admission reads."""
    hook = named(objects, "EventSource", "argosy-alerts")["spec"]["webhook"]["alert"]
    assert hook["authSecret"] == {"name": "argosy-events", "key": "alertmanager"}
    assert hook["maxPayloadSize"] == alerts.LONGEST
    assert hook["method"] == "POST"


def test_a_push_is_signed(objects: Objects) -> None:
    """Every hook of a forge has the secret."""
    hooks = named(objects, "EventSource", "argosy-push")["spec"]["github"]
    assert {name: hook["webhookSecret"] for name, hook in hooks.items()} == {
        "flight-delay": {"name": "argosy-events", "key": "push"}
    }


LISTENING = {"webhook": "authSecret", "github": "webhookSecret"}
"""Event sources that others connect to, and the field by which Argo Events asks who they are; it asks nobody where that is left out."""
ASKING = {"minio", "calendar"}
"""Those that connect themselves, or to nobody."""


def test_no_rendering_leaves_a_webhook_open() -> None:
    """Whatever listens, each hook names a key of the Secret that there has to be; a kind that nobody looked at is no hook yet."""
    push = {"owner": "a", "repository": "b"}
    renderings = {
        "all": VALUES,
        "alerts-alone": {"events": {"enabled": True, "models": [{"name": "churn"}]}},
        "pushes-alone": {
            "events": {"enabled": True, "models": [{"name": n, "alerts": False, "push": push} for n in "mn"]}
        },
        "own-secret": {"events": {**VALUES["events"], "secret": "hooks"}},
    }
    open_, found = [], 0
    for case, given in renderings.items():
        secret = given["events"].get("secret", "argosy-events")
        for one in (each for each in render(given) if each["kind"] == "EventSource"):
            kinds = one["spec"].keys() - {"eventBusName", "template", "service"}
            assert kinds <= LISTENING.keys() | ASKING, case
            for kind, name, hook in ((k, n, h) for k in kinds & LISTENING.keys() for n, h in one["spec"][k].items()):
                found += 1
                asked = hook.get(LISTENING[kind], {})
                if asked != {"name": secret, "key": {"webhook": "alertmanager", "github": "push"}[kind]}:
                    open_.append((case, kind, name, asked))
    assert (open_, found) == ([], 2 + 1 + 2 + 2)


@pytest.mark.parametrize("key", ["alertmanager", "push"])
def test_a_secret_of_the_chart_lacks_no_key_that_listens(key: str) -> None:
    """A source without its key does not start; the chart says so first."""
    content = {"alertmanager": "a", "push": "b"}
    assert template({**VALUES, "secrets": {"argosy-events": content}}).returncode == 0
    done = template({**VALUES, "secrets": {"argosy-events": {k: v for k, v in content.items() if k != key}}})
    assert done.returncode != 0
    assert f"secrets.argosy-events: give it {key}," in done.stderr


def test_who_may_connect(objects: Objects) -> None:
    """Alertmanager to the webhook, and the sources and sensors to the bus."""
    (rule,) = named(objects, "NetworkPolicy", "argosy-alerts")["spec"]["ingress"]
    assert rule["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "alertmanager"}},
        }
    ]
    assert rule["ports"] == [{"port": 12000, "protocol": "TCP"}]
    policies = {one["metadata"]["name"]: one for one in objects if one["kind"] == "NetworkPolicy"}
    assert {"argosy-push", "argosy-bus"} <= set(policies)
    shut = render({"events": {**VALUES["events"], "push": {}}})
    assert "argosy-push" not in {one["metadata"]["name"] for one in shut if one["kind"] == "NetworkPolicy"}


def test_events_find_the_template_that_is_compiled(objects: Objects) -> None:
    """The template's name, and every parameter that a trigger sets, are those of the committed retrain.yaml."""
    for model, names in (("flight-delay", ["alert", "push", "data", "schedule"]), ("churn", ["alert"])):
        path = ROOT / "workflows" / model.replace("-", "_") / folder.RETRAINING
        compiled = quick_yaml.load(path.read_text(encoding="utf-8"))
        known = {one["name"] for one in compiled["spec"]["arguments"]["parameters"]}
        for name in names:
            made = trigger(objects, model, name)["template"]["k8s"]["source"]["resource"]["spec"]
            assert made["workflowTemplateRef"] == {"name": compiled["metadata"]["name"]}
            assert {one["name"] for one in made["arguments"]["parameters"]} <= known
    assert {"alert", "kind", "because"} <= {parameter.name for parameter in SPEC.parameters}


@pytest.mark.parametrize("model", ["churn", LONGEST_NAME])
def test_an_alert_becomes_a_workflow(objects: Objects, model: str, tmp_path: Path) -> None:
    """Its name is one of Kubernetes' and made of the alert; what Alertmanager sent is its parameter, whole, in base64."""
    own = {**ALERT, "labels": {**ALERT["labels"], "model": model}}
    workflow = filled(objects, model, "alert", message(own), tmp_path)
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])", workflow["metadata"]["name"])
    first, kind = workflow["spec"]["arguments"]["parameters"]
    assert (first["name"], kind["value"]) == ("alert", "alert")
    text = base64.b64decode(first["value"].removeprefix("base64:"), validate=True)
    assert [alert.model for alert in alerts.read(text).alerts] == [model]


def test_the_same_alert_is_the_same_workflow(objects: Objects, tmp_path: Path) -> None:
    """Whatever else is in the group, and whatever its texts say; another time or fingerprint is another. The hour is part of it."""

    def name(*among: Mapping[str, Any]) -> str:
        return str(filled(objects, "churn", "alert", message(*among), tmp_path)["metadata"]["name"])

    first = name(ALERT)
    others = {**ALERT, "labels": {**ALERT["labels"], "model": "churn_eu"}}
    assert name(others, {**ALERT, "annotations": {"summary": "{{ now }} $(x)"}}) == first
    assert name({**ALERT, "startsAt": "2026-03-01T11:00:00Z"}) != first
    assert name({**ALERT, "fingerprint": "0a"}) != first
    assert 'dateInZone "2006-01-02T15" now "UTC"' in json.dumps(trigger(objects, "churn", "alert")).replace('\\"', '"')


EVENTS: dict[str, dict[str, Any]] = {
    "push": {"body": {"ref": "refs/heads/main", "after": "0a" * 20}},
    "data": {
        "notification": [
            {"s3": {"bucket": {"name": "sources"}, "object": {"key": "flights/a%2Bb.csv", "eTag": "9b2cf535"}}}
        ]
    },
    "schedule": {"eventTime": "2026-03-01 02:00:00 +0000 UTC"},
}
TEXTS = {
    "push": "commit " + "0a" * 20 + " of refs/heads/main",
    "data": "sources/flights/a%2Bb.csv, version 9b2cf535",
    "schedule": "due 2026-03-01 02:00:00 +0000 UTC",
}


@pytest.mark.parametrize("name", EVENTS)
def test_other_events_become_workflows(objects: Objects, name: str, tmp_path: Path) -> None:
    """With a name of their own, the kind that admission knows, and what happened in words."""
    workflow = filled(objects, "flight-delay", name, EVENTS[name], tmp_path)
    because, kind = workflow["spec"]["arguments"]["parameters"]
    assert base64.b64decode(because["value"].removeprefix("base64:")).decode() == TEXTS[name]
    assert kind["value"] == {"data": "new data"}.get(name, name)
    assert re.fullmatch(r"flight-delay-[pds]-[0-9a-f]{20}", workflow["metadata"]["name"])
    again = filled(objects, "flight-delay", name, EVENTS[name], tmp_path)
    assert again == workflow
    if name != "push":
        assert workflow["metadata"]["name"].endswith(
            hashlib.sha256(TEXTS[name].removeprefix("due ").encode()).hexdigest()[:20]
        )


def test_no_event_is_lost_by_a_restart(objects: Objects) -> None:
    """Argo Events acknowledges before it acts unless it is told otherwise, and tries once."""
    triggers = [one for sensor in objects if sensor["kind"] == "Sensor" for one in sensor["spec"]["triggers"]]
    creating = {one["template"]["name"]: one for one in triggers if "k8s" in one["template"]}
    assert set(creating) == {"alert", "push", "data", "schedule"}
    assert all(one["atLeastOnce"] for one in creating.values())
    assert all(one["rateLimit"]["requestsPerUnit"] >= 1 for one in triggers)
    assert (
        {name: one["retryStrategy"]["steps"] for name, one in creating.items()}
        == {
            "alert": 1,  # Alertmanager repeats it; a duplicate, which fails too, would hold up the next for the time of the tries
            "push": 6,
            "data": 6,
            "schedule": 6,
        }
    )


def test_filters_match_the_whole_text(objects: Objects) -> None:
    """A value is a pattern that is looked for anywhere: `churn` would be found in `churn_eu`."""
    sensors = [one for one in objects if one["kind"] == "Sensor"]
    filters = [
        one
        for sensor in sensors
        for dependency in sensor["spec"]["dependencies"]
        for one in dependency.get("filters", {}).get("data", [])
    ]
    assert len(filters) == 6
    for one in filters:
        for value in one["value"]:
            assert value.startswith("^")
            assert value.endswith("$")
            re.compile(value)
    (branch,) = (value for one in filters if one["path"] == "body.ref" for value in one["value"])
    assert re.fullmatch(branch, "refs/heads/release-1.2")
    assert not re.fullmatch(branch, "refs/heads/release-1x2")
    (after,) = (value for one in filters if one["path"] == "body.after" for value in one["value"])
    assert not re.search(after, "0" * 40)  # a branch that was deleted


@pytest.mark.parametrize(
    ("models", "stranger"),
    [
        pytest.param(["churn"], False, id="listed"),
        pytest.param(["churn", "flight_delay"], False, id="both-listed"),
        pytest.param(["churn", "nobody"], True, id="one-is-not"),
        pytest.param(["churn_eu"], True, id="a-longer-name"),
        pytest.param([], False, id="of-no-model"),
    ],
)
def test_strangers_leave_a_line(objects: Objects, models: list[str], stranger: bool) -> None:
    """An alert about a model that is not listed is logged, and that is all."""
    spec = named(objects, "Sensor", "argosy-strangers")["spec"]
    ((pattern,),) = (one["value"] for one in spec["dependencies"][0]["filters"]["data"])
    assert spec["dependencies"][0]["filters"]["data"][0]["comparator"] == "!="
    assert bool(re.search(pattern, json.dumps(models, separators=(",", ":")))) is not stranger
    assert [one["template"].get("k8s") for one in spec["triggers"]] == [None]


def test_the_bus_has_as_many_copies_as_pods() -> None:
    """A stream that asks for more than there are is never made, and one that asks for fewer loses events with a node."""
    for replicas in (1, 3):
        values = {**VALUES["events"], "bus": {"replicas": replicas, "storage": ""}}
        bus = named(render({"events": values}), "EventBus", "argosy")["spec"]["jetstream"]
        assert bus["replicas"] == replicas
        assert quick_yaml.load(bus["streamConfig"]) == {"maxAge": "24h", "replicas": replicas}
        assert "persistence" not in bus


def test_a_bus_of_ones_own() -> None:
    """One that runs already, or an EventBus that somebody else made."""
    values = {**VALUES["events"], "bus": {"url": "nats://nats.infra:4222", "accessSecret": "bus"}}
    spec = named(render({"events": values}), "EventBus", "argosy")["spec"]
    assert spec["jetstreamExotic"]["url"] == "nats://nats.infra:4222"
    assert spec["jetstreamExotic"]["accessSecret"] == {"name": "bus", "key": "auth.yaml"}
    theirs = render({"events": {**VALUES["events"], "bus": {"create": False, "name": "default"}}})
    assert not [one for one in theirs if one["kind"] == "EventBus"]
    assert {one["spec"]["eventBusName"] for one in of_events(theirs)} == {"default"}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        pytest.param({"models": []}, "name the models that events may retrain", id="no-models"),
        pytest.param({"models": [{"name": "a b"}]}, "name", id="no-name"),
        pytest.param({"models": [{"name": "m" * 54}]}, "name", id="long"),
        pytest.param({"models": [{"name": "m", "data": {"bucket": "b"}}]}, "events.objects.endpoint", id="no-store"),
        pytest.param({"models": [{"name": "m", "push": {"owner": "a"}}]}, "repository", id="half-a-repository"),
        pytest.param({"models": [{"name": "m"}], "bus": {"replicas": 2}}, "replicas", id="an-even-number"),
        pytest.param({"models": [{"name": "m"}], "secret": ""}, "secret", id="no-secret"),
        pytest.param({"models": [{"name": "m"}], "secret": None}, "secret", id="a-secret-of-null"),
    ],
)
def test_values_that_make_no_sense(events: dict[str, Any], said: str) -> None:
    """Are refused when they are installed, not when an alert comes."""
    done = template({"events": {"enabled": True, **events}})
    assert done.returncode != 0
    assert said in done.stderr


def _unknown(schema: Mapping[str, Any], shape: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    """Fields of *value* that *shape* has not: the schema itself lets them pass, and so does an API server."""
    while "$ref" in shape:
        shape = schema["definitions"][shape["$ref"].rpartition("/")[2]]
    if isinstance(value, dict) and "properties" in shape:
        for name, inner in value.items():
            if name not in shape["properties"]:
                yield f"{at}.{name}"
            else:
                yield from _unknown(schema, shape["properties"][name], inner, f"{at}.{name}")
    elif isinstance(value, dict) and isinstance(shape.get("additionalProperties"), dict):
        for name, inner in value.items():
            yield from _unknown(schema, shape["additionalProperties"], inner, f"{at}.{name}")
    elif isinstance(value, list) and "items" in shape:
        for number, inner in enumerate(value):
            yield from _unknown(schema, shape["items"], inner, f"{at}[{number}]")


def test_argo_events_knows_every_field(objects: Objects) -> None:
    """By its own schema, where that is at hand: each field is one it has, of the type it wants."""
    jsonschema = pytest.importorskip("jsonschema")
    path = os.environ.get(SCHEMA) or pytest.skip(f"{SCHEMA} names no schema of Argo Events")
    schema = json.loads(Path(path).read_text(encoding="utf-8"))
    made = of_events(objects)
    assert len(made) == 9
    for one in made:
        name = f"io.argoproj.events.v1alpha1.{one['kind']}"
        spec = {**schema["definitions"][name], "definitions": schema["definitions"]}
        # What it calls required (an owner in GitHub's, an interval in a calendar's) its own examples leave out.
        wrong = [error for error in jsonschema.Draft7Validator(spec).iter_errors(one) if error.validator != "required"]
        assert [f"{error.json_path}: {error.message}" for error in wrong] == []
        assert list(_unknown(schema, spec, one, one["metadata"]["name"])) == []
