"""A step sees its own files and environment, and nothing else of the user's that it was not given.

Secrets are planted wherever a user has some, and a step looks for them by every way there is (``looking.py``): as root, as an ordinary
user, and where a container hides a part of /proc.
"""

import contextlib
import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_cache_path

from argosy.engine.processes import accounts, isolation, linux, readable, view
from kit.manifests import ENTRYPOINT, TEMPLATES

pytestmark = pytest.mark.skipif(
    not isolation.here().private_files, reason=f"no namespaces here: {isolation.here().reason}"
)

CANARY = "Canary-7f3a9d"
PLANTED = (
    "user/.ssh/id_ed25519",
    "user/.aws/credentials",
    "user/.config/gh/hosts.yml",
    "user/.kube/config",
    "user/.docker/config.json",
    "user/.netrc",
    "user/.bash_history",
    "home/keys/signing.pem",
    "home/keys/signing.pub.pem",
    "home/keys/ids.key",
    "home/forge/environment.git/config",
    "home/registry/mlflow.db",
    "home/runs/other/manifest.json",
    "home/objects/aa/other",
    "project/notes.txt",
)
LOOKING = Path(__file__).with_name("looking.py")


def secret(where: str) -> str:
    """What is planted at *where*: longer than what the step looks for, so that it is told from the step's own search."""
    return f"{CANARY}-{''.join(letter for letter in where if letter.isalpha()).lower()}-planted"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that is not among temporary files, where everything is hidden anyhow, with what a user has in it."""
    cache = user_cache_path("argosy-tests")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"isolation-{os.getpid()}"
    for path in PLANTED:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(secret(path), encoding="utf-8")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def offering(address: str) -> Iterator[None]:
    """A socket of the user's that gives its secret to whoever connects."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.sendall(secret("socket").encode())

        threading.Thread(target=serve, daemon=True).start()
        yield
        listening.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def planted_elsewhere(place: Path) -> Iterator[list[str]]:
    """Secrets that are no files of the user's folder: where they are."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(0, 4096, 0o1600)
    address = libc.shmat(segment, None, 0)
    ctypes.memmove(address, secret("segment").encode(), len(secret("segment")))
    files = [Path("/tmp", f"planted-{os.getpid()}"), Path("/dev/shm", f"planted-{os.getpid()}")]
    for file in files:
        file.write_text(secret("temporary"), encoding="utf-8")
    abstract = f"planted-{os.getpid()}"
    text = secret("key").encode()
    libc.syscall({"x86_64": 248, "aarch64": 217}[os.uname().machine], b"user", b"argosy-canary", text, len(text), -4)
    try:
        with offering(str(place / "agent.sock")), offering(f"\0{abstract}"):
            yield [*map(str, files), str(place / "agent.sock"), f"@{abstract}"]
    finally:
        libc.shmctl(segment, 0, None)
        for file in files:
            file.unlink()


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "of-another"},
    "stringData": {"VALUE": secret("another")},
}


def workflow(place: Path, places: list[str]) -> str:
    """A step with a secret of its own, then two that look: one in a warm interpreter, which knew the first's, one executed."""
    looking = [CANARY[1:], *(str(place / path) for path in PLANTED), *places]
    given = {"name": "VALUE", "valueFrom": {"secretKeyRef": {"name": "of-another", "key": "VALUE"}}}
    source = LOOKING.read_text(encoding="utf-8")
    templates = [
        {
            "name": "main",
            "steps": [[{"name": name, "template": name}] for name in ("knows", "warm", "executed")],
        },
        {
            "name": "knows",
            "container": {
                "image": "any",
                "command": ["python", "-c", "import os; print(len(os.environ['VALUE']))"],
                "env": [given],
            },
        },
        {"name": "warm", "container": {"image": "any", "command": ["python", "-c", source, *looking]}},
        {
            "name": "executed",
            "container": {"image": "any", "command": ["env", "python3", "-c", source, *looking]},
        },
    ]
    main = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "wf"},
        "spec": {"entrypoint": "main", "templates": templates},
    }
    (place / "project" / "wf.yaml").write_text(json.dumps(main), encoding="utf-8")
    (place / "project" / "secret.yaml").write_text(json.dumps(SECRET), encoding="utf-8")
    return str(place / "project" / "wf.yaml")


