"""What steps leave that is no ordinary file, or no ordinary tree: each ends as on a cluster or with one clear error, and never waits.

``cases/outputs-that-are-no-files`` is recorded; what is right for the rest follows from the source of Argo 4.1.2's executor, whose program
in the container archives outputs and ends with 64 where it cannot.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.engine.options import RunResult
from argosy.engine.state import runs, trees
from kit.manifests import TEMPLATES

Run = Callable[..., RunResult]
ARCHIVE = "failed to tarball the output /tmp/out to /var/run/argo/outputs/artifacts/tmp/out.tgz: "


@pytest.fixture(autouse=True)
def cleared(tmp_path: Path) -> Iterator[None]:
    """Nothing stays that pytest, which goes as deep as Python's stack, could not remove."""
    yield
    trees.remove(tmp_path / "home")


def handing_on(make: str, use: str = "true", *, output: str = "path: /tmp/out", path: str = "/tmp/in") -> str:
    """A workflow whose first step does *make*, in Python, and hands ``/tmp/out`` on to the shell's *use*, at *path*."""
    return f"""{TEMPLATES}
    - name: main
      dag:
        tasks:
          - {{name: make, template: make}}
          - name: use
            template: use
            depends: make
            arguments: {{artifacts: [{{name: a, from: "{{{{tasks.make.outputs.artifacts.a}}}}"}}]}}
    - name: make
      script: {{image: any, command: [python3], source: {json.dumps(make)}}}
      outputs: {{artifacts: [{{name: a, {output}}}]}}
    - name: use
      inputs: {{artifacts: [{{name: a, path: {path}}}]}}
      script: {{image: any, command: [sh, -e], source: {json.dumps(use)}}}
"""


def pythonic(*lines: str) -> str:
    """A program that has what the makers of odd files need."""
    return "; ".join(("import os, socket", *lines))


TREE = "os.makedirs('/tmp/out')"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param("os.mkfifo('/tmp/out')", "/tmp/out is not a regular file or directory", id="pipe"),
        pytest.param(
            "socket.socket(socket.AF_UNIX).bind('/tmp/out')", "/tmp/out is not a regular file or directory", id="socket"
        ),
        pytest.param("os.symlink('out', '/tmp/out')", "stat /tmp/out: too many levels of symbolic links", id="circle"),
        pytest.param(
            f"{TREE}; socket.socket(socket.AF_UNIX).bind('/tmp/out/s')",
            "archive/tar: sockets not supported",
            id="socket-in-a-folder",
        ),
    ],
)
def test_what_no_archive_holds(make: str, message: str, run: Run) -> None:
    """The step ends with 64, as Argo's program in its container does, and says why; nobody waits for a pipe."""
    result = run(handing_on(pythonic(make)))
    node = result.nodes["$.make"]
    assert (node.phase, node.message) == ("Failed", f"main: Error (exit code 64): {ARCHIVE}{message}")
    assert node.outputs
    assert node.outputs.exit_code == "64"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_device(run: Run) -> None:
    """A device is not read: it may have no end. Where a step has a view of its own, it cannot make one."""
    result = run(handing_on(pythonic("import stat", "os.mknod('/tmp/out', 0o666 | stat.S_IFCHR, os.makedev(1, 5))")))
    assert result.phase == "Failed"
    (log,) = result.folder.glob("nodes/*/0/main.log")
    assert "not a regular file or directory" in result.nodes["$.make"].message or "not permitted" in log.read_text(
        "utf-8"
    )


@pytest.mark.parametrize(
    ("make", "use"),
    [
        pytest.param(
            "os.mkfifo('/tmp/out/p'); open('/tmp/out/f', 'w').close()", "test $(ls /tmp/in) = f", id="pipe-is-left-out"
        ),
        pytest.param("os.symlink('.', '/tmp/out/l'); open('/tmp/out/f', 'w').close()", "true", id="circle-inside"),
        pytest.param(
            "[os.chdir(os.mkdir('d') or 'd') for _ in range(700)]", "test $(find /tmp/in | wc -l) = 701", id="deep"
        ),
        pytest.param(
            "[os.chdir(os.mkdir('d') or 'd') for _ in range(1500)]", "test $(find /tmp/in | wc -l) = 1501", id="deeper"
        ),
        pytest.param(
            "[open(f'/tmp/out/{n}', 'w').close() for n in range(3000)]", "test $(ls /tmp/in | wc -l) = 3000", id="wide"
        ),
        pytest.param("open('/tmp/out/a\\nb c', 'w').close()", 'test -e "/tmp/in/a\nb c"', id="line-break-in-a-name"),
        pytest.param(
            "open(b'/tmp/out/\\xff', 'w').close()", "test $(ls /tmp/in | wc -l) = 1", id="name-that-is-no-text"
        ),
        pytest.param(
            "open('/tmp/out/f', 'w').truncate(1 << 31)", "test $(stat -c %s /tmp/in/f) = 2147483648", id="sparse"
        ),
    ],
)
def test_folder(make: str, use: str, run: Run) -> None:
    """A folder comes over with what an archive of it holds, however deep it is; a pipe in it does not, as on a cluster."""
    result = run(handing_on(pythonic(TREE, "os.chdir('/tmp/out')", make), use))
    assert result.phase == "Succeeded", [node.message for node in result.nodes.values()]


