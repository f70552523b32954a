"""What Argo refuses, and what this engine does not run, is refused before the first step, with the path of the field."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine.attempts import containers
from argosy.engine.options import RunOptions, RunResult
from kit.manifests import HEAD

Run = Callable[..., RunResult]

OK = 'container: {image: any, command: [sh, -c, "true"]}'


def dag(*tasks: str, more: str = "") -> str:
    """A workflow of one DAG with *tasks*."""
    main = f"  - name: main\n    dag: {{tasks: [{', '.join(tasks)}]}}\n"
    return f"{HEAD}  entrypoint: main\n  templates:\n{main}  - {{name: ok, {OK}}}\n{more}"


def leaf(container: str, more: str = "") -> str:
    """A workflow of one template."""
    return f"{HEAD}  entrypoint: main\n  templates:\n  - name: main\n    {container}\n{more}"


INNER = """
  - name: inner
    inputs: {parameters: [{name: r}]}
    dag: {tasks: [{name: 'a-{{inputs.parameters.r}}', template: ok}]}
"""


def container_set(*containers: str, more: str = "", beside: str = "") -> str:
    """A workflow of one container set."""
    return leaf(f"containerSet: {{containers: [{', '.join(containers)}]{more}}}", beside)


A = "{name: a, image: any, command: [x]}"
MAIN = "{name: main, image: any, command: [x]}"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        pytest.param(
            container_set(A, beside="    outputs: {parameters: [{name: o, valueFrom: {path: /tmp/o}}]}\n"),
            r"containerSet.containers: must have a container named 'main' for input or output",
            id="outputs-of-a-set-without-main",
        ),
        pytest.param(
            container_set("{name: a, image: any, command: [x], dependencies: [b]}"),
            r"containerSet.containers\[0\].dependencies: 'b' is not a container",
            id="dependency-on-no-container",
        ),
        pytest.param(
            container_set(
                "{name: a, image: any, command: [x], dependencies: [main]}",
                "{name: main, image: any, command: [x], dependencies: [a]}",
            ),
            "containerSet.containers: dependency cycle: main->a->main|dependency cycle: a->main->a",
            id="containers-in-a-circle",
        ),
        pytest.param(container_set(A, A), r"containers\[1\].name: 'a' is not unique", id="containers-of-one-name"),
        pytest.param(
            container_set("{name: wait, image: any, command: [x]}"),
            "'wait' is a reserved Argo container name",
            id="reserved-container-name",
        ),
        pytest.param(
            leaf(OK, "    sidecars: [{name: supervisor, image: any, command: [x]}]\n"),
            r"sidecars\[0\].name: 'supervisor' is a reserved Argo container name",
            id="reserved-sidecar-name",
        ),
        pytest.param(
            container_set(MAIN, more=", volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /v}]"),
            r"containerSet.volumeMounts\[1\].mountPath: '/v' already mounted in containerSet.volumeMounts\[0\]",
            id="set-mounts-twice",
        ),
        pytest.param(
            container_set(MAIN, more=", retryStrategy: {retries: 2, duration: soon}"),
            "containerSet.retryStrategy.duration: ",
            id="set-retries-after-no-time",
        ),
        pytest.param(
            container_set(MAIN, "{name: b, image: any}"),
            "container 'b': has no command",
            id="container-without-command",
        ),
        pytest.param(
            leaf(OK, "    initContainers: [{name: b, image: any}]\n"),
            "container 'b': has no command",
            id="init-container-without-command",
        ),
        pytest.param(leaf(OK, "    colour: red\n"), r"spec.templates\[0\].colour: unknown field", id="unknown-field"),
        pytest.param(leaf(OK, "    activeDeadlineSecond: 3\n"), "did you mean 'activeDeadlineSeconds'", id="typo"),
        pytest.param(
            leaf("container: {image: any, command: [x], lifecycle: {}}"),
            r"spec.templates\[0\].container.lifecycle: not supported by argosy run",
            id="unsupported-field",
        ),
        pytest.param(
            leaf(OK, '    podSpecPatch: \'{"containers": [{"name": "main", "image": "other"}]}\'\n'),
            r"templates\[0\].podSpecPatch: patches 'image'",
            id="patch-that-changes-what-runs",
        ),
        pytest.param(leaf("plugin: {x: {}}"), r"templates\[0\].plugin: not supported", id="plugin"),
        pytest.param(
            leaf("container: {image: any, command: [x], env: [{name: A, value: a}, {name: A, value: b}]}"),
            r"container.env\[1\].name: 'A' is there twice",
            id="variable-twice",
        ),
        pytest.param(
            dag("{name: '{{item}}', template: ok, withItems: [a]}"), "'{{item}}' is invalid", id="variable-as-name"
        ),
        pytest.param(leaf(OK, "  onExit: '{{=1 +}}'\n"), r"spec.onExit: unexpected the end", id="no-expression"),
        pytest.param(leaf("container: {image: any}"), "has no command", id="no-command"),
        pytest.param(leaf("container: {command: [x]}"), "container.image: may not be empty", id="no-image"),
        pytest.param(leaf("container: {image: 1, command: [x]}"), "expected string, found a number", id="wrong-type"),
        pytest.param(dag("{name: yes, template: ok}"), "YAML 1.1 reads yes", id="boolean-name"),
        pytest.param(f"{HEAD}  templates: [{{name: main, {OK}}}]\n", "spec.entrypoint|found none", id="no-entrypoint"),
        pytest.param(f"{HEAD}  [a, b]: main\n", "line 5.*a key is text", id="list-as-key"),
        pytest.param(
            f"{HEAD}  entrypoint: main\n  entrypoint: other\n",
            "line 6.*'entrypoint' is there twice",
            id="duplicate-key",
        ),
        pytest.param(
            dag("{name: a, template: none}"), r"tasks\[0\].template: template 'none' is not defined", id="no-template"
        ),
        pytest.param(
            dag("{name: a, template: ok}", "{name: a, template: ok}"),
            r"tasks\[1\].name: 'a' is not unique",
            id="same-name",
        ),
        pytest.param(dag("{name: a_b, template: ok}"), r"tasks\[0\].name: 'a_b' is invalid", id="bad-name"),
        pytest.param(dag("{name: a, template: ok, dependencies: [b]}"), "'b' is not a task", id="no-dependency"),
        pytest.param(
            dag("{name: a, template: ok, depends: b}", "{name: b, template: ok, depends: a}"),
            "dependency cycle: (a->b->a|b->a->b)",
            id="cycle",
        ),
        pytest.param(
            dag("{name: a, template: ok}", "{name: b, template: ok, depends: a.Wonderful}"),
            "'Wonderful' is not a task result",
            id="depends-word",
        ),
        pytest.param(
            dag("{name: a, template: ok}", "{name: b, template: ok, depends: a.AllFailed}"),
            "speaks of items",
            id="depends-items",
        ),
        pytest.param(
            dag(
                "{name: a, template: ok, depends: b}",
                "{name: b, template: ok}",
                "{name: c, template: ok, dependencies: [b]}",
            ),
            "cannot be used in a DAG that uses depends",
            id="depends-and-dependencies",
        ),
        pytest.param(
            dag("{name: a, template: ok, continueOn: {failed: true}}", "{name: b, template: ok, depends: a}"),
            "continueOn: cannot be used",
            id="continue-on-with-depends",
        ),
        pytest.param(
            dag("{name: 1a, template: ok}", "{name: b, template: ok, depends: 1a}"),
            "cannot begin with a digit",
            id="digit",
        ),
        pytest.param(
            dag("{name: a, template: ok, when: '{{tasks.b.outputs.result}} == 1'}"),
            r"tasks\[0\].when: failed to resolve \{\{tasks.b.outputs.result\}\}",
            id="unresolvable",
        ),
        pytest.param(
            dag(
                "{name: a, template: take, arguments: {parameters: [{name: x, value: '{{tasks.b.outputs.result}}'}]}}",
                "{name: b, template: ok}",
                more=f"  - {{name: take, inputs: {{parameters: [{{name: x}}]}}, {OK}}}\n",
            ),
            "on which this one does not depend",
            id="not-an-ancestor",
        ),
        pytest.param(
            dag("{name: a, template: take}", more=f"  - {{name: take, inputs: {{parameters: [{{name: x}}]}}, {OK}}}\n"),
            "inputs.parameters.x was not supplied",
            id="argument-missing",
        ),
        pytest.param(
            dag(
                "{name: a, template: take}",
                more=f"  - {{name: take, inputs: {{artifacts: [{{name: x, path: /tmp/x}}]}}, {OK}}}\n",
            ),
            "inputs.artifacts.x was not supplied",
            id="artifact-missing",
        ),
        pytest.param(leaf(OK, "    parallelism: 2\n"), "only valid for steps and dag", id="parallelism-of-leaf"),
        pytest.param(
            leaf("steps: [[{name: a, template: main}]]", "    timeout: 3s\n"),
            "timeout: steps templates do not support",
            id="timeout-of-steps",
        ),
        pytest.param(leaf(OK, "    timeout: '3'\n"), "has no unit", id="timeout-without-unit"),
        pytest.param(
            leaf(OK, "    outputs: {parameters: [{name: x, valueFrom: {parameter: z}}]}\n"),
            "path must be specified",
            id="output-of-leaf",
        ),
        pytest.param(
            leaf(OK, "    inputs: {artifacts: [{name: x, path: /a/../b, optional: true}]}\n"),
            "directory traversal",
            id="dots",
        ),
        pytest.param(
            leaf(OK, "    dag: {tasks: [{name: a, template: main}]}\n"),
            "this one has .*dag.*container|container and dag|dag and container",
            id="two-types",
        ),
        pytest.param(
            leaf(OK, "    retryStrategy: {retryPolicy: Sometimes}\n"), "'Sometimes' is not one of", id="retry-policy"
        ),
        pytest.param(
            leaf("container: {image: any, command: [x], envFrom: [{configMapRef: {name: nowhere}}]}"),
            "ConfigMap 'nowhere', which is not known",
            id="config-map",
        ),
        pytest.param(
            leaf(OK, "    volumes: [{name: v, hostPath: {path: /}}]\n"),
            "hostPath: not supported.*--volume NAME=FOLDER",
            id="host-path",
        ),
        pytest.param(
            leaf(OK, "  arguments: {parameters: [{name: x, value: c, enum: [a, b]}]}\n"),
            "'c' is not one of its enum: a, b",
            id="enum",
        ),
        pytest.param(
            leaf(OK, "  arguments: {parameters: [{name: x}]}\n"),
            "has no value; give one with -p x=VALUE",
            id="no-value",
        ),
        pytest.param(
            leaf(OK, "  arguments: {parameters: [{name: x, valueFrom: {configMapKeyRef: {name: nowhere, key: k}}}]}\n"),
            r"parameters\[x\]: there is no ConfigMap 'nowhere' on this machine; name a file that has it",
            id="parameter-from-nowhere",
        ),
        pytest.param(
            leaf(OK, "  workflowMetadata: {labels: {a: $x}}\n"),
            r"labels\[a\]: '\$x' is no value of a label",
            id="label",
        ),
        pytest.param(
            leaf(OK, "  workflowMetadata: {labelsFrom: {a: {expression: '1 + 1'}}}\n"),
            r"labelsFrom\[a\]: '1 \+ 1' is 2, and a label must be a text",
            id="label-from-number",
        ),
        pytest.param(
            leaf(OK, "  workflowMetadata: {labelsFrom: {a: {expression: 'nothing.there'}}}\n"),
            r"labelsFrom\[a\]: 'nothing.there'",
            id="label-from-nothing",
        ),
        pytest.param(
            dag(*(f"{{name: t{n}, template: ok}}" for n in range(201))),
            "has 201 entries; a cluster takes at most 200",
            id="too-many-tasks",
        ),
        pytest.param(
            leaf(OK, "    outputs: {artifacts: [{name: a, path: /tmp/a, archive: {zip: text}}]}\n"),
            r"outputs.artifacts\[0\].archive.zip: expected an object, found text",
            id="archive-that-is-text",
        ),
        pytest.param(
            leaf(OK, "    outputs: {artifacts: [{name: a, path: /tmp/a, archive: {tar: {compressionLevel: best}}}]}\n"),
            r"archive.tar.compressionLevel: expected integer, found text \('best'\)",
            id="compression-that-is-no-level",
        ),
        pytest.param(
            leaf(OK, "  volumeClaimTemplates: [{metadata: {name: w}, spec: {accessModes: 1}}]\n"),
            r"volumeClaimTemplates\[0\].spec.accessModes: expected a list, found a number",
            id="access-modes-that-are-no-list",
        ),
        pytest.param(
            leaf(OK, "    nodeSelector: {gpu: true}\n"),
            r"nodeSelector\['gpu'\]: expected string, found a boolean",
            id="of-what-changes-nothing-here-the-type",
        ),
        pytest.param(
            dag("{name: a, template: inner, arguments: {parameters: [{name: r, value: x}]}}", more=INNER),
            r"templates\[2\].dag.tasks\[0\].name: 'a-{{inputs.parameters.r}}' is invalid",
            id="name-of-a-task-that-is-not-known-yet",
        ),
        pytest.param(
            dag("{name: 'a-{{item}}', template: ok, withItems: [1]}"),
            r"'a-{{item}}' is invalid",
            id="name-that-is-known-when-its-loop-is",
        ),
        pytest.param(
            leaf(
                "container: {image: any, command: [x], env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.nope}}}]}"
            ),
            r"templates\[0\]: env A: the field 'spec.nope' of a pod has no meaning",
            id="field-of-no-pod",
        ),
        pytest.param(
            leaf(
                OK,
                "  podSpecPatch: '{{workflow.parameters.p}}'\n  arguments: {parameters: [{name: p, value: 'hostPID: true'}]}\n",
            ),
            "spec.podSpecPatch: patches 'hostPID'",
            id="patch-that-is-a-parameter",
        ),
        pytest.param(
            leaf(OK, "  arguments: {parameters: [{name: a, value: [1]}]}\n"),
            r"parameters\[0\].value: expected text, found a list",
            id="list-as-a-value",
        ),
        pytest.param(
            leaf(OK, "  synchronization: {semaphores: [{database: {key: k}}]}\n"),
            "semaphores.*database: not supported",
            id="database",
        ),
        pytest.param(
            leaf("container: {image: any, command: [x], resources: {limits: {memory: '{{workflow.parameters.m}}'}}}"),
            r"limits\['memory'\]: '{{workflow.parameters.m}}' is no quantity.*podSpecPatch",
            id="quantity-that-is-a-parameter",
        ),
        pytest.param(
            leaf("container: {image: any, command: [x], resources: {requests: {cpu: much}}}"),
            r"requests\['cpu'\]: 'much' is no quantity",
            id="quantity",
        ),
        pytest.param(
            leaf("container: {image: any, command: [x], securityContext: {runAsNonRot: true}}"),
            "securityContext.runAsNonRot: unknown field; did you mean 'runAsNonRoot'",
            id="field-of-what-changes-nothing-here",
        ),
        pytest.param(
            leaf(OK, "    metrics: {prometheus: [{name: a-b, help: x, counter: {value: '1'}}]}\n"),
            r"metrics.prometheus\[0\].name: 'a-b' is invalid",
            id="metric",
        ),
        pytest.param(
            leaf(OK, "    retryStrategey:\n"), "retryStrategey: unknown field", id="unknown-field-without-a-value"
        ),
        pytest.param(
            leaf("container: {image: any, command: [x], workingDir: here}"),
            "'here' is not a plain absolute path",
            id="working-folder",
        ),
        pytest.param(
            leaf(OK, "    retryStrategy: {limit: 3000000000}\n"),
            "3000000000 is out of range",
            id="number-of-more-than-32-bits",
        ),
        pytest.param(
            leaf(OK, "    retryStrategy: {limit: 1, backoff: {duration: 10}}\n"),
            r"backoff.duration: expected string, found a number \(10\); quote it",
            id="duration-that-is-a-number",
        ),
        pytest.param("kind: Pod\napiVersion: v1\n", "kind is 'Pod'", id="another-kind"),
        pytest.param("a: [1", "line 2", id="not-yaml"),
        pytest.param("", "is empty", id="empty"),
        pytest.param(
            f"{HEAD}  a: &a [x]\n  b: &b [*a, *a]\n  c: {'[' * 3000}{']' * 3000}\n",
            "nested too deeply|maximum nesting depth|unknown field",
            id="deep",
        ),
        pytest.param("a: &a [*a]\n", "anchor contains itself", id="recursive-anchor"),
        pytest.param(
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)),
            "unfolds into more than",
            id="anchor-bomb",
        ),
    ],
)
def test_refused(manifest: str, message: str, run: Run, tmp_path: Path) -> None:
    """One clear error of the manifest, and nothing was run."""
    with pytest.raises(errors.Misconfigured, match=message):
        run(manifest)
    assert not (tmp_path / "home" / "runs").exists()


def test_image_without_engine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that needs podman or docker is refused, by step and image, where neither is there."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(errors.Misconfigured, match=r"'main' needs the image 'any'.*--local-image 'any'"):
        run(leaf(OK), process_images=())


def engines(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Let PATH be *folder*, with container engines that are the shell *scripts*, by name."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.defpath}")


def test_a_container_engine_that_does_not_answer(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose service is down is found before anything runs, with its words and the way round it."""
    engines(tmp_path / "bin", monkeypatch, docker="echo 'Cannot connect to the daemon' >&2; exit 1")
    with pytest.raises(
        errors.TryAgain, match=r"'any' needs.*docker does not answer: Cannot connect to the daemon.*--local-image 'any'"
    ):
        run(leaf(OK), process_images=())
    assert not (tmp_path / "home" / "runs").exists()


