"""`argosy gc` on a state folder with runs, cached answers, and a toy in both environments."""

import datetime
import os
import time
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.cli import main
from argosy.domain import looks, part_measures, performance_report
from argosy.engine.state import locks, runs, sweeping
from argosy.settings import Settings

STEPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: steps-}
spec:
  entrypoint: main
  templates:
  - name: main
    metadata: {annotations: {argosy.dev/cache: "true"}}
    container: {image: argosy/data:dev, command: [sh, -c], args: ["mkdir -p /tmp/out; echo TEXT > /tmp/out/file; exit CODE"]}
    outputs: {artifacts: [{name: out, path: /tmp/out}]}
"""
MONTHS = 100 * 86_400


@pytest.fixture
def home(here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The state folder, with two runs of a cached step: one of months ago, one of now."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    _run("old")
    _age(here.home)
    _run("new")
    return here.home


def _run(text: str, code: int = 0) -> None:
    Path("steps.yaml").write_text(STEPS.replace("TEXT", text).replace("CODE", str(code)))
    assert main.run(["run", "--file", "steps.yaml"]) == code


def _age(home: Path) -> None:
    """All runs and answers there are were of months ago."""
    import sqlite3

    then = time.time() - MONTHS
    for folder in runs.newest_first(home):
        with sqlite3.connect(folder.path / runs.JOURNAL) as journal:
            journal.execute(
                "UPDATE meta SET value = CAST(CAST(value AS REAL) - ? AS TEXT) WHERE key IN ('started', 'finished')",
                (MONTHS,),
            )
        journal.close()
    for path in (home / "cache").rglob("*.json"):
        os.utime(path, (then, then))


def _left(home: Path) -> tuple[int, int, int]:
    """How many runs, answers and artifacts there are."""
    answers = [path for path in (home / "cache").rglob("*") if path.is_file()]
    return len(runs.newest_first(home)), len(answers), len(list((home / "objects").glob("??/*")))


def test_it_says_and_does_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --delete all is still there; what would go is named with the reason, what stays with --all."""
    before = _left(home)
    assert before == (2, 2, 2)
    assert main.run(["gc", "--all"]) == 0
    said = capsys.readouterr().out
    assert "goes  run" in said
    assert "stays run" in said
    assert "less than 30 days old" in said
    assert "would go: 1 run, 1 answer" in said
    assert "(--delete does it)" in said
    assert _left(home) == before


def test_what_is_old_goes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The old run, its answer and its artifact; the new ones stay and are still a hit. Doing it again finds nothing."""
    assert main.run(["gc", "--delete"]) == 0
    assert _left(home) == (1, 1, 1)
    capsys.readouterr()
    assert main.run(["gc", "--delete"]) == 0
    assert capsys.readouterr().out == "deleted: nothing\n"
    _run("new")
    assert main.run(["get", "-"]) == 0
    assert "cached" in capsys.readouterr().out


def test_an_artifact_of_a_run_that_stays(home: Path) -> None:
    """It stays, though the answer that it came from is old: whoever looks at the run finds it."""
    for path in (home / "cache").rglob("*.json"):
        os.utime(path, (0, 0))
    assert main.run(["gc", "--delete", "--days", "3650"]) == 0
    assert _left(home) == (2, 0, 2)


def test_a_run_that_may_be_resumed_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However old, with its artifacts: deleting it is for people."""
    import sqlite3

    oldest = runs.newest_first(home)[-1]
    with sqlite3.connect(oldest.path / runs.JOURNAL) as journal:
        journal.execute("UPDATE meta SET value = 'Running' WHERE key = 'phase'")
    journal.close()
    assert main.run(["gc", "--delete", "--all"]) == 0
    assert f"`argosy delete {oldest.run}` deletes it" in capsys.readouterr().out
    assert _left(home) == (2, 1, 2)


