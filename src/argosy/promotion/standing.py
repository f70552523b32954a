"""Reads main of the environment repo: the version that an environment serves, those before it, the gates of a model, rejections.

The only reader of main for the whole program: the command line, the steps and the forges ask here, and an import contract and a test keep
them from reading past it. Left to others: what a request proposes (``subjects``), what a checkout on a disk holds
(``domain.environment_repo``), and what follows from an answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from argosy import errors
from argosy.domain import code_owners, environment_layout, environment_repo, merge_checks, second_file, version_file
from argosy.domain.bundle import RELEASE, Release
from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence, parse
from argosy.domain.merge_checks import MainState
from argosy.domain.overrides import Override
from argosy.domain.promotion_requests import Subject
from argosy.domain.release import Version
from argosy.domain.second_file import SecondFile
from argosy.files import model_folder
from argosy.ports.forge import Forge


@dataclass(frozen=True)
class PolicyFile:
    """The gates of a model as main has them. Whether the content is a policy is for its reader to say, ``model_folder``."""

    path: str
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """The digest that evidence carries of the policy that it was judged by."""
        return sha256(self.content)


@dataclass(frozen=True)
class ServedBefore:
    """A version that an environment served, with the files that main had for it."""

    version: Version
    files: Mapping[str, bytes] = field(repr=False)
    """Path to content: the version file and the evidence beside it."""


@dataclass(frozen=True)
class Retired:
    """The end of a model."""

    environment: str
    """The last that served it."""
    said: str
    """When, by whom and why, in one line."""


@dataclass(frozen=True)
class Main:
    """Main of the environment repo at one commit, so that two answers of one object belong together.

    Every method raises TryAgain where the forge fails.
    """

    forge: Forge = field(repr=False)
    commit: str
    called: str = "main"
    """Its name in messages, before a colon and a path, as git writes it: a commit where it is not main's newest."""

    _known: Mapping[str, bytes | None] = field(default_factory=dict, repr=False)
    """Files that were read already, by path; None: there is none."""

    @classmethod
    def now(cls, forge: Forge) -> "Main":
        """Main of *forge* as it is now."""
        return cls(forge, forge.head())

    def knowing(self, models: Iterable[str]) -> "Main":
        """This commit of main, with its keys and what it serves of *models* read at once: of many, a server is not asked for each."""
        places = [
            path(model, environment)
            for model in models
            for environment in environment_layout.ENVIRONMENTS
            for path in (
                environment_layout.version_path,
                environment_layout.retired_path,
                environment_layout.second_path,
            )
        ]
        places += [environment_layout.VERIFYING_KEYS, *code_owners.PLACES]
        found = self.forge.contents(places, self.commit)
        return replace(self, _known={**self._known, **{path: found.get(path) for path in places}})

    def holding(self, *paths: str) -> "Main":
        """This commit of main, with the files *paths* read: what is Misconfigured from now on is what they hold, and not the forge."""
        return replace(self, _known={**self._known, **{path: self._read(path) for path in paths}})

    def version(self, model: str, environment: str) -> Version | None:
        """The version of *model* that *environment* serves, the champion where that is production; None where main names none.

        Raises Misconfigured, with path and line, where the file cannot be understood.
        """
        path = environment_layout.version_path(model, environment)
        content = self._read(path)
        return version_file.parse(content, f"{self.called}:{path}") if content is not None else None

    def retired(self, model: str) -> Retired | None:
        """What *model* was when its last environment let it go; None where one serves it, or none ever retired it."""
        if any(self._read(environment_layout.version_path(model, one)) for one in environment_layout.ENVIRONMENTS):
            return None
        for environment in reversed(environment_layout.ENVIRONMENTS):
            path = environment_layout.retired_path(model, environment)
            if (content := self._read(path)) is not None:
                return Retired(environment, environment_layout.retirement(content))
        return None

    def _retired_version(self, model: str) -> Version | None:
        path = environment_layout.retired_path(model, environment_layout.PRODUCTION)
        content = self._read(path)
        return version_file.parse(content, f"{self.called}:{path}") if content is not None else None

    def served_files(self) -> Mapping[str, bytes]:
        """Path to content of all that the environments serve, with its evidence and signatures."""
        return self.forge.contents(["models"], self.commit)

    def files_of(self, model: str, environment: str) -> Mapping[str, bytes]:
        """Path to content of what *environment* serves of *model*: the version file, evidence and signatures."""
        return self.forge.contents(environment_layout.served_paths(model, environment), self.commit)

    def verifying_keys(self) -> bytes | None:
        """The public keys that signatures are checked with; None where main has none."""
        return self._read(environment_layout.VERIFYING_KEYS)

    def models(self) -> list[str]:
        """The models that have a folder, whether or not an environment serves one."""
        return environment_repo.models(self.forge.contents(["models"], self.commit))

    def policy(self, model: str) -> PolicyFile | None:
        """The gates of *model*; None where main has none."""
        path = environment_layout.policy_path(model)
        content = self._read(path)
        return PolicyFile(path, content) if content is not None else None

    def overrides(self, model: str) -> list[Override]:
        """The gates that *model* may go past, those that ran out among them; empty where main has none.

        Raises Misconfigured, with path and line, where the file cannot be understood or is another model's.
        """
        path = environment_layout.overrides_path(model)
        content = self._read(path)
        if content is None:
            return []
        found = model_folder.overrides_of(content, f"{self.called}:{path}")
        if found.model != model:
            raise errors.Misconfigured(
                f"{self.called}:{path}: it overrides gates of {found.model!r}; name the file after that model, or mend `model`"
            )
        return found.overrides

    def minimum_version(self, model: str) -> int | None:
        """The oldest version of *model* that servers take; None where its values set no bound, or cannot be read, which others say."""
        try:
            values = yaml.safe_load(self._read(environment_layout.values_path(model)) or b"")
        except yaml.YAMLError:
            return None
        oldest = values.get("minimumVersion") if isinstance(values, dict) else None
        return oldest if isinstance(oldest, int) else None

    def merging(self, environment: str) -> PolicyFile | None:
        """When requests for *environment* merge by themselves; None where main has no word of it."""
        path = environment_layout.merging_path(environment)
        content = self._read(path)
        return PolicyFile(path, content) if content is not None else None

    def owners(self, subject: Subject) -> list[str]:
        """Who has to review a request about *subject*, as CODEOWNERS names them; empty where it names nobody."""
        return code_owners.of_request(subject, self._read)

    def rejection(self, model: str, model_digest: str) -> str | None:
        """Why the model with *model_digest* was taken out of service, in one line; None where it was not."""
        return environment_layout.rejection(self._read(environment_layout.rejected_path(model, model_digest)))

    def note(self, path: str) -> str | None:
        """What the file *path* says to people, in one line; None where there is none."""
        return environment_layout.rejection(self._read(path))

    def second(self, model: str, environment: str) -> SecondFile | None:
        """The second version of *model* that *environment* has beside the one it serves; None where it has none.

        Raises Misconfigured, with path and line, where the file cannot be understood.
        """
        path = environment_layout.second_path(model, environment)
        content = self._read(path)
        return second_file.parse(content, f"{self.called}:{path}") if content is not None else None

    def names_second(self, model: str, environment: str) -> bool:
        """True where *environment* has a second version of *model*, whether or not its file can be understood."""
        return self._read(environment_layout.second_path(model, environment)) is not None

    def bundle_signature(self, model: str, environment: str) -> bytes | None:
        """The signature of the bundle that *environment* serves; None where none was committed."""
        return self._read(
            f"{environment_layout.evidence_folder(model, environment)}/{environment_layout.BUNDLE_SIGNATURE}"
        )

    def evidence(self, model: str, environment: str) -> Evidence | None:
        """The evidence of the version that *environment* serves; None where there is none.

        Raises Misconfigured where it is no evidence.
        """
        path = environment_layout.evidence_path(model, environment)
        content = self._read(path)
        return parse(content, f"{self.called}:{path}") if content is not None else None

    def released(self, version: Version, environment: str) -> Release:
        """The release of *version*, which *environment* serves, as it lies beside the evidence.

        Raises Misconfigured where there is none, or another than the version names.
        """
        path = f"{environment_layout.evidence_folder(version.model, environment)}/{RELEASE}"
        content = self._read(path)
        if content is None:
            raise errors.Misconfigured(
                f"{self.called} has no {path}: an earlier Argosy put none there; `argosy run {version.model}` makes a version that has one"
            )
        return merge_checks.named_release(version, content, f"{self.called}:{path}")

    def state(self, model: str, model_digest: str) -> MainState:
        """The side of main that a request for *model_digest* is held against.

        Raises Misconfigured where the champion cannot be understood.
        """
        policy = self.policy(model)
        overrides, fault = self._overrides_or_fault(model)
        champion = self.version(model, environment_layout.PRODUCTION)
        return MainState(
            model=model,
            champion=champion,
            retired=None if champion else self._retired_version(model),
            policy_digest=policy.digest if policy else None,
            rejected=self.rejection(model, model_digest),
            overrides=overrides,
            overrides_fault=fault,
        )

    def _overrides_or_fault(self, model: str) -> tuple[list[Override], str | None]:
        """The gates that *model* may go past, and why nobody can tell: that is the matter of whom it concerns, not of every request."""
        main = self.holding(environment_layout.overrides_path(model))
        try:
            return main.overrides(model), None
        except errors.Misconfigured as error:
            return [], str(error)

    def servings(self, model: str, environment: str) -> Iterator["Main"]:
        """Main at each commit that changed which version *environment* serves, newest first, up to the newest of all."""
        for commit in self.forge.history(environment_layout.version_path(model, environment)):
            yield Main(self.forge, commit, called=commit[:12])

    def served_before(self, live: Version, environment: str, digest: str | None = None) -> ServedBefore | None:
        """The newest version that *environment* served before *live* and that was not rejected, the one with *digest* where one is wanted;
        None where there is none.
        """
        for main, version in self.ways_back(live, environment):
            if digest in (None, version.model_digest):
                return ServedBefore(
                    version, self.forge.contents(environment_layout.served_paths(live.model, environment), main.commit)
                )
        return None

    def ways_back(self, live: Version, environment: str) -> Iterator[tuple["Main", Version]]:
        """The versions that *environment* served before *live* and that were not rejected, newest first, each where it was named last.

        One whose file cannot be understood is passed over: it is no version to go back to.
        """
        seen = {live.model_digest}
        for main in self.servings(live.model, environment):
            version = understood(main, live.model, environment)
            if version is None or version.model_digest in seen:
                continue
            seen.add(version.model_digest)
            if self.rejection(live.model, version.model_digest) is None:
                yield main, version

    def ever_had_policy(self, model: str) -> bool:
        """True where main has gates of *model*, or had them once: this environment repo is one that judges that model."""
        return bool(self.forge.history(environment_layout.policy_path(model)))

    def _read(self, path: str) -> bytes | None:
        return self._known[path] if path in self._known else self.forge.read(path, self.commit)


def understood(main: Main, model: str, environment: str) -> Version | None:
    """The version of *model* that *environment* serves by *main*; None where there is none, or its file cannot be understood."""
    main = main.holding(environment_layout.version_path(model, environment))
    try:
        return main.version(model, environment)
    except errors.Misconfigured:
        return None
