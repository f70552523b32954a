"""The verb ``env check`` on the environment repo of this checkout, and on what can be wrong with one."""

import datetime
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.adapters import keys
from argosy.adapters.model_signer import KeySigner
from argosy.cli import main
from argosy.domain import bundle, environment_layout, promotion_requests, release
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.second_file import SecondFile
from kit import toy

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
RELEASE = bundle.Release(
    model="toy", model_digest=DIGEST, counter=1, not_after=datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC)
)
SUBJECT = promotion_requests.Subject(
    model="toy", environment="staging", model_digest=DIGEST, version=1, policy_digest=DIGEST
)
VALUES = "models/toy/values.yaml"
SECOND = environment_layout.second_path("toy", "staging")
TRIED = SecondFile(
    role="candidate", percent=10, version=2, model_digest=sha256(b"two"), storage_uri="s3://b/two/", signature="{}"
)
SERVED = environment_layout.version_path("toy", "staging")
BESIDE_IT = environment_layout.evidence_folder("toy", "staging")
RELEASED = f"{BESIDE_IT}/release.json"

CHECKS = ".github/workflows/checks.yaml"
PROMOTE = f"mirror.example/argosy/promote@sha256:{'e' * 64}"


def workflow(image: str) -> bytes:
    """A workflow that runs *image*."""
    return f'env:\n  IMAGE: {image}\n  HEAD: x\nrun: docker run "$IMAGE" python -m argosy.cli.main\n'.encode()


def changed_evidence(**changes: str) -> dict[str, bytes | None]:
    """Other evidence, and a version file that has its digest."""
    evidence = EVIDENCE.model_copy(update=changes)
    version = VERSION.model_copy(update={"evidence_digest": evidence.content_digest()})
    return {SERVED: version.yaml().encode(), f"{BESIDE_IT}/evidence.json": evidence.canonical_json().encode()}


