"""What main says, read in one place: its answers, and that nobody reads past it."""

import ast
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

import argosy
from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.domain import environment_layout, release
from argosy.domain.documents import sha256
from argosy.promotion import proposals, standing
from argosy.promotion.standing import Main
from argosy.testing.forge_contract import TEMPLATE, experiment, proposal, version

PACKAGE = Path(argosy.__file__).parent
PATH = environment_layout.version_path("toy", "production")
STAGING = environment_layout.version_path("toy", "staging")


def _version(name: str, **changes: object) -> release.Version:
    return version(name).model_copy(update=changes)


def test_main_that_names_nothing() -> None:
    """No version, no gates, no rejection: each is an answer."""
    main = Main.now(MemoryForge({"README.md": b"empty"}))
    assert main.version("toy", "production") is None
    assert main.policy("toy") is None
    assert main.rejection("toy", sha256(b"a")) is None
    assert main.bundle_signature("toy", "production") is None
    assert not main.ever_had_policy("toy")
    assert list(main.servings("toy", "production")) == []


def test_answers_are_of_one_commit() -> None:
    """What is pushed after the first look changes no answer of it."""
    forge = MemoryForge({PATH: _version("a").yaml().encode(), environment_layout.policy_path("toy"): b"gates\n"})
    before = Main.now(forge)
    forge.push({PATH: _version("b").yaml().encode(), environment_layout.policy_path("toy"): None})
    after = Main.now(forge)
    assert before.version("toy", "production") == _version("a")
    assert after.version("toy", "production") == _version("b")
    assert before.policy("toy") == standing.PolicyFile("policies/toy.yaml", b"gates\n")
    assert after.policy("toy") is None
    assert after.ever_had_policy("toy")
    assert after.models() == ["toy"]


def test_the_state_that_requests_are_held_against() -> None:
    """Champion, digest of the gates and rejection, in the form that the checks take."""
    digest = sha256(b"candidate")
    files = {
        PATH: _version("a").yaml().encode(),
        environment_layout.policy_path("toy"): b"gates\n",
        environment_layout.rejected_path("toy", digest): b"aborted\n in staging\n",
    }
    state = Main.now(MemoryForge(files)).state("toy", digest)
    assert (state.model, state.champion, state.policy_digest) == ("toy", _version("a"), sha256(b"gates\n"))
    assert state.rejected == "aborted in staging"


def test_a_version_that_cannot_be_understood_is_named_as_git_names_it() -> None:
    """Whoever is to mend it is told where it is: on main, or in the commit that had it."""
    main = Main.now(MemoryForge({PATH: b"version: three\n"}))
    with pytest.raises(
        errors.Misconfigured, match=r"^main:models/toy/production/version\.yaml:1: expected a quoted text"
    ):
        main.version("toy", "production")
    with pytest.raises(errors.Misconfigured, match=r"^0:models/toy/production/version\.yaml:1: expected a quoted text"):
        next(main.servings("toy", "production")).version("toy", "production")


def test_a_byte_that_is_no_text_is_said() -> None:
    """It was a traceback in every proposal for the model; whoever proposes is told the place."""
    main = Main.now(MemoryForge({**TEMPLATE, PATH: _version("a").yaml().encode() + b"# caf\xe9\n"}))
    with pytest.raises(errors.Misconfigured, match=r"^main:models/toy/production/version\.yaml:\d+: is no UTF-8"):
        proposals.decide(main, proposal("b", environment="production"), [])


def test_what_was_served_before() -> None:
    """The newest other version that was not rejected; one that cannot be read is passed over."""
    forge = MemoryForge({"README.md": b""})
    for name in ("a", "b", "c"):
        forge.push({PATH: _version(name).yaml().encode()})
    forge.push({PATH: b"version: three\n"})
    forge.push({PATH: _version("live").yaml().encode()})
    forge.push({environment_layout.rejected_path("toy", _version("c").model_digest): b"aborted\n"})
    main = Main.now(forge)
    found = main.served_before(_version("live"), "production")
    assert found is not None
    assert found.version == _version("b")
    assert found.files == {PATH: _version("b").yaml().encode()}
    assert len(list(main.servings("toy", "production"))) == 5


class Refusing(MemoryForge):
    """A forge that refuses to give one file of one commit, as it does whose token ended."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(files)
        self.refused: tuple[str, str] | None = None

    def read(self, path: str, at: str | None = None) -> bytes | None:
        """See the port."""
        if self.refused == (path, at or self.head()):
            raise errors.Misconfigured("the forge refuses: bad credentials")
        return super().read(path, at)


@pytest.mark.parametrize("made", ["second.yaml", "version.yaml", "evidence/evidence.json"])
def test_a_refused_look_opens_no_second_request(made: str) -> None:
    """Whether the request that is open asks the same is not known then, and is not answered with no."""
    forge = Refusing({**TEMPLATE, STAGING: _version("a").yaml().encode()})
    asked = experiment("s", beside="a") if made == "second.yaml" else proposal("b", champion="a")
    (first,) = filter(None, [forge.propose(asked)])
    decide = partial(proposals.decide, Main.now(forge), asked, [first])
    assert decide().request == first
    forge.refused = (f"models/toy/staging/{made}", first.head)
    with pytest.raises(errors.Misconfigured, match="bad credentials"):
        decide()


def test_a_refused_look_passes_nothing_over() -> None:
    """The version before the one that cannot be asked is no way back, and overrides that cannot be asked are no broken ones."""
    forge = Refusing({"README.md": b""})
    for name in ("a", "b", "live"):
        forge.push({PATH: _version(name).yaml().encode()})
    forge.refused = (PATH, "2")
    with pytest.raises(errors.Misconfigured, match="bad credentials"):
        Main.now(forge).served_before(_version("live"), "production")
    forge.refused = (environment_layout.overrides_path("toy"), "3")
    with pytest.raises(errors.Misconfigured, match="bad credentials"):
        Main.now(forge).state("toy", _version("a").model_digest)


def _asks_of_forges(path: Path) -> Iterator[str]:
    """The places in *path* that ask something called a forge for its files or their history."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in {"read", "contents", "history"}:
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if "forge" in owner:
                yield f"{path.relative_to(PACKAGE).as_posix()}: {owner}.{node.attr}"


def test_nobody_else_reads_main() -> None:
    """A forge's files are read by `standing`, and by those who read a request's own commit."""
    readers = {
        found
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in {"adapters", "testing"}
        for found in _asks_of_forges(path)
    }
    assert readers == {
        "promotion/standing.py: forge.read",
        "promotion/standing.py: forge.contents",
        "promotion/standing.py: forge.history",
        # At the head of a request, never main.
        "promotion/subjects.py: forge.read",
        "promotion/desk.py: forge.contents",
        "promotion/following.py: forge.contents",
        "promotion/key_uses.py: forge.contents",
        "promotion/retention.py: forge.contents",
    }
