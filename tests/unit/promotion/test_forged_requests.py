"""Somebody with the right to push branches, and no key, tries to get another model served: each way ends at the check and at the merge.

With the real verbs, steps and signatures; at the forge of a laptop and at the stand-in for GitHub alike.
"""

import argparse
import datetime
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters import keys
from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.adapters.model_signer import KeySigner
from argosy.cli import pr
from argosy.domain import environment_layout, promotion_requests, version_file
from argosy.domain.documents import sha256
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request, State, Subject
from argosy.domain.release import Version
from argosy.ports.forge import Forge
from argosy.promotion import seals
from argosy.promotion.desk import Desk
from argosy.settings import Settings
from argosy.testing.forge_contract import merge
from argosy.testing.manual_requests import Files, Hand, Modes
from kit.fake_github import FakeGithub
from kit.hands import GithubHand, LocalHand
from kit.offered import offer
from kit.toy import TEMPLATE, Toy

FOLDER, EVIDENCE = "models/toy/staging", "models/toy/staging/evidence"
VERSION, VALUES = f"{FOLDER}/version.yaml", "models/toy/values.yaml"
IMAGE = f"registry.example/serve@{sha256(b'image')}"
Verb = Callable[..., int]


@dataclass(frozen=True)
class Genuine:
    """What the pipeline proposed, as everybody with the repository can read it; and where the model store is."""

    subject: Subject
    files: Mapping[str, bytes]
    store: Path
    scratch: Path

    @property
    def version(self) -> Version:
        """The version that was proposed."""
        return version_file.parse(self.files[VERSION], VERSION)

    def with_version(self, **changes: Any) -> dict[str, bytes | None]:
        """The files, their version changed."""
        changed = self.version.model_copy(update=changes)
        return {**self.files, VERSION: changed.yaml().encode()}

    def with_evidence(self, **changes: Any) -> dict[str, bytes | None]:
        """The files, the evidence changed and its digest too."""
        evidence = json.loads(self.files[f"{EVIDENCE}/evidence.json"]) | changes
        content = json.dumps(evidence).encode()
        return {**self.with_version(evidence_digest=sha256(content)), f"{EVIDENCE}/evidence.json": content}


@dataclass(frozen=True)
class Forgery:
    """A request made by hand: *files* over main, under a text about *claimed* (None: what its commit says)."""

    files: Files
    claimed: Subject | None = None
    modes: Modes | None = None


Forge_ = Callable[[Genuine], Forgery]


@pytest.fixture(params=["local", "github"])
def forge(
    request: pytest.FixtureRequest, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Forge, Hand]]:
    """The forge that commands find, and somebody's hand at it."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    if request.param == "local":
        yield wiring.forge(here), LocalHand(here.home / "forge" / "environment.git")
        return
    server = FakeGithub(TEMPLATE)
    made = HostedForge(github.of_token("owner/name", "secret-token", api=server.api, patience=0.0))
    monkeypatch.setattr(wiring, "forge", lambda _settings: made)
    yield made, GithubHand(server)
    server.stop()


@pytest.fixture
def verb() -> Verb:
    """``argosy pr …`` in the state folder."""

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        pr.add_arguments(parser)
        return pr.run(parser.parse_args(words))

    return run


@pytest.fixture
def genuine(forge: tuple[Forge, Hand], toy: Toy, here: Settings, registry: MemoryRegistry, tmp_path: Path) -> Genuine:
    """The pipeline's own request, number 1, open."""
    assert offer(toy, here, registry).startswith("1 ")
    request = forge[0].request(1)
    files = forge[0].contents(promotion_requests.places(request.subject), request.head)
    return Genuine(request.subject, files, here.home / "store", tmp_path)


def another_model(genuine: Genuine) -> Forgery:
    """The text names the genuine request; the commit serves a model that nobody signed."""
    return Forgery(genuine.with_version(model_digest=sha256(b"forged")), genuine.subject)


def straight_to_production(genuine: Genuine) -> Forgery:
    """The text names staging; the commit writes production."""
    moved = {path.replace("/staging/", "/production/"): content for path, content in genuine.files.items()}
    return Forgery(moved, genuine.subject)


