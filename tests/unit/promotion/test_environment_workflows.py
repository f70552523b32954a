"""The environment repo's workflows on GitHub: what they install, whose files they run, what their commands do to a real repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / "gitops-env"
CHECKS, AFTER_MERGE, REMINDERS, AUTO_MERGE = (
    ENVIRONMENT / f".github/workflows/{name}.yaml" for name in ("checks", "after-merge", "reminders", "auto-merge")
)
OURS = sorted((ROOT / ".github/workflows").glob("*.yaml"))
WORKFLOWS = [CHECKS, AFTER_MERGE, REMINDERS, AUTO_MERGE, *OURS]
PUBLISHES = {
    "images": {"packages"},
    "files": {"packages"},
    "index": {"id-token"},
    "public": {"attestations", "contents", "id-token", "packages"},
}
"""The jobs of a release that write, and what."""
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
INSTALLS = re.compile(r"\b(pip3?|pipx|uvx?|npm|npx|curl|wget|apt(-get)?|brew|go (install|run))\b")
BY_DIGEST = re.compile(r"[\w./-]+@sha256:[0-9a-f]{64}")
DOCKER = '''#!{python}
"""Runs what a container would, in this environment: the command after the image, with the volumes and variables that it is given only."""
import json, os, re, sys
words = sys.argv[1:]
at = next(place for place, word in enumerate(words) if "@sha256:" in word)
options, command = words[:at], words[at + 1:]
volumes = [options[n + 1].split(":") for n, word in enumerate(options) if word == "--volume"]
handed = [options[n + 1] for n, word in enumerate(options) if word == "--env"]
given = {{}}
for name in handed:
    key, equals, value = name.partition("=")
    given[key] = value if equals else os.environ.get(key, "")
for source, inside, _ in volumes:
    command = [re.sub("^" + inside + "(?=/|$)", source, word) for word in command]
with open(os.environ["CALLS"], "a") as calls:
    print(json.dumps({{"options": options, "command": command, "given": given}}), file=calls)
if "pr" in command:
    sys.exit(0)
kept = {{key: value for key, value in os.environ.items() if key in {{"PATH", "HOME", "LANG"}}}}
os.execve(sys.executable, [sys.executable, *command[1:]], {{**kept, **given}})
'''


def _read(path: Path) -> dict[str, Any]:
    # `on` is a word here, not YAML 1.1's true.
    return {str(key): value for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


def _steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in _read(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_commits(path: Path) -> None:
    """A tag can be moved by whoever owns it, or takes it over; beside the commit stands the version that it is, for people."""
    used = [line.strip(" -") for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert [line for line in used if not PINNED.fullmatch(line)] == []
    assert all(
        step["with"]["persist-credentials"] is False for step in _steps(path) if "checkout@" in step.get("uses", "")
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_rights_are_given_one_by_one(path: Path) -> None:
    """Nothing is allowed that a job does not ask for, and no job of ours asks to write but those that publish a release."""
    assert _read(path)["permissions"] == {}
    jobs = {name: job.get("permissions", {}) for name, job in _read(path)["jobs"].items()}
    writes = {name: {right for right, may in asked.items() if may != "read"} for name, asked in jobs.items()}
    assert {name: rights for name, rights in writes.items() if rights} == (PUBLISHES if path.stem == "release" else {})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_values_are_handed_over_in_the_environment(path: Path) -> None:
    """A title or a branch that is pasted into a command is a command."""
    assert [step["run"] for step in _steps(path) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("path", [CHECKS, AFTER_MERGE, REMINDERS], ids=lambda path: path.stem)
def test_nothing_is_installed_by_name(path: Path) -> None:
    """Beside the forge's token runs the image that main names by its digest, and nothing that a name on an index could become."""
    ran = [step["run"] for step in _steps(path) if "run" in step]
    assert [found[0] for script in ran if (found := INSTALLS.search(script))] == []
    images = re.findall(r"IMAGE: (\S+)", path.read_text(encoding="utf-8"))
    assert images
    assert all(BY_DIGEST.fullmatch(image) for image in images)
    started = [script for script in ran if "docker run" in script]
    assert started
    assert all(re.search(r'"\$IMAGE"', script) for script in started)


