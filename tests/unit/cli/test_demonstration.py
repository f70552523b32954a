"""The parts of `argosy demo`: its script, its rows, the commands it runs, and the server it never leaves behind."""

import datetime
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from argosy import errors, wiring
from argosy.cli import demo, main
from argosy.cli.demonstration import alertmanager, asked_again, demands, sample_rows, script, served_model, shell
from argosy.domain import alerts, retraining_cause, retraining_ends
from argosy.domain.data import FeatureColumn, FeatureSchema
from argosy.domain.documents import sha256
from argosy.domain.drift import Word
from argosy.domain.evidence import ChampionRef, Evidence, GateResult, VerdictWord
from argosy.domain.release import Version
from argosy.domain.retraining_admission import Outcome, RetrainingLedger
from argosy.domain.run_failures import FailedStep
from argosy.files import model_folder
from argosy.monitoring import retrainings, watching
from argosy.settings import Settings
from kit import looked

WORKFLOWS = Path(__file__).parents[3] / "workflows"
SCHEMA = FeatureSchema(
    features=[
        FeatureColumn(name="tenure", type="number", view="v"),
        FeatureColumn(name="contract", type="category", levels=["a", "b"], view="v"),
    ],
    context=[],
    join_keys=["id"],
    rows_train=2,
    rows_holdout=2,
    online_digest="sha256:0",
)


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """Four feature rows, one with a missing value, not in the order of their ids."""
    table = pa.table(
        {
            "id": ["d", "a", "c", "b"],
            "tenure": [4.0, 1.0, float("nan"), 2.0],
            "contract": ["a", "b", None, "a"],
            "label": [0, 1, 0, 1],
            "side": ["holdout", "train", "holdout", "holdout"],
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    return tmp_path


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob(f"*/{script.FILE}")), ids=lambda path: path.parent.name)
def test_committed_scripts_are_readable(path: Path) -> None:
    """Each model that has a script can be shown."""
    assert script.load(path.parent).reviewer


def test_a_wrong_script_is_refused_with_its_line(tmp_path: Path) -> None:
    """A typo in the script is said before anything runs."""
    (tmp_path / script.FILE).write_text("usual: {says: x, were: y}\n", encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=r"demo\.yaml:1"):
        script.load(tmp_path)


@pytest.mark.parametrize(
    ("named", "said"), [("chrun", "did you mean 'churn'"), (".", "has neither demo.yaml nor season.yaml")]
)
def test_a_model_that_cannot_be_shown_is_refused(
    named: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and what was probably meant; a model may be named, or its folder."""
    monkeypatch.chdir(WORKFLOWS.parent)
    assert main.run(["demo", named]) == errors.UsageError.exit_code
    assert said in capsys.readouterr().err


def test_rows_are_chosen_by_rule_in_the_order_of_their_ids(features: Path) -> None:
    """Join keys and features, nothing else; what is missing is None, as JSON has it."""
    found = sample_rows.chosen(features, SCHEMA, script.Slice(says="x", where="side = 'holdout'"))
    assert found == [
        {"id": "b", "tenure": 2.0, "contract": "a"},
        {"id": "c", "tenure": None, "contract": None},
        {"id": "d", "tenure": 4.0, "contract": "a"},
    ]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        pytest.param("seniority = 1", "seniority", id="no-such-column"),
        pytest.param("tenure > 99", "no row satisfies", id="nothing"),
    ],
)
def test_a_rule_that_chooses_nothing_is_refused(features: Path, where: str, reason: str) -> None:
    """The script is wrong, and the message quotes it."""
    with pytest.raises(errors.Misconfigured, match=reason):
        sample_rows.chosen(features, SCHEMA, script.Slice(says="x", where=where))


def test_batches_hold_every_row_once() -> None:
    """The last lot is what is left."""
    sent = [{"id": number} for number in range(250)]
    lots = list(sample_rows.batches(sent, 100))
    assert [len(lot) for lot in lots] == [100, 100, 50]
    assert [row for lot in lots for row in lot] == sent


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_mishap_damages_one_file_of_a_copy(tmp_path: Path, suffix: str) -> None:
    """The user's own data is untouched; columns and their order stay; other files are copied."""
    data = tmp_path / "data"
    data.mkdir()
    table = pa.table({"id": ["007", "008"], "left": ["Yes", "No"], "spent": ["1.50", ""]})
    write = pa.csv.write_csv if suffix == "csv" else pq.write_table
    write(table, data / f"t.{suffix}")
    (data / "other.txt").write_text("as it was", encoding="utf-8")
    before = (data / f"t.{suffix}").read_bytes()
    mishap = script.Mishap(
        says="x", file=f"t.{suffix}", sql="""select * replace ('No' as "left") from undamaged""", stopped_by="x"
    )
    sample_rows.damage(data, tmp_path / "damaged", mishap)
    read = pa.csv.read_csv if suffix == "csv" else pq.read_table
    assert (data / f"t.{suffix}").read_bytes() == before
    assert (tmp_path / "damaged" / "other.txt").read_text(encoding="utf-8") == "as it was"
    damaged = read(tmp_path / "damaged" / f"t.{suffix}")
    assert damaged.column_names == ["id", "left", "spent"]
    assert damaged["left"].to_pylist() == ["No", "No"]


def test_a_mishap_to_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The script names the wrong file."""
    (tmp_path / "data").mkdir()
    with pytest.raises(errors.Misconfigured, match=r"mishap\.file 't\.csv'"):
        sample_rows.damage(
            tmp_path / "data", tmp_path / "damaged", script.Mishap(says="x", file="t.csv", sql="x", stopped_by="x")
        )


Pretend = Callable[[str], None]


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Puts a Python program in the place of the ``argosy`` command."""

    def install(program: str) -> None:
        path = tmp_path / "argosy.py"
        path.write_text(textwrap.dedent(program), encoding="utf-8")
        monkeypatch.setattr(shell, "command", lambda *words: [sys.executable, str(path), *words])

    return install


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        pytest.param(10, errors.Rejected, id="no"),
        pytest.param(78, errors.Misconfigured, id="misconfigured"),
        pytest.param(75, errors.TryAgain, id="outside"),
        pytest.param(130, KeyboardInterrupt, id="interrupted"),
        pytest.param(1, errors.ArgosyError, id="bug"),
    ],
)
def test_the_demo_ends_as_the_command_that_failed(pretend: Pretend, code: int, kind: type[BaseException]) -> None:
    """The exit code of a verb is the demo's own."""
    pretend(f"import sys; sys.exit({code})")
    with pytest.raises(kind):
        shell.run("run", "x")