def production_beside_staging(genuine: Genuine) -> Forgery:
    """Genuine in staging, and something else in production."""
    forged = genuine.version.model_copy(update={"model_digest": sha256(b"forged")})
    return Forgery({**genuine.files, "models/toy/production/version.yaml": forged.yaml().encode()}, genuine.subject)


def a_second_model(genuine: Genuine) -> Forgery:
    """Genuine, and another model's version beside it."""
    other = genuine.version.model_copy(update={"model": "other"})
    return Forgery({**genuine.files, "models/other/staging/version.yaml": other.yaml().encode()}, genuine.subject)


def another_model_s_folder(genuine: Genuine) -> Forgery:
    """The signed files of one model in the folder of another."""
    moved = {path.replace("models/toy/", "models/other/"): content for path, content in genuine.files.items()}
    return Forgery(moved, genuine.subject.model_copy(update={"model": "other"}))


def a_number_that_blocks(genuine: Genuine) -> Forgery:
    """A version so high that none after it would be newer."""
    return Forgery(genuine.with_version(version=99))


def an_image(genuine: Genuine) -> Forgery:
    """An image by digest that no release names."""
    return Forgery(genuine.with_version(image=IMAGE))


def an_image_by_tag(genuine: Genuine) -> Forgery:
    """A tag, which can be moved after the review."""
    return Forgery({**genuine.files, VERSION: genuine.files[VERSION] + b'image: "registry.example/serve:latest"\n'})


def an_image_in_a_comment(genuine: Genuine) -> Forgery:
    """A line break that YAML knows and editors may not: for the cluster what follows is a key."""
    return Forgery({**genuine.files, VERSION: genuine.files[VERSION] + f'# good\rimage: "{IMAGE}"\n'.encode()})


def a_text_that_is_none(genuine: Genuine) -> Forgery:
    """Bytes in a comment that are no UTF-8."""
    return Forgery({**genuine.files, VERSION: genuine.files[VERSION] + b"# \xff\n"})


def another_online_store(genuine: Genuine) -> Forgery:
    """Features from elsewhere, under their own digest."""
    store = genuine.version.online_store
    assert store
    return Forgery(genuine.with_version(online_store=store.model_copy(update={"digest": sha256(b"other rows")})))


def no_online_store(genuine: Genuine) -> Forgery:
    """The store that was released is left out."""
    return Forgery(genuine.with_version(online_store=None))


def another_place_for_the_features(genuine: Genuine) -> Forgery:
    """The digest that was released, at an address that was not."""
    store = genuine.version.online_store
    assert store
    return Forgery(genuine.with_version(online_store=store.model_copy(update={"uri": "s3://mallory/online"})))


def another_bundle(genuine: Genuine) -> Forgery:
    """An address of the model store, under which somebody put a bundle with a longer term."""
    copy = genuine.store / "models" / "toy" / "forged"
    shutil.copytree(next((genuine.store / "models" / "toy").iterdir()), copy)
    released = json.loads((copy / "release.json").read_text()) | {"counter": 99, "not_after": "2999-01-01T00:00:00Z"}
    (copy / "release.json").write_text(json.dumps(released), encoding="utf-8")
    return Forgery(genuine.with_version(storage_uri=copy.as_uri(), version=99))


def a_place_outside_the_store(genuine: Genuine) -> Forgery:
    """The same bundle, where somebody else can change it later."""
    copy = genuine.scratch / "elsewhere"
    shutil.copytree(next((genuine.store / "models" / "toy").iterdir()), copy)
    return Forgery(genuine.with_version(storage_uri=copy.as_uri()))


def another_policy(genuine: Genuine) -> Forgery:
    """The digest of a policy that is not main's."""
    return Forgery(genuine.with_version(policy_digest=sha256(b"lax")))


def better_evidence(genuine: Genuine) -> Forgery:
    """Measurements by hand, their digest in version.yaml."""
    return Forgery(genuine.with_evidence(metrics={"performance.auc": 0.99}, explanation="Splendid."))


def another_cause(genuine: Genuine) -> Forgery:
    """The measurements as they are, and a reason for them that nobody signed."""
    return Forgery(genuine.with_evidence(cause={"kind": "new data", "explanation": "The vendor asked for it."}))