@pytest.mark.parametrize("path", [CHECKS, AFTER_MERGE], ids=lambda path: path.stem)
def test_a_request_brings_no_workflow_of_its_own(path: Path) -> None:
    """GitHub takes the file of a `pull_request` from the request itself; that of these comes from main, and so does what they check out."""
    triggers = _read(path)["True"]
    assert triggers.keys() == {"pull_request_target"}
    assert triggers["pull_request_target"]["branches"] == ["main"]
    checked_out = [step["with"]["ref"] for step in _steps(path) if "checkout@" in step.get("uses", "")]
    assert set(checked_out) <= {"main"}


def test_a_closed_request_does_not_turn_its_checks_green() -> None:
    """GitHub takes a job that was skipped for one that passed: what follows a merge is not the check that a merge needs."""
    assert "closed" not in _read(CHECKS)["True"]["pull_request_target"]["types"]
    assert all("if" not in job for job in _read(CHECKS)["jobs"].values())


def test_the_token_that_writes_is_main_s() -> None:
    """Only an environment keeps a secret from the workflows of other branches."""
    for path in (AFTER_MERGE, REMINDERS):
        assert [job["environment"] for job in _read(path)["jobs"].values()] == ["promotion"]
    assert "secrets." not in CHECKS.read_text(encoding="utf-8")


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., tuple[Path, str]]:
    """Makes a repository whose main is the environment repo, and on it a request that writes files; returns main's checkout and a log."""
    server, checkout, author = tmp_path / "server.git", tmp_path / "checkout", tmp_path / "author"

    def git(folder: Path, *words: str) -> str:
        command = ["git", "-c", "user.name=ada", "-c", "user.email=a@b", "-C", str(folder), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def make(files: Mapping[str, str | None]) -> tuple[Path, str]:
        subprocess.run(["cp", "-r", str(ENVIRONMENT), str(author)], check=True)
        git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(server))
        git(author, "init", "--quiet", "--initial-branch=main")
        git(author, "add", ".")
        git(author, "commit", "--quiet", "--message=first")
        git(author, "push", "--quiet", str(server), "main")
        git(tmp_path, "clone", "--quiet", str(server), str(checkout))
        for path, content in files.items():
            target = author / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                target.symlink_to("/etc/passwd")
            else:
                target.write_text(content, encoding="utf-8")
        git(author, "add", ".")
        git(author, "commit", "--quiet", "--message=second")
        git(author, "push", "--quiet", str(server), "HEAD:refs/pull/7/head")
        return checkout, git(author, "rev-parse", "HEAD")

    return make


def _run(checkout: Path, head: str) -> tuple[list[int], list[dict[str, Any]]]:
    """Run every command of the checks as a runner would, each although one before failed; their exit codes, and the containers started."""
    environment = _with_docker(checkout.parent)
    image = _read(CHECKS)["env"]["IMAGE"]
    environment |= {"IMAGE": image, "HEAD": head, "NUMBER": "7", "TOKEN": "a-token", "ARGOSY_FORGE_TOKEN": "a-token"}
    codes = [
        subprocess.run(["bash", "-e", "-c", step["run"]], cwd=checkout, env=environment, check=False).returncode
        for step in _steps(CHECKS)
        if "run" in step
    ]
    return codes, _calls(environment)


