"""Take a model from its data file to a served, approved model on this machine, and show what happens.

Runs the verbs that a user would run, shown as it goes: the pipeline, the promotion request (merged in the name of a reviewer called
`demo`), the server, predictions, drift, an alert as Alertmanager sends it, the one retraining that it leads to, and why that is refused.
What is shown is told in the model's `demo.yaml`. Leaves the reports and the state folder (ARGOSY_HOME), and no server.

Of a model with a `season.yaml` instead, real weeks are replayed: what its looks say with the seasonal baseline and without, and what the
model was worth once labels came. That leaves nothing. A stage in which something else happens than it says ends either.
"""

import argparse
import contextlib
import datetime
import json
import shlex
import signal
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from argosy import errors, scratch, wiring
from argosy.cli import init, models, peak_memory, provenance, report
from argosy.cli.demonstration import alertmanager, asked_again, demands, sample_rows, script, served_model, shell
from argosy.cli.demonstration.stages import Stages, faint, say, strong
from argosy.domain import environment_layout, promotion_requests, retraining_cause
from argosy.domain.data import FeatureSchema
from argosy.domain.retraining_admission import RetrainingLedger
from argosy.engine.state import runs
from argosy.files import model_folder
from argosy.promotion import approval
from argosy.report import formats, terminal
from argosy.settings import Settings
from argosy.templates import folder as folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="a model or its folder, with a demo.yaml or a season.yaml in it (default: the project's; in an empty folder, the sample of "
        "`argosy init`)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the model in *arguments*."""
    folder = _folder_at_hand() if arguments.model is None else _folder_to_show(arguments.model)
    signal.signal(signal.SIGTERM, _terminated)
    if (folder / script.SEASON).is_file() and not (folder / script.FILE).is_file():
        return _season(folder)
    story = script.load(folder)
    with peak_memory.Sampler() as sampler, scratch.folder("demo") as place:
        demo = Demo(folder, story, Settings.from_environment(), Stages(), place)
        demo.close(demo.play(), sampler.peak_bytes)
    return errors.DONE


ONCE = "The alert asks for a retraining, and starts one"
EARLIER = "The alert asks for a retraining, and an earlier one holds that up"
RETRAINING = "the retraining"
AGAIN = 100
"""Times that the demonstration repeats an alert."""
SEEN = 2
"""Lines of what a look says that the demonstration shows: of drift and of performance."""
LINE = 160
"""Characters of each of these."""
GLANCE = 40
"""Lines of a request that the demonstration shows."""


