"""What all tests share: nothing outside a temporary folder is touched, and cluster tests are opt-in."""

from pathlib import Path

# Before Feast, whose import makes of every counter of the process one that all processes of the machine share.
import prometheus_client  # noqa: F401
import pytest

# Before anything imports them: a failed assertion of a contract suite shows its values, as in any test file.
pytest.register_assert_rewrite("argosy.testing")

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--e2e`; it has to be declared where the first arguments are read."""
    parser.addoption("--e2e", action="store_true", help="also run tests on the cluster that KUBECONFIG names")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a state folder of its own; the user's is never seen."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path_factory.mktemp("argosy-home")))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def workflows(root: Path) -> list[Path]:
    """The folders of the models in this checkout."""
    return sorted(path.parent for path in (root / "workflows").glob("*/pipeline.py"))