def test_deeper_than_a_path_can_be(run: Run) -> None:
    """The file system's own word for it, with the path as the step knows it."""
    result = run(
        handing_on(
            pythonic(TREE, "os.chdir('/tmp/out')", "[os.chdir(os.mkdir('dddd') or 'dddd') for _ in range(1500)]")
        )
    )
    message = result.nodes["$.make"].message
    assert message.startswith(f"main: Error (exit code 64): {ARCHIVE}lstat /tmp/out/dddd/")
    assert message.endswith("file name too long")


def test_holes_stay_holes(run: Run, tmp_path: Path) -> None:
    """A sparse file takes no more room for having been handed on."""
    result = run(handing_on(pythonic("open('/tmp/out', 'w').truncate(1 << 31)"), "test $(stat -c %b /tmp/in) -lt 1000"))
    assert result.phase == "Succeeded"


COPY = "failed to copy /tmp/out to /var/run/argo/outputs/parameters//tmp/out: "


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param("os.mkfifo('/tmp/out')", f"{COPY}read /tmp/out: is not a regular file", id="pipe"),
        pytest.param("os.symlink('out', '/tmp/out')", "failed to open /tmp/out: ", id="circle"),
    ],
)
@pytest.mark.parametrize("default", ["", ", default: none"])
def test_parameter(default: str, make: str, message: str, run: Run) -> None:
    """A value is read from a file and from nothing else; what cannot be read is no reason for a default."""
    manifest = (
        f"{TEMPLATES}    - name: main\n      script: {{image: any, command: [python3], source: {json.dumps(pythonic(make))}}}\n"
        f"      outputs: {{parameters: [{{name: p, valueFrom: {{path: /tmp/out{default}}}}}]}}\n"
    )
    node = run(manifest).nodes["$"]
    assert node.phase == "Failed"
    assert node.message.startswith(f"main: Error (exit code 64): {message}")


@pytest.mark.parametrize("archive", ["archive: {none: {}}", "archive: {zip: {}}, s3: {key: k.zip}", "s3: {key: k.tgz}"])
def test_kept_elsewhere(archive: str, run: Run) -> None:
    """Whatever an artifact is packed into: no pipe is opened, and depth is no matter."""
    made = pythonic(
        TREE,
        "os.mkfifo('/tmp/out/p')",
        "os.chdir('/tmp/out')",
        "[os.chdir(os.mkdir('d') or 'd') for _ in range(700)]",
        "open('f', 'w').write('x')",
    )
    result = run(handing_on(made, "test $(find /tmp/in -type f | wc -l) = 1", output=f"path: /tmp/out, {archive}"))
    assert result.phase == "Succeeded", [node.message for node in result.nodes.values()]


# Places of inputs


@pytest.mark.parametrize("path", ["/tmp", "/tmp/", "/data", "/tmp/a/b"])
def test_folder_at(path: str, run: Run) -> None:
    """A folder is what the step finds at the path, the step's own ``/tmp`` too."""
    make = pythonic(TREE, "open('/tmp/out/f', 'w').write('x')", "os.makedirs('/tmp/out/d/e')")
    use = f"test $(cat {path}/f) = x; test -d {path}/d/e; echo y > {path}/own"
    result = run(handing_on(make, use, path=path))
    assert result.phase == "Succeeded", [node.message for node in result.nodes.values()]


def test_file_at_tmp(run: Run) -> None:
    """A file cannot be what a step has as its folder: one error."""
    result = run(handing_on(pythonic("open('/tmp/out', 'w').close()"), path="/tmp"))
    assert result.nodes["$.use"].message == (
        "init: Error (exit code 64): artifact a failed to load: it is a file, and /tmp is a folder"
    )


@pytest.mark.parametrize("path", ["/", "/usr", "/etc", "/proc"])
def test_what_a_process_needs_is_not_hidden(path: str, run: Run) -> None:
    """An input that would take the place of the machine's programs is refused before the first step."""
    with pytest.raises(errors.Misconfigured, match="which a process of this machine needs"):
        run(handing_on(pythonic("open('/tmp/out', 'w').close()"), path=path))


