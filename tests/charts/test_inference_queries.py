"""What the analysis' queries answer, asked of Prometheus' own engine (`promtool`) where it is installed."""

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from argosy.domain.sequential import EventCounts, NoWorse, Risks, Share
from kit.inference_chart import only, parsed

GOLDEN = Path(__file__).parent / "golden" / "canary.yaml"
NOTHING = None
"""An empty answer: no objection."""

PODS = 'namespace="argosy-staging",rollouts_pod_template_hash="{}"'

Series = list[dict[str, str]]


def counter(name: str, version: str, each: float, labels: str = "") -> dict[str, str]:
    """A counter of the pods of *version* that grows by *each* every 15 seconds."""
    return {"series": f"{name}{{{PODS.format(version)}{labels}}}", "values": f"0+{each}x60"}


def requests(version: str, *, fast: float = 0, slow: float = 0, failed: float = 0, shed: float = 0) -> Series:
    """Requests every 15 seconds: within 50 ms, between 100 ms and 1 s, answered with an error, and shed."""
    found = [
        counter("argosy_request_seconds_bucket", version, count, f',route="v1",le="{edge}"')
        for edge, count in {"0.05": fast, "0.1": fast, "1.0": fast + slow, "+Inf": fast + slow}.items()
    ]
    found.append(counter("argosy_requests_total", version, fast + slow, ',route="v1",code="200"'))
    found.append(counter("argosy_requests_shed_total", version, shed, ',route="v1"'))
    if failed:
        found.append(counter("argosy_requests_total", version, failed, ',route="v1",code="500"'))
    if shed:
        found.append(counter("argosy_requests_total", version, shed, ',route="v1",code="503"'))
    return found


def scores(version: str, *, low: float, high: float) -> Series:
    """Predictions every 15 seconds: scores below a half, and above."""
    found = [
        counter("argosy_prediction_score_bucket", version, count, f',le="{edge}"')
        for edge, count in {"0.5": low, "1.0": low + high, "+Inf": low + high}.items()
    ]
    return [*found, counter("argosy_prediction_score_count", version, low + high)]