def test_a_container_engine_that_says_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs is not waited for."""
    monkeypatch.setattr(containers, "PATIENCE", 0.2)
    engines(tmp_path / "bin", monkeypatch, podman="exec sleep 60")
    with pytest.raises(errors.TryAgain, match="podman does not answer: no word within"):
        run(leaf(OK), process_images=())


def test_the_container_engine_that_answers_is_taken(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two on this machine, the one that works runs the image."""
    works = f'echo "$@" >> {tmp_path}/asked'
    engines(tmp_path / "bin", monkeypatch, podman="exit 125", docker=works)
    assert run(leaf(OK), process_images=()).phase == "Succeeded"
    assert [line.split()[0] for line in (tmp_path / "asked").read_text().splitlines()] == ["ps", "run"]


def test_an_image_that_the_engine_cannot_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log ends with the engine's own reason, below whatever it printed after it, and with the way round it."""
    fails = "echo 'docker: no such image.' >&2; echo >&2; echo \"Run 'docker run --help'\" >&2; exit 125"
    engines(tmp_path / "bin", monkeypatch, docker=f'test "$1" = ps || {{ {fails}; }}')
    ended = run(leaf(OK), process_images=())
    log = next((ended.folder / "nodes").rglob("main.log")).read_text(encoding="utf-8")
    assert log.splitlines()[-1] == (
        "argosy: docker could not run the image 'any': no such image. As a process it runs with --local-image 'any'"
    )