def _with_docker(folder: Path) -> dict[str, str]:
    """The environment of a runner whose `docker` is the stand-in, which writes down what it is asked for below *folder*."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "docker").write_text(DOCKER.format(python=sys.executable), encoding="utf-8")
    (tools / "docker").chmod(0o755)
    (folder / "calls.jsonl").touch()
    return {**os.environ, "CALLS": str(folder / "calls.jsonl"), "PATH": f"{tools}:{os.environ['PATH']}"}


def _calls(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(environment["CALLS"]).read_text(encoding="utf-8").splitlines()]


def _listing(checkout: Path) -> set[str]:
    return {
        str(path.relative_to(checkout))
        for path in checkout.rglob("*")
        if ".git" not in path.relative_to(checkout).parts[:1]
    }


def test_a_request_is_read_and_never_checked_out(request_of: Callable[..., tuple[Path, str]]) -> None:
    """What it adds is checked, where nothing has a network, a token or main's files to write to, and none of it comes to lie there."""
    checkout, head = request_of({"models/churn/values.yaml": "model: churn\nreplicas: many\n", "conftest.py": "1/0\n"})
    before = _listing(checkout)
    codes, calls = _run(checkout, head)
    assert codes == [0, 10, 0]
    assert _listing(checkout) == before
    assert [call["command"][3:5] for call in calls] == [["env", "check"]]
    assert calls[0]["given"] == {}
    assert {"--network", "none", "--read-only"} <= set(calls[0]["options"])


def test_a_request_that_is_in_order(request_of: Callable[..., tuple[Path, str]]) -> None:
    """Values that the chart knows are green, and are no promotion."""
    codes, calls = _run(*request_of({"models/churn/values.yaml": "model: churn\nreplicas: 4\n"}))
    assert codes == [0, 0, 0]
    assert len(calls) == 1


def test_files_that_hide_from_an_archive_are_seen(request_of: Callable[..., tuple[Path, str]]) -> None:
    """A request's own attributes do not decide what is looked at, and a link is not followed."""
    hidden = {".gitattributes": "models/** export-ignore\n", "models/churn/values.yaml": "model: other\n"}
    assert _run(*request_of({**hidden, "models/churn/rejected/link.txt": None}))[0] == [0, 10, 0]


@pytest.mark.parametrize(
    "path", ["models/churn/staging/version.yaml", "models/churn/production/evidence/evidence.json"]
)
def test_what_is_served_is_checked_as_a_request(request_of: Callable[..., tuple[Path, str]], path: str) -> None:
    """Whoever writes it by hand, on whatever branch; the commit that the event names is the one that must have been checked."""
    checkout, head = request_of({path: "model: churn\n"})
    _, calls = _run(checkout, head)
    assert calls[-1]["command"][3:] == ["pr", "check", "7", "--head", head]
    assert calls[-1]["given"]["ARGOSY_VERIFYING_KEY_FILE"].startswith("/keys/")


