"""version.yaml has one form: YAML for others, read strictly by us."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from argosy import errors
from argosy.domain import release, version_file
from argosy.domain.documents import sha256

DIGEST = sha256(b"x")
TEXT = f"""# written by argosy
model: "toy"
version: 3
modelDigest: "{DIGEST}"
storageUri: "file:///store/toy"
onlineStore:
  uri: "file:///store/online"
  digest: "{DIGEST}"
evidenceDigest: "{DIGEST}"

policyDigest: "{DIGEST}"
"""


def test_it_is_read() -> None:
    """Comments and blank lines are allowed."""
    version = version_file.parse(TEXT.encode(), "version.yaml")
    assert (version.model, version.version, version.image) == ("toy", 3, None)
    assert version.online_store == release.OnlineStore(uri="file:///store/online", digest=DIGEST)


ADDRESSES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
IMAGES = st.from_regex(
    r"([a-z0-9.-]{1,20}(:[0-9]{1,5})?/)?[a-z0-9._-]{1,20}(/[a-z0-9._-]{1,9}){0,3}@sha256:[0-9a-f]{64}", fullmatch=True
)


@given(
    uri=ADDRESSES,
    image=st.none() | IMAGES,
    number=st.integers(1, 2**40),
    online=st.none() | st.builds(release.OnlineStore, uri=ADDRESSES, digest=st.just(DIGEST)),
)
def test_what_is_written_is_yaml_and_comes_back(
    uri: str, image: str | None, number: int, online: release.OnlineStore | None
) -> None:
    """Whatever the texts hold, our reader and a YAML library read what was meant."""
    version = release.Version(
        model="toy",
        version=number,
        model_digest=DIGEST,
        storage_uri=uri,
        online_store=online,
        image=image,
        evidence_digest=DIGEST,
        policy_digest=DIGEST,
    )
    assert version_file.parse(version.yaml().encode(), "x") == version
    assert yaml.safe_load(version.yaml()) == version.model_dump(mode="json", by_alias=True, exclude_none=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("version: 3", "version: 3\nversion: 4", r"version\.yaml:4: 'version' is given twice", id="twice"),
        pytest.param("version: 3", "version: three", r"version\.yaml:3: expected a quoted text", id="unquoted"),
        pytest.param("version: 3", "version: true", r"version\.yaml:3: expected a quoted text", id="boolean"),
        pytest.param("version: 3", "version: 010", r"version\.yaml:3: expected a quoted text", id="octal"),
        pytest.param("version: 3", "version: 0", r"version\.yaml: version: .*revert", id="zero"),
        pytest.param("version: 3", "- 3", r"version\.yaml:3: expected `key: value`", id="list"),
        pytest.param('model: "toy"', 'model: &a "toy"', r"version\.yaml:2: expected a quoted text", id="anchor"),
        pytest.param('model: "toy"', 'model: "../toy"', r"version\.yaml: model: ", id="path"),
        pytest.param('model: "toy"\n', "", r"version\.yaml: model: .*required", id="missing"),
        pytest.param("version: 3", 'version: 3\nadded: "x"', r"version\.yaml: added: ", id="unknown"),
        pytest.param("  uri", "    uri", r"version\.yaml:7: expected `key: value`", id="indent"),
        pytest.param("file:///store/toy", "file:///store/\u0085", r"version\.yaml:5: holds a char", id="invisible"),
        pytest.param("file:///store/toy", "file:///store/\u00e9", r"version\.yaml:5: expected a quoted", id="no-ascii"),
        pytest.param(DIGEST, "sha256:abc", r"version\.yaml: modelDigest: ", id="digest"),
        pytest.param("version: 3", 'version: "3"', r"version\.yaml: version: ", id="number-as-text"),
        pytest.param("version: 3", "version: 3.0", r"version\.yaml:3: expected a quoted text", id="fraction"),
        pytest.param("version: 3", f"version: {'[' * 100_000}", r"version\.yaml:3: expected a quoted", id="deep"),
        pytest.param("version: 3", f"version: {'9' * 5000}", r"version\.yaml:3: expected a quoted text", id="long"),
        pytest.param(
            "file:///store/toy", r"file:\/\/store", r"version\.yaml:5: expected a quoted", id="escape-of-json"
        ),
        pytest.param("version: 3", "  version: 3", r"version\.yaml:3: expected `key: value`", id="below-a-text"),
        pytest.param(
            "evidenceDigest", "  evidenceDigest", r"version\.yaml: onlineStore\.evidenceDigest", id="below-it"
        ),
    ],
)
def test_anything_else_is_refused(old: str, new: str, message: str) -> None:
    """A file that a person broke is named with its line, before anything is served by it."""
    assert old in TEXT
    with pytest.raises(errors.Misconfigured, match=message):
        version_file.parse(TEXT.replace(old, new, 1).encode(), "version.yaml")


@pytest.mark.parametrize("end", ["\r", "\x85", "\u2028", "\u2029"], ids=ascii)
def test_a_comment_hides_no_key(end: str) -> None:
    """Where YAML ends a line and an editor may not, a comment for people could be an image for the cluster."""
    text = f'{TEXT}# written by argosy{end}image: "evil"\n'
    assert yaml.safe_load(text)["image"] == "evil"
    with pytest.raises(errors.Misconfigured, match=r"version\.yaml:12: holds a character that cannot be seen"):
        version_file.parse(text.encode(), "version.yaml")


@pytest.mark.parametrize("line", [b"# \xff", b"# \x00", b"#\ttab", b"\xef\xbb\xbf#", b"\x0c"])
def test_bytes_that_yaml_does_not_read(line: bytes) -> None:
    """A file that no other reader would take is refused, in comments too, and with its line."""
    with pytest.raises(errors.Misconfigured, match=r"version\.yaml:12: (is no UTF-8|holds a character)"):
        version_file.parse(TEXT.encode() + line + b"\n", "version.yaml")


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("registry.example/serve:1.0", id="tag"),
        pytest.param("registry.example/serve", id="nothing"),
        pytest.param(f"registry.example/serve:1.0@{DIGEST}", id="tag-and-digest"),
        pytest.param(f"serve:1.0@{DIGEST}", id="tag-that-looks-like-a-port"),
        pytest.param("registry.example/serve@sha256:abc", id="short"),
        pytest.param(f"registry.example/serve@{DIGEST}@{DIGEST}", id="twice"),
        pytest.param(f"@{DIGEST}", id="nameless"),
        pytest.param(f"registry.example/serve@{DIGEST.upper()}", id="upper-case"),
    ],
)
def test_an_image_is_named_by_its_digest(image: str) -> None:
    """Whatever a tag names may be another image after the review."""
    with pytest.raises(errors.Misconfigured, match=r"version\.yaml: image: an image is named by its digest alone"):
        version_file.parse(f'{TEXT}image: "{image}"\n'.encode(), "version.yaml")
    by_digest = f"localhost:5000/argosy/serve@{DIGEST}"
    assert version_file.parse(f'{TEXT}image: "{by_digest}"\n'.encode(), "version.yaml").image == by_digest


def test_the_online_store_travels_as_one_text() -> None:
    """Steps hand it on as one value; a URI may hold the separator."""
    store = release.OnlineStore(uri="s3://bucket@host/x", digest=DIGEST)
    assert release.OnlineStore.from_text(store.text()) == store


@pytest.mark.parametrize(
    "text",
    [
        "",
        DIGEST,
        f"@{DIGEST}",
        f"s3://a b@{DIGEST}",
        f"s3://x@{DIGEST}0",
        "s3://x@sha256:12",
        f"s3://{'x' * 2000}@{DIGEST}",
    ],
)
def test_what_is_no_online_store(text: str) -> None:
    """An address and a digest, both whole, and nobody guesses at the rest."""
    with pytest.raises(errors.Misconfigured, match="expected an online store as"):
        release.OnlineStore.from_text(text)