def test_in_a_volume_again(run: Run, tmp_path: Path) -> None:
    """A file takes the place of the one an earlier run left in a claim; a folder that is not empty stays, and is named."""
    claim = tmp_path / "claim"
    claim.mkdir()

    def into(make: str, name: str) -> RunResult:
        mounted = "script: {image: any, volumeMounts: [{name: v, mountPath: /data}], command: [sh, -e]"
        manifest = handing_on(pythonic(make), path="/data/in").replace(
            "script: {image: any, command: [sh, -e]",
            f"volumes: [{{name: v, persistentVolumeClaim: {{claimName: c}}}}]\n      {mounted}",
        )
        return run(manifest, name=name, volumes={"c": claim})

    file, folder = "open('/tmp/out', 'w').close()", f"{TREE}; open('/tmp/out/f', 'w').close()"
    assert into(file, "one").phase == "Succeeded"
    assert into(file, "two").phase == "Succeeded"
    assert into(folder, "three").phase == "Succeeded"
    assert into(folder, "four").nodes["$.use"].message == (
        "init: Error (exit code 64): artifact a failed to load: rename /mainctrfs/data/in.tmp /mainctrfs/data/in: file exists"
    )


# Rights

DEPRIVED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
"""Takes from root what it has over any other owner of files."""

PROGRAM = (sys.executable, "-c", "from argosy.cli.main import main; main()")


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may read everything")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            "open('/tmp/out', 'w').close(); os.chmod('/tmp/out', 0)", "open /tmp/out: permission denied", id="file"
        ),
        pytest.param(
            f"{TREE}; open('/tmp/out/f', 'w').close(); os.chmod('/tmp/out/f', 0)",
            "open /tmp/out/f: permission denied",
            id="file-in-a-folder",
        ),
        pytest.param(
            "os.makedirs('/tmp/out/d'); os.chmod('/tmp/out/d', 0)", "open /tmp/out/d: permission denied", id="folder"
        ),
        pytest.param(
            "os.makedirs('/tmp/out/d'); open('/tmp/out/d/f', 'w').close(); [os.chmod(d, 0o555) for d in ('/tmp/out/d', '/tmp/out')]",
            "",
            id="folder-that-is-not-to-be-written",
        ),
    ],
)
def test_closed_to_its_owner(make: str, message: str, tmp_path: Path) -> None:
    """What cannot be read is an error of the step; what cannot be written is handed on, and removed when its time has come."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(handing_on(pythonic(make), "ls /tmp/in"), encoding="utf-8")
    done = subprocess.run(
        (
            *(DEPRIVED if os.geteuid() == 0 else ()),
            *PROGRAM,
            "run",
            "-f",
            str(manifest),
            "--local-image",
            "*",
            "--json",
        ),
        env={**os.environ, "ARGOSY_HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    node = json.loads(done.stdout)["nodes"]["$.make"]
    expected = ("Failed", f"main: Error (exit code 64): {ARCHIVE}{message}") if message else ("Succeeded", "")
    assert (node["phase"], node.get("message", "")) == expected


# Ending it


@pytest.mark.parametrize("way", ["stop", "terminate", "SIGTERM", "SIGINT"])
def test_ended_while_an_output_is_read(way: str, tmp_path: Path) -> None:
    """What would take an hour to read does not hold up who wants to end the run."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(handing_on(pythonic("open('/tmp/out', 'w').truncate(1 << 42)")), encoding="utf-8")
    home = tmp_path / "home"
    environment = {**os.environ, "ARGOSY_HOME": str(home)}
    engine = subprocess.Popen(
        (*PROGRAM, "run", "-f", str(manifest), "--local-image", "*"), env=environment, cwd=tmp_path
    )
    try:
        run = _once(lambda: next(iter(runs.newest_first(home)), None))
        _once(lambda: (run.path / "nodes").exists() or any(run.path.rglob("main.log")))
        time.sleep(1.0)  # the file is made at once, and read from then on
        if way.startswith("SIG"):
            engine.send_signal(getattr(signal, way))
        else:
            subprocess.run((*PROGRAM, way, run.run), env=environment, check=True, cwd=tmp_path, timeout=60)
        assert engine.wait(timeout=30) != 0
    finally:
        engine.kill()
        engine.wait()


def test_ended_while_an_input_is_fetched(tmp_path: Path) -> None:
    """A repository that does not answer does not hold it up either."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec sleep 600\n", encoding="utf-8")
    (programs / "git").chmod(0o755)
    manifest = tmp_path / "manifest.yaml"
    inputs = "inputs: {artifacts: [{name: a, path: /tmp/in, git: {repo: 'https://example.invalid/x'}}]}"
    leaf = "container: {image: any, command: [ls]}"
    manifest.write_text(f"{TEMPLATES}    - {{name: main, {inputs}, {leaf}}}\n", encoding="utf-8")
    environment = {**os.environ, "ARGOSY_HOME": str(tmp_path / "home"), "PATH": f"{programs}:{os.environ['PATH']}"}
    engine = subprocess.Popen(
        (*PROGRAM, "run", "-f", str(manifest), "--local-image", "*"), env=environment, cwd=tmp_path
    )
    try:
        _once((tmp_path / "asked").exists)
        engine.terminate()
        assert engine.wait(timeout=30) != 0
    finally:
        engine.kill()
        engine.wait()


def _once(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value