def _act(
    checkout: Path, workflow: Path, event: Mapping[str, Any], variables: Sequence[str] = ()
) -> tuple[int, list[dict[str, Any]], str]:
    """Have `act` run *workflow* on this machine for *event*, in *checkout*: its exit code, the containers started, what it said.

    `actions/checkout` is one of ours, which clones main.
    """
    program = os.environ.get("ACT") or shutil.which("act") or pytest.skip("act is neither on PATH nor named by ACT")
    folder = checkout.parent
    environment = _with_docker(folder) | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    (folder / "event.json").write_text(json.dumps(event), encoding="utf-8")
    (folder / "action").mkdir()
    (folder / "action" / "action.yml").write_text(CHECKOUT, encoding="utf-8")
    used = re.findall(r"uses: (actions/checkout@\w+)", workflow.read_text(encoding="utf-8"))
    words = [f"--local-repository={action}={folder / 'action'}" for action in used]
    words += ["--platform=ubuntu-24.04=-self-hosted", "--container-daemon-socket=-", "--pull=false"]
    words += [
        f"--eventpath={folder / 'event.json'}",
        f"--workflows={workflow}",
        f"--env=CALLS={environment['CALLS']}",
        f"--env=SERVER={folder / 'server.git'}",
    ]
    words += [
        "--secret=GITHUB_TOKEN=a-token",
        "--secret=ARGOSY_FORGE_TOKEN=a-token-that-writes",
        "--var=ARGOSY_STORE_URI=s3://models",
        *(f"--var={variable}" for variable in variables),
    ]
    done = subprocess.run(
        [program, "schedule" if workflow in {REMINDERS, AUTO_MERGE} else "pull_request_target", *words],
        cwd=checkout, env=environment, check=False, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    return done.returncode, _calls(environment), done.stdout + done.stderr


CHECKOUT = """name: checkout
description: main of the server
runs: {using: composite, steps: [{run: 'git clone --quiet --branch main "$SERVER" .', shell: bash}]}
"""


def _event(head: str, *, merged: bool) -> dict[str, Any]:
    pull = {"number": 7, "merged": merged, "head": {"sha": head, "ref": "x; exit 9"}, "base": {"ref": "main"}}
    return {"action": "closed" if merged else "opened", "pull_request": pull, "repository": {"full_name": "o/n"}}


@pytest.mark.parametrize(
    ("files", "code", "verbs"),
    [
        pytest.param({"models/churn/values.yaml": "model: churn\nreplicas: 4\n"}, 0, [["env", "check"]], id="in-order"),
        pytest.param({"models/churn/values.yaml": "model: churn\nreplicas: x\n"}, 1, [["env", "check"]], id="red"),
        pytest.param({"models/churn/staging/version.yaml": "model: churn\n"}, 1, [["env", "check"], ["pr", "check"]], id="a-version"),
    ],
)  # fmt: skip
def test_a_runner_runs_the_checks(
    request_of: Callable[..., tuple[Path, str]], files: Mapping[str, str], code: int, verbs: list[list[str]]
) -> None:
    """Expressions, conditions and what is handed over, by a runner that others wrote; the later check runs although the first is red."""
    checkout, head = request_of(files)
    ended, calls, said = _act(checkout, CHECKS, _event(head, merged=False))
    assert ended == code, said
    assert [call["command"][3:5] for call in calls] == verbs, said
    if len(calls) > 1:
        assert calls[1]["command"][5:] == ["7", "--head", head]
        assert calls[1]["given"]["ARGOSY_STORE_URI"] == "s3://models"


@pytest.mark.parametrize("merged", [True, False], ids=["merged", "closed"])
def test_a_runner_follows_a_merge_up(request_of: Callable[..., tuple[Path, str]], merged: bool) -> None:
    """With the token that writes, and only where the request was merged."""
    checkout, head = request_of({"models/churn/values.yaml": "model: churn\nreplicas: 4\n"})
    event = _event(head, merged=merged) | {"action": "closed"}
    ended, calls, said = _act(checkout, AFTER_MERGE, event)
    assert ended == 0, said
    assert [call["command"][3:] for call in calls] == ([["pr", "after-merge", "7"]] if merged else []), said
    assert all(call["given"]["ARGOSY_FORGE_TOKEN"] == "a-token-that-writes" for call in calls)


def test_a_runner_reminds(request_of: Callable[..., tuple[Path, str]]) -> None:
    """Once a day, of main's copy; nothing is checked out."""
    checkout, _ = request_of({"README.md": "other\n"})
    ended, calls, said = _act(checkout, REMINDERS, {"schedule": "17 7 * * *", "repository": {"full_name": "o/n"}})
    assert ended == 0, said
    assert [call["command"][3:] for call in calls] == [["pr", "remind"]], said
    assert calls[0]["given"]["ARGOSY_FORGE_TOKEN"] == "a-token-that-writes"


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "not-allowed"])
def test_a_runner_merges_what_merges_by_itself(request_of: Callable[..., tuple[Path, str]], allowed: bool) -> None:
    """Only where the repository's variable says so; with the token that writes, and main's key."""
    checkout, _ = request_of({"README.md": "other\n"})
    event = {"schedule": "4-59/15 * * * *", "repository": {"full_name": "o/n"}}
    ended, calls, said = _act(checkout, AUTO_MERGE, event, ["ARGOSY_AUTO_MERGE=true"] if allowed else [])
    assert ended == 0, said
    assert [call["command"][3:] for call in calls] == ([["pr", "auto-merge"]] if allowed else []), said
    for call in calls:
        assert call["given"]["ARGOSY_FORGE_TOKEN"] == "a-token-that-writes"
        assert call["given"]["ARGOSY_VERIFYING_KEY_FILE"] == "/keys/signing.pub.pem"
        assert call["given"]["ARGOSY_STORE_URI"] == "s3://models"
        assert any(option.endswith("/keys:/keys:ro") for option in call["options"])