def test_a_code_that_is_expected_is_no_failure(pretend: Pretend) -> None:
    """`argosy drift` ends 10 where there is drift, and the demo shows just that."""
    pretend("import sys; sys.exit(10)")
    assert shell.run("drift", "x", expected={10}) == 10


def test_the_answer_of_a_command_is_its_json(pretend: Pretend, capfd: pytest.CaptureFixture[str]) -> None:
    """What else the command prints goes to standard error, and is seen."""
    pretend("""
        import json, sys
        print("step by step", file=sys.stderr)
        print(json.dumps({"run": "x-1", "words": sys.argv[1:]}))
    """)
    assert shell.ask("run", "x") == {"run": "x-1", "words": ["run", "x", "--json"]}
    assert "step by step" in capfd.readouterr().err


SERVER = """
    import http.server, os, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
            self.wfile.write(body)
        def log_message(self, *words): pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    open(os.environ["PID_FILE"], "w").write(str(os.getpid()))
    print(f"serving x at http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
"""


@pytest.fixture
def pid_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server of a test writes its process id."""
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pid"))
    return tmp_path / "pid"


def _gone(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text(encoding="utf-8")), 0)
    except ProcessLookupError:
        return True
    return False


def test_a_server_lives_as_long_as_its_block(pretend: Pretend, pid_file: Path) -> None:
    """It answers at the address that it printed, and is gone afterwards."""
    pretend(SERVER)
    with served_model.serving("x", "production") as served:
        assert served.predict.endswith("/v1/models/x:predict")
        assert json.loads(served.ask([{"a": 1}])) == {"instances": [{"a": 1}]}
        assert not _gone(pid_file)
    assert _gone(pid_file)


@pytest.mark.parametrize("error", [KeyboardInterrupt, errors.TryAgain], ids=["ctrl-c", "failure"])
def test_no_server_is_left_behind(pretend: Pretend, pid_file: Path, error: type[BaseException]) -> None:
    """Whatever ends the block ends the server."""
    pretend(SERVER)
    with pytest.raises(error), served_model.serving("x", "production"):
        raise error
    assert _gone(pid_file)


def test_a_server_that_refuses_to_start_says_its_code(pretend: Pretend) -> None:
    """Nothing approved yet: the server ends 78, and so does the demo."""
    pretend("import sys; print('error: nothing approved', file=sys.stderr); sys.exit(78)")
    with pytest.raises(errors.Misconfigured, match="ended with 78"), served_model.serving("x", "production"):
        pass


SAMPLE = Path(__file__).parents[2] / "data" / "alertmanager_webhook.json"
"""What a real Alertmanager sent."""


def test_an_alert_is_named_as_alertmanager_names_it() -> None:
    """By the fingerprint of its labels, as in what a real one sent."""
    received = json.loads(SAMPLE.read_text(encoding="utf-8"))["alerts"]
    assert received
    for alert in received:
        assert alertmanager.fingerprint(alert["labels"]) == alert["fingerprint"]


def test_an_alert_has_the_form_of_a_real_one() -> None:
    """The same fields with the same labels, and it is read as one."""
    real = json.loads(SAMPLE.read_text(encoding="utf-8"))
    version = Version(
        model="toy", version=3, model_digest=sha256(b"m"), storage_uri="file:///x/", evidence_digest=sha256(b"e"),
        policy_digest=sha256(b"p"),
    )  # fmt: skip
    text = alertmanager.message(version, "production", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    made = json.loads(text)
    assert set(made) == set(real)
    assert set(made["alerts"][0]) == set(real["alerts"][0])
    assert set(made["alerts"][0]["labels"]) == set(real["alerts"][0]["labels"])
    (alert,) = alerts.read(text).alerts
    assert (alert.asks_to_retrain, alert.fires, alert.model, alert.since.year) == (True, True, "toy", 2026)


VERSION = Version(
    model="churn", version=1, model_digest=looked.DIGEST, storage_uri="file:///x/", evidence_digest=sha256(b"e"),
    policy_digest=sha256(b"p"),
)  # fmt: skip
SECOND = datetime.timedelta(seconds=1)


class DemoLoop:
    """What the looks of a demonstration leave for admission: the real rules, ledger and store of a state folder."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.from_environment({"ARGOSY_HOME": str(home)})
        self.model = model_folder.load_settings(WORKFLOWS / "churn" / "model.yaml")
        # Looks were taken before anybody asks: one that ends later than the next one due is not believed.
        self.now = datetime.datetime.now(datetime.UTC) - 10 * SECOND
        self.message = alertmanager.message(VERSION, "production", self.now)

    def see(self, *looks: tuple[Word, datetime.datetime]) -> "DemoLoop":
        """Keep looks, each a verdict and its end."""
        store = wiring.objects(self.settings, self.settings.monitoring_uri)
        for verdict, until in looks:
            watching.keep(store, looked.look(verdict, until=until))
        return self

    def ask(self, times: int) -> asked_again.AskedAgain:
        """Bring the alert so many times."""
        return asked_again.ask(self.settings, self.model, self.message, times)

    def ledger(self) -> RetrainingLedger:
        """What was let in and refused."""
        return wiring.admission_state(self.settings).ledger("churn")


