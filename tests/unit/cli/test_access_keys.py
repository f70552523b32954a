"""``argosy access``: keys are made and shown once; what a person wrote in the file stays; slips change nothing."""

from pathlib import Path

import pytest
import yaml

from argosy import errors
from argosy.cli import main
from argosy.domain import access_rules
from argosy.domain.access_rules import AccessRules
from argosy.files import model_folder

MINE = """# ours
limits:
  default: 50/second  # agreed with the shop
keys:
  # the shop
  - {name: shop, digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000", models: [churn]}
"""


def made(file: Path, *words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The key that the command prints."""
    assert main.run(["access", "key", *words, "--file", str(file)]) == errors.DONE
    return capsys.readouterr().out.strip()


def test_a_key_is_shown_once_and_its_digest_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a new file."""
    file = tmp_path / "access.yaml"
    text = made(file, "billing", "--model", "churn", "--model", "upsell", "--days", "30", capsys=capsys)
    (rule,) = model_folder.load(file, AccessRules).keys
    assert (rule.name, rule.models, rule.digest) == ("billing", ["churn", "upsell"], access_rules.key_digest(text))
    assert text.startswith("argosy_billing_")
    assert text not in file.read_text()


@pytest.mark.parametrize(
    "present",
    [
        pytest.param("# who may ask, by the shop\n", id="comments"),
        pytest.param("keys:\nlimits: {default: 5/minute}\n", id="the-last-was-deleted"),
        pytest.param("keys:", id="no-end-of-line"),
        pytest.param("keys: []  # none yet\nlimits: {default: 5/minute}\n", id="an-empty-list"),
    ],
)
def test_a_file_without_keys_takes_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str], present: str) -> None:
    """However a person wrote that there is none; what else stands there stays."""
    file = tmp_path / "access.yaml"
    file.write_text(present)
    made(file, "billing", capsys=capsys)
    assert [key.name for key in model_folder.load(file, AccessRules).keys] == ["billing"]
    kept = [line for line in file.read_text().splitlines() if not line.startswith("- {name: billing")]
    assert [line for line in kept if line != "keys:"] == [
        line.replace("[]", "") for line in present.splitlines() if line != "keys:"
    ]


def test_a_key_is_taken_back_by_deleting_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last one's, too: rules without keys are rules, or a server would stay with those of before, and take it on."""
    file = tmp_path / "access.yaml"
    made(file, "billing", capsys=capsys)
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if "billing" not in line))
    assert file.read_text() == "keys:\n"
    assert model_folder.load(file, AccessRules).keys == []


@pytest.mark.parametrize("present", ["", "limits: {default: 5/minute}", MINE, "keys:\n- " + MINE.partition("  - ")[2]])
def test_what_stands_in_the_file_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str], present: str) -> None:
    """Comments and order too; a second key of one name stands beside the first."""
    file = tmp_path / "access.yaml"
    file.write_text(present)
    before = model_folder.load(file, AccessRules).keys if present else []
    made(file, "billing", capsys=capsys)
    made(file, "billing", capsys=capsys)
    assert [key.name for key in model_folder.load(file, AccessRules).keys] == [
        "billing",
        "billing",
        *(key.name for key in before),
    ]
    lines = file.read_text().splitlines()
    assert [
        line for line in lines if "billing" not in line and (line != "keys:" or line in present.splitlines())
    ] == present.splitlines()


DIGEST = "sha256:" + "0" * 64
SHOP = f'{{name: shop, digest: "{DIGEST}", models: [churn]}}'


@pytest.mark.parametrize(
    "present",
    [
        pytest.param(f"keys: [{SHOP}]  # ours\n", id="on-one-line"),
        pytest.param(f"keys: [\n  {SHOP}\n]\nlimits: {{default: 5/minute}}\n", id="in-brackets-over-lines"),
        pytest.param(f'"keys":\n- {SHOP}', id="in-quotes"),
        pytest.param(f"limits:\n  default: 5/minute\nkeys:   # the shop\n\n    - {SHOP}\n", id="set-in"),
        pytest.param(f"{{limits: {{default: 5/minute}}, keys: [{SHOP}]}}", id="all-in-braces"),
    ],
)
def test_however_keys_are_written_one_is_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], present: str
) -> None:
    """Before those that are there; nothing else is another text than before."""
    file = tmp_path / "access.yaml"
    file.write_text(present)
    made(file, "billing", capsys=capsys)
    text = file.read_text()
    assert [key.name for key in model_folder.load(file, AccessRules).keys] == ["billing", "shop"]
    begin = text.index("{name: billing")
    left = text[:begin].rstrip("- ").rstrip(" ") + text[text.index("}", begin) + 1 :].lstrip(", ")
    assert left.split() == present.split()


@pytest.mark.parametrize(
    "present", ["keys: ~  # none", "{keys: [], limits: {default: 5/minute}}", "{limits: {}}", "{}"]
)
def test_the_first_is_added_in_whatever_form(tmp_path: Path, capsys: pytest.CaptureFixture[str], present: str) -> None:
    """Words for nothing give way; what the file says besides stays."""
    file = tmp_path / "access.yaml"
    file.write_text(present)
    before = model_folder.load(file, AccessRules)
    made(file, "billing", capsys=capsys)
    after = model_folder.load(file, AccessRules)
    assert ([key.name for key in after.keys], after.limits) == (["billing"], before.limits)


