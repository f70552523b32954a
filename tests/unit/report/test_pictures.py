"""Pictures of evidence: what they draw, that they are safe to show anywhere, and that their links come back as they were."""

import math
import re
from xml.etree import ElementTree

import pytest

from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, ComparisonResult, Curve, Evidence, GateResult, ShownDifference
from argosy.domain.policy import DIMENSIONS
from argosy.report import drawing, evidence_markdown, pictures, terminal_markdown
from kit import toy

HOSTILE = '<script>alert(1)</script>"]](x) & ![a](b)'


def compared(metric: str, **changes: object) -> ComparisonResult:
    """A candidate that is a little better."""
    found = ComparisonResult(
        metric=metric,
        candidate=0.85,
        champion=0.84,
        difference=0.01,
        low=-0.002,
        high=0.022,
        margin=0.01,
        rows=1000,
        p_value=0.1,
        outcome="not-inferior",
        reason="as good",
    )
    return found.model_copy(update=changes)


def evidence(**changes: object) -> Evidence:
    """Evidence with something to draw of everything."""
    gates = [
        GateResult(
            gate=f"performance.{name}", dimension="performance", passed=passed, measured=0.8, limit=limit, reason="w"
        )
        for name, passed, limit in (("auc", True, ">= 0.6"), (HOSTILE, False, "<= 0.1"))
    ]
    found = Evidence(
        model="toy",
        task="binary",
        model_digest=sha256(b"m"),
        snapshot_digest=sha256(b"s"),
        policy_digest=sha256(b"p"),
        champion=ChampionRef(model="toy", model_digest=sha256(b"c"), policy_digest=sha256(b"p")),
        provenance=toy.CLEAN,
        rows_train=80,
        rows_holdout=20,
        metrics={},
        gates=gates,
        comparison=compared("auc"),
        margins=[compared(HOSTILE, low=-9e9, high=math.inf, outcome="inconclusive"), compared("x", compared=False)],
        curves=[
            Curve(
                title="Calibration",
                dimension="calibration",
                x_label="predicted",
                y_label="observed",
                series={"model": [(0.1, 0.2), (0.9, 0.8)], "perfect": [(0.0, 0.0), (1.0, 1.0)]},
            )
        ],
        verdict="promote",
        explanation="It was looked at.",
    )
    return found.model_copy(update={"pictures": list(pictures.NAMES), **changes})


def test_all_that_there_is_to_draw() -> None:
    """Gates always; the rest where there is a champion, and a curve."""
    assert list(pictures.of(evidence())) == list(pictures.NAMES)
    first = evidence(comparison=None, margins=[], curves=[])
    assert list(pictures.of(first)) == [pictures.GATES]
    assert list(pictures.of(evidence(gates=[], comparison=None, curves=[]))) == []


@pytest.mark.parametrize("name", pictures.NAMES)
def test_a_picture_is_safe_small_and_the_same_each_time(name: str) -> None:
    """It is committed and signed, and anybody's browser opens it: no script, nothing from elsewhere, whatever a name holds."""
    picture = pictures.of(evidence())[name]
    assert picture == pictures.of(evidence())[name]
    assert len(picture.svg.encode()) < 20_000
    found = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture.svg).iter()}  # noqa: S314 - our own
    assert found <= {"svg", "rect", "text", "line", "circle", "polyline"}
    assert "nan" not in picture.svg
    assert not re.search(r"href|url\(|style=|<script|\son\w+=", picture.svg)


def test_the_largest_evidence_stays_small() -> None:
    """What does not fit is in the table beside it."""
    gates = [
        GateResult(gate=f"g{at}." + "x" * 99, dimension="d", passed=True, measured=0.5, limit=">= 0.1", reason="w")
        for at in range(500)
    ]
    many = [compared("m" * 99 + str(at)) for at in range(500)]
    assert all(len(each.svg.encode()) < 20_000 for each in pictures.of(evidence(gates=gates, margins=many)).values())


def test_the_champions_calibration_is_told_from_the_models() -> None:
    """By more than its colour: rings and a line in ink below, dots and a line in blue above."""
    points = [[0.1, 0.1], [0.6, 0.5]]
    curve = evidence().curves[0].model_copy(update={"series": {"model": points, "champion": points, "perfect": points}})
    svg = pictures.of(evidence(curves=[curve]))[pictures.CALIBRATION].svg
    assert (svg.count('r="5" fill="#ffffff"'), svg.count(f'r="4" fill="{drawing.BLUE}"')) == (2, 2)
    assert svg.index("○ champion") < svg.index("● model")
    assert svg.count(f'stroke="{drawing.BLUE}"') == 1


def test_a_gate_below_zero_shows_where_zero_is() -> None:
    """As the one that compares with the champion has: its line begins at its limit."""
    from_zero, from_below = (
        pictures.of(evidence(gates=[gate("a", limit, 0.5)]))[pictures.GATES].svg.count("<line")
        for limit in (">= 0.01", ">= -0.01")
    )
    assert from_below == from_zero + 1


def gate(name: str, limit: str, measured: float, **changes: object) -> GateResult:
    """A limit that holds."""
    found = GateResult(
        gate=name, dimension=name.partition(".")[0], passed=True, measured=measured, limit=limit, reason="w"
    )
    return found.model_copy(update=changes)