def answer(folder: Path, query: str, series: Series, expected: float | None) -> str:
    """What is wrong with *expected* as the answer to *query* once *series* have run for ten minutes; empty where nothing is."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    samples = [] if expected is NOTHING else [{"labels": "{}", "value": expected}]
    # Rounded, because the last digit of a ratio is nobody's business.
    asked = {"expr": f"round({query}, 0.001)", "eval_time": "10m", "exp_samples": samples}
    test = {"interval": "15s", "input_series": series, "promql_expr_test": [asked]}
    (folder / "test.json").write_text(json.dumps({"evaluation_interval": "15s", "tests": [test]}), encoding="utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", str(folder / "test.json")], capture_output=True, text=True, check=False, timeout=60
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def expected(distance: float, old: str) -> Series:
    """What evaluation saw between the new version and the model of the digest *old*; that of the one that serves is ab."""
    info = {"series": f'argosy_model_info{{{PODS.format("old")},digest="ab",version="1"}}', "values": "1x60"}
    seen = {
        "series": f'argosy_prediction_expected_distance{{{PODS.format("new")},digest="{old}"}}',
        "values": f"{distance}x60",
    }
    return [info, seen]


OLD = requests("old", fast=60)
SHIFTED = [*scores("new", low=20, high=80), *scores("old", low=80, high=20)]
CASES: list[Any] = [
    pytest.param("errors", requests("new", fast=97, failed=3), 0.03, id="errors-in-a-hundred"),
    pytest.param("errors", requests("new", fast=30), 0.0, id="no-error-was-ever-counted"),
    pytest.param("errors", requests("new", fast=5), NOTHING, id="too-few-requests-for-errors"),
    pytest.param("errors", requests("new", fast=60, shed=40), 0.0, id="what-was-shed-is-no-error"),
    pytest.param("errors", requests("new", fast=57, failed=3, shed=40), 0.05, id="errors-among-what-was-not-shed"),
    pytest.param("errors", requests("new", fast=5, shed=95), NOTHING, id="too-few-answers-for-errors"),
    pytest.param(
        "errors",
        [one for one in requests("new", fast=97, failed=3) if "shed" not in one["series"]],
        0.03,
        id="servers-that-count-nothing-shed",
    ),
    pytest.param("shed", [*requests("new", fast=60, shed=40), *OLD], 0.4, id="the-new-one-alone-sheds"),
    pytest.param(
        "shed",
        [*requests("new", fast=55, shed=45), *requests("old", fast=120, shed=80)],
        0.05,
        id="both-bear-the-same-load",
    ),
    pytest.param("shed", [*requests("new", fast=60), *requests("old", fast=60, shed=40)], -0.4, id="it-sheds-less"),
    pytest.param("shed", requests("new", fast=60, shed=40), NOTHING, id="no-old-one-to-compare-shedding-with"),
    pytest.param("requests", requests("new", fast=10, shed=90), 200.0, id="requests-that-were-answered"),
    pytest.param("answering", [*requests("new", shed=100), *OLD], 0.0, id="it-refuses-everybody"),
    pytest.param("latency-p95-seconds", [*requests("new", slow=30), *OLD], 0.955, id="slower-than-the-old-one"),
    pytest.param(
        "latency-p95-seconds",
        [*requests("new", slow=30), *requests("old", slow=60)],
        NOTHING,
        id="as-slow-as-the-old-one",
    ),
    pytest.param("latency-p95-seconds", requests("new", slow=30), 0.955, id="no-old-one-to-compare-with"),
    pytest.param(
        "latency-p95-seconds", [*requests("new", slow=30), *requests("old")], 0.955, id="nobody-called-the-old-one"
    ),
    pytest.param("answering", OLD, 0.0, id="the-new-one-answers-nothing"),
    pytest.param("answering", [*requests("new", fast=10), *OLD], 200.0, id="it-answers"),
    pytest.param("answering", [], NOTHING, id="nobody-calls-either"),
    pytest.param("requests", [], 0.0, id="no-requests-are-none"),
    pytest.param("prediction-distance", SHIFTED, 0.6, id="shifted"),
    pytest.param("prediction-distance", [*SHIFTED, *expected(0.5, "ab")], 0.1, id="shifted-as-evaluation-saw"),
    pytest.param("prediction-distance", [*SHIFTED, *expected(0.5, "cd")], 0.6, id="evaluation-saw-another"),
    pytest.param(
        "prediction-distance",
        [*scores("new", low=1, high=1), *scores("old", low=80, high=20)],
        NOTHING,
        id="too-few-scores",
    ),
    pytest.param(
        "predictions", [*scores("new", low=1, high=1), *scores("old", low=80, high=20)], 40.0, id="the-smaller"
    ),
    pytest.param("predictions", scores("new", low=50, high=50), 0.0, id="no-scores-of-the-old-one"),
]


@pytest.mark.parametrize(("metric", "series", "expected"), CASES)
def test_what_a_query_answers(tmp_path: Path, metric: str, series: Series, expected: float | None) -> None:
    """A number where there is enough to judge by, nothing where there is not, and never a wrong one for want of a series."""
    metrics = only(parsed(GOLDEN.read_text(encoding="utf-8")), "AnalysisTemplate")["spec"]["metrics"]
    query = next(each["provider"]["prometheus"]["query"] for each in metrics if each["name"] == metric)
    query = query.replace("{{args.new}}", "new").replace("{{args.old}}", "old")
    assert answer(tmp_path, query, series, expected) == ""


def kept(version: str, answers: float, failed: float = 0, shed: float = 0) -> Series:
    """So many requests in all, counted within seven minutes by a pod that is gone since, and by one that began anew with fewer."""
    gone, anew = f'{{{{{PODS.format(version)},route="v1",code="{{}}",pod="{{}}"}}}}'.format, "0+{0}x28 _x12"
    found = [
        {"series": f"argosy_requests_total{gone(code, 'a')}", "values": anew.format(count / 28)}
        for code, count in {"200": answers - failed - 28, "500": failed, "503": shed}.items()
    ]
    found.append({"series": f"argosy_requests_total{gone('200', 'b')}", "values": "0+1x28 0+0x40"})
    found.append({"series": f"argosy_requests_shed_total{gone('', 'a')}", "values": anew.format(shed / 28)})
    return found


@pytest.mark.parametrize(
    ("step", "answers", "failed", "shed", "word"),
    [
        pytest.param(1, 700, 0, 0, "go", id="enough-without-an-error"),
        pytest.param(1, 600, 0, 0, "wait", id="not-enough-yet"),
        pytest.param(1, 700, 1, 0, "wait", id="one-error-takes-more"),
        pytest.param(1, 900, 1, 0, "go", id="and-gets-it"),
        pytest.param(1, 400, 7, 0, "abort", id="too-many"),
        pytest.param(1, 400, 6, 0, "wait", id="nearly-too-many"),
        pytest.param(1, 700, 0, 300, "go", id="what-was-shed-is-no-error"),
        pytest.param(2, 700, 0, 0, "wait", id="the-next-step-asks-for-as-many-again"),
        pytest.param(2, 1300, 0, 0, "go", id="and-gets-them"),
        pytest.param(2, 1000, 10, 0, "abort", id="it-got-worse"),
    ],
)
def test_the_sequential_query_is_the_pure_rule(
    tmp_path: Path, step: int, answers: int, failed: int, shed: int, word: str
) -> None:
    """The formula in PromQL and `domain.sequential` come to the same figure, and to the same word."""
    risks, share = (
        Risks(false_abort=0.01 / 3, false_go=0.01),
        Share("errors", EventCounts(failed, answers), 0.0025, 0.01),
    )
    ratio = failed * math.log(4) + (answers - failed) * math.log(0.99 / 0.9975) + (step - 1) * math.log(100)
    told = ratio / math.log(1 / risks.false_abort) if ratio >= 0 else ratio / math.log(1 / risks.false_go)
    assert word == ("abort" if told >= 1 else "go" if told <= -1 else "wait")
    assert step > 1 or share.word(risks) == word
    golden = (GOLDEN.parent / "sequential.yaml").read_text(encoding="utf-8")
    metrics = only(parsed(golden), "AnalysisTemplate")["spec"]["metrics"]
    query = next(each["provider"]["prometheus"]["query"] for each in metrics if each["name"] == "errors")
    query = query.replace("{{args.new}}", "new").replace("{{args.step}}", str(step))
    series = kept("new", answers, failed, shed)
    assert answer(tmp_path, query, series, round(told, 3)) == ""


def test_the_sequential_query_of_nothing(tmp_path: Path) -> None:
    """A version that nobody called yet is neither good nor bad."""
    golden = (GOLDEN.parent / "sequential.yaml").read_text(encoding="utf-8")
    metrics = only(parsed(golden), "AnalysisTemplate")["spec"]["metrics"]
    query = next(each["provider"]["prometheus"]["query"] for each in metrics if each["name"] == "errors")
    assert answer(tmp_path, query.replace("{{args.step}}", "1"), [], 0.0) == ""


def judged(version: str, trials: int, against: int, judge: str = "j") -> Series:
    """Judged answers of the pods of *version*, all of one *judge*, of which so many were not accepted."""
    labels = f',judge="{judge}"'
    return [
        {"series": f"argosy_judged_answers_total{{{PODS.format(version)}{labels}}}", "values": f"{trials}x60"},
        {
            "series": f'argosy_judged_answers_against_total{{{PODS.format(version)}{labels},finding="not accepted"}}',
            "values": f"{against}x60",
        },
    ]


@pytest.mark.parametrize(
    ("new", "old", "judge", "step", "word"),
    [
        pytest.param((200, 80), (300, 120), "j", 1, "go", id="as-good"),
        pytest.param((200, 80), (300, 120), "j", 2, "wait", id="not-again"),
        pytest.param((100, 75), (300, 120), "j", 1, "abort", id="worse"),
        pytest.param((10, 5), (300, 120), "j", 1, "wait", id="few"),
        pytest.param((200, 150), (50, 20), "j", 1, "wait", id="little-known-of-the-old"),
        pytest.param((200, 150), (300, 120), "other", 1, "wait", id="another-judge"),
        pytest.param((0, 0), (0, 0), "j", 1, "wait", id="nobody-asked"),
    ],
)
def test_answers_are_held_against_the_old_versions(
    tmp_path: Path, new: tuple[int, int], old: tuple[int, int], judge: str, step: int, word: str
) -> None:
    """The query says what the rule does; without samples it says nothing, which is no success."""
    golden = (GOLDEN.parent / "answers.yaml").read_text(encoding="utf-8")
    metrics = only(parsed(golden), "AnalysisTemplate")["spec"]["metrics"]
    metric = next(each for each in metrics if each["name"] == "answers-not-accepted")
    query = metric["provider"]["prometheus"]["query"]
    for mark, value in (("new", "new"), ("old", "old"), ("step", str(step))):
        query = query.replace(f"{{{{args.{mark}}}}}", value)
    counts = EventCounts(new[1], new[0]), EventCounts(old[1], old[0])
    known = NoWorse("not accepted", *counts, margin=0.15)
    risks = Risks(0.01 / (4 * 3), 0.01)
    if judge == "j" and step == 1:
        assert known.word(risks) == word
    told = {"go": "<= bool -1", "abort": ">= bool 1"}
    series = [*judged("new", *new), *judged("old", *old, judge)]
    for kind, bound in told.items():
        said = f"sum(({query}) {bound})"
        assert answer(tmp_path, said, series, float(kind == word)) == ""