def test_while_a_run_is_under_way(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Answers and artifacts stay, for it may be about to name one of them; that is said."""
    with locks.shared(home / sweeping.LOCK):
        assert main.run(["gc", "--delete"]) == errors.TryAgain.exit_code
    assert "a run is under way" in capsys.readouterr().err
    assert _left(home) == (1, 2, 2)


def test_a_run_that_is_under_way_is_not_to_be_deleted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Advice to delete it would be for one that was cut off."""
    oldest = runs.newest_first(home)[-1]
    lock = locks.FileLock(oldest.path / runs.LOCK)
    assert lock.try_acquire()
    try:
        assert main.run(["gc", "--all"]) == 0
    finally:
        lock.release()
    said = capsys.readouterr().out
    assert f"{oldest.run}: " in said
    assert ": under way\n" in said
    assert "argosy delete" not in said


def test_a_run_waits_for_a_sweep(home: Path) -> None:
    """One that begins while artifacts are removed begins afterwards."""
    import threading

    done: list[float] = []
    with locks.alone(home / sweeping.LOCK) as free:
        assert free
        thread = threading.Thread(target=lambda: done.append(_held(home)))
        thread.start()
        thread.join(0.2)
        assert done == []
    thread.join(20)
    assert len(done) == 1


def _held(home: Path) -> float:
    with locks.shared(home / sweeping.LOCK):
        return time.monotonic()


def test_a_journal_that_cannot_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It might name any artifact: none goes, and the message says which run."""
    newest = runs.newest_first(home)[0]
    (newest.path / runs.JOURNAL).write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    for left in newest.path.glob("journal.sqlite-*"):
        left.unlink()
    assert main.run(["gc", "--delete"]) == errors.Misconfigured.exit_code
    assert newest.run in capsys.readouterr().err
    assert _left(home)[2] == 2


def test_main_that_cannot_be_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes anywhere where nobody knows what is served."""
    monkeypatch.setenv("ARGOSY_FORGE_URI", f"local:{home}/nowhere/none.git")
    monkeypatch.setenv("ARGOSY_STORE_URI", f"file://{home}/store")
    before = _left(home)

    def broken(_settings: Any) -> Any:
        raise errors.TryAgain("the forge is down")

    monkeypatch.setattr("argosy.wiring.forge", broken)
    assert main.run(["gc", "--delete"]) == errors.TryAgain.exit_code
    assert _left(home) == before


@pytest.mark.parametrize("words", [["--days", "0"], ["--days", "-3"], ["--predictions-days", "x"], ["--dry"]])
def test_wrong_words(words: list[str]) -> None:
    """A slip is never a deletion."""
    with pytest.raises(SystemExit) as left:
        main.main(["gc", "--delete", *words])
    assert left.value.code == errors.UsageError.exit_code


class TestClasses:
    """Each class of data for as long as the settings say."""

    def kept(self, here: Settings) -> list[str]:
        return [*wiring.objects(here, here.monitoring_uri).keys()]

    @pytest.fixture(autouse=True)
    def monitored(self, home: Path, here: Settings) -> None:
        """Measures and looks of long ago and of now, and what stays however old."""
        assert home == here.home
        objects, now = wiring.objects(here, here.monitoring_uri), datetime.datetime.now(datetime.UTC)
        for name, at in (("old", now - datetime.timedelta(days=100)), ("new", now)):
            content = part_measures.PartMeasures(at=at, measured={"least": 1}).model_dump_json()
            objects.put(f"measures/{name}.json", content.encode())
            objects.put(looks.look_key("toy", "production", at), b"{}")
            objects.put(performance_report.day_key("toy", "production", "sha256:a", at), b"{}")
        objects.put(performance_report.latest_key("toy", "production"), b"{}")
        objects.put("measures/unreadable.json", b'{"min(x)": 1}')
        objects.put(looks.latest_key("toy", "production"), b"{}")
        objects.put("erasures/toy/proofs/20200101T000000Z-0.json", b"{}")

    def test_without_periods_they_stay(self, here: Settings) -> None:
        """For good."""
        before = self.kept(here)
        assert main.run(["gc", "--delete"]) == 0
        assert self.kept(here) == before

    def test_what_is_over_goes(
        self, here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Said first, gone with --delete; the newest look and proofs of erasures stay whatever their age."""
        monkeypatch.setenv("ARGOSY_RETENTION", "measures=90d, looks=90d, performance=90d")
        before = self.kept(here)
        assert main.run(["gc"]) == 0
        assert "would go: 1 run, 1 answer, 2 measures, 1 looks, 1 performance" in capsys.readouterr().out.replace(
            ", 1 artifact", ""
        )
        assert self.kept(here) == before
        assert main.run(["gc", "--delete"]) == 0
        gone = set(before) - set(self.kept(here))
        assert sorted(key.partition("/")[0] for key in gone) == ["looks", "measures", "measures", "performance"]
        assert {"measures/old.json", "measures/unreadable.json"} < gone

    def test_results_of_scoring_go_by_their_day(self, here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        """What names no day stays, as does what is younger, and whatever lies where nobody pointed at."""
        today = datetime.datetime.now(datetime.UTC).date()
        names = {
            f"as_of={today - datetime.timedelta(days=91)}/part.parquet": False,
            f"{today - datetime.timedelta(days=91)}/churn/part.parquet": False,
            f"as_of={today - datetime.timedelta(days=90)}/part.parquet": True,
            "as_of=2020-02-31/part.parquet": True,
            "part.parquet": True,
            "2020-01-01.parquet": True,
        }
        for name in names:
            (here.data_root / "scores" / name).parent.mkdir(parents=True, exist_ok=True)
            (here.data_root / "scores" / name).write_bytes(b"rows")
        assert main.run(["gc", "--delete", "--results", "scores"]) == 0  # no period, no end
        monkeypatch.setenv("ARGOSY_RETENTION", "results=90d")
        assert main.run(["gc", "--delete"]) == main.run(["gc", "--results", "scores"]) == 0
        assert all((here.data_root / "scores" / name).exists() for name in names)
        assert main.run(["gc", "--delete", "--results", "scores"]) == 0
        assert {name: (here.data_root / "scores" / name).exists() for name in names} == names

    def test_results_in_a_database_are_its_own(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing else goes either."""
        assert main.run(["gc", "--delete", "--results", "sql://scores/rows"]) == errors.UsageError.exit_code
        assert "rows of a database are deleted there" in capsys.readouterr().err

    def test_an_option_goes_before_the_settings(self, here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        """For the once."""
        monkeypatch.setenv("ARGOSY_RETENTION", "measures=90d,runs=1000d")
        assert main.run(["gc", "--delete", "--measures-days", "365"]) == 0
        assert "measures/old.json" in self.kept(here)
        assert _left(here.home) == (2, 2, 2)

    @pytest.mark.parametrize("text", ["runs", "runs=30", "reports=3d", "runs=0d", "runs=1d,runs=2d"])
    def test_what_is_no_period(
        self, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing goes by a setting that nobody understands."""
        monkeypatch.setenv("ARGOSY_RETENTION", text)
        assert main.run(["gc", "--delete"]) == errors.Misconfigured.exit_code
        assert "ARGOSY_RETENTION: " in capsys.readouterr().err