class TestDimensions:
    """The candidate against the champion, dimension by dimension."""

    GAP = "fairness.kind.demographic_parity_difference"
    SHOWN = ShownDifference(metric=GAP, candidate=0.3, champion=0.2, difference=-0.1, low=-0.2, high=0.1)

    @staticmethod
    def drawn(**changes: object) -> str:
        """Its picture."""
        return pictures.of(evidence(comparison=None, margins=[], **changes))[pictures.DIMENSIONS].svg

    def test_all_six_are_there(self) -> None:
        """One without a gate says so; what does not hold says so in a word, and is drawn first."""
        gates = [
            gate("performance.auc", ">= 0.8", 0.9),
            gate("fairness.a.b", "<= 0.1", 0.05),
            gate(self.GAP, "<= 0.1", 0.3, passed=False),
        ]
        svg = self.drawn(gates=gates, shown=[self.SHOWN])
        for dimension in DIMENSIONS:
            assert f">{dimension}<" in svg
        assert svg.count(">no gate<") == 4
        assert "0.3 (0.2) &lt;= 0.1, FAILS" in svg
        assert svg.index(">kind.demographic") < svg.index(">a.b<")

    def test_where_less_is_better_the_interval_is_turned(self) -> None:
        """The candidate's 0.3 lies between the champion's 0.2 less 0.1 and 0.2 more 0.2; the line ends at 1."""
        svg = self.drawn(gates=[gate(self.GAP, "<= 0.5", 0.3)], shown=[self.SHOWN])
        at = [f"{12 + 396 * value:.1f}" for value in (0.1, 0.4, 0.2, 0.3)]
        low, high, champion, candidate = at
        assert f'x1="{low}" y1="177.0" x2="{high}"' in svg
        assert f'<circle cx="{champion}"' in svg
        assert f'<circle cx="{candidate}"' in svg

    def test_an_interval_without_an_end_reaches_no_farther_than_what_was_seen(self) -> None:
        """As nothing can be drawn that far, and a line that is as wide as the picture would say something."""
        shown = self.SHOWN.model_copy(update={"low": -1e9, "high": 1e9})
        svg = self.drawn(gates=[gate(self.GAP, "<= 0.5", 0.3)], shown=[shown])
        assert "nan" not in svg
        assert len(svg) < 20_000

    def test_measured_by_itself_the_champion_is_a_ring_without_an_interval(self) -> None:
        """And what could not be measured of it, or was not, has none."""
        names = ["robustness.noise_drop", "robustness.flip_rate", "robustness.undefined"]
        gates = [gate(name, "<= 0.5", 0.3) for name in names]
        metrics = dict.fromkeys(names, 0.3)
        svg = self.drawn(gates=gates, metrics=metrics, champion_metrics={names[0]: 0.2, names[1]: None})
        # One of each is the legend's.
        assert (svg.count('fill="#ffffff" stroke='), svg.count('stroke-width="3"')) == (2, 1)
        assert f'<circle cx="{12 + 396 * 0.2:.1f}"' in svg
        assert svg.count(">0.3 (0.2) &lt;= 0.5<") == 1
        assert svg.count(">0.3 &lt;= 0.5<") == 2
        assert "robustness: 3 of 3 gates hold, noise_drop 0.3 against 0.2" in svg

    def test_no_champion_no_picture(self) -> None:
        """The gates have one of their own."""
        assert pictures.DIMENSIONS not in pictures.of(evidence(comparison=None, margins=[]))


def test_what_fails_is_told_without_colour() -> None:
    """Of two reds one in twelve men sees none."""
    assert "FAILS" in pictures.of(evidence())[pictures.GATES].svg
    assert "inconclusive" in pictures.of(evidence())[pictures.BESIDE].svg


def test_a_report_shows_what_lies_beside_it() -> None:
    """By the file's name; evidence of an earlier Argosy, which has none, shows none."""
    shown = evidence_markdown.report(evidence())
    assert re.findall(r"^!\[.+\]\((.+)\)$", shown, re.MULTILINE) == list(pictures.NAMES)
    assert "](" not in evidence_markdown.report(evidence(pictures=[])).replace(r"\](", "")
    assert f"(gates.svg: {pictures.of(evidence())[pictures.GATES].said})" in terminal_markdown.readable(shown, 100)


def test_an_address_is_put_in_and_taken_out() -> None:
    """What a server shows and what was signed stay the same text; a picture from anywhere else is none of ours."""
    body, commits, folder = (
        evidence_markdown.report(evidence()),
        "https://forge.example/a/b/raw",
        "models/toy/staging/evidence",
    )
    there = pictures.located(body, f"{commits}/{'0f' * 20}/{folder}")
    assert there.count(f"]({commits}/{'0f' * 20}/{folder}/") == 4
    assert pictures.located(there, f"{commits}/{'1e' * 20}/{folder}") == there
    assert pictures.unlocated(there, commits, folder) == body
    for old, new in (("forge.example", "evil.example"), ("toy", "toi"), ("0f" * 20, "main"), ("0f" * 20, "0f/" * 20)):
        elsewhere = there.replace(old, new)
        assert pictures.unlocated(elsewhere, commits, folder) == elsewhere
