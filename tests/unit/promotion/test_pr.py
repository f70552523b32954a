"""The verb ``pr``, as a reviewer uses it, on a local forge with a toy candidate."""

import argparse
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main, pr
from argosy.domain import environment_layout, promotion_requests, version_file
from argosy.domain.documents import sha256
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request, State
from argosy.domain.rollouts import Rollout
from argosy.files.git_repository import Person, Repository
from argosy.promotion import approval, desk
from argosy.report import request_body
from argosy.report.autolinks import BREAK
from argosy.settings import Settings
from argosy.steps.converge import run as converge
from argosy.testing.forge_contract import files_of
from kit.offered import offer

Verb = Callable[..., int]


@pytest.fixture
def verb(here: Settings, monkeypatch: pytest.MonkeyPatch, registry: MemoryRegistry) -> Verb:
    """``argosy pr …`` in the state folder."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        pr.add_arguments(parser)
        return pr.run(parser.parse_args(words))

    return run


@pytest.fixture
def offered(toy: Any, here: Settings, registry: MemoryRegistry) -> Any:
    """A toy with an open request."""
    assert offer(toy, here, registry).startswith("1 ")
    return toy


def test_from_request_to_production(
    verb: Verb, offered: Any, registry: MemoryRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """A merge in staging opens production's request; that merge crowns the version in the registry."""
    assert verb("merge", "1", "--as", "Ada") == 0
    assert capsys.readouterr().out.splitlines() == [
        "merged #1 by Ada: Promote toy version 1 to staging",
        "opened #2: Promote toy version 1 to production",
    ]
    assert verb("merge", "#2", "--as", "Ben") == 0
    assert capsys.readouterr().out.splitlines() == [
        "merged #2 by Ben: Promote toy version 1 to production",
        "registry: toy: champion is version 1",
    ]
    assert registry.aliases == {("toy", "champion"): 1}