@dataclass
class Demo:
    """One showing of one model."""

    folder: Path
    story: script.DemoScript
    settings: Settings
    stages: Stages
    scratch: Path
    reached: str = environment_layout.STAGING
    """The last environment that has the model."""

    @property
    def model(self) -> str:
        """The model's name, which is its folder's."""
        return self.folder.resolve().name

    def play(self) -> dict[str, Mapping[str, Any]]:
        """All stages; returns what each run was about and what it answered."""
        self.say_how_far()
        with self.stages.stage("Prepare this machine"):
            shell.run("setup")
        with self.stages.stage("Run the pipeline: from the data file to a model that passed its gates"):
            trained = shell.ask("run", self.model)
        with self.stages.stage(f"Review the request, and merge it in the name of {self.story.reviewer!r}"):
            self._merge()
        self._serve(self._run(trained))
        message, earlier = self._alert(), bool(self._ledger().admissions)
        with self.stages.stage(EARLIER if earlier else ONCE):
            retrained = self._retrain(trained, message, earlier=earlier)
        with self.stages.stage(f"The same alert {AGAIN} times"):
            self._ask_again(message, {"duplicate", *(demands.HELD_UP if earlier else ())})
        return {"the approved model": trained, RETRAINING: retrained}

    def say_how_far(self) -> None:
        """Say at once where the demonstration ends, and what takes it further, if production will refuse what this folder makes."""
        manifest = self.folder / folders.MANIFEST
        doubts = provenance.here(manifest).doubts() if manifest.exists() else []
        if doubts:
            say(
                f"Production takes only what a commit holds, and here {doubts[0]}: it will refuse, and the demo goes on with staging."
            )
            say("To see production too, commit what was changed (or `git stash` it) and begin again.")

    def _merge(self) -> None:
        """Merge staging's request, which opens production's, and that one.

        Production refuses a model of files that no commit holds: the demonstration then goes on with staging.
        """
        for environment in environment_layout.ENVIRONMENTS:
            number = self._open_request(environment)
            if number is None:
                say(f"   no request is open for {environment}: this model is there already")
                self.reached = environment
                continue
            shell.glance("pr", "view", str(number), lines=GLANCE)
            say(f"   A person would read this and decide. The demo merges it in the name of {self.story.reviewer!r}.")
            expected = {errors.DONE, *([errors.Rejected.exit_code] if self._is_doubtful(environment) else [])}
            if shell.run("pr", "merge", str(number), "--as", self.story.reviewer, expected=expected) == errors.DONE:
                self.reached = environment
            else:
                say("   Production takes only what a commit holds, so the demo goes on with staging.")

    def _is_doubtful(self, environment: str) -> bool:
        """True where *environment* may refuse what this folder makes for want of a commit."""
        manifest = self.folder / folders.MANIFEST
        return environment == environment_layout.PRODUCTION and bool(provenance.here(manifest).doubts())

    def _open_request(self, environment: str) -> int | None:
        requests = wiring.forge(self.settings).requests()
        wanted = (
            request.number
            for request in requests
            if request.state is promotion_requests.State.OPEN
            and (request.subject.model, request.subject.environment) == (self.model, environment)
        )
        return next(wanted, None)

    def _serve(self, trained: runs.RunFolder) -> None:
        """Serve what was merged, ask it, and hold two kinds of traffic against the training data."""
        features, schema = self._features(trained)
        usual = sample_rows.chosen(features, schema, self.story.usual)
        unusual = sample_rows.chosen(features, schema, self.story.unusual)
        with contextlib.ExitStack() as stack:
            with self.stages.stage(f"Serve what {self.reached} approved, and ask it"):
                served = stack.enter_context(served_model.serving(self.model, self.reached))
                _ask(served, usual[0], schema)
            with self.stages.stage(f"Usual traffic: {self.story.usual.says}"):
                self._watch(served, usual, drifted=False)
            with self.stages.stage(f"Unusual traffic: {self.story.unusual.says}"):
                self._watch(served, unusual, drifted=True)
                say(
                    "   One look starts nothing: two, an hour apart, have to show it. Nobody waits here, so the next hour's is asked for."
                )
                self._look(demands.next_look(datetime.datetime.now(datetime.UTC)), drifted=True)

    def _watch(self, served: served_model.DemonstratedModel, sent: list[sample_rows.Row], *, drifted: bool) -> None:
        """Send rows and compare what the server logged of them with the training data; *drifted*: what is to be seen."""
        since = datetime.datetime.now(datetime.UTC).isoformat()
        for batch in sample_rows.batches(sent):  # with their ids, by which labels find them later
            served.ask(batch)
        say(f"   sent {formats.number(len(sent))} real rows")
        expected = errors.Rejected.exit_code if drifted else errors.DONE
        shell.run("drift", self.model, "--env", self.reached, "--since", since, expected={expected})
        self._look(drifted=drifted)

    def _look(self, until: datetime.datetime | None = None, *, drifted: bool) -> None:
        """Look at the log as a cluster does every hour, by the very manifest; what was seen is kept. No page: it takes a while.

        A look judges a day of the log. So that one at usual traffic may see what an earlier demonstration sent, and is only shown.
        """
        watch = str(self.folder / folders.WATCH)
        ended = ("-p", f"until={until:%Y-%m-%dT%H:%M:%SZ}") if until else ()
        answer = shell.ask("run", "--file", watch, "-p", f"environment={self.reached}", *ended, "-p", "page=never")
        outputs = (node.get("outputs", {}).get("parameters", {}) for node in answer["nodes"].values())
        seen = next((found["verdicts"] for found in outputs if "verdicts" in found), "")
        for line in seen.splitlines()[:SEEN]:
            say(f"   {retraining_cause.shortened(line, LINE)}")
        if drifted:
            demands.drift_seen(seen, self.reached)

    def _alert(self) -> str:
        """What Alertmanager would send now."""
        version = approval.find(wiring.forge(self.settings), self.model, self.reached).version
        return alertmanager.message(version, self.reached, datetime.datetime.now(datetime.UTC))

    def _retrain(self, trained: Mapping[str, Any], message: str, *, earlier: bool) -> dict[str, Any]:
        """Let the alert ask for a retraining on a damaged copy of what the model was *trained* on; the gates must say no.

        *earlier*: whether a retraining was let in before this demonstration. Then admission must say no.
        """
        data, alert = self.scratch / "data", self.scratch / "alert.json"
        undamaged = report.record_of(self.settings.home, self._run(trained)).facts.parameters["data"]
        if not earlier:
            say(f"   Meanwhile there was a mishap in the newest data: {self.story.mishap.says}.")
        sample_rows.damage(self.settings.data_root / undamaged, data, self.story.mishap)
        alert.write_text(message, encoding="utf-8")
        say(faint(f"   {alert.name}, as Alertmanager sends it: {retraining_cause.shortened(message, LINE)}"))
        words = ("retrain", self.model, "--alert", str(alert), "-p", f"data={data}")
        answer: dict[str, Any] = shell.ask(*words, expected={errors.Rejected.exit_code})
        ledger = self._ledger()
        if earlier and ledger.of_run(answer["run"]) is None:
            demands.held_up(ledger)
            say(
                "   Retrainings have limits (`retraining` in model.yaml). To see one, give the demo a state folder of its own:"
            )
            say(f"   ARGOSY_HOME=$(mktemp -d) {shell.program()} demo {self.folder}")
        else:
            evidence = report.record_of(self.settings.home, self._run(answer)).evidence
            say(f"   {demands.retrained_once(ledger, answer['run'], evidence, self.story.mishap)}")
        return answer

    def _ask_again(self, message: str, expected: Collection[str]) -> None:
        settings = model_folder.load_settings(self.folder / folders.ARTIFACTS["settings"])
        answer = asked_again.ask(self.settings, settings, message, AGAIN)
        demands.nothing_changed(answer.admitted, answer.reasons, expected)
        say(f"   refused {AGAIN} times ({', '.join(answer.reasons)}): {answer.explanation}")
        shell.run("retrain", self.model, "--list")

    def _ledger(self) -> RetrainingLedger:
        return wiring.admission_state(self.settings).ledger(self.model)

    def _features(self, trained: runs.RunFolder) -> tuple[Path, FeatureSchema]:
        """The feature rows that the run made, and what their columns are."""
        folder = report.artifacts(self.settings.home, trained.state()[1])("build-features", "features")
        if folder is None:
            raise errors.Misconfigured(f"run {trained.run} made no features; its pipeline is not one that can be shown")
        return folder, FeatureSchema.read(folder / "schema.json")

    def _run(self, answer: Mapping[str, Any]) -> runs.RunFolder:
        return runs.find(self.settings.home, answer["run"])

    def close(self, answers: Mapping[str, Mapping[str, Any]], peak_bytes: int | None) -> None:
        """Say what it took and what is left, and what to try next."""
        say(
            f"\n{strong('Done')} in {formats.seconds(self.stages.total)}, {formats.size(peak_bytes)} of memory at the peak\n"
        )
        say(self.stages.table())
        if reaction := terminal.reaction(report.record_of(self.settings.home, self._run(answers[RETRAINING]))):
            say(f"\n   The loop took {reaction}")
        say(f"\n{strong('Left for you')}")
        for title, answer in answers.items():
            say(f"   report of {title}: {report.write(self.settings.home, self._run(answer))}")
        say(f"   state: {self.settings.home}\n\n{strong('Try next')}")
        rejected = answers[RETRAINING]["run"]
        tries = {
            f"run {self.model}": "again: nothing has changed, so seconds",
            f"logs {rejected}": "what became of the alert, and why",
            "pr list --all": "every request and what became of it",
            f"serve {self.model} --env {self.reached}": "serve it until Ctrl-C",
        }
        width = max(map(len, tries))
        for words, why in tries.items():
            say(f"   {shell.program()} {words:<{width}}  # {why}")


