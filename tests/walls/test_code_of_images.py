"""A container of ours runs the code of its image, whatever lies in its working folder or its home: containers are handed keys."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLANTED = "print('other code')\n"
MODULE = "argosy.steps.spec"


def said(folder: Path, variables: dict[str, str]) -> str:
    """What a program of ours prints that is started in *folder*, as images start it, with *variables*."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder), **variables}
    done = subprocess.run(
        [sys.executable, "-m", MODULE],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_no_other_code_is_loaded(tmp_path: Path) -> None:
    """An artifact at ``/tmp/argosy`` would be imported in place of ours; the images' environment says otherwise."""
    text = (ROOT / "images" / "Containerfile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^FROM .* AS runtime\n(?:#.*\n)*ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    set_there = dict(word.split("=", 1) for word in line.replace("\\\n", " ").split())
    safe = {name: set_there[name] for name in ("PYTHONSAFEPATH", "PYTHONNOUSERSITE")}
    (tmp_path / "argosy").mkdir()
    (tmp_path / "argosy" / "__init__.py").write_text(PLANTED, encoding="utf-8")
    assert "other code" in said(tmp_path, {})
    assert said(tmp_path, safe) == ""


def test_what_images_copy_is_there_to_be_copied() -> None:
    """A build sees what `.dockerignore` lets through, and no more: the rest ends it, minutes after it began."""
    text = (ROOT / "images" / "Containerfile").read_text(encoding="utf-8")
    copied = [name for words in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for name in words.split()]
    ignored, *_ = lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1:]
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert ignored == "*"
    assert len(copied) > 10
    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(name == one or name.startswith(f"{one}/") for one in let_in), name