ORDINARY = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
MASKED = ("unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc")
MASKED_PROC = (*MASKED, "sh", "-c", 'mount -t tmpfs none /proc/fs && exec "$@"', "sh")


def can(prefix: tuple[str, ...]) -> bool:
    """Whether this machine lets a test be another account's."""
    return not prefix or (
        shutil.which(prefix[0]) is not None
        and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param((), id="as this account"),
        pytest.param(ORDINARY, id="as an ordinary user"),
        pytest.param(MASKED_PROC, id="in a container that hides a part of proc"),
    ],
)
def test_a_step_finds_nothing_that_it_was_not_given(prefix: tuple[str, ...], place: Path) -> None:
    """By no way, in no kind of process."""
    if not can(prefix):
        pytest.skip("this machine does not let a test be that account's")
    with planted_elsewhere(place) as places:
        said = run(prefix, place, "-f", workflow(place, places), "-f", str(place / "project" / "secret.yaml"))
    logs = {
        path.parent.parent.name: path.read_text(encoding="utf-8")
        for path in (place / "home").glob("runs/wf-*/nodes/*/0/main.log")
    }
    looked = [log for log in logs.values() if "looked everywhere" in log]
    assert len(looked) == 2, said + repr(logs)
    assert {log for log in looked if log != "looked everywhere\n"} == set()


RUN = ("-m", "argosy.cli.main", "run")


def run(
    prefix: tuple[str, ...],
    place: Path,
    *arguments: str,
    project: Path | None = None,
    program: tuple[str, ...] = RUN,
) -> str:
    """What ``argosy run`` said, started with secrets in its environment, a file of the user's open, in the user's folder."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ARGOSY_")},
        "HOME": str(place / "user"),
        "ARGOSY_HOME": str(place / "home"),
        "ARGOSY_FORGE_TOKEN": secret("token"),
        "AWS_SECRET_ACCESS_KEY": secret("cloud"),
        "SSH_AUTH_SOCK": str(place / "agent.sock"),
    }
    with (place / "user/.netrc").open() as inherited:
        done = subprocess.run(
            [*prefix, sys.executable, *program, *arguments, "--local-image", "*"],
            cwd=place / "project",
            env=environment | ({"ARGOSY_DATA_ROOT": str(project)} if project else {}),
            pass_fds=[inherited.fileno()],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    return done.stdout + done.stderr


MAIN = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "wf"}}
WITHOUT_RIGHTS = (
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --bounding-set=-all --no-new-privs "$@"',
    "sh",
)
SEES = (
    TEMPLATES
    + """\
    - name: main
      inputs: {parameters: [{name: what, value: "cat"}]}
      container: {image: any, command: [sh, -c, WHAT]}
"""
)


def test_a_machine_that_cannot_is_named(place: Path) -> None:
    """Plainly, before the first step; the run goes on."""
    if not can(WITHOUT_RIGHTS):
        pytest.skip("this machine does not let a test be that account's")
    (place / "project" / "wf.yaml").write_text(SEES.replace("WHAT", "'true'"), encoding="utf-8")
    said = run(WITHOUT_RIGHTS, place, "-f", "wf.yaml")
    assert "note: steps of this run can read your files" in said
    assert "wf-" in said
    assert "Succeeded" in said


@pytest.mark.parametrize(
    ("what", "arguments", "expected"),
    [
        pytest.param(
            "cat {place}/project/notes.txt", (), "give it with --allow {place}/project/notes.txt", id="missing"
        ),
        pytest.param("cat {place}/project/notes.txt", ("--allow", "notes.txt"), "Succeeded", id="allowed"),
        pytest.param("cat {place}/project/notes.txt", ("--allow", "{place}/project"), "Succeeded", id="its-folder"),
        pytest.param("echo x > {place}/project/new", ("--allow", "."), "--allow {place}/project:rw", id="read-only"),
        pytest.param("echo x > {place}/project/new", ("--allow", ".:rw"), "Succeeded", id="writable"),
        pytest.param("cat {place}/project/away", ("--allow", "."), "Succeeded", id="a-link-inside"),
        pytest.param("cat {place}/link/notes.txt", ("--allow", "{place}/link"), "Succeeded", id="a-link-itself"),
        pytest.param("helper", (), "--allow {place}/user/bin", id="a-program-of-the-user's"),
        pytest.param("true", ("--allow", "nowhere"), "there is no such file or folder", id="no-such-path"),
    ],
)
def test_what_is_given_is_there_and_what_is_missing_is_named(
    what: str, arguments: tuple[str, ...], expected: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the path that was named; what a step looked for and is on this machine is said, with the option that gives it."""
    (place / "project" / "away").symlink_to("../user/.netrc")
    (place / "link").symlink_to("project")
    program = place / "user/bin/helper"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    command = what.format(place=place)
    text = SEES.replace("[sh, -c, WHAT]", json.dumps(["sh", "-c", command] if " " in command else [command]))
    (place / "project" / "wf.yaml").write_text(text, encoding="utf-8")
    said = run((), place, "-f", "wf.yaml", *(argument.format(place=place) for argument in arguments))
    assert expected.format(place=place) in said


