"""Parts that another package brings: the example that lies outside of argosy, installed beside it, and what a broken one says."""

import contextlib
import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy.dialects

from argosy import errors, plugins, wiring
from argosy.cli import doctor
from argosy.domain import gates
from argosy.domain.diagnosis import CheckState
from argosy.domain.model_settings import XGBOOST
from argosy.domain.policy import DIMENSIONS, Policy
from argosy.ports.measures import JudgedRows, OwnMeasure
from argosy.ports.notifier import Notifier
from argosy.settings import POSTGRESQL, REDIS, Settings
from argosy.steps.evaluate import own_measures
from argosy.testing.measure_contract import MeasureContract
from argosy.testing.notifier_contract import Arrived, NotifierContract, notice
from kit.installed_package import install, install_example

JUDGED = JudgedRows(
    task="binary",
    classes=("no", "yes"),
    table=pa.table({"x": [1.0, 2.0, 3.0, 4.0]}),
    labels=np.array([0.0, 1.0, 0.0, 1.0]),
    predictions=np.array([0.1, 0.38, 0.42, 0.9]),
    threshold=0.4,
)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example, installed."""
    install_example("own-gate", tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")


@pytest.mark.usefixtures("example")
class TestExampleMeasure(MeasureContract):
    """The measurement keeps the contract."""

    @pytest.fixture
    def measure(self) -> OwnMeasure:
        return wiring.measures()["doubt"]

    @pytest.fixture
    def judged(self) -> JudgedRows:
        return JUDGED


@pytest.mark.usefixtures("example")
class TestExampleNotifier(NotifierContract):
    """The notifier keeps the contract, reached as steps reach it: by the addresses of the environment."""

    @pytest.fixture
    def notifier(self, tmp_path: Path) -> Notifier:
        variables = {
            "ARGOSY_HOME": str(tmp_path / "home"),
            "ARGOSY_NOTIFY_OPEN": f"file:{tmp_path / 'told'}",
            "ARGOSY_NOTIFY_CLOSED": f"file:{tmp_path / 'nowhere' / 'told'}",
        }
        return wiring.notifier(Settings.from_environment(variables))

    @pytest.fixture
    def inbox(self, tmp_path: Path) -> Arrived:
        return lambda: (tmp_path / "told").read_text(encoding="utf-8").splitlines()


@pytest.mark.usefixtures("example")
def test_a_policy_gates_by_it() -> None:
    """A limit on what a package measures holds or fails as any other; without the package it fails, and says why."""
    predictor = SimpleNamespace(predict_matrix=lambda _: JUDGED.predictions, signature=SimpleNamespace(threshold=0.4))
    holdout = SimpleNamespace(table=JUDGED.table, labels=JUDGED.labels, matrix=None, __len__=lambda: 4)
    settings = SimpleNamespace(task="binary", label=SimpleNamespace(classes=["no", "yes"]))
    found = own_measures.taken(wiring.measures(), settings, predictor, holdout)  # type: ignore[arg-type]
    assert found == {"own.doubt.near_threshold": 0.5}
    limit = {"metric": "own.doubt.near_threshold", "at_most": 0.4, "why": "Somebody has to look at each."}
    waivers = [{"dimension": each, "owner": "tests", "reason": "r"} for each in DIMENSIONS]
    rules = {
        "model": "toy",
        "owners": ["tests"],
        "limits": [limit],
        "waivers": waivers,
        "comparison": {"metric": "auc", "margin": 0.1},
    }
    policy = Policy.model_validate(rules)
    today = datetime.date(2026, 1, 1)
    assert [each.passed for each in gates.judge(policy, found, today)] == [False]
    assert [each.passed for each in gates.judge(policy, {"own.doubt.near_threshold": 0.3}, today)] == [True]
    assert "nothing was measured under this name" in gates.judge(policy, {}, today)[0].reason


@pytest.mark.usefixtures("example")
def test_doctor_shows_what_is_installed() -> None:
    """Each part with the package that brings it."""
    said = {each.name: (each.state, each.said) for each in doctor.plugin_results()}
    assert said["plugin doubt"] == (CheckState.OK, "argosy.measures, by own-gate 0.1.0")
    assert said["plugin file"][0] is CheckState.OK


@pytest.mark.usefixtures("example")
def test_other_channels_stay_apprise_s(tmp_path: Path) -> None:
    """An address of no installed notifier goes where it went."""
    variables = {
        "ARGOSY_HOME": str(tmp_path),
        "ARGOSY_NOTIFY_A": "json://localhost:1",
        "ARGOSY_NOTIFY_B": f"file:{tmp_path / 'b'}",
    }
    found = wiring.notifier(Settings.from_environment(variables))
    assert (found.knows("a"), found.knows("b"), found.knows("c")) == (True, True, False)
    assert found.send("c", [notice()]).outcome == "refused"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("import no_such_library", "cannot be loaded: ModuleNotFoundError", id="does-not-import"),
        pytest.param(
            "def part(judged): return {'a': 1 / 0}",
            "'part', which an installed package brings, failed: ZeroDiv",
            id="raises",
        ),
        pytest.param("def part(judged): return {'A b': 1}", "calls a value 'A b'; names are lower case", id="odd-name"),
        pytest.param("def part(judged): return {'a': float('nan')}", None, id="undefined"),
    ],
)
def test_a_broken_part(text: str, message: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says whose it is; what is no number is undefined, and passes no gate."""
    module = f"broken_{abs(hash(text))}"
    points = {plugins.MEASURES: {"part": f"{module}:part"}}
    install(tmp_path, {"name": "broken", "version": "1", "entry-points": points}, module, text)
    monkeypatch.syspath_prepend(tmp_path)
    predictor = SimpleNamespace(predict_matrix=lambda _: JUDGED.predictions, signature=SimpleNamespace(threshold=0.4))
    holdout = SimpleNamespace(table=JUDGED.table, labels=JUDGED.labels, matrix=None)
    settings = SimpleNamespace(task="binary", label=SimpleNamespace(classes=["no", "yes"]))
    said = pytest.raises(errors.Misconfigured, match=message) if message else contextlib.nullcontext()
    with said:
        found = own_measures.taken(wiring.measures(), settings, predictor, holdout)  # type: ignore[arg-type]
        assert found == {"own.part.a": None}