def a_better_report(genuine: Genuine) -> Forgery:
    """The measurements as they are, and a report that says otherwise."""
    return Forgery({**genuine.files, f"{EVIDENCE}/evidence.md": b"# toy\n\nApproved by everybody.\n"})


def a_file_beside_the_evidence(genuine: Genuine) -> Forgery:
    """One more file that a reviewer would take for evidence."""
    return Forgery({**genuine.files, f"{EVIDENCE}/approval.md": b"approved\n"})


def signed_with_another_key(genuine: Genuine) -> Forgery:
    """Evidence made up and signed, by a key of one's own that comes along."""
    files = genuine.with_evidence(metrics={"performance.auc": 0.99})
    private, public = genuine.scratch / "own.pem", genuine.scratch / "own.pub.pem"
    keys.ensure_signing_pair(private, public)
    report = genuine.scratch / "report"
    for path, content in files.items():
        if path.startswith(EVIDENCE) and not path.endswith(".sig") and content is not None:
            (report / path.removeprefix(f"{EVIDENCE}/")).parent.mkdir(parents=True, exist_ok=True)
            (report / path.removeprefix(f"{EVIDENCE}/")).write_bytes(content)
    KeySigner(private).sign(report, genuine.scratch / "evidence.sig")
    return Forgery({**files, f"{EVIDENCE}/evidence.sig": (genuine.scratch / "evidence.sig").read_bytes()})


def no_signature(genuine: Genuine) -> Forgery:
    """The signature of the evidence left out."""
    return Forgery({path: content for path, content in genuine.files.items() if not path.endswith("evidence.sig")})


def the_other_signature(genuine: Genuine) -> Forgery:
    """The bundle's signature in place of the evidence's."""
    return Forgery({**genuine.files, f"{EVIDENCE}/evidence.sig": genuine.files[f"{EVIDENCE}/bundle.sig"]})


def a_revert_to_what_never_was(genuine: Genuine) -> Forgery:
    """A note that takes something out of service, and a version put back that main never had."""
    note = environment_layout.rejected_path("toy", sha256(b"served"))
    claimed = genuine.subject.model_copy(update={"reverts": sha256(b"served"), "champion_digest": None})
    return Forgery({**genuine.files, note: b"bad\n"}, claimed)


def a_promotion_that_takes_another_out(genuine: Genuine) -> Forgery:
    """The text says promotion; the commit rejects another model as well."""
    return Forgery(
        {**genuine.files, environment_layout.rejected_path("toy", sha256(b"rival")): b"bad\n"}, genuine.subject
    )


def only_rules(_genuine: Genuine) -> Forgery:
    """The text names a promotion; the commit changes values alone."""
    return Forgery({VALUES: b"model: toy\nunsigned: true\n"}, _genuine.subject)


WAYS: list[Forge_] = [
    another_model,
    straight_to_production,
    production_beside_staging,
    a_second_model,
    another_model_s_folder,
    a_number_that_blocks,
    an_image,
    an_image_by_tag,
    an_image_in_a_comment,
    a_text_that_is_none,
    another_online_store,
    no_online_store,
    another_place_for_the_features,
    another_bundle,
    a_place_outside_the_store,
    another_policy,
    better_evidence,
    another_cause,
    a_better_report,
    a_file_beside_the_evidence,
    signed_with_another_key,
    no_signature,
    the_other_signature,
    a_revert_to_what_never_was,
    a_promotion_that_takes_another_out,
    only_rules,
]
BESIDE = {
    VALUES: b"model: toy\nunsigned: true\nserver: {env: [{name: LD_PRELOAD, value: /tmp/x.so}]}\n",
    "CODEOWNERS": b"* @mallory\n",
    ".github/CODEOWNERS": b"* @mallory\n",
    "docs/CODEOWNERS": b"* @mallory\n",
    ".github/workflows/checks.yaml": b"on: push\n",
    "policies/toy.yaml": b"model: toy\n# lax\n",
    "keys/signing.pub.pem": b"a key of one's own\n",
    "clusters/production/applicationset.yaml": b"kind: ApplicationSet\n",
    ".gitattributes": b"*.json -diff\n",
    ".gitmodules": b"[submodule]\n",
    "README.md": b"read me\n",
    f"{FOLDER}/README.md": b"read me\n",
    f"{FOLDER}/extra.yaml": b"image: other\n",
    "models/toy/production/values.yaml": b"unsigned: true\n",
    "models/toy/Staging/version.yaml": b"model: toy\n",
    "models/Toy/staging/version.yaml": b"model: toy\n",
    "Models/toy/staging/version.yaml": b"model: toy\n",
    f"{FOLDER}/Version.yaml": b"model: toy\n",
    f"{FOLDER}/Evidence/evidence.json": b"{}\n",
    "models/toy/rejected/not-a-digest.txt": b"bad\n",
    environment_layout.rejected_path("other", sha256(b"a rival")): b"bad\n",
}
"""What must not come along with a version."""