def test_unknown_parameter(run: Run) -> None:
    """A parameter that the workflow does not have is a mistake on the command line."""
    with pytest.raises(errors.UsageError, match="no parameter 'colr'; did you mean 'color'"):
        run(leaf(OK, "  arguments: {parameters: [{name: color, value: red}]}\n"), parameters={"colr": "blue"})


def test_local_no_ops_are_listed(options: Callable[..., RunOptions], tmp_path: Path) -> None:
    """Fields that change nothing on one machine are accepted, and named."""
    from argosy.engine import api

    path = tmp_path / "wf.yaml"
    path.write_text(
        leaf(OK, "    nodeSelector: {a: b}\n  ttlStrategy: {secondsAfterCompletion: 1}\n"), encoding="utf-8"
    )
    prepared = api.prepare(api.load([path]), options())
    assert prepared.ignored == ("spec.templates[].nodeSelector", "spec.ttlStrategy")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        pytest.param("name: Wf", r"metadata.name: 'Wf' is invalid: use small letters", id="name"),
        pytest.param("name: a..b", r"metadata.name: 'a..b' is invalid", id="dots"),
        pytest.param("name: wf, namespace: ../out", r"metadata.namespace: '../out' is invalid", id="namespace"),
        pytest.param("generateName: w_", r"metadata.generateName: 'w_' is invalid", id="generated"),
        pytest.param("name: wf, labels: {a: fun-}", r"metadata.labels: 'fun-' of a is invalid", id="label"),
        pytest.param(f"name: wf, labels: {{a: {'x' * 64}}}", "at most 63 characters", id="long-label"),
        pytest.param("name: wf, labels: {a b: x}", r"metadata.labels: the key 'a b' is invalid", id="key"),
        pytest.param("name: wf, labels: {/b: x}", r"the key '/b' is invalid", id="empty-domain"),
        pytest.param("name: wf, labels: {A/b: x}", r"the key 'A/b' is invalid", id="domain"),
        pytest.param(
            "name: wf, annotations: {a_: x}", r"metadata.annotations: the key 'a_' is invalid", id="annotation"
        ),
        pytest.param(f"name: wf, annotations: {{a: {'x' * 262144}}}", "have 262145 bytes", id="long-annotations"),
    ],
)
def test_metadata_that_no_cluster_takes(metadata: str, message: str, run: Run) -> None:
    """By the API server's rules, which are for all kinds; an over-long value is not repeated."""
    with pytest.raises(errors.Misconfigured, match=message) as refused:
        run(leaf(OK).replace("{name: wf}", f"{{{metadata}}}"))
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "metadata", ["generateName: w-", "name: a.b-1, labels: {a.b/C_d: 1.x, e: ''}, annotations: {A/b: '-'}"]
)
def test_metadata_that_a_cluster_takes(metadata: str, run: Run) -> None:
    """A label may be empty; annotations may be anything."""
    assert run(leaf(OK).replace("{name: wf}", f"{{{metadata}}}"), name=None).phase == "Succeeded"


