"""An upgrade from the last release: the old wheel works in a state folder, the new one takes its place, and everything goes on.

The last release is the newest tag ``v<version>`` that this commit comes after; before the first one, the last commit of the first part of
CHANGELOG.md. A clone without its history skips, by name.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from argosy.domain import chart_values
from kit import wheels

BEFORE_THE_FIRST = "c22b77a6086a271b6151da0587dd3b08b14304a0"
"""Of 0.1.0 as the first part of CHANGELOG.md describes it."""
WHOLE = "ARGOSY_UPGRADE"
"""The variable with which the whole of it runs: half a minute of training in each version."""
STEPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: steps-}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: first, template: first}
      - {name: second, template: second, depends: first, arguments: {parameters: [{name: given, value: "{{tasks.first.outputs.result}}"}]}}
  - name: first
    script: {image: argosy/data:dev, command: [sh], source: "date +%s%N"}
  - name: second
    inputs: {parameters: [{name: given}]}
    retryStrategy: {limit: 1}
    container:
      image: argosy/data:dev
      command: [sh, -c]
      args: ['echo "given $GIVEN"; test "$PACE" = fast || sleep 600']
      env: [{name: GIVEN, value: "{{inputs.parameters.given}}"}, {name: PACE, value: "PACE-HERE"}]
"""


def last_release(root: Path) -> str:
    """The commit of the last release. Skips where this clone does not have it."""

    def git(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=False)

    tags = git("tag", "--merged", "HEAD~1", "--sort=-version:refname", "--list", "v[0-9]*").stdout.split()
    found = tags[0] if tags else BEFORE_THE_FIRST
    if git("cat-file", "-e", f"{found}^{{commit}}").returncode:
        pytest.skip(f"this clone does not have {found}, the last release; git fetch --unshallow --tags")
    return found