def test_every_command_can_be_repeated(verb: Verb, offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A merge whose answer was lost changes nothing the second time, and what it leads to is there once."""
    for words in (
        ["merge", "1"],
        ["merge", "1"],
        ["after-merge", "1"],
        ["merge", "2"],
        ["merge", "1"],
        ["after-merge", "2"],
    ):
        assert verb(*words) == 0
    capsys.readouterr()
    verb("list", "--all", "--json")
    requests = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(request["number"], request["state"]) for request in requests] == [(1, "merged"), (2, "merged")]


def test_list_shows_what_waits(verb: Verb, offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Open requests only, unless all are asked for; an empty list says so."""
    verb("list")
    line = capsys.readouterr().out
    assert line.startswith("#1 ")
    assert "toy version 1 -> staging" in line
    assert offered.digest.removeprefix("sha256:")[:12] in line
    verb("close", "1", "--as", "Ada", "--reason", "not now")
    verb("list")
    verb("list", "--json")
    verb("list", "--all")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "closed #1 by Ada: Promote toy version 1 to staging"
    assert out[1].startswith("no open requests")
    assert "closed" in out[2]
    assert len(out) == 3


def test_view_shows_evidence_and_checks(verb: Verb, offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A reviewer sees what is proposed, by what evidence, and that every check is green."""
    assert verb("view", "1") == 0
    out = capsys.readouterr().out
    assert "#1 Promote toy version 1 to staging" in out
    assert out.count("    ok  ") == 12
    assert "RED" not in out
    assert "  evidence   signature verified: bundle and evidence are signed with our key\n" in out
    assert "  text       as the evidence has it\n" in out
    assert "# toy: promote\n\nIt was looked at.\n" in out
    verb("view", "1", "--raw")
    assert "# toy\n\nIt holds &gt;= 0.8.\n" in capsys.readouterr().out


def test_view_does_not_believe_the_request_s_text(
    verb: Verb, offered: Any, here: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may edit a request writes its text; what is shown is the evidence, and that the text says something else."""
    kept = type(wiring.forge(here)).request

    def edited(self: Any, number: int) -> Request:
        request = kept(self, number)
        return request.model_copy(
            update={"body": request.body.replace("It holds", "All gates hold, no need to look: it holds")}
        )

    monkeypatch.setattr(type(wiring.forge(here)), "request", edited)
    assert verb("view", "1") == 0
    out = capsys.readouterr().out
    assert "DIFFERS from the evidence" in out
    assert "no need to look" not in out
    assert "It was looked at." in out
    verb("view", "1", "--raw")
    assert "no need to look" in capsys.readouterr().out
    verb("merge", "1", "--as", "Ada")
    assert "no need to look" not in wiring.forge(here).request(2).body
    assert "It was looked at." in wiring.forge(here).request(2).body


def test_view_of_a_request_from_before_an_upgrade(
    verb: Verb, offered: Any, here: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other words of ours are no tampering, and are not vouched for either."""
    kept = request_body._checking
    monkeypatch.setattr(request_body, "_checking", lambda *given: kept(*given).replace("signatures", "seals"))
    assert verb("view", "1") == 0
    out = capsys.readouterr().out
    assert "DIFFERS" not in out
    assert (
        "  text       report and digests as the evidence has them; what stands below them is not this version's" in out
    )


def test_view_says_whether_the_signature_is_right(
    verb: Verb, offered: Any, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a merged request too, which no check looks at any more; and of evidence that cannot be read."""
    verb("merge", "1", "--as", "Ada")
    capsys.readouterr()
    verb("view", "1")
    assert "signature verified" in capsys.readouterr().out
    shutil.rmtree(here.home / "store")
    verb("view", "1")
    assert "SIGNATURE NOT VERIFIED" in capsys.readouterr().out


def test_a_terminal_is_not_obeyed(
    verb: Verb, toy: Any, here: Settings, registry: MemoryRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences in evidence are shown without their power."""
    owned = "\x1b]0;owned\x07\x1b[2J&#27;[2Jgone"
    (toy.folder / "evidence" / "evidence.md").write_text(f"{owned}\n", encoding="utf-8")
    offer(toy, here, registry, explanation=owned)
    for words in (["view", "1"], ["view", "1", "--raw"], ["diff", "1", "--all"]):
        verb(*words)
        out = capsys.readouterr().out
        assert "gone" in out
        assert "\x1b" not in out
        assert "\x07" not in out


def test_diff_shows_the_file_that_matters(verb: Verb, offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The version file line by line, the evidence counted, or all of it."""
    verb("diff", "1")
    out = capsys.readouterr().out
    assert f'+modelDigest: "{offered.digest}"' in out
    assert "models/toy/staging/evidence/evidence.md | +3 -0" in out
    assert "+It holds" not in out
    verb("diff", "1", "--all")
    assert "+It holds" in capsys.readouterr().out


def test_overtaken_evidence_is_refused_and_can_be_overruled(
    verb: Verb, offered: Any, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A policy that changed turns the request red; a reviewer may overrule that by name, and the commit says so, and refers to nobody."""
    clone = here.home / "clone"
    _git("clone", "--quiet", str(here.home / "forge" / "environment.git"), str(clone))
    (clone / "policies" / "toy.yaml").write_text("stricter\n", encoding="utf-8")
    _git("-C", str(clone), "commit", "--quiet", "-am", "Stricter")
    _git("-C", str(clone), "push", "--quiet")
    assert verb("check", "1") == errors.Rejected.exit_code
    assert "RED policy" in capsys.readouterr().out
    with pytest.raises(
        errors.Rejected, match=r"request 1 is not merged, 1 of 12 checks are red:\n  policy: it was judged by another"
    ):
        verb("merge", "1", "--as", "Ada")
    with pytest.raises(
        errors.UsageError, match="'signatures' cannot be overruled; these can: champion, newer, policy, rejected"
    ):
        verb("merge", "1", "--as", "Ada", "--override", "signatures")
    assert verb("merge", "1", "--as", "@ada", "--override", "policy") == 0
    message = _git("-C", str(clone), "log", "-1", "--format=%B", "--first-parent", *_fetched(clone))
    assert f"Overruled-by: @{BREAK}ada (policy)" in message
    assert f"Merged-by: @{BREAK}ada" in message


def _git(*words: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True).stdout


def _fetched(clone: Path) -> list[str]:
    _git("-C", str(clone), "fetch", "--quiet")
    return ["origin/main"]


def test_a_flipped_byte_in_the_store_stops_the_merge(verb: Verb, offered: Any, here: Settings) -> None:
    """What would be served is checked against what was approved, by digest."""
    model = next((here.home / "store" / "models" / "toy").glob("*/model.ubj"))
    model.write_bytes(b"other")
    with pytest.raises(errors.Rejected, match=r"signatures: .* holds sha256:\w+, not the model that is proposed"):
        verb("merge", "1", "--as", "Ada")


def test_a_release_that_was_changed_stops_the_merge(verb: Verb, offered: Any, here: Settings) -> None:
    """release.json is outside the model's digest, and inside the signature."""
    released = next((here.home / "store" / "models" / "toy").glob("*/release.json"))
    released.write_text(released.read_text().replace('"counter":1', '"counter":9'), encoding="utf-8")
    with pytest.raises(errors.Rejected, match=r"signatures: .* the content of release\.json differs"):
        verb("merge", "1", "--as", "Ada")


def test_a_stale_champion_stops_the_second_promotion(
    verb: Verb, offered: Any, new_toy: Callable[[str], Any], here: Settings, registry: MemoryRegistry
) -> None:
    """Two models compared with the same champion: when the first is in production, the second's evidence is stale."""
    verb("merge", "1")
    other = new_toy("other")
    assert offer(other, here, registry).startswith("3 ")
    verb("merge", "2")
    with pytest.raises(errors.Rejected, match="champion: it was compared with no model, but production has"):
        verb("merge", "3")
    assert offer(other, here, registry).startswith("4 ")
    assert verb("merge", "4") == 0


def test_what_staging_serves_can_be_judged_anew(
    verb: Verb, offered: Any, here: Settings, registry: MemoryRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gates have changed since staging got its model: run again, the same model brings new evidence to both environments."""
    assert verb("merge", "1") == 0
    clone = here.home / "clone"
    _git("clone", "--quiet", str(here.home / "forge" / "environment.git"), str(clone))
    (clone / "policies" / "toy.yaml").write_text("stricter\n", encoding="utf-8")
    _git("-C", str(clone), "commit", "--quiet", "-am", "Stricter")
    _git("-C", str(clone), "push", "--quiet")
    with pytest.raises(errors.Rejected, match="policy: it was judged by another policy"):
        verb("merge", "2")
    for _ in range(2):  # the second is the same step, tried again
        assert offer(offered, here, registry).startswith("3 ")
    capsys.readouterr()
    assert verb("merge", "3") == 0
    assert "opened #4: Promote toy version 1 to production" in capsys.readouterr().out
    assert wiring.forge(here).request(2).state is State.SUPERSEDED
    assert verb("merge", "4") == 0


def test_another_commit_than_the_one_to_be_checked(
    verb: Verb, offered: Any, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that is reported for one commit has looked at that one: pushed before or meanwhile, another is refused."""
    head = wiring.forge(here).request(1).head
    assert verb("check", "1", "--head", head) == 0
    with pytest.raises(errors.Rejected, match=r"by now, not 0{40}; check that"):
        verb("check", "1", "--head", "0" * 40)
    assert verb("merge", "1") == 0
    assert verb("check", "1", "--head", head) == 0
    with pytest.raises(errors.Rejected, match="by now"):
        verb("check", "1", "--head", "0" * 40)
    looked = desk.Desk.checks

    def pushed_meanwhile(self: desk.Desk, request: Request, at: str) -> list[Check]:
        forged = request.model_copy(update={"head": "0" * 40})
        monkeypatch.setattr(type(self.forge), "request", lambda _self, _number: forged)
        return looked(self, request, at)

    monkeypatch.setattr(desk.Desk, "checks", pushed_meanwhile)
    head = wiring.forge(here).request(2).head
    with pytest.raises(errors.Rejected, match="by now"):
        verb("check", "2", "--head", head)


def test_a_registry_follows_models_that_there_are(verb: Verb, offered: Any) -> None:
    """A name that main never heard of is a slip, not a model without a champion."""
    assert verb("sync-registry", "toy") == 0
    verb("merge", "1")
    with pytest.raises(errors.UsageError, match="no model 'tyo'; did you mean 'toy'"):
        verb("sync-registry", "toy", "tyo")


def test_closing_and_reopening(verb: Verb, offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A closed request cannot be merged until it is taken up again."""
    verb("close", "1", "--as", "Ada", "--reason", "ask me tomorrow")
    with pytest.raises(errors.Rejected, match=r"request 1 is closed \(ask me tomorrow\); it cannot be merged"):
        verb("merge", "1", "--as", "Ada")
    with pytest.raises(errors.Rejected, match="request 1 is closed, not merged"):
        verb("after-merge", "1")
    verb("view", "1")
    assert "closed by Ada" in capsys.readouterr().out
    verb("reopen", "1", "--as", "Ada")
    assert verb("merge", "1", "--as", "Ada") == 0


def test_where_it_is(verb: Verb, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The path, for `git clone`."""
    verb("where")
    assert capsys.readouterr().out.strip() == str(here.home / "forge" / "environment.git")


def test_what_was_done_already_is_said_so(verb: Verb, offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Who repeats what somebody did does not read that it was their doing; of a merged request nothing is left to check."""
    verb("close", "1", "--as", "Ada", "--reason", "not now")
    verb("close", "1", "--as", "Ben", "--reason", "never")
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("already closed #1 by Ada: ")
    assert said.endswith("(not now; the reason given now is not kept)")
    verb("reopen", "1", "--as", "Ada")
    verb("merge", "1", "--as", "Ada")
    capsys.readouterr()
    verb("merge", "1", "--as", "Ben")
    assert capsys.readouterr().out.splitlines()[0].startswith("already merged #1 by Ada: ")
    assert verb("check", "1") == 0
    assert capsys.readouterr().out == "#1 is merged, by Ada; nothing is left to check\n"


@pytest.mark.parametrize("action", ["merge", "close"])
def test_nobody_decides(verb: Verb, offered: Any, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty name is refused, and so is one that git cannot keep; the request stays open."""
    why = ["--reason", "not now"] if action == "close" else []
    with pytest.raises(errors.UsageError, match="--as names nobody"):
        verb(action, "1", "--as", " ", *why)
    with pytest.raises(errors.UsageError, match="cannot be a name in git"):
        verb(action, "1", "--as", "<root>", *why)
    capsys.readouterr()
    verb("list")
    assert capsys.readouterr().out.startswith("#1    open")


@pytest.mark.parametrize(
    "words",
    [("view", "9"), ("merge", "9"), ("close", "9", "--reason", "no"), ("diff", "9"), ("check", "9")],
    ids=lambda words: words[0],
)
def test_a_number_nobody_has(verb: Verb, offered: Any, words: tuple[str, ...]) -> None:
    """The numbers that exist are listed."""
    with pytest.raises(errors.UsageError, match=r"there is no request 9; requests: 1$"):
        verb(*words)


def test_closed_is_not_merged(verb: Verb, offered: Any) -> None:
    """A person's no holds until somebody takes it back by name."""
    verb("close", "1", "--as", "Ada", "--reason", "not now")
    with pytest.raises(errors.Rejected, match=r"request 1 is closed \(not now\); it cannot be merged"):
        verb("merge", "1", "--as", "Ben")


def test_merged_is_not_closed(verb: Verb, offered: Any) -> None:
    """The way back is a revert, which everybody sees."""
    verb("merge", "1", "--as", "Ada")
    with pytest.raises(errors.Rejected, match="request 1 is merged; a revert of its commit"):
        verb("close", "1", "--as", "Ben", "--reason", "no")


@pytest.mark.parametrize("words", [(), ("--reason", " ")], ids=["none", "blank"])
def test_a_request_is_not_closed_without_a_reason(
    verb: Verb, offered: Any, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever made the model is told why; the request stays open."""
    with pytest.raises((errors.UsageError, SystemExit)):
        verb("close", "1", "--as", "Ada", *words)
    capsys.readouterr()
    verb("list")
    assert capsys.readouterr().out.startswith("#1    open")


def test_the_registry_follows_a_rollback_in_git(
    verb: Verb, offered: Any, here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A revert that somebody pushed to main takes the alias with it, as soon as the registry is told to follow."""
    verb("merge", "1", "--as", "Ada")
    verb("merge", "2", "--as", "Ada")
    assert "registry: toy: champion is version 1" in capsys.readouterr().out
    clone, bare = tmp_path / "clone", here.home / "forge" / "environment.git"
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C", str(clone)]
    subprocess.run(["git", "clone", "-q", str(bare), str(clone)], check=True)
    subprocess.run([*git, "revert", "--no-edit", "-m", "1", "HEAD"], check=True, capture_output=True)
    subprocess.run([*git, "push", "-q", "origin", "HEAD:main"], check=True, capture_output=True)
    verb("sync-registry")
    assert capsys.readouterr().out == "registry: toy: no version it knows is in production\n"


def test_what_may_be_served(verb: Verb, offered: Any, here: Settings) -> None:
    """Only what an environment's main names; a model nobody knows is a typo and said so."""
    with pytest.raises(errors.Rejected, match="no version of toy is approved for staging"):
        approval.find(wiring.forge(here), "toy", "staging")
    verb("merge", "1", "--as", "Ada")
    assert approval.find(wiring.forge(here), "toy", "staging").version.model_digest == offered.digest
    with pytest.raises(errors.Rejected, match="no version of toy is approved for production"):
        approval.find(wiring.forge(here), "toy", "production")
    with pytest.raises(errors.UsageError, match=r"knows no model 'toi'; did you mean 'toy'\?"):
        approval.find(wiring.forge(here), "toi", "staging")
    with pytest.raises(errors.UsageError, match=r"knows no model 'quite_another'\. models: toy"):
        approval.find(wiring.forge(here), "quite_another", "staging")


@pytest.mark.parametrize("name", ["model.ubj", "release.json"])
def test_a_tampered_store_is_not_served(
    verb: Verb, offered: Any, here: Settings, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A byte changed after the merge: the place, the file, and what to do; the server never starts."""
    verb("merge", "1", "--as", "Ada")
    stored = next((here.home / "store" / "models" / "toy").iterdir())
    (stored / name).write_bytes((stored / name).read_bytes() + b" ")
    capsys.readouterr()
    assert main.run(["serve", "toy", "--env", "staging", "--port", "0"]) == 10
    said = capsys.readouterr().err
    assert f"error: {stored.as_uri()}/ is not what was signed: the content of {name} differs" in said
    assert (
        "Nothing is served. Restore the stored files from a copy, or remove their folder and run `argosy run toy`"
        in said
    )


def test_drift_refuses_other_bins(verb: Verb, offered: Any, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """What predictions are held against is what was approved, or nothing."""
    verb("merge", "1", "--as", "Ada")
    stored = next((here.home / "store" / "models" / "toy").iterdir())
    (stored / "bins.json").write_text("{ }", encoding="utf-8")
    capsys.readouterr()
    assert main.run(["drift", "toy", "--env", "staging"]) == 10
    assert f"but {offered.digest} is approved. Restore the stored files" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["serve", "drift"])
def test_a_store_without_the_bundle(
    verb: Verb, offered: Any, here: Settings, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """78: the place, and how the bundle gets there again."""
    verb("merge", "1", "--as", "Ada")
    shutil.rmtree(here.home / "store" / "models")
    capsys.readouterr()
    port = ["--port", "0"] if word == "serve" else []
    assert main.run([word, "toy", "--env", "staging", *port]) == 78
    said = capsys.readouterr().err
    assert "the model store has nothing at file://" in said
    assert "run `argosy run toy`: the same data and code store the same model again" in said


def push(here: Settings, files: dict[str, bytes | None]) -> None:
    """A commit on main, as somebody with a clone makes it."""
    repository = Repository(here.home / "forge" / "environment.git")
    main = repository.resolve("refs/heads/main")
    assert main
    assert repository.move("refs/heads/main", repository.commit(main, files, "By hand\n", Person("ada")), main)


class Aborted:
    """A cluster that gave up the model that staging names, over the toy."""

    def __init__(self, newest: str, stable: str) -> None:
        self._seen = Rollout(
            name="toy",
            namespace="argosy-staging",
            model="toy",
            environment="staging",
            phase="Degraded",
            failed=True,
            message="too many errors",
            newest=newest,
            stable=stable,
        )

    def of(self, environment: str) -> list[Rollout]:
        """See the port."""
        return [self._seen]


@pytest.fixture
def reverting(verb: Verb, offered: Any, here: Settings, registry: MemoryRegistry) -> tuple[Any, str]:
    """The toy served in staging, then another model by hand, which its canary gave up; the revert request is open. With its number."""
    verb("merge", "1", "--as", "Ada")
    forge = wiring.forge(here)
    path = environment_layout.version_path("toy", "staging")
    good = version_file.parse(forge.read(path) or b"", path)
    bad = good.model_copy(update={"model_digest": sha256(b"bad"), "version": 2})
    push(here, {path: bad.yaml().encode()})
    rollouts = Aborted(bad.model_digest, good.model_digest)
    converge.run(environment="staging", rollouts=rollouts, forge=forge, registry=registry, report=lambda _: None)
    (request,) = [one for one in forge.requests() if one.subject.reverts]
    return offered, str(request.number)


def test_a_revert_is_checked_and_merged(
    verb: Verb, reverting: tuple[Any, str], here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reviewer sees what goes and why; after the merge main names the earlier model, and nothing is proposed from it."""
    toy, number = reverting
    capsys.readouterr()
    assert verb("check", number) == 0
    assert "ok  signatures" in capsys.readouterr().out
    assert verb("view", number) == 0
    assert f"takes out  {sha256(b'bad').removeprefix('sha256:')[:12]}" in capsys.readouterr().out
    assert verb("merge", number, "--as", "Ada") == 0
    assert "opened" not in capsys.readouterr().out
    forge, path = wiring.forge(here), environment_layout.version_path("toy", "staging")
    assert version_file.parse(forge.read(path) or b"", path).model_digest == toy.digest
    assert b"too many errors" in (forge.read(environment_layout.rejected_path("toy", sha256(b"bad"))) or b"")


def test_a_revert_that_main_has_overtaken(
    verb: Verb, reverting: tuple[Any, str], here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where main names a third model by now there is nothing to take out, and nobody can overrule that."""
    _, number = reverting
    path = environment_layout.version_path("toy", "staging")
    forge = wiring.forge(here)
    served = version_file.parse(forge.read(path) or b"", path)
    push(here, {path: served.model_copy(update={"model_digest": sha256(b"third"), "version": 3}).yaml().encode()})
    assert verb("check", number) == 10
    assert "RED served" in capsys.readouterr().out
    with pytest.raises(errors.Rejected, match="there is nothing to take out"):
        verb("merge", number, "--as", "Ada")


def test_a_revert_to_what_never_was(
    verb: Verb, reverting: tuple[Any, str], here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request that calls itself a revert puts back what main had, byte for byte, or is red."""
    _, number = reverting
    forge, path = wiring.forge(here), environment_layout.version_path("toy", "staging")
    files = dict(files_of(forge, int(number)))
    forged = version_file.parse(files[path], path).model_copy(update={"storage_uri": "file:///elsewhere"})
    subject = forge.request(int(number)).subject.model_copy(update={"policy_digest": sha256(b"another question")})
    proposal = promotion_requests.Proposal(
        subject, title="Revert", body="", files={**files, path: forged.yaml().encode()}
    )
    request = forge.propose(proposal)
    assert request is not None
    assert verb("check", str(request.number)) == 10
    assert "RED documents" in capsys.readouterr().out
