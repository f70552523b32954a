"""The verb ``keys``: a rotation on a laptop and for a cluster, with a real environment repo and real signatures."""

import base64
import datetime
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors, wiring
from argosy.adapters import keys as key_files
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.files.git_repository import Person, Repository
from argosy.promotion import following, resigning, seals
from argosy.promotion.desk import Desk
from argosy.promotion.standing import Main
from argosy.settings import Settings
from kit.offered import offer


@pytest.fixture
def at_home(here: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The state folder that commands find."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    return here


@pytest.fixture
def registry() -> MemoryRegistry:
    """A registry."""
    return MemoryRegistry(datetime.datetime.now(datetime.UTC))


@pytest.fixture
def offered(toy: Any, at_home: Settings, registry: MemoryRegistry) -> Any:
    """A toy with an open request."""
    offer(toy, at_home, registry)
    return toy


def _merge(here: Settings, number: int = 1) -> None:
    Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here)).merge(number, by="Ada", override=[])


def _ids(here: Settings) -> list[str]:
    return [key.id for key in key_files.public_keys(here.verifying_key)]


def _listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main.run(["keys", "list", "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_rotation_from_the_first_command_to_the_last(
    offered: Any, at_home: Settings, registry: MemoryRegistry, new_toy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model of the old key stays served until one of the new key takes its place; only then may the old key end."""
    _merge(at_home)
    (old,) = _ids(at_home)
    assert main.run(["keys", "rotate"]) == 0
    new = _ids(at_home)[1]
    assert capsys.readouterr().out == (
        f"key {new} signs from now on; what older keys signed is believed until `argosy keys retire ID`\n"
    )
    assert [(row["id"], row["state"], row["served"]) for row in _listed(capsys)] == [
        (old, "verifies", ["toy in staging, version 1"]),
        (new, "signs", []),
    ]
    assert main.run(["keys", "retire", old]) == 10
    assert "\n  toy in staging, version 1\n" in capsys.readouterr().err
    offer(new_toy("another"), at_home, registry)
    _merge(at_home, 2)
    assert main.run(["keys", "retire", old[:4]]) == 0
    told = capsys.readouterr()
    assert told.out == f"key {old} counts no more in {at_home.verifying_key}; {new} do\n"
    assert told.err == "note: nobody can go back to toy in staging, version 1, any more\n"
    assert _ids(at_home) == [new]


def test_an_old_key_goes_without_a_training(
    offered: Any,
    at_home: Settings,
    registry: MemoryRegistry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What it signed is signed by the new one, by a request that changes signatures alone; the same version goes on."""
    monkeypatch.setattr(wiring, "registry", lambda _settings: registry)
    assert main.run(["pr", "merge", "1", "--as", "ada"]) == main.run(["pr", "merge", "2", "--as", "ada"]) == 0
    served = {one: dict(Main.now(wiring.forge(at_home)).files_of("toy", one)) for one in ("staging", "production")}
    (old,) = _ids(at_home)
    assert main.run(["keys", "resign", old, "--as", "ann"]) == 10
    assert "is the one that signs; `argosy keys rotate`" in capsys.readouterr().err
    assert main.run(["keys", "rotate"]) == 0
    new = _ids(at_home)[1]
    capsys.readouterr()
    assert main.run(["keys", "resign", old, "--as", "ann"]) == 0
    told = capsys.readouterr().out
    assert "toy version 1 signed anew in production" in told
    assert f"then `argosy keys retire {old}`" in told
    assert main.run(["keys", "resign", old, "--as", "ann"]) == 0  # the answer was lost
    assert [one.number for one in wiring.forge(at_home).requests()] == [1, 2, 3, 4]
    assert main.run(["pr", "view", "3"]) == 0
    assert "what is served, and its evidence, stay as they are" in capsys.readouterr().out
    assert main.run(["pr", "merge", "3", "--as", "ada"]) == main.run(["pr", "merge", "4", "--as", "ada"]) == 0
    for environment, before in served.items():
        after = dict(Main.now(wiring.forge(at_home)).files_of("toy", environment))
        changed = {path.rpartition("/")[2] for path in before if before[path] != after[path]}
        assert (changed, set(before)) == ({"bundle.sig", "evidence.sig"}, set(after))
    assert main.run(["keys", "retire", old]) == 0
    assert _ids(at_home) == [new]
    assert main.run(["keys", "resign", new[:3], "--as", "ann"]) == 10
    assert len(wiring.forge(at_home).requests()) == 4


def test_the_next_environment_gets_the_new_signatures(
    offered: Any, at_home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where its request is opened later, by health: the key of the first signatures may be gone by then."""
    _merge(at_home)
    (old,) = _ids(at_home)
    assert main.run(["keys", "rotate"]) == main.run(["keys", "resign", old, "--as", "ann"]) == 0
    _merge(at_home, 2)
    assert main.run(["keys", "retire", old]) == 0
    forge = wiring.forge(at_home)
    assert following.open_next(forge, forge.request(1))
    capsys.readouterr()
    assert main.run(["pr", "check", "3"]) == 0, capsys.readouterr().out
    assert following.open_next(forge, forge.request(2)) is None  # a renewal leads nowhere


def test_what_a_renewal_may_not_be(offered: Any, at_home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Red for good: signatures that do not hold, and anything that main serves otherwise by now. Nothing damaged is signed."""
    _merge(at_home)
    (old,) = _ids(at_home)
    main.run(["keys", "rotate"])
    forge = wiring.forge(at_home)
    (place,) = resigning.found(Main.now(forge), key_files.public_keys(at_home.verifying_key)[0].hint)
    check = seals.Seals(
        wiring.artifacts(at_home), wiring.verifier(at_home), lambda: datetime.datetime.now(datetime.UTC)
    )
    good = resigning.proposal(place, check, wiring.signer(at_home), by="ann", key="new")
    signature = "models/toy/staging/evidence/bundle.sig"
    bad = good.files["models/toy/staging/evidence/evidence.sig"]
    request = forge.propose(replace(good, files={**good.files, signature: bad}))
    assert request is not None
    assert main.run(["pr", "check", str(request.number)]) == 10
    assert "RED signatures" in capsys.readouterr().out
    evidence = "models/toy/staging/evidence/evidence.md"
    damaged = replace(place, files={**place.files, evidence: b"all is well"})
    with pytest.raises(errors.Rejected, match="is not what was signed"):
        resigning.proposal(damaged, check, wiring.signer(at_home), by="ann", key="new")
    main.run(["pr", "close", str(request.number), "--reason", "no", "--as", "ann"])
    assert main.run(["keys", "resign", old, "--as", "ann"]) == 10  # a person said no to that
    assert "argosy pr reopen" in capsys.readouterr().err


def test_a_rotation_that_is_typed_twice_makes_one_key(at_home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The second says that one is going on and what ends it; whoever means it gets one more; an expired key is no rotation."""
    assert main.run(["keys", "rotate"]) == 0
    old, new = _ids(at_home)
    capsys.readouterr()
    assert main.run(["keys", "rotate"]) == errors.Rejected.exit_code
    told = capsys.readouterr().err
    assert f"a rotation is going on, and no key was made: key {new}" in told
    assert f"Next: `argosy keys retire {old}`" in told
    assert told.count("\n") == 1
    assert _ids(at_home) == [old, new]
    assert main.run(["keys", "rotate", "--although-rotating"]) == 0
    assert _ids(at_home)[:2] == [old, new]
    assert len(_ids(at_home)) == 3


def test_an_expired_key_is_no_rotation(at_home: Settings) -> None:
    """The next key is made without a word of the one that counts no more."""
    (key,) = key_files.public_keys(at_home.verifying_key)
    gone = key_files.PublicKey(key.pem, expires=datetime.date(2026, 1, 1))
    key_files.put_public_keys(at_home.verifying_key, [gone])
    assert main.run(["keys", "rotate"]) == 0
    assert len(_ids(at_home)) == 2


def test_a_rotation_that_was_cut_off_is_finished(at_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same rotation: the key that the first left signs afterwards, and no third is made."""

    sync = key_files._sync

    def dies(folder: Path) -> None:
        """Once the new public key is there, before the private one is in its place."""
        sync(folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(key_files, "_sync", dies)
        assert main.run(["keys", "rotate"]) == 130
    assert len(_ids(at_home)) == 2
    assert main.run(["keys", "rotate"]) == 0
    assert len(_ids(at_home)) == 2


def test_what_waits_for_its_merge_keeps_a_key(
    offered: Any, at_home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request whose signature nobody can check any more would be red for ever."""
    (old,) = _ids(at_home)
    main.run(["keys", "rotate"])
    assert main.run(["keys", "retire", old]) == 10
    assert "\n  request #1, Promote toy version 1 to staging\n" in capsys.readouterr().err


def test_a_request_that_retires_a_model_needs_no_key(
    offered: Any, at_home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is merged all the same: what is served is named, and that request is not called refused, nor one to be closed."""
    _merge(at_home)
    (old,) = _ids(at_home)
    assert main.run(["retire", "toy", "--reason", "nobody asks it"]) == 0
    main.run(["keys", "rotate"])
    capsys.readouterr()
    assert main.run(["keys", "retire", old]) == 10
    said = capsys.readouterr().err
    assert "\n  toy in staging, version 1\n" in said
    assert "request #" not in said
    _merge(at_home, 2)
    assert main.run(["keys", "retire", old]) == 0


def test_a_key_that_somebody_else_has_ends_at_once(
    offered: Any, at_home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it signed: said line by line, and not served by what starts afterwards."""
    _merge(at_home)
    (old,) = _ids(at_home)
    main.run(["keys", "rotate"])
    assert main.run(["keys", "retire", old, "--revoke"]) == 0
    assert "note: toy in staging, version 1, is refused from now on" in capsys.readouterr().err
    assert main.run(["serve", "toy", "--env", "staging", "--port", "0"]) == 10
    said = capsys.readouterr().err
    assert f"signed with another key, {old!r}, and ours are {_ids(at_home)[0]}; promote a version" in said
    assert "is not added again" in said
    assert [(row["id"], row["state"]) for row in _listed(capsys)] == [(_ids(at_home)[0], "signs"), (old, "unknown")]


def test_what_nobody_would_start_any_more_is_said_by_whoever_looks(
    offered: Any,
    at_home: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Pods go on until they are restarted, so that nothing else shows it: the table of the fleet, and doctor."""
    _merge(at_home)
    (old,) = _ids(at_home)
    folder = tmp_path / "project" / "workflows" / "toy"
    folder.mkdir(parents=True)
    shutil.copy(offered.folder / "settings", folder / "model.yaml")
    (folder / "pipeline.py").touch()
    monkeypatch.chdir(tmp_path / "project")

    def looked() -> tuple[str, list[str]]:
        capsys.readouterr()
        assert main.run(["fleet"]) == 0
        fleet = capsys.readouterr().err
        main.run(["doctor", "--no-cluster", "--json"])
        found = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
        return fleet, [one["said"] for one in found if one["name"] == "signatures"]

    main.run(["keys", "rotate"])
    assert looked() == ("", [])
    assert main.run(["keys", "retire", old, "--revoke"]) == 0
    fleet, doctor = looked()
    assert fleet.startswith("note: toy in staging, version 1, is signed by a key that counts no more")
    assert doctor == ["toy in staging, version 1, is signed by a key that counts no more: servers that start refuse it"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        pytest.param(
            ["retire", "SIGNS"], 10, "is the one that signs; `argosy keys rotate` puts", id="the-one-that-signs"
        ),
        pytest.param(["retire", "nonsense"], 2, "'nonsense' is the id of no key in", id="no-such-key"),
        pytest.param(["retire", "ab", "--public", "gone.pem"], 2, "gone.pem is no file", id="no-such-file"),
        pytest.param(["rotate", "--public", "x.pem"], 2, "--public and --private belong together", id="half-a-place"),
        pytest.param(["rotate", "--old-expires", "2026-01-01"], 2, "2026-01-01 is past", id="a-day-that-is-past"),
        pytest.param(
            ["secret", "--private", "gone.pem", "--namespace", "t"], 2, "gone.pem cannot be read", id="no-private"
        ),
    ],
)
def test_what_is_refused(
    words: list[str], code: int, message: str, at_home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and what to do."""
    assert main.run(["keys", *[_ids(at_home)[0] if word == "SIGNS" else word for word in words]]) == code
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_day_that_is_none(at_home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A typo is said before a key is made."""
    with pytest.raises(SystemExit):
        main.run(["keys", "rotate", "--old-expires", "next week"])
    assert "'next week' is no day; expected one such as 2027-03-31" in capsys.readouterr().err
    assert len(_ids(at_home)) == 1


def test_a_key_of_the_environment_is_not_changed(
    at_home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Secret's value is somebody else's to change."""
    monkeypatch.setenv("ARGOSY_SIGNING_KEY", at_home.signing_key.read_text(encoding="utf-8"))
    assert main.run(["keys", "rotate"]) == 78
    assert "ARGOSY_SIGNING_KEY, which no command can change; pass --public" in capsys.readouterr().err


def test_a_day_on_which_something_served_would_end_is_said(
    offered: Any, at_home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise a pod that starts at night finds it out."""
    _merge(at_home)
    assert main.run(["keys", "rotate", "--old-expires", "2999-03-01"]) == 0
    assert (
        "note: toy in staging, version 1, is served by no server that starts from 2999-03-01" in capsys.readouterr().err
    )
    assert [row["expires"] for row in _listed(capsys)] == ["2999-03-01", ""]


@pytest.fixture
def checkout(at_home: Settings, tmp_path: Path) -> Path:
    """The public keys in a checkout of an environment repo, whose main has them too."""
    wiring.forge(at_home)  # made
    _on_main(at_home, at_home.verifying_key.read_bytes())
    file = tmp_path / "environment" / seals.KEY
    file.parent.mkdir(parents=True)
    file.write_bytes(at_home.verifying_key.read_bytes())
    return file


def _on_main(here: Settings, content: bytes) -> None:
    bare = Repository(Path(here.forge_uri.removeprefix("local:")))
    before = str(bare.resolve("main"))
    bare.move("refs/heads/main", bare.commit(before, {seals.KEY: content}, "keys", Person("Ada")), before)


def test_a_rotation_for_a_cluster(checkout: Path, at_home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """First everybody who checks learns the new key, then whoever signs gets it: never the other way round."""
    private = checkout.parents[2] / "new.pem"
    words = ["keys", "rotate", "--public", str(checkout), "--private", str(private)]
    assert main.run(words) == 0
    new = key_files.public_keys(checkout)[1]
    told = capsys.readouterr().out
    assert told.startswith(f"key {new.id} counts beside the old ones in {checkout}; its private half is {private}\n")
    assert f"argosy keys secret --private {private} --namespace TEAM | kubectl apply -f -" in told
    assert main.run(words) == 0  # the answer was lost
    assert key_files.public_keys(checkout)[1:] == [new]
    assert main.run([*words[:-1], str(private.with_name("other.pem"))]) == 10  # typed again, with another file
    assert f"argosy keys retire {key_files.public_keys(checkout)[0].id} --public {checkout}" in capsys.readouterr().err
    assert key_files.public_keys(checkout)[1:] == [new]
    assert _ids(at_home) == [key_files.public_keys(checkout)[0].id]  # the laptop's own are not touched

    secret = ["keys", "secret", "--private", str(private), "--namespace", "team-a"]
    capsys.readouterr()
    assert main.run(secret) == 10
    assert f"does not hold key {new.id} yet" in capsys.readouterr().err
    _on_main(at_home, checkout.read_bytes())
    assert main.run(secret) == 0
    document = yaml.safe_load(capsys.readouterr().out)
    assert document["metadata"] == {"name": "argosy-signing", "namespace": "team-a"}
    assert base64.b64decode(document["data"]["ARGOSY_SIGNING_KEY"]) == private.read_bytes()


def test_a_secret_is_not_shown_on_a_terminal(
    checkout: Path, at_home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would stay in the terminal's memory."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    words = ["keys", "secret", "--private", str(at_home.signing_key), "--namespace", "team-a"]
    assert main.run(words) == errors.UsageError.exit_code
    told = capsys.readouterr()
    assert "pipe it" in told.err
    assert "PRIVATE" not in told.out


def test_an_environment_repo_without_keys_is_said(at_home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can tell then whether what is signed will be believed."""
    words = ["keys", "secret", "--private", str(at_home.signing_key), "--namespace", "team-a"]
    assert main.run(words) == 0
    assert f"note: main of the environment repo has no {seals.KEY}" in capsys.readouterr().err