MOUNTS_IN_TMP = (
    TEMPLATES
    + """\
    - name: main
      volumes: [{name: v, emptyDir: {}}]
      container:
        image: any
        command: [sh, -c, WHAT]
        volumeMounts: [{name: v, mountPath: /tmp/x/id_ed25519}]
      outputs: {artifacts: [{name: all, path: /tmp}]}
"""
)


@pytest.mark.parametrize(
    ("what", "left"),
    [
        pytest.param("mv /tmp/x /tmp/y; ln -s {place}/user/.ssh /tmp/x", {"x", "y"}, id="a-link"),
        pytest.param(
            "mv /tmp/x /tmp/y; mkdir /tmp/x; echo own > /tmp/x/id_ed25519", {"x", "x/id_ed25519", "y"}, id="its-own"
        ),
        pytest.param("true", set(), id="nothing"),
    ],
)
def test_of_its_tmp_only_what_was_made_for_it_is_removed(what: str, left: set[str], place: Path) -> None:
    """A step may move the folder of a mount point, and put a link to the user's files, or files of its own, in its place."""
    text = MOUNTS_IN_TMP.replace("WHAT", json.dumps(what.format(place=place)))
    (place / "project" / "wf.yaml").write_text(text, encoding="utf-8")
    assert "Succeeded" in run((), place, "-f", "wf.yaml")
    planted = place / "user/.ssh/id_ed25519"
    assert planted.read_text(encoding="utf-8").strip() == secret("user/.ssh/id_ed25519")
    (kept,) = (path for path in (place / "home/objects").glob("??/*") if path.is_dir())
    found = {str(entry.relative_to(kept)) for entry in kept.rglob("*")}
    assert found - {"y/id_ed25519"} == left


@pytest.fixture
def in_etc() -> Iterator[Path]:
    """A name in ``/etc`` that nobody else uses, for a file that everybody may read at first."""
    if os.geteuid() != 0 or not os.access("/etc", os.W_OK):
        pytest.skip("only root has private files in /etc")
    path = Path("/etc", f"argosy-test-{os.getpid()}")
    try:
        yield path
    finally:
        for made in path.parent.glob(f"{path.name}*"):
            shutil.rmtree(made) if made.is_dir() and not made.is_symlink() else made.unlink()


def keep_private(path: Path) -> None:
    """Put a secret at *path* the way programs do that keep passwords: a new file that takes its name."""
    new = path.with_name(f"{path.name}.new")
    new.touch(0o600)
    new.write_text(secret("etc"), encoding="utf-8")
    new.rename(path)


BY_MOUNTS = """
from argosy.engine.processes import accounts
accounts.nobody = lambda: None
from argosy.cli import main
main.main()
"""
BOTH_WAYS = pytest.mark.parametrize(
    "program", [pytest.param(RUN, id="by-the-kernel"), pytest.param(("-c", BY_MOUNTS, "run"), id="by-mounts")]
)
"""How a step sees of ``/etc`` what everybody may read: the second where a file system cannot be shown as nobody's."""