def test_the_looks_of_the_demonstration_are_believed(tmp_path: Path) -> None:
    """By the model's own settings: usual traffic, unusual traffic, and the look of the next hour. A hundred times more change nothing."""
    loop = DemoLoop(tmp_path)
    shifted = loop.now + 2 * SECOND
    loop.see(("no drift", loop.now), ("drift", shifted), ("drift", demands.next_look(shifted)))
    answer = loop.ask(101)
    assert (answer.admitted, list(answer.reasons)) == (1, ["duplicate"])
    assert loop.ledger().refused == {"duplicate": 100}


def test_looks_a_second_apart_end_the_demonstration(tmp_path: Path) -> None:
    """They are one look, the alert starts nothing, and the demonstration does not go on as if it had."""
    loop = DemoLoop(tmp_path)
    loop.see(*(("drift", loop.now + seconds * SECOND) for seconds in range(3)))
    assert loop.ask(1).admitted == 0
    with pytest.raises(errors.ArgosyError, match=r"started no retraining: not confirmed: 1 look at it .* 2 have to"):
        demands.retrained_once(loop.ledger(), "demo 0", None, MISHAP)


MISHAP = script.Mishap(says="labels are mixed up", file="t.csv", sql="x", stopped_by="performance.auc")


def judged(verdict: VerdictWord, *failed: str, alert: str = alertmanager.ALERT) -> Evidence:
    """What an evaluation said, by which gates."""
    named = retraining_cause.Alert(name=alert, fingerprint="0", starts_at=looked.NOON)
    gates = [GateResult(gate=name, dimension="d", passed=False, limit=">= 1", reason="r") for name in failed]
    digest = sha256(b"x")
    return Evidence(
        model="churn", task="binary", model_digest=digest, snapshot_digest=digest, policy_digest=digest,
        champion=ChampionRef(model="churn", policy_digest=digest), rows_train=1, rows_holdout=1, metrics={}, gates=gates,
        verdict=verdict, explanation="why", cause=retraining_cause.Cause(kind="drift", alert=named),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "found", "reason"),
    [
        pytest.param("failed", None, "ended as 'failed', and it came to no verdict", id="broke"),
        pytest.param(
            "requested", judged("promote"), "ended as 'requested', and its verdict is 'promote'", id="promoted"
        ),
        pytest.param("rejected", judged("inconclusive"), "its verdict is 'inconclusive'", id="could-not-tell"),
        pytest.param(
            "rejected",
            judged("reject", "latency.p95_ms"),
            r"performance\.auc was to refuse .* latency\.p95_ms did",
            id="another-gate",
        ),
        pytest.param(
            "rejected",
            judged("reject", "performance.auc", alert="Other"),
            "does not say that ArgosyDrift",
            id="another-cause",
        ),
    ],
)
def test_a_retraining_that_ends_otherwise_ends_the_demonstration(
    outcome: Outcome, found: Evidence | None, reason: str, tmp_path: Path
) -> None:
    """In one line that says what was to happen, and what did."""
    loop = DemoLoop(tmp_path)
    loop.see(("drift", loop.now), ("drift", demands.next_look(loop.now)))
    loop.ask(1)
    code = {"rejected": 10, "failed": 1}.get(outcome)
    failed = [FailedStep("propose", f"Error (exit code {code})")] if code else []
    ended = retraining_ends.close(loop.ledger(), "demo 0", "Failed" if failed else "Succeeded", failed, loop.now)
    with pytest.raises(errors.ArgosyError, match=f"^the demo stopped: .*{reason}"):
        demands.retrained_once(ended, "demo", found, MISHAP)
    refused = [FailedStep("propose", "Error (exit code 10)")]
    closed = retraining_ends.close(loop.ledger(), "demo 0", "Failed", refused, loop.now)
    demands.retrained_once(closed, "demo", judged("reject", "performance.auc", "performance.f1"), MISHAP)


