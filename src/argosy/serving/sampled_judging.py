"""Judges a sample of the answers that were given, once they are out: in a thread of its own, bounded in share, rate and what waits.

What comes of it are counters of this version alone, which its canary is decided by, and numbers in a log of their own, which drift is
measured from; no text stays. Refusals are not judged: whether the
documents have an answer nobody knows here, and how many there are is counted of all.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry, Counter

from argosy import errors
from argosy.domain.answers.answer_settings import Judging
from argosy.domain.answers.judged import HALF_FAITHFUL, AnswerJudgement, GivenAnswer
from argosy.ports.judge import SampleJudge
from argosy.serving.answer_records import JudgedRecorder

MOST_WAITING = 64
"""Answers that wait to be judged; one more is left out."""
NOT_ACCEPTED, UNFAITHFUL, TOXIC = FINDINGS = ("not accepted", "unfaithful", "toxic")
LEFT_OUT = ("rate", "waiting", "judge")
"""Why an answer that was drawn is not judged: too many in this minute, too many before it, or whoever judges does not answer."""
_log = logging.getLogger("argosy.serving")


class SampledJudging:
    """The sample of one served version."""

    def __init__(
        self,
        judge: SampleJudge,
        named: str,
        settings: Judging,
        registry: CollectorRegistry,
        recorder: JudgedRecorder | None = None,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*named*: what tells this judge from others, whose judgements are held against no other's. *recorder*: logs what it says; it is
        closed with this. *draw*: numbers in [0, 1)."""
        self._judge = judge
        self._recorder = recorder
        self._settings = settings
        self._draw = draw
        self._clock = clock
        judged = Counter(
            "argosy_judged_answers", "Answers of the sample that were judged.", ["judge"], registry=registry
        )
        self._judged = judged.labels(named)
        against = Counter(
            "argosy_judged_answers_against",
            "Of these, what speaks against them.",
            ["judge", "finding"],
            registry=registry,
        )
        self._against = {finding: against.labels(named, finding) for finding in FINDINGS}
        faithfulness = Counter("argosy_judged_faithfulness", "Sum of their faithfulness.", ["judge"], registry=registry)
        self._faithfulness = faithfulness.labels(named)
        left_out = Counter("argosy_unjudged_answers", "Answers drawn and not judged.", ["why"], registry=registry)
        self._left_out = {why: left_out.labels(why) for why in LEFT_OUT}
        self._room = threading.BoundedSemaphore(MOST_WAITING)
        self._minute, self._drawn = self._clock(), 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="judging")

    def offer(self, request_id: str, question: str, answer: GivenAnswer) -> None:
        """Have *answer* judged, if it is drawn. Returns at once; called on the event loop."""
        if answer.refused or self._draw() >= self._settings.share:
            return
        if not self._has_time():
            self._left_out["rate"].inc()
        elif not self._room.acquire(blocking=False):
            self._left_out["waiting"].inc()
        else:
            self._thread.submit(self._work, request_id, question, answer)

    def close(self) -> None:
        """Leave what waits, and stop."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._recorder is not None:
            self._recorder.close()

    def _has_time(self) -> bool:
        now = self._clock()
        if now - self._minute >= 60:
            self._minute, self._drawn = now, 0
        self._drawn += 1
        return self._drawn <= self._settings.per_minute

    def _work(self, request_id: str, question: str, answer: GivenAnswer) -> None:
        try:
            judgement = self._judge.judge_sample(question, answer)
            self._count(judgement)
            if self._recorder is not None:
                self._recorder.record(request_id, judgement)
        except errors.ArgosyError as error:
            _log.warning("an answer is not judged: %s", error)
            self._left_out["judge"].inc()
        except Exception:  # noqa: BLE001 - nobody reads what became of this work, and no sample would look like no answers
            _log.exception("an answer is not judged")
            self._left_out["judge"].inc()
        finally:
            self._room.release()

    def _count(self, judgement: AnswerJudgement) -> None:
        self._judged.inc()
        self._faithfulness.inc(judgement.faithfulness)
        found = {
            NOT_ACCEPTED: not judgement.acceptable,
            UNFAITHFUL: judgement.faithfulness < HALF_FAITHFUL,
            TOXIC: judgement.toxicity > 0,
        }
        for finding in (finding for finding in FINDINGS if found[finding]):
            self._against[finding].inc()
