"""The verb ``env check`` on the environment repo of this checkout, and on what can be wrong with one."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.cli import main
from argosy.domain import promotion, release
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.testing import toy

DIGEST = sha256(b"model")
EVIDENCE = Evidence(
    model="toy",
    task="binary",
    model_digest=DIGEST,
    snapshot_digest=DIGEST,
    policy_digest=DIGEST,
    champion=ChampionRef(model="toy", policy_digest=DIGEST),
    provenance=toy.CLEAN,
    rows_train=1,
    rows_holdout=1,
    metrics={},
    gates=[],
    verdict="promote",
    explanation="",
)
VERSION = release.Version(
    model="toy",
    version=1,
    model_digest=DIGEST,
    storage_uri="s3://b/p/",
    evidence_digest=EVIDENCE.content_digest(),
    policy_digest=DIGEST,
)
BESIDE = {"evidence.json": EVIDENCE.canonical_json().encode(), "bundle.sig": b"s", "evidence.sig": b"s"}
SUBJECT = promotion.Subject(model="toy", environment="staging", model_digest=DIGEST, version=1, policy_digest=DIGEST)
VALUES = "models/toy/values.yaml"
SERVED = promotion.version_path("toy", "staging")


@pytest.fixture
def repo(tmp_path: Path, root: Path) -> Callable[..., Path]:
    """A checkout that serves one model in staging; *changes* (path to content, None: gone) laid over it."""
    policy = (root / "gitops-env/policies/churn.yaml").read_text(encoding="utf-8").replace("model: churn", "model: toy")
    files: dict[str, bytes | None] = {
        VALUES: b"model: toy\nreplicas: 3\n",
        "policies/toy.yaml": policy.encode(),
        **promotion.files(SUBJECT, VERSION.yaml(), BESIDE),
    }

    def make(changes: dict[str, bytes | None] | None = None) -> Path:
        for path, content in {**files, **(changes or {})}.items():
            target = tmp_path / "environment" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                target.write_bytes(content)
            elif target.exists():
                target.unlink()
        return tmp_path / "environment"

    return make


def test_ours(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The environment repo that new ones are made from is in order."""
    assert main.run(["env", "check", str(root / "gitops-env")]) == 0
    assert capsys.readouterr().out == "2 models, no problems\n"


def test_one_that_serves(repo: Callable[..., Path]) -> None:
    """A model with its evidence is in order, also where it is the oldest that may be served."""
    assert main.run(["env", "check", str(repo({VALUES: b"model: toy\nminimumVersion: 1\n"}))]) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({VALUES: b"model: toy\nreplica: 2\n"}, "'replica' was unexpected", id="value-nobody-knows"),
        pytest.param(
            {VALUES: b"model: toy\nreplicas: many\n"},
            "replicas: 'many' is not of type 'integer'",
            id="value-of-another-type",
        ),
        pytest.param({VALUES: b"model: toy\nversion: 3\n"}, "version: version.yaml says this", id="version-in-values"),
        pytest.param(
            {VALUES: b"model: toy\nminimumVersion: 2\n"},
            f"{SERVED}: version 1 is older than minimumVersion (2)",
            id="too-old",
        ),
        pytest.param({VALUES: b"model: other\n"}, "is about 'other'", id="values-of-another"),
        pytest.param({VALUES: b"- toy\n"}, "found a list", id="values-no-mapping"),
        pytest.param({VALUES: b"a: [\n"}, "is no YAML", id="values-no-yaml"),
        pytest.param({VALUES: b"model: toy\ncanary: {steps: null}\n"}, "canary: 'steps' is a required", id="null"),
        pytest.param({VALUES: b"model: toy\ncanary: null\n"}, "'canary' is a required", id="null-group"),
        pytest.param({VALUES: b"model: toy\nreplicas: '3'\n"}, "replicas: '3' is not of type", id="text-for-number"),
        pytest.param({VALUES: None}, "nothing to render it with", id="no-values"),
        pytest.param({"policies/toy.yaml": None}, "without gates nothing", id="no-policy"),
        pytest.param({"policies/toy.yaml": b"model: toy\nowner: x\n"}, "policies/toy.yaml: ", id="policy-unreadable"),
        pytest.param({SERVED: b"model: &a toy\n"}, f"{SERVED}: ", id="version-unreadable"),
        pytest.param(
            {SERVED: VERSION.model_copy(update={"model": "other"}).yaml().encode()},
            "is about 'other'",
            id="version-of-another",
        ),
        pytest.param(
            {"models/toy/staging/evidence/evidence.json": b"{}"}, "not the evidence whose digest", id="evidence-swapped"
        ),
        pytest.param({"models/toy/staging/evidence/evidence.json": None}, "nothing says why", id="no-evidence"),
        pytest.param(
            {"models/toy/staging/evidence/bundle.sig": None}, "what is not signed is not served", id="not-signed"
        ),
        pytest.param(
            {SERVED: VERSION.model_copy(update={"model_digest": sha256(b"x")}).yaml().encode()},
            "about another model",
            id="model-swapped",
        ),
        pytest.param({promotion.rejected_path("toy", DIGEST): b"errors\n"}, "taken out of service", id="taken-out"),
        pytest.param({"models/toy/rejected/abc.txt": b"errors\n"}, "takes nothing out of service", id="note-misnamed"),
    ],
)
def test_what_is_wrong(
    repo: Callable[..., Path], capsys: pytest.CaptureFixture[str], changes: dict[str, bytes | None], said: str
) -> None:
    """Each thing is found, with its file, before anything is synced."""
    assert main.run(["env", "check", str(repo(changes))]) == 10
    assert said in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed")