@pytest.fixture(scope="session")
def released(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout of the last release."""
    folder = tmp_path_factory.mktemp("released")
    archive = subprocess.run(["git", "-C", root, "archive", last_release(root)], capture_output=True, check=True)
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)
    return folder


@dataclass(frozen=True)
class Upgradable:
    """A project, a state folder, and the environment whose argosy works there."""

    environment: Path
    folder: Path
    home: Path

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start the command."""
        return subprocess.Popen(
            [self.environment / "bin" / "argosy", *words],
            cwd=self.folder,
            env={
                "PATH": f"{self.environment / 'bin'}:{os.environ['PATH']}",
                "HOME": str(self.home.parent),
                "LANG": "C.UTF-8",
                "ARGOSY_HOME": str(self.home),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def call(self, *words: str, expect: int = 0) -> str:
        """Run the command to its end; what it said."""
        process = self.start(*words)
        said, _ = process.communicate(timeout=280)
        assert process.returncode == expect, said[-6000:]
        return said

    def killed_at(self, step: str, *words: str) -> None:
        """Run the command, and kill it, and all that it started, once *step* runs."""
        process = self.start(*words)
        assert process.stdout is not None
        said = next(line for line in process.stdout if re.search(rf"Running\s+\$\.{step}\(0\)", line))
        assert said
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def phases(self) -> list[str]:
        """The phases of its runs, the newest first."""
        return [json.loads(line)["phase"] for line in self.call("runs", "--json").splitlines() if line.startswith("{")]

    def write(self, name: str, content: str) -> None:
        """Write the file *name* of the project."""
        (self.folder / name).write_text(content, encoding="utf-8")

    def commit(self) -> None:
        """Commit the project."""
        git = ["git", "-C", str(self.folder), "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
        for words in (["init", "--quiet"], ["add", "workflows"], ["commit", "--quiet", "--message", "change"]):
            subprocess.run([*git, *words], check=True)


@pytest.fixture
def before(released: Path, tmp_path: Path) -> Upgradable:
    """The last release, in an environment of its own, with a new project and a new state folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    wheel = wheels.build(released, tmp_path / "dist")
    return Upgradable(wheels.install(wheel, tmp_path / "environment"), folder, tmp_path / "state")


def upgraded(before: Upgradable, wheel: Path) -> Upgradable:
    """The same with this checkout's wheel in the place of the last release."""
    return replace(before, environment=wheels.install(wheel, before.environment))


@pytest.mark.slow
def test_a_run_that_was_killed(before: Upgradable, wheel: Path) -> None:
    """It is listed, shown and resumed by the new version; what had succeeded is not done again, and the cache is still one."""
    before.write("steps.yaml", STEPS.replace("PACE-HERE", "slow"))
    before.killed_at("second", "run", "--file", "steps.yaml")
    given = before.call("logs", "-", "first").split()[-1]
    former = before.home / "predictions" / "toy" / "production" / "2026-11-20"
    former.mkdir(parents=True)

    after = upgraded(before, wheel)
    assert "format 2" in after.call("runs")
    assert after.phases() == ["Killed"]
    assert not former.exists()
    assert "second" in after.call("get", "-")
    process = after.start("resume")
    assert process.stdout is not None
    assert next(line for line in process.stdout if re.search(r"Running\s+\$\.second\(0\)", line))
    after.call("stop", "-")
    process.communicate(timeout=60)
    assert f"given {given}" in after.call("logs", "-", "second")
    after.write("steps.yaml", STEPS.replace("PACE-HERE", "fast"))
    after.call("run", "--file", "steps.yaml")
    assert after.phases() == ["Succeeded", "Failed"]

    (after.home / "state.json").write_text('{"format": 99, "argosy": "9.1.0"}', encoding="utf-8")
    assert "format 99" in after.call("runs", expect=78)


def _project(before: Upgradable, released: Path, root: Path) -> None:
    """The last release's own model, with a short search."""
    for words in (
        ["cp", "-r", released / "gitops-env", before.folder],
        ["mkdir", "-p", before.folder / "workflows", before.folder / "data"],
        ["cp", "-r", released / "workflows" / "churn", before.folder / "workflows"],
        ["cp", "-r", root / "data" / "churn", before.folder / "data"],
    ):
        subprocess.run(words, check=True)
    _edit(before, r"(?m)^  trials: \d+", "  trials: 6")
    _edit(before, r"(?m)^  per_round: \d+", "  per_round: 3")
    _edit(before, r"(?m)^  per_task: \d+", "  per_task: 2")


def _edit(installed: Upgradable, pattern: str, replacement: str) -> None:
    path = installed.folder / "workflows" / "churn" / "model.yaml"
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count == 1
    path.write_text(text, encoding="utf-8")
    installed.commit()


def _answer(installed: Upgradable) -> Any:
    """The answer of production's server to the request that it names itself, and its log closed."""
    process = installed.start("serve", "churn", "--port", "0")
    try:
        address, example = _ready(process)
        return post(address, "/v1/models/churn:predict", example)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _ready(process: "subprocess.Popen[str]") -> tuple[str, str]:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"at (http://\S+);.* -d '(\{.*\})'", line):
            return found[1], found[2]
    raise AssertionError("the server ended before it was ready")


def post(address: str, path: str, body: str) -> Any:
    """What the server at *address* answers to the JSON *body*."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"content-type": "application/json"})
        return json.load(connection.getresponse())


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(WHOLE not in os.environ, reason=f"trains in both versions; {WHOLE}=1, or `make upgrade`")
def test_a_model_goes_on(before: Upgradable, released: Path, wheel: Path, root: Path) -> None:
    """What the last release put into production is served alike; its killed run ends in a request; the next version is promoted."""
    _project(before, released, root)
    before.call("run", "churn")
    before.call("pr", "merge", "1", "--as", "ann")
    before.call("pr", "merge", "2", "--as", "ann")
    answered = _answer(before)
    _edit(before, r"(?m)^seed: \d+", "seed: 99")
    before.killed_at("evaluate", "run", "churn")

    after = upgraded(before, wheel)
    assert after.phases() == ["Killed", "Succeeded"]
    assert _answer(after)["predictions"] == answered["predictions"]
    assert re.search(r"version\s+2,", after.call("resume"))
    assert "signatures" in after.call("pr", "check", "3")
    after.call("pr", "merge", "3", "--as", "bob")
    # A manifest of the last release says nothing of where its model comes from, and production asks.
    assert "RED provenance" in after.call("pr", "check", "4", expect=10)

    assert "workflows/churn/model.yaml" in after.call("run", "churn", expect=78)
    _edit(after, r"(?m)^schedule: .*$", "")
    after.call("compile", "workflows/churn")
    after.commit()
    after.call("run", "churn")
    after.call("pr", "merge", "5", "--as", "bob")
    after.call("pr", "merge", "6", "--as", "bob")
    assert re.search(r"churn\s+retention\s+\d+\s+\d+\s+-", after.call("fleet"))
    assert _answer(after)["predictions"]


REFUSED = {"platform": {"converge.image"}, "inference": {"predictionLog.hashKeySecret"}}
"""Values that the last release had as defaults and this one's schema refuses, each with its reason in CHANGELOG.md: an image by tag, no
name for the key that ids are hashed under."""


@pytest.mark.parametrize("chart", ["inference", "platform"])
def test_values_of_the_last_release(chart: str, released: Path, root: Path) -> None:
    """What somebody has set for the last release's chart is taken by this one's, or refused by the schema, field by field."""
    theirs, ours = (
        yaml.safe_load((place / "charts" / chart / "values.yaml").read_text(encoding="utf-8"))
        for place in (released, root)
    )
    schema = json.loads((root / "charts" / chart / "values.schema.json").read_text(encoding="utf-8"))
    values = chart_values.coalesced(ours, _set(theirs))
    found = {
        ".".join(map(str, problem.absolute_path))
        for problem in jsonschema.validators.validator_for(schema)(schema).iter_errors(values)
    }
    assert found - {""} <= REFUSED.get(chart, set())


def _set(values: Any) -> Any:
    """*values* without what is null, which takes a default away."""
    return (
        {key: _set(value) for key, value in values.items() if value is not None} if isinstance(values, dict) else values
    )


def test_models_of_the_last_release(before: Upgradable, released: Path, wheel: Path) -> None:
    """An environment repo of the last release holds nothing that this one refuses, but for workflows that install by name."""
    after = upgraded(before, wheel)
    said = after.call("env", "check", str(released / "gitops-env"), expect=10)
    problems = [line for line in said.splitlines() if ": " in line and not line.startswith(".github/")]
    assert [line for line in problems if line.startswith(("models/", "policies/", "clusters/"))] == []
