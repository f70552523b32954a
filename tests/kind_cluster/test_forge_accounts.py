"""Accounts of Gitea: made once, whoever installs again."""

import os
import subprocess
from pathlib import Path

import pytest

from argosy_kind import forge

GITEA = """#!/bin/sh
case "$*" in
    *"user list"*) printf 'ID   Username  Email\\n1    argosy-bot  a@b\\n';;
    *) echo "$@" >> {folder}/made;;
esac
"""


@pytest.mark.parametrize(
    ("user", "made"),
    [
        pytest.param("argosy-bot", False, id="there"),
        pytest.param("reviewer", True, id="new"),
        pytest.param("argosy", True, id="begins-alike"),
    ],
)
def test_an_account_is_made_once(user: str, made: bool, tmp_path: Path) -> None:
    """Its password comes by standard input."""
    program = tmp_path / "gitea"
    program.write_text(GITEA.format(folder=tmp_path), encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    words = ["sh", "-c", forge.ENSURE_USER, "ensure", user, "--admin"]
    subprocess.run(words, input="secret", text=True, env=environment, check=True, timeout=60)
    said = (tmp_path / "made").read_text(encoding="utf-8") if made else ""
    assert (tmp_path / "made").exists() is made
    assert not made or f"--username {user} --email {user}@argosy.invalid --password secret" in said
