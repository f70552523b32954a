"""Steps of other images: the command line of podman or docker that runs one, its files bound where the manifest wants them."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from argosy import network
from argosy.engine.attempts import environment, local_images, memory_limits
from argosy.engine.attempts.workspace import TMP, PathFailure, Workspace
from argosy.engine.effects import StartPod
from argosy.engine.manifest.pod_model import Container
from argosy.engine.processes.launches import Launch

ENGINES = ("podman", "docker")
SCRIPT = "/argo/staging/script"
GAVE_UP = 125
"""The exit code of podman and docker where they could not run an image; a program in it may end with the same."""
PATIENCE = 20.0
"""Seconds in which a container engine answers."""


def engine() -> str | None:
    """The container engine of this machine, if it has one."""
    return next((name for name in ENGINES if shutil.which(name)), None)


def answering() -> tuple[str | None, str]:
    """The first container engine of this machine that answers; where none does, why not.

    A program on PATH may only be the client of a service that is not there; what it then says would be a step's log, and the exit
    code one of a step.
    """
    refusals = {name: _refusal(name) for name in ENGINES if shutil.which(name)}
    found = next((name for name, why in refusals.items() if not why), None)
    return found, "; ".join(f"{name} does not answer: {why}" for name, why in refusals.items() if why)


def _refusal(program: str) -> str:
    """The reason why *program* cannot run containers now; empty where it can."""
    try:
        # Not `version` or `info`: some of them end with 0 although the service is not there.
        asked = subprocess.run(
            [program, "ps", "--quiet"], capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no word within {PATIENCE:.0f} s"
    said = " ".join(asked.stderr.decode(errors="replace").split())
    return (said or f"exit code {asked.returncode}") if asked.returncode else ""


def launch(program: str | None, request: StartPod, workspace: Workspace, variables: Mapping[str, str]) -> Launch:
    """The start of *request* through *program*. Values of variables are handed over in the environment, not on the command line."""
    container = request.template.main_container
    if program is None:
        raise PathFailure(
            f"its image {container.image!r} needs a container engine, and the run began with none; resume it with --local-image "
            f"'{container.image}', "
            "which makes the step a process, or run the manifest anew"
        )
    script = SCRIPT if request.template.script.source else None
    command = local_images.command_of(container, variables, script)
    return Launch(
        argv=(
            program,
            *_options(workspace, container.working_dir, variables, script, memory_limits.limit_of(container)),
            *_entry(container, command),
        ),
        env={**environment.of_machine(), "HOME": str(Path.home()), **variables},
        cwd=workspace.work,
        log=workspace.log,
        stdout=workspace.stdout if request.keeps_result else None,
        scratch=workspace.scratch,
        apart=False,
    )


def gave_up(started: Launch, code: int) -> bool:
    """True where a container engine was *started*, and ended with *code* because it could not run the image."""
    return started.argv[0] in ENGINES and not started.apart and code == GAVE_UP


def _options(
    workspace: Workspace, folder: str, variables: Mapping[str, str], script: str | None, limit: int | None
) -> list[str]:
    binds = {str(TMP): workspace.scratch, **{str(shown.target): shown.source for shown in workspace.shown()}}
    if workspace.given_root:
        binds[str(workspace.given_root)] = workspace.root
    if script:
        binds[script] = workspace.folder / "script"
    options = ["run", "--rm", "--init", "--name", _name(workspace)]
    read_only = {str(shown.target) for shown in workspace.shown() if shown.read_only}
    for target, source in sorted(binds.items()):
        options += ["--volume", f"{source}:{target}{':ro' if target in read_only else ''}"]
    proxies = [name for name in network.PROXIES if name in os.environ and name not in variables]
    options += [word for name in (*sorted(variables), *proxies) for word in ("--env", name)]
    if limit is not None:
        options += ["--memory", str(limit)]
    return options + (["--workdir", folder] if folder else [])


def _entry(container: Container, command: tuple[str, ...]) -> list[str]:
    if container.command:
        return ["--entrypoint", command[0], container.image, *command[1:]]
    return [container.image, *command]


def _name(workspace: Workspace) -> str:
    return "argosy-" + "-".join(workspace.folder.parts[-3:])[-60:].strip("-.")
