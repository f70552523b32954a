"""A real S3 gateway over a folder, where one is installed."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from kit.model_server import free_port
from kit.s3_server import KEYS

GATEWAY = shutil.which("versitygw")


@contextlib.contextmanager
def s3_gateway(folder: Path, *buckets: str) -> Iterator[str]:
    """The endpoint of a gateway over a new folder in *folder*, with *buckets*."""
    assert GATEWAY is not None, "versitygw, an S3 gateway, is not on PATH"
    endpoint = f"127.0.0.1:{free_port()}"
    root = folder / "gateway"
    for bucket in ("", *buckets):
        (root / bucket).mkdir()
    environment = {"ROOT_ACCESS_KEY": KEYS["access"], "ROOT_SECRET_KEY": KEYS["secret"], "PATH": os.defpath}
    command = [GATEWAY, "--port", endpoint, "--quiet", "posix", str(root)]
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(endpoint)
            yield endpoint
        finally:
            process.terminate()


def _wait_for(endpoint: str) -> None:
    host, _, port = endpoint.partition(":")
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing answers at {endpoint}")