def logs_of(place: Path, program: tuple[str, ...], steps: dict[str, str], meanwhile: Callable[[], None]) -> list[str]:
    """What the two *steps* say, lines of shell that run one after the other, where *meanwhile* is done while the first runs: after it has
    begun, and before it goes on."""
    begun, changed = place / "project/begun", place / "project/changed"
    templates = [
        {"name": "main", "steps": [[{"name": name, "template": name}] for name in steps]},
        *({"name": name, "container": {"image": "any", "command": ["sh", "-c", steps[name]]}} for name in steps),
    ]
    text = json.dumps({**MAIN, "spec": {"entrypoint": "main", "templates": templates}})
    (place / "project" / "wf.yaml").write_text(text, encoding="utf-8")
    changing = threading.Thread(target=change, args=(begun, changed, meanwhile))
    changing.start()
    said = run((), place, "-f", "wf.yaml", "--allow", f"{place}/project:rw", program=program)
    changing.join()
    found = (place / "home").glob("runs/wf-*/nodes/*/0/main.log")
    logs = [path.read_text(encoding="utf-8") for path in sorted(found, key=lambda path: path.stat().st_ctime)]
    assert len(logs) == len(steps), said
    return logs


def waiting(place: Path, line: str) -> str:
    """The *line* of shell, run once what is done meanwhile has been done."""
    return f"touch {place}/project/begun; until [ -e {place}/project/changed ]; do sleep 0.05; done; {line}"


@BOTH_WAYS
@pytest.mark.parametrize("at_first", [pytest.param(True, id="replaced"), pytest.param(False, id="created")])
def test_what_becomes_private_in_etc_during_a_run_is_not_read(
    program: tuple[str, ...], at_first: bool, place: Path, in_etc: Path
) -> None:
    """Neither by the step that runs meanwhile nor by the next one."""
    if at_first:
        keep_private(in_etc)
    steps = {"a": waiting(place, f"cat {in_etc}; true"), "b": f"cat {in_etc}; true"}
    logs = logs_of(place, program, steps, lambda: keep_private(in_etc))
    assert all(("No such file" in log or "Permission denied" in log) and CANARY not in log for log in logs), logs


def test_what_everybody_may_read_no_more_is_not_read(place: Path, in_etc: Path) -> None:
    """The file itself becomes private, and so does a folder on the way to another: the kernel looks at each access."""
    if not shows_as_nobodys():
        pytest.skip("this machine cannot show /etc as nobody's")
    folder = in_etc.with_name(f"{in_etc.name}-folder")
    folder.mkdir()
    for path in (in_etc, folder / "file"):
        path.write_text(secret("etc"), encoding="utf-8")

    def close() -> None:
        in_etc.chmod(0o600)
        folder.chmod(0o700)

    look = f"cat {in_etc} {folder}/file; true"
    logs = logs_of(place, RUN, {"a": waiting(place, look), "b": look}, close)
    assert all(log.count("Permission denied") == 2 and CANARY not in log for log in logs), logs


@BOTH_WAYS
def test_what_is_replaced_in_etc_during_a_run_is_seen(program: tuple[str, ...], place: Path, in_etc: Path) -> None:
    """By the next step at the latest: an account that is new, another file of hosts."""
    in_etc.write_text("old\n", encoding="utf-8")
    look = f"cat {in_etc} {in_etc}-new; true"
    logs = logs_of(place, program, {"a": waiting(place, "true"), "b": look}, lambda: replace(in_etc))
    assert logs[1] == "new\nnew\n"


def replace(path: Path) -> None:
    """Write a new file that takes the name of *path*, and one beside it."""
    new = path.with_name(f"{path.name}.new")
    new.write_text("new\n", encoding="utf-8")
    new.rename(path)
    path.with_name(f"{path.name}-new").write_text("new\n", encoding="utf-8")


@BOTH_WAYS
def test_what_links_of_etc_lead_to_is_there_as_it_is_now(program: tuple[str, ...], place: Path, in_etc: Path) -> None:
    """As name servers are, written anew beside the old ones while a run lasts; over other links outside of the system, too."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as elsewhere:
        Path(elsewhere).chmod(0o755)
        file = Path(elsewhere, "servers")
        file.write_text("old\n", encoding="utf-8")
        (file.parent / "hop").symlink_to("servers")
        in_etc.symlink_to(file.parent / "hop")
        logs = logs_of(
            place, program, {"a": waiting(place, f"cat {in_etc}"), "b": f"cat {in_etc}"}, lambda: replace(file)
        )
    assert logs == ["old\n", "new\n"]


@pytest.mark.parametrize("closed", ["the file", "a folder on the way"])
def test_a_link_of_etc_opens_nothing(closed: str, place: Path, in_etc: Path) -> None:
    """What it leads to is shown only where everybody may go there and read it."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as elsewhere:
        file = Path(elsewhere, "folder/file")
        file.parent.mkdir()
        file.write_text(secret("etc"), encoding="utf-8")
        Path(elsewhere).chmod(0o700 if closed == "a folder on the way" else 0o755)
        file.chmod(0o600 if closed == "the file" else 0o644)
        in_etc.symlink_to(file)
        (log,) = logs_of(place, RUN, {"a": waiting(place, f"cat {in_etc}; true")}, lambda: None)
    assert "No such file" in log
    assert CANARY not in log


