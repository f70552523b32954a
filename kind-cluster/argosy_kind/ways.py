"""Ways from this machine to what runs in the cluster: for `argosy` here, for `argosy doctor`, and for people with a browser."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from argosy import errors
from argosy_kind import forge, pipelines, services
from argosy_kind.site import PIPELINES, SERVICES, VERIFYING, Site


@contextlib.contextmanager
def environment(at: Site, token: str) -> Iterator[dict[str, str]]:
    """The settings of somebody at this machine who has the *token* of that name, while the block lasts."""
    forwarded = at.kubectl.forwarded
    with (
        forwarded("gitea", SERVICES, services.PORTS["gitea"]) as gitea,
        forwarded("mlflow", SERVICES, services.PORTS["mlflow"]) as mlflow,
        forwarded("objects", SERVICES, services.PORTS["objects"]) as objects,
        tempfile.TemporaryDirectory() as folder,
    ):
        addresses = {"gitea": gitea, "mlflow": mlflow, "objects": objects}
        yield settings(at.credentials(), token, addresses, Path(folder) / VERIFYING)


def settings(held: Mapping[str, str], token: str, addresses: Mapping[str, str], key: Path) -> dict[str, str]:
    """The settings with services at *addresses*; writes the public key to *key*."""
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_text(held[VERIFYING], encoding="utf-8")
    endpoints = pipelines.values()["endpoints"]
    return {
        "ARGOSY_VERIFYING_KEY_FILE": str(key),
        "ARGOSY_FORGE_URI": f"gitea:http://{addresses['gitea']}/{forge.BOT}/{forge.ENVIRONMENT}",
        "ARGOSY_FORGE_TOKEN": held[token],
        "ARGOSY_TRACKING_URI": f"http://{addresses['mlflow']}",
        "ARGOSY_STORE_URI": endpoints["storeUri"],
        "ARGOSY_PREDICTIONS_URI": endpoints["predictionsUri"],
        "ARGOSY_MONITORING_URI": endpoints["monitoringUri"],
        "ARGOSY_NEXT_REQUEST": "healthy",
        "AWS_ENDPOINT_URL": f"http://{addresses['objects']}",
        "AWS_REGION": pipelines.REGION,
        "AWS_ACCESS_KEY_ID": held["objects-access-key"],
        "AWS_SECRET_ACCESS_KEY": held["objects-secret-key"],
    }


def check(at: Site, _name: str, seconds: float) -> None:
    """`argosy doctor`, as somebody at this machine runs it. Raises Misconfigured where it finds anything wrong."""
    context = ["--context", at.kubectl.context] if at.kubectl.context else []
    command = [str(Path(sys.executable).with_name("argosy")), "doctor", "--namespace", PIPELINES, *context]
    with environment(at, "forge-token") as more, tempfile.TemporaryDirectory() as home:
        around = {**os.environ, **more, "ARGOSY_HOME": home}
        done = subprocess.run(command, env=around, capture_output=True, text=True, check=False, timeout=seconds)
    print("".join(f"  {line}\n" for line in done.stdout.splitlines()), end="", flush=True)
    if done.returncode != errors.DONE:
        said = done.stderr.strip().removeprefix("error: ") or "something is wrong"
        raise errors.Misconfigured(f"argosy doctor: {said}; its lines above say what, each with its fix")