def test_values_that_do_not_go_together(repo: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Each fits the schema; the chart refuses them, in its own words, before Argo CD would."""
    together = b"model: toy\nreplicas: 3\nanalysis: {minimumRequests: 25}\n"
    assert main.run(["env", "check", str(repo({VALUES: together}))]) == 10
    told = capsys.readouterr().out
    assert f"{VALUES}: the chart refuses the values of toy: analysis.minimumRequests is 25" in told
    assert "--debug" not in told


def test_without_helm_it_says_what_it_left_out(
    repo: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is checked all the same."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert main.run(["env", "check", str(repo())]) == 0
    assert "helm is not installed, so what the chart itself would refuse was not looked for" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param([SERVED, "models/toy/staging/evidence/new.json"], None, id="one-place"),
        pytest.param([VALUES, "policies/toy.yaml"], None, id="no-version"),
        pytest.param(
            [SERVED, "models/toy/production/version.yaml"],
            "toy in staging beside toy in production",
            id="two-environments",
        ),
        pytest.param([SERVED, "models/other/staging/version.yaml"], "one request, one model", id="two-models"),
        pytest.param([SERVED, "policies/toy.yaml"], "a request of its own", id="its-own-gates"),
        pytest.param([SERVED, "keys/signing.pub.pem"], "a request of its own", id="its-own-key"),
    ],
)
def test_one_request_one_model(
    repo: Callable[..., Path], capsys: pytest.CaptureFixture[str], changed: list[str], said: str | None
) -> None:
    """A reviewer is asked one question, and nobody brings the rule that judges them."""
    folder = repo()

    def git(*words: str) -> None:
        command = ["git", "-c", "user.name=ada", "-c", "user.email=a@b", *words]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("add", ".")
    git("commit", "--message=first")
    git("checkout", "-b", "request")
    for path in changed:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes((folder / path).read_bytes() + b"\n" if (folder / path).exists() else b"new\n")
    git("add", ".")
    git("commit", "--message=second")
    main.run(["env", "check", str(folder), "--base", "main"])
    out = capsys.readouterr().out
    assert said in out if said else "request" not in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param(["--base", "nowhere"], "--base nowhere", id="no-such-commit"),
        pytest.param(["--chart", "/nowhere"], "no chart at /nowhere", id="no-such-chart"),
    ],
)
def test_mistyped(
    repo: Callable[..., Path], capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    """What the command line got wrong is a mistake of the command line."""
    assert main.run(["env", "check", str(repo()), *arguments]) == 2
    assert why in capsys.readouterr().err


def test_no_repo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another folder is not in order just because nothing is in it."""
    assert main.run(["env", "check", str(tmp_path)]) == 2
    assert "no environment repo" in capsys.readouterr().err


def test_production_serves_what_can_be_made_again(
    repo: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A version whose files no commit holds is found in production; staging may have it."""
    dirty = EVIDENCE.model_copy(update={"provenance": toy.CLEAN.model_copy(update={"tree": DIGEST})})
    given = VERSION.model_copy(update={"evidence_digest": dirty.content_digest()})
    beside = {**BESIDE, "evidence.json": dirty.canonical_json().encode()}
    subject = SUBJECT.model_copy(update={"environment": "production"})
    assert main.run(["env", "check", str(repo(promotion.files(SUBJECT, given.yaml(), beside)))]) == 0
    assert main.run(["env", "check", str(repo(promotion.files(subject, given.yaml(), beside)))]) == 10
    assert "models/toy/production/evidence/evidence.json: is of a model that cannot be" in capsys.readouterr().out
