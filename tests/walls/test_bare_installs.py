"""Nothing that we write, generate or run installs Argosy by its bare name: whoever registers that name would run code there."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from argosy.domain import bare_installs

SUSPECTS = {"tests/walls/test_bare_installs.py", "tests/unit/cli/test_env.py"}
"""Files that hold such commands to be found."""


def texts(root: Path) -> dict[str, str]:
    """Path to text of every file that git holds here, or would."""
    words = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    paths = [name for name in listed.split("\0") if name and name not in SUSPECTS and (root / name).is_file()]
    return {name: (root / name).read_bytes().decode("utf-8", errors="replace") for name in paths}


def test_no_bare_install(root: Path) -> None:
    """Documents, templates, workflows, charts, scripts, messages of the source, lists of requirements."""
    found = texts(root)
    read = set(found)
    assert {"README.md", "Makefile", "images/install.sh", "gitops-env/.github/workflows/checks.yaml"} <= read
    assert {path: lines for path, text in found.items() if (lines := bare_installs.commands(text))} == {}
    assert {path: lines for path, text in found.items() if (lines := [*bare_installs.requirements(path, text)])} == {}


def test_we_depend_on_the_name_through_our_extras_alone(root: Path) -> None:
    """An installer that was given the wheel takes its extras from that wheel, and asks no index for them."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    ours = [line for lines in extras.values() for line in lines if line.startswith("argosy")]
    assert ours
    assert all(line.startswith("argosy[") and line.endswith("]") for line in ours)
    groups = [line for lines in project["dependency-groups"].values() for line in lines]
    assert [line for line in [*project["project"]["dependencies"], *groups] if line.startswith("argosy")] == []


@pytest.mark.parametrize(
    "text",
    [
        "pip install argosy",
        "run: python -m pip install --quiet 'argosy[promote]'",
        'RUN pip3 install --no-cache-dir "argosy[serve]==1.2.3"',
        "pip install \\\n  --upgrade \\\n  argosy[promote]>=1",
        "uv tool install argosy",
        "uv pip install --python env argosy[data,serve]",
        "uvx argosy run churn",
        "uvx --from argosy argosy run",
        "pipx install argosy",
        "uv run --with argosy python",
        "conda install -c forge argosy",
        "poetry add argosy",
        "python -m pip install numpy argosy",
    ],
)
def test_they_are_found(text: str) -> None:
    """However it is quoted, pinned, broken into lines; a version says nothing of whose it is."""
    assert bare_installs.commands(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'argosy[demo] @ file:///PATH/argosy-1.0-py3-none-any.whl'",
        "pip install --no-deps --no-index dist/argosy-1.0-py3-none-any.whl",
        "pip install -e /a/place/argosy[serve]",
        "uv pip install --python /opt/argosy/env/bin/python -r requirements.txt",
        "`pip install 'argosy[demo] @ file:///PATH/a.whl'`, then `argosy demo`",
        "pip install -r requirements.txt && argosy run churn",
        "pip install argosy-tools",
    ],
)
def test_others_are_not(text: str) -> None:
    """A wheel by its address, a folder, another project."""
    assert bare_installs.commands(text) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("argosy", True, id="bare"),
        pytest.param("argosy[promote]==1.2", True, id="pinned"),
        pytest.param(f"argosy==1.2 --hash=sha256:{'0' * 64}", False, id="hashed"),
        pytest.param(f"argosy==1.2 \\\n    --hash=sha256:{'0' * 64}", False, id="hashed-on-two-lines"),
        pytest.param("argosy @ file:///a.whl", False, id="wheel"),
        pytest.param("argosy-tools==1", False, id="another"),
    ],
)
def test_lists_of_requirements(line: str, found: bool) -> None:
    """By its hash a file is what was meant, whoever hands it out."""
    assert bool([*bare_installs.requirements("tools/requirements.txt", line)]) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('[project]\nname = "gate"\ndependencies = ["numpy", "argosy>=1"]', True, id="dependency"),
        pytest.param('[project]\nname = "gate"\n[dependency-groups]\ntest = ["argosy[demo]"]', True, id="group"),
        pytest.param('[build-system]\nrequires = ["argosy"]', True, id="build"),
        pytest.param(
            '[project]\nname = "gate"\ndependencies = ["argosy @ file:///PATH/argosy-1-py3-none-any.whl"]',
            False,
            id="wheel",
        ),
        pytest.param('[project]\nname = "gate"\ndependencies = ["argosy-tools"]', False, id="another"),
        pytest.param(
            '[project]\nname = "argosy"\n[project.optional-dependencies]\nall = ["argosy[demo]"]', False, id="ours"
        ),
        pytest.param('[project]\ndependencies = "argosy"', False, id="no-list"),
        pytest.param("[project", False, id="no-project"),
    ],
)
def test_projects(text: str, found: bool) -> None:
    """Whoever installs it would be handed the name's owner's code, where ours is not there already."""
    assert bool([*bare_installs.requirements("examples/gate/pyproject.toml", text)]) is found