def test_an_earlier_retraining_may_hold_it_up_and_nothing_else(tmp_path: Path) -> None:
    """A cooldown is what settings promise; a ledger that says anything else ends the demonstration."""
    loop = DemoLoop(tmp_path)
    loop.see(("drift", loop.now), ("drift", demands.next_look(loop.now)))
    loop.ask(2)
    with pytest.raises(errors.ArgosyError, match="was to hold this one up: duplicate: "):
        demands.held_up(loop.ledger())
    state = wiring.admission_state(loop.settings)
    retrainings.close(
        state,
        "churn",
        "demo 0",
        status="Failed",
        failures='[{"displayName": "propose", "message": "Error (exit code 10)"}]',
        now=loop.now,
    )
    loop.see(("drift", demands.next_look(loop.now) + SECOND))
    assert list(loop.ask(1).reasons) == ["cooldown"]
    demands.held_up(loop.ledger())


@pytest.mark.parametrize("seen", ["", "production: no drift: no column differs (1,417 rows)", "staging: drift: x"])
def test_a_look_that_sees_no_drift_ends_the_demonstration(seen: str) -> None:
    """Unusual traffic that nobody notices is a fault."""
    with pytest.raises(errors.ArgosyError, match="saw no drift"):
        demands.drift_seen(seen, "production")


def test_an_alert_that_changes_something_ends_the_demonstration() -> None:
    """Let in once more, refused for another reason, or not asked at all."""
    for admitted, reasons in ((1, ["duplicate"]), (0, ["too few rows"]), (0, [])):
        with pytest.raises(errors.ArgosyError, match="expected: never, and duplicate"):
            demands.nothing_changed(admitted, reasons, {"duplicate"})


def test_an_alert_repeated_is_let_in_once_at_most(tmp_path: Path) -> None:
    """Through admission's own rules and ledger: a hundred times the same, and what is said is why not."""
    home = Settings.from_environment({"ARGOSY_HOME": str(tmp_path)})
    model = model_folder.load_settings(WORKFLOWS / "churn" / "model.yaml")
    version = Version(
        model="churn", version=1, model_digest=sha256(b"m"), storage_uri="file:///x/", evidence_digest=sha256(b"e"),
        policy_digest=sha256(b"p"),
    )  # fmt: skip
    message = alertmanager.message(version, "production", datetime.datetime.now(datetime.UTC))
    answer = asked_again.ask(home, model, message, 3)
    assert (answer.admitted, list(answer.reasons)) == (0, ["no look"])
    assert answer.explanation


def test_it_says_at_once_that_production_will_refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a folder that no commit holds, with the way to see all of it; of a committed one nothing."""
    folder = tmp_path / "workflows" / "toy"
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").write_text("kind: WorkflowTemplate\n", encoding="utf-8")
    shown = demo.Demo(folder, None, None, None, tmp_path)  # type: ignore[arg-type]
    shown.say_how_far()
    said = capsys.readouterr().out
    assert "here the commit is unknown: it will refuse, and the demo goes on with staging" in said
    assert "git stash" in said
    git = ["git", "-C", str(tmp_path), "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *words], check=True)
    shown.say_how_far()
    assert capsys.readouterr().out == ""