def _folder_to_show(model: str) -> Path:
    """The folder of *model*. Raises UsageError where there is none, or none that has anything to show."""
    folder = models.folder_of(model)
    if not any((folder / name).is_file() for name in (script.FILE, script.SEASON)):
        raise errors.UsageError(
            f"{folder} has neither {script.FILE} nor {script.SEASON}, one of which says what there is to show; "
            f"`argosy init FOLDER` writes a model that has one"
        )
    return folder


def _folder_at_hand() -> Path:
    """The model of this project that can be shown; in an empty folder, that of the sample, which is written first."""
    found = sorted(models.WORKFLOWS.glob(f"*/{script.FILE}"))
    if found:
        return found[0].parent
    if any(Path().iterdir()):
        raise errors.UsageError(
            f"no model in {Path.cwd() / models.WORKFLOWS} has a {script.FILE}; `argosy init FOLDER` writes one that has"
        )
    return models.WORKFLOWS / init.write(Path())


def _season(folder: Path) -> int:
    """Show the seasons of the model in *folder*."""
    from argosy.cli.demonstration import season  # not before: the libraries that train take seconds to load

    with scratch.folder("demo") as place:
        stages = Stages()
        season.SeasonDemo(
            folder, script.load_season(folder), Settings.from_environment().data_root, stages, place
        ).play()
    say(f"\n{strong('Done')} in {formats.seconds(stages.total)}\n\n{stages.table()}")
    return errors.DONE


def _ask(served: served_model.DemonstratedModel, row: sample_rows.Row, schema: FeatureSchema) -> None:
    """Ask for one row by all its features and by its id alone; the answers must be equal."""
    answers: list[dict[str, object]] = []
    for title, instance in (
        ("by all its features", sample_rows.features_of(row, schema)),
        ("by its id alone; the features come from the online store", sample_rows.entity_of(row, schema)),
    ):
        body = json.dumps({"instances": [instance]})
        say(faint(f"   $ curl -s {served.predict} -d {shlex.quote(body)}    # {title}"))
        text = served.ask_text(body)
        say(f"   {text.decode()}")
        answers.append({name: said for name, said in json.loads(text).items() if name != "request_id"})
    if answers[0] != answers[1]:
        raise errors.ArgosyError("the two answers differ; online and offline features are not the same")
    say("   equal, but for the request's own id")


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    # As with Ctrl-C: what was started is stopped on the way out.
    raise KeyboardInterrupt
