"""What teams install and submit: the project's own pipelines with pinned images, and the same made bad in one place each."""

import copy
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from argosy.cli import manifests
from argosy.steps.spec import Family
from kit import quick_yaml

Manifest = dict[str, Any]
ROOT = Path(__file__).parents[2]
REGISTRY = "registry.example/argosy/"


WRITTEN = ("compiled", "retraining", "schedule", "watch", "scoring")
"""What there is of a model, by the names of ``argosy.cli.manifests``."""


def compiled(
    folder: Path, *, models: Sequence[str] = (), settings: str = "", parts: Sequence[str] = WRITTEN
) -> list[Manifest]:
    """Everything that the project's *models*, all unless named, compile to, in a copy of the project below *folder* whose images are
    pinned; with more *settings*, and of it the *parts*."""
    lock = {
        "repository": REGISTRY.rstrip("/"),
        "images": {
            name: {"digest": f"sha256:{'a' * 64}", "bytes": 1} for name in (*get_args(Family), "serve", "tracking")
        },
    }
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "images.lock").write_text(json.dumps(lock), encoding="utf-8")
    found = []
    for source in sorted((ROOT / "workflows").glob("*/pipeline.py")):
        model = folder / "workflows" / source.parent.name
        if models and model.name not in models:
            continue
        shutil.copytree(source.parent, model)
        with (model / "model.yaml").open("a", encoding="utf-8") as file:
            file.write(settings)
        texts = [getattr(manifests, name)(model) for name in parts]
        found += [document for text in texts if text for document in quick_yaml.load_all(text)]
    return found


def committed() -> list[Manifest]:
    """The pipelines of the project's models, as they are committed."""
    return [quick_yaml.load(path.read_bytes()) for path in sorted((ROOT / "workflows").glob("*/pipeline.yaml"))]


