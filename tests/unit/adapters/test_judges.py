"""Judges keep one contract: the one by words, and the example that a package brings; broken ones say whose they are."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from argosy import errors, plugins, wiring
from argosy.adapters.word_judge import WordJudge
from argosy.domain.answers.answer_settings import AnswerSettings, LexicalJudge
from argosy.ports.judge import Judge
from argosy.report import answer_tables
from argosy.settings import Settings
from argosy.testing.judge_contract import QUESTION, RIGHT, JudgeContract
from kit import quick_yaml
from kit.installed_package import install, install_example

MODEL = Path(__file__).parents[3] / "workflows" / "support_answers" / "model.yaml"


def settings(**judge: object) -> AnswerSettings:
    """The sample's, judged by what is installed as *judge* has it."""
    given = quick_yaml.load(MODEL.read_text(encoding="utf-8"))
    return AnswerSettings.model_validate({**given, "judge": {"kind": "installed", **judge}})


def made(**judge: object) -> Judge:
    """The judge of such settings."""
    return wiring.judge(Settings.from_environment({}), settings(**judge))


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example, installed."""
    install_example("own-judge", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


class TestWordJudge(JudgeContract):
    """The judge of machines without network and key."""

    @pytest.fixture
    def judge(self) -> Judge:
        return WordJudge(LexicalJudge(kind="lexical"))


@pytest.mark.usefixtures("example")
class TestExampleJudge(JudgeContract):
    """The example, chosen as a model's settings choose it."""

    @pytest.fixture
    def judge(self) -> Judge:
        return made(name="characters", settings={"least": 0.4})


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    ("judge", "message"),
    [
        pytest.param(
            {"name": "character"}, "brings the judge 'character'; did you mean 'characters'", id="no-such-name"
        ),
        pytest.param(
            {"name": "characters", "settings": {"lenght": 3}},
            "own-judge 0.1.0 brings, cannot be made: ValueError: it knows no lenght",
            id="no-such-setting",
        ),
    ],
)
def test_settings_that_are_none(judge: dict[str, object], message: str) -> None:
    """The step says so before the first question is asked."""
    with pytest.raises(errors.Misconfigured, match=message):
        made(**judge)


@pytest.mark.usefixtures("example")
def test_the_evidence_says_who_judged() -> None:
    """By the name that the settings have for it."""
    agreed = SimpleNamespace(items=9, agreed=8, kappa=0.7, low=0.5, high=0.9)
    (table,) = answer_tables.judge(settings(name="characters"), agreed)
    assert table.rows[0] == ["judge", "characters, which an installed package brings"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("return 1 / 0", "failed at the answer to aborted-canary: ZeroDivisionError", id="raises"),
        pytest.param("return {'acceptable': True}", "it gives dict, no AnswerJudgement", id="something-else"),
    ],
)
def test_a_broken_one(body: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing it does is taken for a judgement."""
    module = f"torn_judge_{abs(hash(body))}"
    text = f"class Torn:\n    def __init__(self, settings):\n        pass\n    def judge(self, question, answer):\n        {body}\n"
    points = {plugins.JUDGES: {"torn": f"{module}:Torn"}}
    install(tmp_path, {"name": "torn", "version": "2", "entry-points": points}, module, text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(errors.Misconfigured, match=message):
        made(name="torn").judge(QUESTION, RIGHT)
