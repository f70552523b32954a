"""The verb ``platform`` over charts that are not there, and what is read, merged and compared around them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from argosy import wiring
from argosy.cli import main, platform
from argosy.ports.charts import HelmRelease, Manifest

ROLE = {"kind": "Role", "metadata": {"name": "r", "namespace": "n"}, "rules": [{"verbs": ["get"]}]}


class Installed:
    """A cluster's releases, by name; rendering gives the values back as a ConfigMap."""

    def __init__(self) -> None:
        self.releases: dict[str, Mapping[str, Any]] = {}
        self.revisions: dict[str, int] = {}

    def installed(self, name: str, namespace: str) -> HelmRelease | None:
        """See the port."""
        return (
            HelmRelease(name, namespace, self.revisions[name], "0.1.0", "deployed") if name in self.releases else None
        )

    def manifests(self, release: HelmRelease) -> Sequence[Manifest]:
        """See the port."""
        return self.rendered(Path(), release.name, release.namespace, self.releases[release.name])

    def rendered(self, chart: Path, name: str, namespace: str, values: Manifest) -> Sequence[Manifest]:
        """See the port."""
        return [{"kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": dict(values)}]

    def apply(self, chart: Path, name: str, namespace: str, values: Manifest) -> HelmRelease:
        """See the port."""
        assert (chart / "Chart.yaml").is_file()
        self.releases[name] = dict(values)
        self.revisions[name] = self.revisions.get(name, 0) + 1
        return HelmRelease(name, namespace, self.revisions[name], "0.1.0", "deployed", "what to do next")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Installed:
    """What the verb talks to."""
    made = Installed()
    monkeypatch.setattr(wiring, "charts", lambda **_: made)
    return made


def test_install_diff_upgrade(cluster: Installed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Installed once, compared, upgraded; each of the wrong ways round is refused with the right one."""
    (tmp_path / "a.yaml").write_text("endpoints: {storeUri: s3://a, forgeUri: github:o/n}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("endpoints: {storeUri: s3://b}\n", encoding="utf-8")
    first, second = ["-f", str(tmp_path / "a.yaml")], ["-f", str(tmp_path / "a.yaml"), "-f", str(tmp_path / "b.yaml")]
    assert main.run(["platform", "upgrade", *first]) == 2
    assert main.run(["platform", "diff", *first]) == 2
    assert "`argosy platform install` makes it" in capsys.readouterr().err
    assert main.run(["platform", "install", *first]) == 0
    assert "what to do next" in capsys.readouterr().out
    assert main.run(["platform", "install", *first]) == 2
    assert "`argosy platform upgrade` changes it" in capsys.readouterr().err
    assert main.run(["platform", "diff", *first]) == 0
    assert capsys.readouterr().out == "no differences\n"
    assert main.run(["platform", "diff", *second]) == 0
    said = capsys.readouterr().out
    assert "-    storeUri: s3://a" in said
    assert "+    storeUri: s3://b" in said
    assert main.run(["platform", "upgrade", *second]) == 0
    assert cluster.releases["argosy"] == {"endpoints": {"storeUri": "s3://b", "forgeUri": "github:o/n"}}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"- a\n", "expected a mapping of values, found a list", id="list"),
        pytest.param(b"a: [\n", "is no YAML", id="no-yaml"),
        pytest.param(b"\xff\xfe\x00", "is no YAML", id="no-text"),
        pytest.param(None, "No such file", id="missing"),
    ],
)
def test_values_that_cannot_be_read(
    cluster: Installed, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, why: str
) -> None:
    """Which file, and why."""
    path = tmp_path / "values.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main.run(["platform", "install", "-f", str(path)]) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert why in said


def test_a_chart_that_is_not_there(cluster: Installed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder is named."""
    assert main.run(["platform", "install", "--chart", str(tmp_path)]) == 2
    assert f"no chart at {tmp_path}" in capsys.readouterr().err


def test_a_program_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """The program is named, and where it is to be had."""
    assert main.run(["platform", "diff", "--helm", "/nowhere/helm"]) == 78
    assert "the program `/nowhere/helm` is not on PATH; install Helm (https://helm.sh" in capsys.readouterr().err


def test_a_program_that_is_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Something called helm that is not Helm is refused before it is asked for more."""
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    program.chmod(0o755)
    assert main.run(["platform", "diff", "--helm", str(program)]) == 78
    assert "says 'hello', which is no version" in capsys.readouterr().err


def test_differences() -> None:
    """By object: what came, what went, what changed; equal ones are silent."""
    changed = {**ROLE, "rules": [{"verbs": ["list"]}]}
    other = {"kind": "Role", "metadata": {"name": "other"}}
    lines = list(platform.difference([ROLE, other], [changed]))
    assert "--- installed Role n/r" in lines
    assert {"-  - get", "+  - list", "-kind: Role"} <= set(lines)
    assert list(platform.difference([ROLE], [dict(reversed(ROLE.items()))])) == []


def test_secrets_are_not_shown() -> None:
    """That a secret changes is seen, what it holds is not."""

    def secret(value: str) -> Manifest:
        return {"kind": "Secret", "metadata": {"name": "s"}, "data": {"token": value}, "stringData": {"other": value}}

    said = "\n".join(platform.difference([secret("first")], [secret("second")]))
    assert "(hidden, " in said
    assert "first" not in said
    assert "second" not in said
    assert list(platform.difference([secret("first")], [secret("first")])) == []