def run_of(template: str, namespace: str = "team-credit") -> Manifest:
    """A run in *namespace* of the installed *template*, as `argo submit --from` makes it."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"{template}-", "namespace": namespace},
        "spec": {
            "workflowTemplateRef": {"name": template},
            "arguments": {"parameters": [{"name": "data", "value": "s3://raw/2026"}]},
        },
    }


@dataclass(frozen=True)
class Bad:
    """One way to be refused. *change*: makes it of what is let in; *said*: of the message."""

    name: str
    change: Callable[[Manifest], None]
    said: str

    def of(self, good: Manifest) -> Manifest:
        """*good*, made bad."""
        made = copy.deepcopy(good)
        self.change(made)
        return made


def _step(manifest: Manifest, name: str) -> Manifest:
    (found,) = (template for template in manifest["spec"]["templates"] if template["name"] == name)
    return found  # type: ignore[no-any-return]


def _set(path: str, value: Any, step: str = "") -> Callable[[Manifest], None]:
    """Puts *value* at the dotted *path* of the spec, or of the template *step*; ``+`` at its end adds to a list."""

    def change(manifest: Manifest) -> None:
        at = _step(manifest, step) if step else manifest["spec"]
        *parents, last = path.removesuffix("+").split(".")
        for name in parents:
            at = at.setdefault(name, {})
        at[last] = [*at.get(last, []), value] if path.endswith("+") else value

    return change


def _instead(field: str, value: Any, step: str) -> Callable[[Manifest], None]:
    """Puts *field* in the place of the container of *step*: a template is of one kind."""

    def change(manifest: Manifest) -> None:
        template = _step(manifest, step)
        del template["container"]
        template[field] = value

    return change


def _other_home(manifest: Manifest) -> None:
    (home,) = (one for one in _step(manifest, "sign")["container"]["env"] if one["name"] == "HOME")
    home["value"] = "/argosy/in"


DIGEST = f"@sha256:{'b' * 64}"
TEMPLATES = [
    Bad(
        "tag",
        _set("container.image", f"{REGISTRY}train:1.2", "train"),
        f"template train: {REGISTRY}train:1.2: an image",
    ),
    Bad("short-digest", _set("container.image", f"{REGISTRY}train@sha256:abc", "train"), "named by its digest"),
    Bad(
        "registry",
        _set("container.image", f"evil.example/train{DIGEST}", "train"),
        "images come from registry.example/argosy/",
    ),
    Bad("alike", _set("container.image", f"registry.example/argosyx/train{DIGEST}", "train"), "images come from"),
    Bad("sidecar", _set("sidecars", [{"name": "s", "image": "busybox:1"}], "train"), "template train: busybox:1"),
    Bad("init", _set("initContainers", [{"name": "s", "image": "busybox:1"}], "train"), "template train: busybox:1"),
    Bad(
        "set",
        _instead("containerSet", {"containers": [{"name": "s", "image": "busybox:1"}]}, "train"),
        "template train: busybox:1",
    ),
    Bad("script", _instead("script", {"image": "busybox:1", "source": "x"}, "train"), "template train: busybox:1"),
    Bad("patch", _set("podSpecPatch", "{}"), "spec.podSpecPatch: a patch of the pod"),
    Bad("patch-of-a-step", _set("podSpecPatch", "{}", "sign"), "template sign: podSpecPatch"),
    Bad(
        "host-path",
        _set("volumes+", {"name": "node", "hostPath": {"path": "/"}}),
        "volume node: a step sees nothing of its node",
    ),
    Bad(
        "host-path-of-a-step",
        _set("volumes", [{"name": "n", "hostPath": {"path": "/"}}], "train"),
        "template train: volume n",
    ),
    Bad("nfs", _set("volumes+", {"name": "n", "nfs": {"server": "s", "path": "/"}}), "volume n: a step sees nothing"),
    Bad(
        "projected-token",
        _set("volumes+", {"name": "t", "projected": {"sources": []}}),
        "volume t: a step sees nothing",
    ),
    Bad("account", _set("serviceAccountName", "argo"), "spec.serviceAccountName argo: that is no account of a step"),
    Bad(
        "account-of-a-step",
        _set("serviceAccountName", "argosy-converge", "train"),
        "template train: serviceAccountName argosy-converge",
    ),
    Bad(
        "token", _set("automountServiceAccountToken", True), "spec.automountServiceAccountToken: no step holds a token"
    ),
    Bad("executor", _set("executor.serviceAccountName", "argosy-signing"), "spec.executor.serviceAccountName"),
    Bad("token-of-a-step", _set("automountServiceAccountToken", True, "train"), "template train: token"),
    Bad("executor-of-a-step", _set("executor", {"serviceAccountName": "admin"}, "train"), "template train: token"),
    Bad("host-network", _set("hostNetwork", True), "a step is not root"),
    Bad("root", _set("securityContext.runAsUser", 0), "a step is not root"),
    Bad(
        "root-of-a-step",
        _set("securityContext", {"runAsNonRoot": False}, "train"),
        "template train: a step is not root",
    ),
    Bad(
        "privileged",
        _set("container.securityContext", {"privileged": True}, "train"),
        "template train: a step is not root",
    ),
    Bad(
        "capability",
        _set("container.securityContext", {"capabilities": {"add": ["SYS_ADMIN"]}}, "train"),
        "is not root",
    ),
    Bad("escalation", _set("container.securityContext", {"allowPrivilegeEscalation": True}, "train"), "is not root"),
    Bad(
        "defaults",
        _set("templateDefaults", {"container": {"image": "busybox"}}),
        "spec.templateDefaults: only containers",
    ),
    Bad("plugins", _set("executorPlugins", []), "spec.executorPlugins"),
    Bad("resource", _instead("resource", {"action": "create", "manifest": "{}"}, "train"), "template train: resource"),
    Bad("http", _instead("http", {"url": "http://x"}, "train"), "template train: http"),
    Bad(
        "inline",
        _set("dag.tasks+", {"name": "t", "inline": {"container": {"image": "busybox"}}}, "main"),
        "template main: t: only containers",
    ),
    Bad(
        "inline-steps",
        _set("templates+", {"name": "s", "steps": [[{"name": "t", "inline": {"container": {"image": "b"}}}]]}),
        "template s: t: only containers",
    ),
    Bad(
        "cluster-template",
        _set("dag.tasks+", {"name": "t", "templateRef": {"name": "n", "template": "t", "clusterScope": True}}, "main"),
        "template main: t: only containers",
    ),
    Bad(
        "secret-of-another-class",
        _set("container.envFrom+", {"secretRef": {"name": "argosy-signing"}}, "train"),
        "template train (argosy-step): Secret argosy-signing: that Secret is not of this account",
    ),
    Bad(
        "secret-in-a-variable",
        _set(
            "container.env+",
            {"name": "K", "valueFrom": {"secretKeyRef": {"name": "argosy-forge", "key": "k"}}},
            "ingest",
        ),
        "template ingest (argosy-data): Secret argosy-forge",
    ),
    Bad(
        "secret-volume",
        _set("volumes+", {"name": "k", "secret": {"secretName": "argosy-signing"}}),
        "Secret argosy-signing: that Secret is not",
    ),
    Bad(
        "artifact-of-elsewhere",
        _set(
            "inputs.artifacts+",
            {
                "name": "a",
                "path": "/argosy/in/a",
                "git": {"repo": "https://x", "passwordSecret": {"name": "argosy-signing", "key": "k"}},
            },
            "train",
        ),
        "template train: artifact a: artifacts come from the artifact repository",
    ),
    Bad(
        "artifact-of-another-store",
        _set(
            "outputs.artifacts+",
            {"name": "a", "path": "/argosy/out/a", "s3": {"endpoint": "evil.example", "key": "k"}},
            "train",
        ),
        "template train: artifact a: artifacts come from",
    ),
    Bad(
        "shell-with-a-key",
        _set("container.command", ["sh", "-c", "env"], "sign"),
        "template sign (argosy-signing): sh -c env",
    ),
    Bad(
        "arguments-with-a-key", _set("container.args", ["--x"], "sign"), "an account that holds keys runs its own step"
    ),
    Bad(
        "another-step-with-a-key",
        _set("container.command", ["python", "-m", "argosy.steps.train"], "sign"),
        "runs its own step",
    ),
    Bad("folder-with-a-key", _set("container.workingDir", "/argosy/in", "sign"), "runs its own step"),
    Bad(
        "other-forge",
        _set("container.env+", {"name": "ARGOSY_FORGE_URI", "value": "github:x/y"}, "propose"),
        "send them elsewhere",
    ),
    Bad(
        "other-code", _set("container.env+", {"name": "LD_PRELOAD", "value": "/argosy/in/x"}, "sign"), "load other code"
    ),
    Bad("other-home", _other_home, "load other code"),
    Bad("other-map", _set("container.envFrom+", {"configMapRef": {"name": "mine"}}, "sign"), "load other code"),
    Bad(
        "artifact-over-code",
        _set("inputs.artifacts+", {"name": "a", "path": "/tmp/argosy/steps/sign.py", "raw": {"data": "x"}}, "sign"),
        "template sign (argosy-signing): artifact a",
    ),
    Bad(
        "mount-over-code",
        _set("container.volumeMounts+", {"name": "files", "mountPath": "/opt/argosy"}, "sign"),
        "load other code",
    ),
]
"""Of the pipeline's WorkflowTemplate."""