def test_two_packages_with_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them counts is nobody's guess."""
    for name in ("one", "two"):
        points = {plugins.MEASURES: {"part": f"{name}:part"}}
        install(tmp_path / name, {"name": name, "version": "1", "entry-points": points}, name, "part = None")
        monkeypatch.syspath_prepend(tmp_path / name)
    with pytest.raises(errors.Misconfigured, match=r"both bring 'part' of argosy\.measures; remove one"):
        plugins.installed(plugins.MEASURES)


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, names in plugins.BUILT_IN.items() for name in sorted(names)]
)
def test_a_name_that_is_argosy_s_own(group: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who brings one is told, by whoever looks for a part and by doctor, which lists the other groups all the same."""
    points = {group: {name: "shadow:part"}, plugins.MEASURES: {"part": "shadow:part"}}
    install(tmp_path, {"name": "shadow", "version": "1", "entry-points": points}, "shadow", "part = None")
    monkeypatch.syspath_prepend(tmp_path)
    said = f"{name} of {group}, which shadow 1 brings, has a name that is argosy's own"
    with pytest.raises(errors.Misconfigured, match=said):
        plugins.installed(group)
    found = {each.name: (each.state, each.said) for each in doctor.plugin_results()}
    assert found["plugins"][0] is CheckState.WRONG
    assert found["plugins"][1].startswith(said)
    assert found["plugin part"][0] is CheckState.OK


def test_argosy_s_own_names_are_those_that_it_takes() -> None:
    """The list is what adapters are chosen by; another would let a package stand behind a name that is never asked."""
    own = plugins.BUILT_IN
    assert own[plugins.FORGES] == {each.rstrip(":") for each in (wiring.LOCAL, wiring.GITHUB, wiring.GITEA)}
    assert own[plugins.ONLINE_STORES] == {each.removesuffix("://") for each in (*REDIS, *POSTGRESQL)}
    assert own[plugins.TRAINERS] == {XGBOOST}
    assert own[plugins.SOURCES] >= {"duckdb", *sqlalchemy.dialects.__all__}


def test_a_package_that_would_end_the_program_is_named() -> None:
    """A part that leaves in the middle of being made must not look like a command that did its work."""

    def leaves() -> None:
        raise SystemExit(0)

    point = SimpleNamespace(load=lambda: leaves)
    plugin = plugins.Plugin("argosy.forges", "exit", "own", "1.0", point)  # type: ignore[arg-type]
    with pytest.raises(errors.Misconfigured, match="cannot be made: SystemExit"):
        plugin.made(None)