LATE_PATCH = """
  - name: inner
    inputs: {parameters: [{name: patch}]}
    podSpecPatch: "{{inputs.parameters.patch}}"
    container: {image: any, command: [sh, -c, "true"]}
"""


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        pytest.param("nodeSelector: {disk: ssd}", "", id="taken"),
        pytest.param(
            "containers: [{name: main, image: other}]", "podSpecPatch: patches 'image', which is not", id="refused"
        ),
        pytest.param("[", "podSpecPatch: is neither YAML nor JSON", id="no-yaml"),
    ],
)
def test_a_patch_that_a_step_is_given(patch: str, message: str, run: Run) -> None:
    """What a patch touches is looked at when it is known: the step ends with an error where it would run differently."""
    call = f"{{name: a, template: inner, arguments: {{parameters: [{{name: patch, value: '{patch}'}}]}}}}"
    node = run(dag(call, more=LATE_PATCH)).nodes["$.a"]
    assert node.phase == ("Error" if message else "Succeeded")
    assert node.message.startswith(message)


def test_an_empty_list_as_a_value(run: Run) -> None:
    """To Argo it is an empty text."""
    manifest = leaf(
        "container: {image: any, command: [sh, -c, 'test -z \"$A\"'], env: [{name: A, value: '{{workflow.parameters.a}}'}]}",
        "  arguments: {parameters: [{name: a, value: []}]}\n",
    )
    assert run(manifest).phase == "Succeeded"


def test_all_inputs_of_none(run: Run) -> None:
    """The inputs of a template that has none are null, not unknown."""
    assert (
        run(leaf("container: {image: any, command: [test, '{{inputs.parameters}}', =, 'null']}")).phase == "Succeeded"
    )


def test_paths_that_a_step_is_given(run: Run) -> None:
    """The working folder and the place of an input may be parameters: they are looked at when they are known."""
    called = (
        "\n  - name: inner\n"
        "    inputs: {parameters: [{name: p}], artifacts: [{name: a, path: '{{inputs.parameters.p}}/a', raw: {data: x}}]}\n"
        "    container: {image: any, workingDir: '{{inputs.parameters.p}}', command: [test, -e, a]}\n"
    )
    call = "{{name: a, template: inner, arguments: {{parameters: [{{name: p, value: {path}}}]}}}}"
    assert run(dag(call.format(path="/data/x"), more=called)).phase == "Succeeded"
    wrong = run(dag(call.format(path="here"), more=called), name="other").nodes["$.a"]
    assert (wrong.phase, wrong.message) == ("Error", "'here/a' is not a plain absolute path")