def _offered(forge: Forge, hand: Hand, genuine: Genuine, made: Forgery) -> int:
    claimed = made.claimed or _as_it_says(genuine, made.files)
    number = hand.open(claimed, made.files, made.modes)
    assert forge.request(number).state is State.OPEN
    return number


def _as_it_says(genuine: Genuine, files: Files) -> Subject:
    """The subject that the forged files have, where they can be read: a text that agrees with its commit."""
    try:
        version = version_file.parse(files[VERSION] or b"", VERSION)
    except errors.Misconfigured:
        return genuine.subject
    fields = {"model_digest": version.model_digest, "version": version.version, "policy_digest": version.policy_digest}
    return genuine.subject.model_copy(update=fields)


def _refused(verb: Verb, forge: Forge, number: int, capsys: pytest.CaptureFixture[str]) -> str:
    """What the merge of *number* says; the check is red too, nobody can overrule it, and main stays as it is."""
    before = forge.head()
    assert verb("check", str(number)) == errors.Rejected.exit_code
    red = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.lstrip().startswith("RED")]
    assert red
    overrules = [word for name in red for word in ("--override", name)]
    with pytest.raises(errors.UsageError, match="cannot be overruled"):
        verb("merge", str(number), "--as", "Ada", *overrules)
    with pytest.raises(errors.Rejected, match="is not merged") as raised:
        verb("merge", str(number), "--as", "Ada")
    assert forge.head() == before
    return str(raised.value)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_forged_version_is_merged(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, way: Forge_, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check and the merge refuse it, whoever overrules whatever; the genuine request is merged all the same."""
    number = _offered(*forge, genuine, way(genuine))
    _refused(verb, forge[0], number, capsys)
    assert verb("view", str(number)) == 0
    assert verb("merge", "1", "--as", "Ada") == 0
    assert forge[0].read(VERSION) == genuine.files[VERSION]


def test_nothing_comes_along_with_a_version(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule, or any other file, beside genuine files is refused by its name."""
    for path, content in BESIDE.items():
        number = _offered(*forge, genuine, Forgery({**genuine.files, path: content}, genuine.subject))
        assert path in _refused(verb, forge[0], number, capsys)


@pytest.mark.parametrize("path", ["policies/toy.yaml", "README.md"])
def test_nothing_is_taken_away_with_a_version(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that goes is a rule that changes; a file that moves into the evidence is one that goes."""
    moved = {**genuine.files, path: None, f"{EVIDENCE}/moved": TEMPLATE[path]}
    number = _offered(*forge, genuine, Forgery(moved, genuine.subject))
    said = _refused(verb, forge[0], number, capsys)
    assert f"{path} is" in said
    assert "removed together with a version" in said
    verb("view", str(number))
    assert f"CANNOT BE SHOWN: the commit is no promotion; `argosy pr check {number}`" in capsys.readouterr().out


def test_a_signature_that_does_not_hold_names_no_folder_of_ours(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was unpacked to be checked is gone when somebody reads the reason."""
    number = _offered(*forge, genuine, a_better_report(genuine))
    assert "signatures: evidence is not what was signed: the content of evidence.md" in _refused(
        verb, forge[0], number, capsys
    )


@pytest.mark.parametrize("mode", ["100755", "120000", "160000"])
def test_only_plain_files(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link, a submodule, a file that may be executed is no evidence, and no version either."""
    for path in (f"{EVIDENCE}/evidence.md", VERSION):
        content = b"1" * 40 if mode == "160000" else genuine.files[path]
        number = _offered(*forge, genuine, Forgery({**genuine.files, path: content}, genuine.subject, {path: mode}))
        assert "a request holds plain files only" in _refused(verb, forge[0], number, capsys)


def test_what_is_served_is_not_taken_away(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A commit that only removes a version promotes nothing, whatever its text says."""
    verb("merge", "1", "--as", "Ada")
    capsys.readouterr()
    number = _offered(*forge, genuine, Forgery(dict.fromkeys(genuine.files), genuine.subject))
    assert "its commit changes no version" in _refused(verb, forge[0], number, capsys)


def test_a_text_that_says_otherwise_is_named(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Genuine files under a text about something else: both are said."""
    claimed = replace_subject(genuine.subject, version=7, environment="production")
    number = forge[1].open(claimed, dict(genuine.files))
    said = _refused(verb, forge[0], number, capsys)
    assert "its text is about something else than its commit" in said
    assert "version: its text says 7, its commit 1" in said
    assert "environment: its text says production, its commit staging" in said


def test_what_others_wrote_is_no_line_of_ours(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path, a title's model: a line break in it does not make a check that is green, or a request that is merged."""
    path = f"{EVIDENCE}/a\n    ok  signatures  fine"
    claimed = replace_subject(genuine.subject, model="toy\n#9    merged     other")
    number = forge[1].open(genuine.subject, {**genuine.files, path: b"x"})
    forge[1].relabel(number, claimed)
    for words in (("check", str(number)), ("list",), ("view", str(number))):
        verb(*words)
    out = capsys.readouterr().out.splitlines()
    assert not [line for line in out if line.startswith(("    ok ", "#9"))]
    assert [line for line in out if "RED subject" in line and "ok  signatures  fine" in line]


def test_production_takes_what_staging_serves(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request by hand, honest and signed, that skips staging waits for it; past staging only a reviewer goes, by name."""
    files = straight_to_production(genuine).files
    number = forge[1].open(replace_subject(genuine.subject, environment="production"), files)
    assert verb("check", str(number)) == errors.Rejected.exit_code
    red = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.lstrip().startswith("RED")]
    assert red == ["order"]
    with pytest.raises(errors.Rejected, match="staging serves no model; production takes what staging serves"):
        verb("merge", str(number), "--as", "Ada")
    assert verb("merge", "1", "--as", "Ada") == 0
    assert f"opened #{number}" in capsys.readouterr().out
    assert verb("merge", str(number), "--as", "Ada") == 0


def test_what_staging_went_back_from_does_not_go_on(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A revert by git in staging, without a word to us, holds the request for production, which is open already."""
    verb("merge", "1", "--as", "Ada")
    forge[1].push(dict.fromkeys(genuine.files))
    with pytest.raises(errors.Rejected, match="order: staging serves no model"):
        verb("merge", "2", "--as", "Ada")
    assert verb("merge", "2", "--as", "Ada", "--override", "order") == 0
    assert "merged #2 by" in capsys.readouterr().out


def replace_subject(subject: Subject, **changes: Any) -> Subject:
    """*subject* with *changes*."""
    return subject.model_copy(update=changes)


def test_an_expired_release(
    verb: Verb,
    forge: tuple[Forge, Hand],
    toy: Toy,
    here: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Signed by us, and over: no server would load it, so nothing of it is merged."""
    old = MemoryRegistry(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    monkeypatch.setattr(wiring, "registry", lambda _settings: old)
    offer(toy, here, old)
    assert "the release expired at 2020-06-29 00:01 UTC; train a new one" in _refused(verb, forge[0], 1, capsys)


def test_an_image_that_was_released(
    verb: Verb, forge: tuple[Forge, Hand], toy: Toy, here: Settings, registry: MemoryRegistry
) -> None:
    """An image by digest is served where the signed release names it."""
    offer(toy, replace(here, serving_image=IMAGE), registry)
    assert verb("merge", "1", "--as", "Ada") == 0
    assert version_file.parse(forge[0].read(VERSION) or b"", VERSION).image == IMAGE


@pytest.mark.parametrize("pushed", ["forged", "main"])
def test_what_moves_between_check_and_merge(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, pushed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks are repeated: a forged commit, and another champion, are found by the second look."""
    kind, hand = type(forge[0]), forge[1]
    merging, looks = kind.merge, []

    def meanwhile(self: Any, number: int, **given: Any) -> Any:
        looks.append(given)
        if len(looks) == 1 and pushed == "forged":
            hand.amend(1, {VERSION: genuine.with_version(model_digest=sha256(b"forged"))[VERSION]})
        if len(looks) == 1 and pushed == "main":
            _champion(self, hand, genuine)
        return merging(self, number, **given)

    monkeypatch.setattr(kind, "merge", meanwhile)
    red = "signatures|documents|subject" if pushed == "forged" else "champion: it was compared with no model"
    with pytest.raises(errors.Rejected, match=red):
        verb("merge", "1", "--as", "Ada")
    assert len(looks) == 1
    assert forge[0].read(VERSION) is None


def test_main_moves_while_a_request_is_checked(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is merged onto is the main that the checks saw, not the one that is there when they are done."""
    checks, looks = Desk.checks, []

    def slowly(self: Desk, request: Request, at: str) -> list[Check]:
        found = checks(self, request, at)
        looks.append(at)
        if len(looks) == 1:
            _champion(self.forge, forge[1], genuine)
        return found

    monkeypatch.setattr(Desk, "checks", slowly)
    with pytest.raises(errors.Rejected, match="champion: it was compared with no model"):
        verb("merge", "1", "--as", "Ada")
    assert len(set(looks)) == 2
    assert forge[0].read(VERSION) is None


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_a_file_of_a_request_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    """Git's trees have no such names; a forge may be anything, and the check writes what it was given."""
    with pytest.raises(errors.Rejected, match="outside its folder"):
        seals._write(tmp_path / "evidence", name, b"")
    assert list(tmp_path.iterdir()) == []


def _champion(forge: Any, hand: Hand, genuine: Genuine) -> None:
    """Another model comes into production by other means."""
    champion = genuine.version.model_copy(update={"model_digest": sha256(b"champion")})
    path = environment_layout.version_path("toy", environment_layout.PRODUCTION)
    hand.push({path: champion.yaml().encode()})


def test_a_text_that_was_edited_after_the_merge(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, registry: MemoryRegistry
) -> None:
    """What a merge leads to follows from its commit: the next request and the registry's champion are the model that was merged."""
    for number, environment in enumerate(environment_layout.ENVIRONMENTS, start=1):
        merge(forge[0], number)
        forge[1].relabel(number, replace_subject(genuine.subject, model_digest=sha256(b"forged"), model="other"))
        assert verb("after-merge", str(number)) == 0
        assert forge[0].read(environment_layout.version_path("toy", environment)) == genuine.files[VERSION]
    assert forge[0].request(2).subject.model == "other"
    assert registry.aliases == {("toy", "champion"): 1}


def test_evidence_that_shows_another_release(
    verb: Verb, forge: tuple[Forge, Hand], genuine: Genuine, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both signed by us, and not of one release: what reviewers read is what servers get."""
    report = genuine.scratch / "shown"
    report.mkdir()
    shown = json.loads(genuine.files[f"{EVIDENCE}/release.json"]) | {"not_after": "2999-01-01T00:00:00Z"}
    files: dict[str, bytes | None] = {**genuine.files, f"{EVIDENCE}/release.json": json.dumps(shown).encode()}
    for path, content in files.items():
        if path.startswith(EVIDENCE) and not path.endswith(".sig") and content is not None:
            (report / path.removeprefix(f"{EVIDENCE}/")).write_bytes(content)
    wiring.signer(here).sign(report, genuine.scratch / "evidence.sig")
    files[f"{EVIDENCE}/evidence.sig"] = (genuine.scratch / "evidence.sig").read_bytes()
    number = _offered(*forge, genuine, Forgery(files))
    assert "was released otherwise than the evidence shows" in _refused(verb, forge[0], number, capsys)