RUNS = [
    Bad(
        "own-templates",
        lambda one: one["spec"].pop("workflowTemplateRef"),
        "a run comes from a template that is installed here",
    ),
    Bad(
        "cluster-template",
        _set("workflowTemplateRef.clusterScope", True),
        "a run comes from a template that is installed here",
    ),
    Bad("patch", _set("podSpecPatch", "{}"), "spec.podSpecPatch: a run sets parameters and no more"),
    Bad("account", _set("serviceAccountName", "argosy-signing"), "spec.serviceAccountName: a run sets parameters"),
    Bad("templates-beside", _set("templates", [{"name": "main"}]), "spec.templates: a run sets parameters"),
    Bad("volumes", _set("volumes", []), "spec.volumes: a run sets parameters"),
    Bad(
        "settings",
        _set("arguments.artifacts", [{"name": "settings", "raw": {"data": "x"}}]),
        "spec.arguments.artifacts",
    ),
    Bad(
        "provenance",
        _set("arguments.parameters+", {"name": "provenance", "value": "mine"}),
        "a run may not say where it comes from",
    ),
]
"""Of a run."""


def step_pod() -> Manifest:
    """The pod that Argo makes of the step `sign`, in what matters here."""
    argo = {"image": "quay.io/argoproj/argoexec:v4.1.2", "command": ["argoexec"]}
    main = {
        "name": "main",
        "image": f"{REGISTRY}promote{DIGEST}",
        "command": ["/var/run/argo/argoexec", "emissary", "--", "python", "-m", "argosy.steps.sign"],
        "envFrom": [{"secretRef": {"name": "argosy-signing", "optional": True}}],
    }
    secrets = ("argosy-executor.service-account-token", "argosy-artifacts")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "serviceAccountName": "argosy-signing",
            "containers": [{"name": "wait", **argo}, main],
            "initContainers": [{"name": "init", **argo}],
            "volumes": [
                {"name": "files", "emptyDir": {}},
                *({"name": f"s{number}", "secret": {"secretName": name}} for number, name in enumerate(secrets)),
            ],
        },
    }


def _main(field: str, value: Any) -> Callable[[Manifest], None]:
    return lambda pod: pod["spec"]["containers"][1].update({field: value})