def test_a_private_file_of_etc_can_be_given(place: Path, in_etc: Path) -> None:
    """Below a folder that keeps everybody out: nothing else of the folder is there."""
    folder = in_etc.with_name(f"{in_etc.name}-folder")
    folder.mkdir(0o700)
    for name in ("given", "other"):
        (folder / name).write_text(f"the {name} one\n", encoding="utf-8")
        (folder / name).chmod(0o600)
    text = SEES.replace("WHAT", f'"cat {folder}/given && ls {folder}"')
    (place / "project" / "wf.yaml").write_text(text, encoding="utf-8")
    assert f"give it with --allow {folder}/given" in run((), place, "-f", "wf.yaml")
    shutil.rmtree(place / "home/runs")
    said = run((), place, "-f", "wf.yaml", "--allow", f"{folder}/given")
    (log,) = (place / "home").glob("runs/wf-*/nodes/*/0/main.log")
    assert log.read_text(encoding="utf-8") == "the given one\ngiven\n", said


def test_the_system_is_few_mounts() -> None:
    """Each of them is copied and dropped again for each step."""
    if os.geteuid() != 0 or not shows_as_nobodys():
        pytest.skip("this machine cannot show /etc as nobody's")
    assert in_root(lambda: [mount for mount in mounts() if mount.startswith("/etc")] == ["/etc"], accounts.nobody())


def mounts() -> list[str]:
    """Where something is mounted, as this process sees it."""
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]


def shows_as_nobodys() -> bool:
    """Whether this machine can show ``/etc`` as nobody's."""
    nobody = accounts.nobody()
    if nobody is None:
        return False
    try:
        os.close(linux.tree("/etc", owners=nobody))
    except OSError:
        return False
    finally:
        os.close(nobody)
    return True


def change(begun: Path, changed: Path, meanwhile: Callable[[], None]) -> None:
    """Once there is *begun*, do *meanwhile*; then make *changed*."""
    last = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < last:
        time.sleep(0.05)
    meanwhile()
    changed.touch()


