"""Nothing phones home: what images and charts set is what the package sets."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from argosy import telemetry


def test_images_turn_all_of_it_off(root: Path) -> None:
    """Also where somebody runs an image by hand, without a manifest that says so."""
    text = (root / "images" / "Containerfile").read_text(encoding="utf-8")
    set_there = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE))))
    assert {name: set_there.get(name) for name in telemetry.OFF} == dict(telemetry.OFF)


def test_the_platform_turns_off_what_its_jobs_load(root: Path) -> None:
    """Its jobs load MLflow, and neither Feast nor Great Expectations."""
    text = (root / "charts" / "platform" / "templates" / "_helpers.tpl").read_text(encoding="utf-8")
    set_there = dict(re.findall(r'\{name: (\w+), value: "?([^"}]+)"?\}', text))
    for name in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"):
        assert set_there[name] == telemetry.OFF[name]


@pytest.mark.parametrize("loader", ["adapters.gx_validation", "mlflow_client"])
def test_whoever_loads_a_library_turns_it_off(loader: str) -> None:
    """Though nobody came through the command line, and though the environment has it on."""
    program = f"import os, argosy.{loader}; print(dict(os.environ))"
    on = {**os.environ, **dict.fromkeys(telemetry.OFF, "on")}
    done = subprocess.run([sys.executable, "-c", program], env=on, capture_output=True, text=True, check=True)
    assert dict(telemetry.OFF).items() <= ast.literal_eval(done.stdout).items()