PODS = [
    Bad(
        "tag", _main("image", f"{REGISTRY}promote:1"), f"container main: {REGISTRY}promote:1: an image has to be named"
    ),
    Bad("registry", _main("image", f"evil.example/x{DIGEST}"), "images come from registry.example/argosy/"),
    Bad("account", _set("serviceAccountName", "default"), "serviceAccountName default: pods here are those of steps"),
    Bad("no-account", lambda pod: pod["spec"].pop("serviceAccountName"), "serviceAccountName default"),
    Bad("shell", _main("command", ["sh", "-c", "env"]), "container main (argosy-signing): an account that holds keys"),
    Bad("arguments", _main("args", ["x"]), "container main (argosy-signing)"),
    Bad("secret", _main("envFrom", [{"secretRef": {"name": "argosy-forge"}}]), "argosy-signing: Secret argosy-forge"),
    Bad(
        "secret-volume",
        _set("volumes+", {"name": "k", "secret": {"secretName": "argosy-forge"}}),
        "Secret argosy-forge",
    ),
    Bad("host-path", _set("volumes+", {"name": "n", "hostPath": {"path": "/"}}), "volume n: a step is not root"),
    Bad("host-processes", _set("hostPID", True), "the host's network or processes"),
    Bad("privileged", _main("securityContext", {"privileged": True}), "container main: a step is not root"),
]
"""Of a step's pod, whatever made it."""


def _model(manifest: Manifest) -> Manifest:
    """The server's container of an InferenceService, a Rollout or a Deployment."""
    spec = manifest["spec"]
    found: Manifest = spec["predictor"]["model"] if "predictor" in spec else spec["template"]["spec"]["containers"][0]
    return found


def _annotations(manifest: Manifest) -> Manifest:
    spec = manifest["spec"]
    found: Manifest = (
        spec["predictor"]["annotations"] if "predictor" in spec else spec["template"]["metadata"]["annotations"]
    )
    return found


def _pod(manifest: Manifest) -> Manifest:
    spec = manifest["spec"]
    found: Manifest = spec["predictor"] if "predictor" in spec else spec["template"]["spec"]
    return found


def _keys_of_others(manifest: Manifest) -> None:
    (volume,) = (one for one in _pod(manifest)["volumes"] if one["name"] == "release")
    del volume["downwardAPI"]
    volume["configMap"] = {"name": "mine"}


MODELS = [
    Bad(
        "tag",
        lambda one: _model(one).update(image=f"{REGISTRY}serve:1"),
        f"{REGISTRY}serve:1: an image has to be named by its digest",
    ),
    Bad(
        "registry",
        lambda one: _model(one).update(image=f"evil.example/serve{DIGEST}"),
        "images come from registry.example/argosy/",
    ),
    Bad(
        "unsigned",
        lambda one: _annotations(one).pop("argosy.dev/bundle-signature"),
        "argosy.dev/bundle-signature: nothing is served",
    ),
    Bad(
        "empty-signature",
        lambda one: _annotations(one).update({"argosy.dev/bundle-signature": ""}),
        "nothing is served here that was",
    ),
    Bad(
        "no-key",
        lambda one: _annotations(one).pop("argosy.dev/verifying-key"),
        "argosy.dev/verifying-key: nothing is served",
    ),
    Bad(
        "not-verified",
        lambda one: _model(one)["args"].remove("--signature=/etc/argosy/bundle.sig"),
        "has to prove digest",
    ),
    Bad("told-not-to-verify", lambda one: _model(one)["args"].append("--unsigned"), "has to prove digest"),
    Bad(
        "other-digest",
        lambda one: _annotations(one).update({"argosy.dev/model-digest": "sha256:0"}),
        "has to prove digest",
    ),
    Bad(
        "other-release", lambda one: _annotations(one).update({"argosy.dev/model-version": "9"}), "has to prove digest"
    ),
    Bad("other-program", lambda one: _model(one).update(command=["sh", "-c", "x"]), "has to prove digest"),
    Bad("keys-of-others", _keys_of_others, "volume release: the server has to prove"),
    Bad("beside", lambda one: _pod(one).setdefault("containers", []).append(_beside()), "has to prove digest"),
    Bad(
        "other-code",
        lambda one: _model(one)["env"].append({"name": "LD_PRELOAD", "value": "x"}),
        "variable LD_PRELOAD: it would make",
    ),
]
"""Of what serves a model, as the chart inference makes it."""


def _beside() -> Manifest:
    return {"name": "x", "image": f"{REGISTRY}serve{DIGEST}"}


SOMEBODY_S = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "somebody-s"},
    "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://anywhere/model"}}},
}
"""A model by KServe's own means, that nobody signed."""