def test_a_file_of_etc_that_goes_away_meanwhile_fails_no_step(in_etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the ones do that are written beside a file to take its name: listed, and gone when they are to be shown."""
    looked = readable.look("/etc")
    monkeypatch.setattr(readable, "look", lambda _: looked._replace(**gone(looked, in_etc.name)))
    assert in_root(lambda: bool(Path("/etc/passwd").stat().st_size) and not in_etc.exists())


def test_a_file_of_etc_that_is_replaced_meanwhile_is_whole(in_etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new one is shown where the old one goes away between the calls that show it."""
    in_etc.write_text("old", encoding="utf-8")
    hold, new = linux.tree, in_etc.with_name(f"{in_etc.name}.new")

    def replaced(path: Path | str, **how: bool) -> int:
        number = hold(path, **how)
        if str(path) == str(in_etc) and in_etc.read_text(encoding="utf-8") == "old":
            new.write_text("new", encoding="utf-8")
            new.rename(in_etc)
        return number

    monkeypatch.setattr(linux, "tree", replaced)
    assert in_root(lambda: in_etc.read_text(encoding="utf-8") == "new")


def in_root(holds: Callable[[], bool], nobody: int | None = None) -> bool:
    """Whether *holds* is true in a new cell's root, where root sees of ``/etc`` what *nobody* does."""
    child = linux.fork_into(linux.CLONE_NEWNS | linux.CLONE_NEWPID)
    if child == 0:
        try:
            view.Root(nobody).enter()
            os._exit(0 if holds() else 3)
        except BaseException:  # noqa: BLE001 - the copy of pytest ends here
            os._exit(4)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def gone(folder: readable.Folder, name: str) -> dict[str, Any]:
    """What *folder* has, and *name* as a file, a folder, a link and a folder with a private part, none of which is there."""
    empty = readable.Folder(mode=0o755, state=None, whole=True, folders={}, files=[], links=[])
    folders = {f"{name}-whole": empty, f"{name}-part": empty._replace(whole=False, files=["inner"])}
    return {
        "folders": folder.folders | folders,
        "files": [*folder.files, name],
        "links": [*folder.links, f"{name}-link"],
    }


@pytest.mark.parametrize("kind", ["absolute", "relative", "inside", "chain", "of-the-project"])
def test_data_that_a_step_declares_is_found_through_links(kind: str, place: Path) -> None:
    """Wherever they lead, below /tmp too: the folder itself, the project it lies in, a file in it."""
    with tempfile.TemporaryDirectory() as scratch:
        elsewhere = Path(scratch) / "data"
        elsewhere.mkdir()
        (elsewhere / "rows.csv").write_text("a\n1\n", encoding="utf-8")
        data, project = place / "project" / "data", place / "project"
        match kind:
            case "absolute":
                data.symlink_to(elsewhere)
            case "relative":
                data.symlink_to(os.path.relpath(elsewhere, project))
            case "inside":
                data.mkdir()
                (data / "rows.csv").symlink_to(elsewhere / "rows.csv")
            case "chain":
                (place / "hop").symlink_to(elsewhere)
                data.symlink_to("../hop")
            case _:
                data.symlink_to(elsewhere)
                (place / "linked").symlink_to("project")
                project = place / "linked"
        metadata = json.dumps({"annotations": {"argosy.dev/cache": "true", "argosy.dev/cache-reads": '["data"]'}})
        text = SEES.replace("- name: main", f"- name: main\n      metadata: {metadata}")
        text = text.replace("WHAT", f"cat {project}/data/rows.csv")
        (place / "project" / "wf.yaml").write_text(text, encoding="utf-8")
        done = run((), place, "-f", str(place / "project" / "wf.yaml"), project=project)
    (log,) = (place / "home").glob("runs/wf-*/nodes/*/0/main.log")
    assert log.read_text(encoding="utf-8") == "a\n1\n", done


SWAPPED = (
    ENTRYPOINT
    + """\
  volumeClaimTemplates: [{metadata: {name: shared}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]
  templates:
    - name: main
      steps: [[{name: plant, template: plant}], [{name: use, template: use}]]
    - name: plant
      container:
        image: any
        command: [ln, -s, PLACE/user/.ssh, /shared/in]
        volumeMounts: [{name: shared, mountPath: /shared}]
    - name: use
"""
)
WAYS_OUT = {
    "an output below a link": """
      container: {image: any, command: [sh, -c, "rmdir /tmp/in; ln -s PLACE/user/.ssh /tmp/in"]}
      outputs: {artifacts: [{name: key, path: /tmp/in/id_ed25519}]}
""",
    "a value below a link": """
      container: {image: any, command: [sh, -c, "rmdir /tmp/in; ln -s PLACE/user/.ssh /tmp/in"]}
      outputs: {parameters: [{name: key, valueFrom: {path: /tmp/in/id_ed25519}}]}
""",
    "an input below a link": """
      inputs: {artifacts: [{name: a, path: /shared/in/authorized_keys, raw: {data: mine}}]}
      container: {image: any, command: [sh, -c, "cat /shared/in/*"], volumeMounts: [{name: shared, mountPath: /shared}]}
""",
    "a part of a volume": """
      container: {image: any, command: [sh, -c, "cat /part/*"], volumeMounts: [{name: shared, mountPath: /part, subPath: in}]}
""",
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_the_engine_fetches_nothing_for_a_step(way: str, place: Path) -> None:
    """Links that a step makes lead the engine nowhere, neither as it hands files on nor as it puts them in place."""
    text = (SWAPPED + WAYS_OUT[way].lstrip("\n")).replace("PLACE", str(place))
    (place / "project" / "wf.yaml").write_text(text, encoding="utf-8")
    said = run((), place, "-f", "wf.yaml")
    assert "$[1].use" in said
    assert "Failed" in said or "Error" in said
    assert CANARY not in said
    assert [entry.name for entry in (place / "user/.ssh").iterdir()] == ["id_ed25519"]
    kept = [*(place / "home/objects").rglob("*"), *(place / "home/runs").glob("wf-*/**/*.log")]
    assert not [
        path for path in kept if path.is_file() and secret("user/.ssh/id_ed25519") in path.read_text("utf-8", "replace")
    ]
