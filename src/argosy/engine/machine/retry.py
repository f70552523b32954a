"""Retries: a node that stands for its attempts. Follows the controller's ``processNodeRetries``."""

from argosy import argo
from argosy.argo import NodeType, Phase
from argosy.engine import durations
from argosy.engine.expressions import values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import calls, references
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.manifest.model import RetryStrategy, Template
from argosy.engine.nodes import Node


def carry_out(machine: Machine, call: Call, template: Template) -> None:
    """The body of a template that has a retry strategy, its own or the workflow's."""
    strategy = template.retry_strategy or machine.spec.retry_strategy or RetryStrategy({})
    Retry(machine, call, template, strategy).start()


class Retry:
    """One call with retries while it runs."""

    def __init__(self, machine: Machine, call: Call, template: Template, strategy: RetryStrategy) -> None:
        self._machine = machine
        self._call = call
        self._template = template
        self._strategy = strategy
        self._attempts: list[Node] = []

    def start(self) -> None:
        """Make the first attempt."""
        self._node = self._machine.create(self._call, NodeType.RETRY, Phase.RUNNING)
        self._attempt()

    def _attempt(self) -> None:
        number = len(self._attempts)
        name = f"{self._call.name}({number})"
        known = self._machine.nodes.get(name)
        attempt = Call(
            name=name,
            holder=self._call.holder,
            owner=self._call.owner,
            done=self._attempt_ended,
            boundary=self._call.boundary,
            parent=self._call.name,
            on_exit=self._call.on_exit,
            depth=self._call.depth,
            memo=self._call.memo,
            execution_deadline=self._last_moment() if number else None,
            keeps_result=self._call.keeps_result,
            fell=lambda _: self._call.fell(self._node) if self._call.fell else None,
        )
        if known is not None and known.fulfilled:
            self._machine.post(lambda: self._attempt_ended(known))
            return
        try:
            template = calls.substitute(self._template, {**self._machine.variables, **self._last_retry(name)})
        except (ExpressionError, calls.CallError) as error:
            self._machine.refuse(attempt, str(error))
            return
        self._machine.admission.enter(attempt, known, lambda: self._machine.carry_out_attempt(attempt, template))

    def _last_retry(self, name: str) -> dict[str, object]:
        last = self._attempts[-1] if self._attempts else None
        code = last.outputs.exit_code if last and last.outputs else None
        variables: dict[str, object] = {
            "retries": str(len(self._attempts)),
            "lastRetry.exitCode": code or "0",
            "lastRetry.status": str(last.phase) if last else "",
            "lastRetry.duration": values.float_written(_duration(last), 21) if last else "0",
            "lastRetry.message": last.message if last else "",
        }
        if self._template.is_containers:
            variables["pod.name"] = argo.pod_name(self._machine.identity.name, name, self._template.name)
        return variables

    def _attempt_ended(self, node: Node) -> None:
        if node.daemoned:
            self._machine.become_daemon(self._node)
            self._machine.post(lambda: self._call.done(self._node))
            return
        node.retried = True
        self._attempts.append(node)
        if not node.phase.unsuccessful:
            self._finish(Phase.SUCCEEDED if node.phase.completed else node.phase, "")
            return
        if f"{self._call.name}({len(self._attempts)})" in self._machine.nodes:
            self._attempt()  # decided before the engine was stopped
            return
        try:
            self._decide(node)
        except (ExpressionError, ValueError) as error:
            self._finish(Phase.ERROR, str(error))

    def _decide(self, last: Node) -> None:
        # The controller waits before it asks whether to try again; the answer is the same without the wait.
        reason = self._reason_to_stop(last)
        reason = self._refusal(last) if reason is None else reason
        if reason is not None:
            self._finish(last.phase, reason)
            return
        wait = self._wait()
        if wait > 0:
            due = (last.finished or self._machine.clock()) + wait
            self._machine.update(self._node, Phase.RUNNING, f"Backoff for {_spelled(wait)}")
            self._machine.at(due, self._after_backoff)
        else:
            self._after_backoff()

    def _reason_to_stop(self, last: Node) -> str | None:
        if self._machine.is_shut_for(on_exit=self._call.on_exit):
            return f"Stopped with strategy '{self._machine.shutdown}'"
        if self._machine.past_deadline() and not self._call.on_exit:
            return "retry exceeded workflow deadline"
        if (moment := self._last_moment()) is not None:
            if self._machine.clock() > moment:
                return "Max duration limit exceeded"
            if (last.finished or 0.0) + self._wait() > moment:
                return "Backoff would exceed max duration limit"
        return None

    def _after_backoff(self) -> None:
        self._machine.update(self._node, Phase.RUNNING, "")
        self._attempt()

    def _refusal(self, last: Node) -> str | None:
        """The reason why there is no further attempt; None where there is one."""
        if last.phase not in self._retried_phases(last):
            return last.message
        limit = self._strategy.limit
        if limit is not None and len(self._attempts) > int(limit):
            return "No more retries left"
        expression = self._strategy.expression
        if expression and not references.truth(expression, self._scope(last)):
            return "retryStrategy.expression evaluated to false"
        return None

    def _scope(self, last: Node) -> dict[str, object]:
        code = last.outputs.exit_code if last.outputs else None
        return {
            "retries": str(len(self._attempts) - 1),
            "lastRetry.exitCode": code or "-1",
            "lastRetry.status": str(last.phase),
            "lastRetry.duration": values.float_written(_duration(last), 21),
            "lastRetry.message": last.message,
        }

    def _retried_phases(self, last: Node) -> tuple[Phase, ...]:
        # An expression alone decides, unless a policy is named beside it.
        policy = self._strategy.policy or ("Always" if self._strategy.expression else "OnFailure")
        if policy == "OnTransientError":
            return (Phase.FAILED, Phase.ERROR) if _is_transient(last.message) else ()
        by_policy = {"Always": (Phase.FAILED, Phase.ERROR), "OnError": (Phase.ERROR,), "OnFailure": (Phase.FAILED,)}
        return by_policy[policy]

    def _wait(self) -> float:
        """Seconds until the next attempt. After the last attempt allowed there is nothing to wait for."""
        backoff = self._strategy.backoff
        limit = self._strategy.limit
        if not backoff.written or limit is None or len(self._attempts) > int(limit):
            return 0.0
        if not backoff.duration:
            raise ValueError("no base duration specified for retryStrategy")
        wait = durations.seconds(backoff.duration)
        factor = int(backoff.factor or 0)
        if factor > 0:
            wait = min(wait * factor ** min(len(self._attempts) - 1, 60), float(2**33))
        return min(wait, durations.seconds(backoff.cap)) if backoff.cap else wait

    def _last_moment(self) -> float | None:
        longest = self._strategy.backoff.max_duration
        return self._attempts[0].started + durations.seconds(longest) if longest and self._attempts else None

    def _finish(self, phase: Phase, message: str) -> None:
        last = self._attempts[-1]
        self._machine.finish(self._call, self._node, phase, message, last.outputs)


def _duration(node: Node) -> float:
    return round((node.finished or node.started) - node.started, 6)


def _spelled(wait: float) -> str:
    """A duration as the controller's messages have it."""
    minutes, seconds = divmod(int(wait), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "hour"), (minutes, "minute"), (seconds, "second")]
    return " ".join(f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in parts if count) or "0 seconds"


_TRANSIENT = (
    "i/o timeout",
    "connection reset by peer",
    "TLS handshake timeout",
    "connection refused",
    "Unable to connect to the server",
)


def _is_transient(message: str) -> bool:
    return any(sign in message for sign in _TRANSIENT)