@pytest.fixture
def repo(tmp_path: Path, root: Path) -> Callable[..., Path]:
    """A checkout that serves one model in staging; *changes* (path to content, None: gone) laid over it."""
    policy = (root / "gitops-env/policies/churn.yaml").read_text(encoding="utf-8").replace("model: churn", "model: toy")
    files: dict[str, bytes | None] = {
        VALUES: b"model: toy\nreplicas: 3\n",
        "policies/toy.yaml": policy.encode(),
        **promotion_requests.files(SUBJECT, VERSION.yaml(), BESIDE),
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
    assert capsys.readouterr().out == "3 models, no problems\n"


def test_one_that_tries_a_second_version(repo: Callable[..., Path]) -> None:
    """What `argosy env second` writes is in order."""
    assert main.run(["env", "check", str(repo({SECOND: TRIED.yaml().encode()}))]) == 0


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
        pytest.param({VALUES: b"a: [\n"}, f"{VALUES}: cannot be read: line 2", id="values-no-yaml"),
        pytest.param({VALUES: b"\xff\xfe"}, f"{VALUES}: cannot be read: is not UTF-8", id="values-no-text"),
        pytest.param({VALUES: b"a: " + b"[" * 100_000}, "exceeded maximum nesting depth", id="values-deep"),
        pytest.param({VALUES: b"model: toy\n---\nunsigned: true\n"}, "holds 2 documents", id="values-several"),
        pytest.param({VALUES: b"model: toy\nreplicas: 3\nreplicas: 0\n"}, "'replicas' is there twice", id="key-twice"),
        pytest.param(
            {VALUES: b"model: toy\nunsigned: false\n<<: {unsigned: true}\n"},
            "'unsigned' is there twice",
            id="merge-key",
        ),
        pytest.param({VALUES: b"model: toy\nunsigned: y\n"}, "unsigned: these values are", id="yes-to-helm"),
        pytest.param(
            {VALUES: b"model: toy\nminimumVersion: 0o17\n"}, "older than minimumVersion (15)", id="number-to-helm"
        ),
        pytest.param({VALUES: b"model: toy\ncanary: {steps: null}\n"}, "canary: 'steps' is a required", id="null"),
        pytest.param({VALUES: b"model: toy\ncanary: null\n"}, "'canary' is a required", id="null-group"),
        pytest.param({VALUES: b"model: toy\nreplicas: '3'\n"}, "replicas: '3' is not of type", id="text-for-number"),
        pytest.param({VALUES: None}, "nothing to render it with", id="no-values"),
        pytest.param(
            {VALUES: b"model: toy\nsecond: {}\n"}, "second: second.yaml beside a version", id="second-in-values"
        ),
        pytest.param({SECOND: b'second:\n  role: "x"\n'}, f"{SECOND}: role: Input should be", id="second-unreadable"),
        pytest.param(
            {SECOND: b"unsigned: 1\n"}, "expected 'second' and nothing else; found unsigned", id="second-else"
        ),
        pytest.param(
            {SERVED: None, SECOND: TRIED.yaml().encode()},
            "names a second version, and there is no first",
            id="second-alone",
        ),
        pytest.param(
            {SECOND: TRIED.yaml().encode(), environment_layout.rejected_path("toy", TRIED.model_digest): b"it was bad"},
            f"{SECOND}: names a model that was taken out of service",
            id="second-rejected",
        ),
        pytest.param({CHECKS: workflow("registry/promote:1.2")}, "registry/promote:1.2, which is no digest", id="tag"),
        pytest.param(
            {".github/workflows/mine.yaml": b"run: pip install --quiet 'argosy[promote]'\n"},
            "takes argosy from an index by its bare name (run: pip install --quiet 'argosy[promote]')",
            id="bare-install",
        ),
        pytest.param({"tools/requirements.txt": b"argosy==1.0\n"}, "by its bare name (argosy==1.0)", id="bare-line"),
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
        pytest.param({VALUES: b"model: toy\nimage: x:1\n"}, "image: version.yaml says this", id="image-in-values"),
        pytest.param(
            {VALUES: b"model: toy\nenvironment: staging\n"},
            "environment: Argo CD says this",
            id="environment-in-values",
        ),
        pytest.param(
            {VALUES: b"model: toy\nverifyingKey: mine\n"}, "verifyingKey: Argo CD says this", id="key-in-values"
        ),
        pytest.param({VALUES: b"model: toy\nunsigned: true\n"}, "serves nothing unsigned", id="unsigned"),
        pytest.param(
            {VALUES: b"model: toy\nserver: {image: 'registry/serve:1.0'}\n"},
            "is no image by digest",
            id="server-by-tag",
        ),
        pytest.param(
            {VALUES: b"model: toy\nserver: {env: [{name: A, value: b}, {name: LD_PRELOAD, value: x}]}\n"},
            "server.env: LD_PRELOAD would make the server load other code",
            id="preload",
        ),
        pytest.param(
            {VALUES: b"model: toy\nserver: {env: [{name: PYTHONPATH, value: x}]}\n"}, "PYTHONPATH", id="python-path"
        ),
        pytest.param(
            {VALUES: b"model: toy\nserver: {env: [{name: ARGOSY_HOME, value: x}]}\n"}, "ARGOSY_HOME", id="our-setting"
        ),
        pytest.param(
            {SERVED: VERSION.yaml().encode() + b'image: "x:1"\n'}, "an image is named by its digest alone", id="tag"
        ),
        pytest.param(
            {SERVED: VERSION.model_copy(update={"policy_digest": sha256(b"x")}).yaml().encode()},
            "was judged by another policy",
            id="policy-swapped",
        ),
        pytest.param(changed_evidence(verdict="reject"), "says 'reject', and its model is served", id="verdict"),
        pytest.param(changed_evidence(model="other"), "is about another model", id="evidence-of-another"),
        pytest.param(
            {RELEASED: RELEASE.model_copy(update={"counter": 2}).canonical_json().encode()},
            "version is 1, the signed release says 2",
            id="number",
        ),
        pytest.param({RELEASED: b"{}"}, "release.json: cannot be read", id="release-unreadable"),
        pytest.param(
            {"models/toy/Staging/version.yaml": b"x"}, "names in the environment repo are lower case", id="case"
        ),
        pytest.param({"models/toy/VALUES.yaml": b"x"}, "in upper and lower case only", id="look-alike"),
        pytest.param(
            {environment_layout.rejected_path("toy", DIGEST): b"errors\n"}, "taken out of service", id="taken-out"
        ),
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


def test_a_model_that_answers_anybody_is_said(repo: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A decision that a review may make, and has to see; nothing is said where callers prove who they are."""
    assert main.run(["env", "check", str(repo({VALUES: b"model: toy\naccess: {enabled: false}\n"}))]) == 0
    assert f"{VALUES}: access.enabled is false: whoever reaches the pods of toy may ask" in capsys.readouterr().err
    assert main.run(["env", "check", str(repo({VALUES: b"model: toy\naccess: {secret: mine}\n"}))]) == 0
    assert "access" not in capsys.readouterr().err


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
        pytest.param([SERVED, VALUES], f"{VALUES}: is a rule", id="its-own-values"),
        pytest.param([SERVED, "CODEOWNERS"], "CODEOWNERS: is a rule", id="its-own-owners"),
        pytest.param([SERVED, ".github/workflows/checks.yaml"], "checks.yaml: is a rule", id="its-own-checks"),
        pytest.param([SERVED, "clusters/production/chart.yaml"], "chart.yaml: is a rule", id="its-own-chart"),
        pytest.param([SERVED, "notes.txt"], "notes.txt: is added together with a version", id="anything-else"),
        pytest.param(
            [VALUES, "CODEOWNERS"],
            "CODEOWNERS: added; no version changes with it, so people must review it",
            id="rules",
        ),
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
    assert said in out if said else "make it a request" not in out


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


@pytest.mark.parametrize(
    "name", [pytest.param("a\n1 models, no problems", id="line"), pytest.param(os.fsdecode(b"caf\xe9"), id="no-utf-8")]
)
def test_names_that_are_no_text(repo: Callable[..., Path], capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Whatever bytes a path of a request has, it is named in one line, which looks like no other."""
    folder = repo({f"models/toy/rejected/{name}": b"bad\n"})
    _git(folder, "init", "--initial-branch=main")
    _git(folder, "add", ".")
    _git(folder, "commit", "--message=first")
    for commit in ([], ["--commit", "HEAD"]):
        assert main.run(["env", "check", str(folder), *commit]) == 10
        assert [line.partition(":")[2].partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [
            " takes nothing out of service",
            "",
        ]


def test_production_serves_what_can_be_made_again(
    repo: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A version whose files no commit holds is found in production; staging may have it."""
    dirty = EVIDENCE.model_copy(update={"provenance": toy.CLEAN.model_copy(update={"tree": DIGEST})})
    given = VERSION.model_copy(update={"evidence_digest": dirty.content_digest()})
    beside = {**BESIDE, "evidence.json": dirty.canonical_json().encode()}
    subject = SUBJECT.model_copy(update={"environment": "production"})
    assert main.run(["env", "check", str(repo(promotion_requests.files(SUBJECT, given.yaml(), beside)))]) == 0
    assert main.run(["env", "check", str(repo(promotion_requests.files(subject, given.yaml(), beside)))]) == 10
    assert "models/toy/production/evidence/evidence.json: is of a model that cannot be" in capsys.readouterr().out


def _git(folder: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=ada", "-c", "user.email=a@b", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def signed(repo: Callable[..., Path], tmp_path: Path) -> Path:
    """A checkout whose evidence is signed with the key that main has, on a branch of its own."""
    keys.ensure_signing_pair(tmp_path / "key.pem", tmp_path / "key.pub.pem")
    folder = repo({"keys/signing.pub.pem": (tmp_path / "key.pub.pem").read_bytes(), f"{BESIDE_IT}/evidence.sig": None})
    _sign(folder, tmp_path / "key.pem")
    _git(folder, "init", "--initial-branch=main")
    _git(folder, "add", ".")
    _git(folder, "commit", "--message=first")
    _git(folder, "checkout", "-b", "request")
    return folder


def _sign(folder: Path, key: Path) -> None:
    evidence = folder / BESIDE_IT
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(shutil.copytree(evidence, Path(scratch) / "evidence", ignore=shutil.ignore_patterns("*.sig")))
        KeySigner(key).sign(report, evidence / "evidence.sig")


def test_the_signature_of_evidence(signed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was signed is in order; a word changed in the report afterwards is found, and named."""
    assert main.run(["env", "check", str(signed)]) == 0
    (signed / BESIDE_IT / "evidence.md").write_text("approved", encoding="utf-8")
    assert main.run(["env", "check", str(signed)]) == 10
    assert f"{BESIDE_IT}/evidence.sig: does not hold: it is not what was signed" in capsys.readouterr().out


def test_a_key_that_comes_along(signed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Signatures of a change are checked with the key of its base, never with one that it brings."""
    keys.ensure_signing_pair(tmp_path / "own.pem", tmp_path / "own.pub.pem")
    shutil.copyfile(tmp_path / "own.pub.pem", signed / "keys" / "signing.pub.pem")
    (signed / BESIDE_IT / "evidence.md").write_text("approved", encoding="utf-8")
    _sign(signed, tmp_path / "own.pem")
    _git(signed, "add", ".")
    _git(signed, "commit", "--message=second")
    assert main.run(["env", "check", str(signed), "--base", "main"]) == 10
    told = capsys.readouterr().out
    assert "does not hold: it is not what was signed: it was signed with another key" in told
    assert "keys/signing.pub.pem: is a rule" in told


def test_a_key_that_is_taken_away_too_early(signed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A request that takes the key of something served out of the file is red; one that adds a key is not."""
    file = signed / "keys" / "signing.pub.pem"
    keys.prepare_signing_key(tmp_path / "new.pem", file, None)
    _git(signed, "commit", "--all", "--message=both")
    assert main.run(["env", "check", str(signed), "--base", "main"]) == 0
    keys.put_public_keys(file, keys.public_keys(file)[1:])
    _git(signed, "commit", "--all", "--message=too early")
    assert main.run(["env", "check", str(signed), "--base", "main"]) == 10
    assert f"{BESIDE_IT}/evidence.sig: does not hold: it is not what was signed: it was signed with another key" in (
        capsys.readouterr().out
    )


def test_no_signature_is_checked_without_a_key(repo: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads that all is well reads what was not looked for."""
    assert main.run(["env", "check", str(repo())]) == 0
    assert "there is no keys/signing.pub.pem, so no signature was checked" in capsys.readouterr().err


@pytest.mark.parametrize("odd", ["link", "executable"])
def test_a_change_of_modes(signed: Path, odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A version that became a link, or may be executed, is refused though its text did not change."""
    if odd == "link":
        (signed / "elsewhere.yaml").write_bytes((signed / SERVED).read_bytes())
        (signed / SERVED).unlink()
        (signed / SERVED).symlink_to("../../../elsewhere.yaml")
    else:
        (signed / SERVED).chmod(0o755)
    _git(signed, "add", ".")
    _git(signed, "commit", "--message=second")
    assert main.run(["env", "check", str(signed), "--base", "main"]) == 10
    kind = {"link": "a symbolic link", "executable": "an executable file"}[odd]
    assert f"{SERVED}: is {kind}; a request holds plain files only" in capsys.readouterr().out


def test_what_is_retired_by_people(signed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A version that goes promotes nothing: that is for people to review, and no problem of the repository."""
    _git(signed, "rm", "-r", "--quiet", SERVED, BESIDE_IT)
    _git(signed, "commit", "--message=retire")
    assert main.run(["env", "check", str(signed), "--base", "main"]) == 0
    assert f"{SERVED}: removed; no version changes with it, so people must review it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(f"server: {{image: {PROMOTE}}}", None, id="an-image"),
        pytest.param("# nobody named one", None, id="comments"),
        pytest.param("server: {image: registry/serve:1.2}", "registry/serve:1.2 is no image by digest", id="a-tag"),
        pytest.param("server: {image: ''}", "is empty, which takes the image away", id="empty"),
        pytest.param("server: [a]", "says something else than `server: {image:", id="no-mapping"),
        pytest.param(f"server: {{image: {PROMOTE}, env: []}}", "says something else than", id="more-of-the-server"),
        pytest.param("unsigned: true", "says something else than", id="other-values"),
        pytest.param("server: {", "cannot be read", id="no-yaml"),
    ],
)
def test_the_image_that_an_environment_serves_with(
    text: str, said: str | None, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By digest, and nothing else: its owners say which server runs, not how a model is served."""
    folder = tmp_path / "environment"
    shutil.copytree(root / "gitops-env", folder)
    (folder / environment_layout.server_path("production")).write_text(f"{text}\n", encoding="utf-8")
    assert main.run(["env", "check", str(folder)]) == (10 if said else 0)
    told = capsys.readouterr().out
    assert (said or "no problems") in told
    assert ("clusters/production/server.yaml: " in told) is (said is not None)


def test_the_image_that_workflows_run(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody named one yet: said, and no error. Then every workflow runs it, and nothing else in them changed."""
    folder = tmp_path / "environment"
    shutil.copytree(root / "gitops-env", folder)
    assert main.run(["env", "check", str(folder)]) == 0
    workflows = sorted((folder / ".github" / "workflows").iterdir())
    assert capsys.readouterr().err.count("runs no image yet; `argosy env pin-image`") == len(workflows) >= 2
    before = [path.read_text(encoding="utf-8") for path in workflows]
    assert main.run(["env", "pin-image", PROMOTE, "--folder", str(folder)]) == 0
    after = [path.read_text(encoding="utf-8") for path in workflows]
    nobodys = f"ghcr.io/example/argosy/promote@sha256:{'0' * 64}"
    assert after == [text.replace(nobodys, PROMOTE) for text in before]
    assert all(text.count(f"IMAGE: {PROMOTE}\n") == 1 for text in after)
    capsys.readouterr()
    assert main.run(["env", "check", str(folder)]) == 0
    assert "runs no image" not in capsys.readouterr().err


@pytest.mark.parametrize("image", ["registry/promote:1.2", "registry/promote", f"registry/promote@sha256:{'e' * 63}"])
def test_no_tag_is_pinned(image: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tag may be another image tomorrow; before `make images` there is none to name."""
    assert main.run(["env", "pin-image", image, "--folder", str(root / "gitops-env")]) == 2
    assert f"{image} is no image by digest" in capsys.readouterr().err


def test_the_image_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Without a word it is the one that `make images` wrote down; without that file there is none."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(root / "gitops-env", "gitops-env")
    assert main.run(["env", "pin-image"]) == 2
    (tmp_path / "images").mkdir()
    lock = f'{{"repository": "mirror.example/argosy", "images": {{"promote": {{"digest": "sha256:{"e" * 64}"}}}}}}'
    (tmp_path / "images" / "images.lock").write_text(lock, encoding="utf-8")
    assert main.run(["env", "pin-image"]) == 0
    assert PROMOTE in Path("gitops-env", CHECKS).read_text(encoding="utf-8")
