"""A cluster that is a program named kubectl: it answers from a folder and keeps what it was asked."""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KUBECTL = """#!/usr/bin/env python3
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
words = sys.argv[1:]
given = "" if sys.stdin.isatty() or "--filename=-" not in words else sys.stdin.read()
with (folder / "asked.jsonl").open("a") as log:
    log.write(json.dumps({{"words": words, "given": given}}) + "\\n")
if words[:1] == ["--context"]:
    words = words[2:]
answers = json.loads((folder / "answers.json").read_text())
for start in range(len(words), 0, -1):
    answer = answers.get(" ".join(words[:start]))
    if answer is not None:
        sys.stdout.write(answer["out"])
        sys.stderr.write(answer["err"])
        sys.exit(answer["code"])
"""


@dataclass
class FakeCluster:
    """What kubectl answers, by the first of its words, and what it was asked."""

    folder: Path

    def answers(self, words: str, out: Any = "", *, err: str = "", code: int = 0) -> None:
        """Answer whatever begins with *words* so; objects as JSON."""
        file = self.folder / "answers.json"
        known = json.loads(file.read_text(encoding="utf-8"))
        known[words] = {"out": out if isinstance(out, str) else json.dumps(out), "err": err, "code": code}
        file.write_text(json.dumps(known), encoding="utf-8")

    def asked(self) -> list[str]:
        """Every command, as one line."""
        file = self.folder / "asked.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [" ".join(json.loads(line)["words"]) for line in lines]

    def given(self) -> str:
        """All that was applied."""
        lines = (self.folder / "asked.jsonl").read_text(encoding="utf-8").splitlines()
        return "\n".join(json.loads(line)["given"] for line in lines)


@pytest.fixture
def fake_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A cluster that is marked as disposable and holds nothing."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / "answers.json").write_text("{}", encoding="utf-8")
    program = folder / "kubectl"
    program.write_text(KUBECTL.format(folder=str(folder)), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    found = FakeCluster(folder)
    found.answers("config current-context", "somewhere\n")
    found.answers("get namespace kube-system", namespace("kube-system", {"argosy.dev/disposable": "true"}))
    return found


def namespace(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """A namespace as the API server shows it."""
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}
