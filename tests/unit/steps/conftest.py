"""Runs a step as its image does: files under a root, parameters on the command line, an exit code and last words."""

import importlib
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.settings import Settings
from argosy.steps import main


@dataclass(frozen=True)
class Ran:
    """One attempt of a step."""

    code: int
    said: str
    """On standard error."""
    root: Path

    def out(self, name: str) -> Path:
        """Where output artifact *name* lies."""
        return self.root / "out" / name

    def result(self, name: str) -> str:
        """The short output value *name*."""
        return (self.root / "results" / name).read_text(encoding="utf-8")


RunStep = Callable[..., Ran]


@pytest.fixture
def _signals() -> Iterator[None]:
    """A step takes SIGTERM for itself; the tests get it back."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def run_step(
    tmp_path: Path, here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], _signals: None
) -> RunStep:
    """``run_step("sign", inputs, version="1")``: each attempt in a folder of its own, in the state folder ``here``."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    attempts: list[str] = []

    def run(step: str, inputs: Mapping[str, Path], **parameters: str) -> Ran:
        attempts.append(step)
        root = tmp_path / f"{len(attempts)}-{step}"
        (root / "in").mkdir(parents=True)
        for name, path in inputs.items():
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, root / "in" / name)
        module = importlib.import_module(f"argosy.steps.{step}.__main__")
        words = [word for name, value in parameters.items() for word in (f"--{name.replace('_', '-')}", value)]
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main.main(module.SPEC, module.body, ["--root", str(root), *words])
        assert isinstance(left.value.code, int)
        return Ran(left.value.code, capsys.readouterr().err, root)

    return run