def test_a_model_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where models are at hand; the key is made, as the model may come later."""
    folder = tmp_path / "workflows" / "churn"
    folder.mkdir(parents=True)
    (folder / "pipeline.py").touch()
    monkeypatch.chdir(tmp_path)
    assert main.run(["access", "key", "billing", "--model", "churm", "--model", "churn"]) == errors.DONE
    said = capsys.readouterr().err
    assert "there is no model 'churm' in workflows/; did you mean 'churn'" in said
    assert said.count("note:") == 1


def test_the_secret_that_servers_mount(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the chart names it, with the rules as they are written, to the letter; no key is in it."""
    file = tmp_path / "access.yaml"
    text = made(file, "billing", capsys=capsys)
    content = f"# ours\n{file.read_text()}"
    file.write_text(content)
    assert main.run(["access", "secret", "--file", str(file), "--namespace", "argosy-staging"]) == errors.DONE
    printed = capsys.readouterr().out
    secret = yaml.safe_load(printed)
    assert secret["metadata"] == {"name": "argosy-access", "namespace": "argosy-staging"}
    assert secret["stringData"] == {"access.yaml": content}
    assert text not in printed


@pytest.mark.parametrize(
    ("content", "code"), [("keys:\n", errors.DONE), ("keys: {}\n", errors.Misconfigured.exit_code)]
)
def test_a_secret_of_no_use_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, code: int
) -> None:
    """Rules that let nobody in are rules; those that no server can read are not printed."""
    file = tmp_path / "access.yaml"
    file.write_text(content)
    assert main.run(["access", "secret", "--file", str(file), "--namespace", "argosy-staging"]) == code
    said = capsys.readouterr()
    assert bool(said.out) == (code == errors.DONE)
    assert ("lets nobody in" if said.out else "keys: ") in said.err


def test_a_third_key_of_one_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two are for changing from one to the other; nothing is written."""
    file = tmp_path / "access.yaml"
    for _ in range(2):
        made(file, "billing", capsys=capsys)
    before = file.read_text()
    assert main.run(["access", "key", "billing", "--file", str(file)]) == errors.Rejected.exit_code
    said = capsys.readouterr()
    assert "'billing' is there 3 times" in said.err
    assert (said.out, file.read_text(), list(tmp_path.iterdir())) == ("", before, [file])


@pytest.mark.parametrize(
    ("words", "present", "said"),
    [
        (("key", "Billing"), None, "'Billing' is no name for a key"),
        (("key", "billing", "--model", "Churn!"), None, "a model's name has small letters"),
        (("key", "billing", "--days", "0"), None, "no number of days"),
        (("key", "billing"), "keys: {}\n", "access.yaml:1: keys"),
        (("key", "billing"), 'keys: [{name: shop, digest: "sha256:0"}]\n', "access.yaml"),
        (
            ("key", "billing"),
            "# \N{LATIN SMALL LETTER E WITH ACUTE}\n".encode("latin-1"),
            "access.yaml cannot be read: 'utf-8'",
        ),
        (("check",), None, "access.yaml"),
        (("check",), "limits: {}\n", "lets nobody in"),
    ],
)
def test_what_cannot_be_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], present: str | bytes | None, said: str
) -> None:
    """In one line; no key is shown that opens nothing."""
    file = tmp_path / "access.yaml"
    content = present.encode() if isinstance(present, str) else present
    if content is not None:
        file.write_bytes(content)
    try:
        code = main.run(["access", *words, "--file", str(file)])
    except SystemExit as left:
        code = int(left.code or 0)
    printed = capsys.readouterr()
    assert code != errors.DONE
    assert said in printed.err
    assert "argosy_" not in printed.out
    assert (file.read_bytes() if file.exists() else None) == content


def test_check_says_who_may_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, what has expired among them."""
    file = tmp_path / "access.yaml"
    digest = "sha256:" + "0" * 64
    file.write_text(f"""
keys:
- {{name: shop, digest: "{digest}", models: [churn], expires: 2020-01-01T00:00:00Z}}
- {{name: ops, digest: "{digest}", models: ["*"]}}
issuers:
- {{name: company, issuer: "https://login", audience: a, keys: "https://login/keys", algorithms: [RS256], models_claim: may}}
proxies:
- {{networks: [10.0.0.0/8]}}
- {{networks: [10.1.0.0/16], header: x-user, models: [churn]}}
limits: {{principals: {{shop: 5/minute}}}}
""")
    assert main.run(["access", "check", "--file", str(file)]) == errors.DONE
    assert capsys.readouterr().out.splitlines() == [
        "key shop: churn, EXPIRED on 2020-01-01, 5/minute",
        "key ops: every model, for ever, 1000/second",
        "tokens of company (https://login): those of claim may; RS256; keys at https://login/keys",
        "proxy 10.0.0.0/8: its word on who called",
        "proxy 10.1.0.0/16: who x-user names: churn",
        "everybody else: nothing; at most 1000/second each, 20/minute failures an address",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "192.0.2.1"), "others would reach the model, and nobody asks them who they are"),
        (("--access", "access.yaml", "--open"), "pass one of them"),
    ],
)
def test_serve_opens_no_door_by_itself(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    """Before anything else is looked at."""
    assert main.run(["serve", "churn", *words]) == errors.UsageError.exit_code
    assert said in capsys.readouterr().err
