"""Who owns a file, as GitHub's documentation of CODEOWNERS says."""

from pathlib import Path

import pytest

from argosy.domain import code_owners
from argosy.domain.documents import sha256
from argosy.domain.promotion_requests import Subject


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        pytest.param("*", "a/b.txt", True, id="everything"),
        pytest.param("*.js", "a/b/c.js", True, id="ending-anywhere"),
        pytest.param("*.js", "a/b/c.ts", False, id="another-ending"),
        pytest.param("/build/logs/", "build/logs/a/b", True, id="folder-of-the-root"),
        pytest.param("/build/logs/", "x/build/logs/a", False, id="folder-elsewhere"),
        pytest.param("docs/*", "docs/a.md", True, id="files-of-a-folder"),
        pytest.param("docs/*", "docs/a/b.md", False, id="not-below"),
        pytest.param("apps/", "x/apps/a", True, id="folder-anywhere"),
        pytest.param("/models/*/production/", "models/toy/production/evidence/e.json", True, id="a-gap"),
        pytest.param("/models/*/production/", "models/toy/staging/version.yaml", False, id="another-folder"),
        pytest.param("**/logs", "a/b/logs/c", True, id="any-depth"),
        pytest.param("/policies", "policies/toy.yaml", True, id="a-folder-without-its-slash"),
        pytest.param("apps/", "apps", False, id="a-file-of-a-folder-s-name"),
        pytest.param("*.js", ".js", True, id="a-gap-of-nothing"),
        pytest.param("/MAX", "x/MAX", False, id="of-the-root-in-capitals"),
        pytest.param("a?c", "abc", True, id="one-sign"),
        pytest.param("a?c", "ac", False, id="no-sign"),
        pytest.param("/a?c", "a/c", False, id="a-slash-is-no-sign"),
        pytest.param("docs/**", "docs/a/b.md", True, id="all-below"),
        pytest.param("/a**", "a", True, id="all-below-or-nothing"),
        pytest.param("a/**/b", "a/b", True, id="any-folders-or-none"),
        pytest.param("a/**/b", "a/x/y/b", True, id="several-folders"),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    """Each as it is documented."""
    assert code_owners.owners(f"{pattern} @ada\n", [path]) == (["ada"] if fits else [])


def test_the_last_line_that_fits_counts() -> None:
    """Also where it names nobody; comments and mail addresses are no names."""
    text = "* @acme/all  # everybody\n/models/ @ada ada@example.com\n/models/free/ # nobody's\n"
    assert code_owners.owners(text, ["README.md"]) == ["acme/all"]
    assert code_owners.owners(text, ["models/toy/values.yaml", "README.md"]) == ["acme/all", "ada"]
    assert code_owners.owners(text, ["models/free/values.yaml"]) == []


def test_the_first_file_of_main_names_who_reviews() -> None:
    """Alone, also where it names nobody; what a request changes says which of its lines count."""
    digest = sha256(b"m")
    subject = Subject(model="toy", environment="staging", version=3, model_digest=digest, policy_digest=digest)
    tried = subject.model_copy(update={"tries": "shadow"})
    files = {
        "CODEOWNERS": b"version.yaml @ada\nsecond.yaml @\xff @bob\n",
        "docs/CODEOWNERS": b"* @eve\n",
    }
    assert code_owners.of_request(subject, files.get) == ["ada"]
    assert code_owners.of_request(tried, files.get) == ["bob"]
    assert code_owners.of_request(subject, {**files, ".github/CODEOWNERS": b""}.get) == []
    assert code_owners.of_request(subject, {}.get) == []


def test_our_own(root: Path) -> None:
    """Production's versions have owners beside those of staging's."""
    text = (root / "gitops-env" / "CODEOWNERS").read_text(encoding="utf-8")
    staging, production = (
        code_owners.owners(text, [f"models/churn/{environment}/version.yaml"])
        for environment in ("staging", "production")
    )
    assert (staging, production) == (["argosy/model-reviewers"], ["argosy/model-reviewers", "argosy/on-call"])


@pytest.mark.parametrize(
    ("text", "path", "named"),
    [
        pytest.param("pkg @ada # @bob\n", "pkg", ["ada"], id="a-comment"),
        pytest.param("@pkg @ada\n", "@pkg", ["ada"], id="a-pattern-is-no-owner"),
        pytest.param("* @ @ada! @acme/ @acme/x/y @bob,@eve\n", "a", [], id="what-is-no-name"),
    ],
)
def test_names(text: str, path: str, named: list[str]) -> None:
    """An account or a team, whole; nothing else asks anybody."""
    assert code_owners.owners(text, [path]) == named
