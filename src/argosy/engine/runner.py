"""Drives the machine: carries out its effects, feeds back what came of them, and journals each round before the next begins.

One round: cached answers are given at once, changed nodes and new attempts are committed together, then processes start. Nothing starts
that the journal does not know of; that what ended reaches the disk is waited for while they do.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from argosy.argo import Phase
from argosy.engine import effects
from argosy.engine.attempts.container_roles import PodContainer
from argosy.engine.attempts.pod_containers import End, message_of
from argosy.engine.attempts.pods import Pods
from argosy.engine.effects import PodResult
from argosy.engine.machine.workflow import Workflow
from argosy.engine.nodes import Ending, Json, Outputs
from argosy.engine.processes.child import NOT_STARTED
from argosy.engine.processes.fork_server import Running
from argosy.engine.state import disk
from argosy.engine.state.journal import Attempt, Journal
from argosy.engine.state.locks import Mutexes
from argosy.engine.state.memoized import Memory
from argosy.ports import runs

SUSPENDED = "suspended"
"""The entry of the journal's meta data that says whether the run begins nothing more for now."""

LOCK_POLL = 0.1
"""Seconds between two looks at a mutex that another run holds."""


class Observer(Protocol):
    """Hears of every change of a node, after it is in the journal."""

    def node_changed(self, node: runs.Node) -> None:
        """*node* is new or changed."""


class Interrupted(Exception):
    """The run was asked to stop; its journal says how far it came."""


class Runner:
    """Runs one workflow. *parallelism*: how many processes run at once."""

    def __init__(
        self,
        workflow: Workflow,
        *,
        journal: Journal,
        pods: Pods,
        mutexes: Mutexes,
        memory: Memory,
        parallelism: int,
        observer: Observer,
    ) -> None:
        self._workflow = workflow
        self._machine = workflow.machine
        self._journal = journal
        self._pods = pods
        self._mutexes = mutexes
        self._memory = memory
        self._slots = parallelism
        self._observer = observer
        self._waiting: deque[effects.StartPod] = deque()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lasting: set[str] = set()
        self._attempts = {(attempt.node, attempt.number): attempt for attempt in journal.attempts()}
        self._numbers = _next_numbers(self._attempts)
        self._dirty: dict[tuple[str, int], Attempt] = {}
        self._made_of: dict[str, Json] = {}
        self._locks: dict[str, Mapping[str, int]] = {}
        self._happened: deque[Callable[[], None]] = deque()
        self._wake = asyncio.Event()
        self._interrupted = False
        self._suspended = False
        self._unsynced = False

    def interrupt(self) -> None:
        """Stop what runs and end; the run can be resumed."""
        self._interrupted = True
        self._wake.set()

    def suspend(self) -> None:
        """Begin nothing more until :meth:`resume`; what runs goes on."""
        self._suspended = True
        self._journal.write(meta={SUSPENDED: "true"})

    def resume(self) -> None:
        """Go on after :meth:`suspend`."""
        self._suspended = False
        self._journal.write(meta={SUSPENDED: ""})
        self._tell(lambda: None)

    def approve(self, node: str, parameters: Mapping[str, str], message: str = "") -> None:
        """End the suspended step *node* with *parameters* as its outputs. Nothing happens where it does not wait any more."""
        if node in self._machine.pauses:
            self._machine.pauses[node](parameters, message)
            self._tell(self._machine.drain)

    def shut_down(self, strategy: str) -> None:
        """Stop the workflow: ``Stop`` runs its exit handlers, ``Terminate`` nothing more."""
        self._suspended = False
        self._tell(lambda: self._machine.shut_down(strategy))

    async def run(self) -> Ending:
        """Run to the end. Raises Interrupted where it was asked to stop before."""
        try:
            self._workflow.start()
            while True:
                self._round()
                if self._workflow.ending and not self._tasks:
                    self._sync()
                    return self._workflow.ending
                await self._next_event()
                if self._interrupted:
                    raise Interrupted
        finally:
            await self._stop_all()

    # A round

    def _round(self) -> None:
        started: list[effects.StartPod] = []
        while self._machine.effects or self._happened or self._locks:
            while self._happened:
                self._happened.popleft()()
            if self._suspended:
                break
            self._try_locks()
            if not self._machine.effects:
                break
            self._take_effects()
        while not self._suspended and self._waiting and self._has_room(started):
            request = self._waiting.popleft()
            started.append(request)
            self._note(Attempt(request.name, self._numbers.get(request.name, 0), time.time()))
        self._commit()
        for request in started:
            self._start(request)
        if self._unsynced:
            asyncio.get_running_loop().call_soon(
                self._sync
            )  # after the first step of each task, which asks for a process

    def _has_room(self, started: list[effects.StartPod]) -> bool:
        """True where one more pod may run. A daemon takes nobody's place."""
        lasting = self._lasting.intersection(self._tasks)
        return len(self._tasks) - len(lasting) + sum(not request.lasts for request in started) < self._slots

    def _take_effects(self) -> None:
        taken, self._machine.effects = self._machine.effects, []
        for effect in taken:
            match effect:
                case effects.StartPod():
                    self._take_pod(effect)
                case effects.StopPod(name):
                    self._stop_pod(name)
                case effects.AcquireLocks(name, locks):
                    self._locks[name] = locks
                case effects.ReleaseLocks(name):
                    self._mutexes.release(name)
                case effects.Recall(name, cache, key, limit):
                    self._machine.recalled(name, self._memory.recall(cache, key, limit))
                case effects.Remember(name, cache, key, outputs):
                    self._remember(name, cache, key, outputs)

    def _remember(self, name: str, cache: str, key: str, outputs: Outputs) -> None:
        with disk.guarded("remember what a step gave"):
            self._memory.remember(cache, key, name, outputs)

    def _take_pod(self, request: effects.StartPod) -> None:
        if result := self._pods.cached(request):
            self._finished(request.name, result)
        else:
            self._waiting.append(request)

    def _stop_pod(self, name: str) -> None:
        self._waiting = deque(request for request in self._waiting if request.name != name)
        if name in self._tasks:
            asyncio.get_running_loop().create_task(self._pods.stop(name))

    def _try_locks(self) -> None:
        for name, locks in list(self._locks.items()):
            if self._mutexes.try_acquire(name, locks):
                del self._locks[name]
                self._machine.locks_granted(name)

    def _commit(self) -> None:
        changed, self._machine.changed = self._machine.changed, {}
        attempts, self._dirty = self._dirty, {}
        made_of, self._made_of = self._made_of, {}
        if not changed and not attempts:
            return
        self._journal.write(nodes=changed.values(), attempts=attempts.values(), made_of=made_of, durable=False)
        # What ended must reach the disk; that something began need only survive this process.
        self._unsynced |= any(node.fulfilled for node in changed.values())
        for node in changed.values():
            self._observer.node_changed(node.seen())

    def _sync(self) -> None:
        if self._unsynced:
            self._unsynced = False
            self._journal.sync()

    # Processes

    def _start(self, request: effects.StartPod) -> None:
        number = self._numbers.get(request.name, 0)
        self._numbers[request.name] = number + 1
        if request.lasts:
            self._lasting.add(request.name)
        self._tasks[request.name] = asyncio.get_running_loop().create_task(self._attend(request, number))

    async def _attend(self, request: effects.StartPod, number: int) -> None:
        attempt = self._attempts[request.name, number]

        result = await self._pods.run(request, number, _Watch(self, request.name, number))
        attempt.finished = time.time()
        code = result.outputs.exit_code
        attempt.code = int(code) if code is not None else None
        self._tell(lambda: self._ended(attempt, result))

    def container_started(self, pod: str, attempt: Attempt) -> None:
        """The process of *attempt*, a container of the node *pod*, runs."""

        def began() -> None:
            self._note(attempt)
            self._machine.pod_started(pod)
            self._machine.container_changed(effects.ContainerChange(attempt.node, Phase.RUNNING))

        self._attempts[attempt.node, attempt.number] = attempt
        self._tell(began)

    def container_ended(self, change: effects.ContainerChange, attempt: Attempt | None) -> None:
        """A container that is on record beside its pod ended; *attempt*: its process, if it had one."""

        def ended() -> None:
            if attempt:
                self._note(attempt)
            self._machine.container_changed(change)

        self._tell(ended)

    def pod_ready(self, pod: str) -> None:
        """The daemon *pod* is up."""
        self._tell(lambda: self._machine.pod_ready(pod))

    def known_attempt(self, node: str, number: int) -> Attempt | None:
        """The attempt *number* of *node*, if it was begun."""
        return self._attempts.get((node, number))

    def _ended(self, attempt: Attempt, result: PodResult) -> None:
        self._note(attempt)
        self._tasks.pop(attempt.node, None)
        self._finished(attempt.node, result)

    def _finished(self, name: str, result: PodResult) -> None:
        if result.made_of:
            self._made_of[name] = result.made_of
        self._machine.pod_finished(name, result)

    def _note(self, attempt: Attempt) -> None:
        self._attempts[attempt.node, attempt.number] = attempt
        self._dirty[attempt.node, attempt.number] = attempt

    def _tell(self, event: Callable[[], None]) -> None:
        self._happened.append(event)
        self._wake.set()

    async def _next_event(self) -> None:
        """Wait until something happened or is due."""
        for task in self._tasks.values():
            if task.done():
                task.result()  # a failure of the engine, not of a step
        due = self._machine.next_tick()
        patience = None if due is None else max(0.0, due - time.time())
        if self._locks:
            patience = LOCK_POLL if patience is None else min(patience, LOCK_POLL)
        waiters = [asyncio.ensure_future(self._wake.wait()), *self._tasks.values()]
        if not self._happened:
            await asyncio.wait(waiters, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        waiters[0].cancel()
        self._wake.clear()
        self._machine.tick()

    async def _stop_all(self) -> None:
        self._waiting.clear()
        await asyncio.gather(*(self._pods.stop(name) for name in self._tasks), return_exceptions=True)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._pods.settle()
        self._sync()
        for holder in ("", *self._machine.nodes):
            self._mutexes.release(holder)


class _Watch:
    """Tells the runner what becomes of the containers of one attempt of the node *pod*."""

    def __init__(self, runner: Runner, pod: str, number: int) -> None:
        self._runner = runner
        self._pod = pod
        self._number = number

    def started(self, member: PodContainer, running: Running) -> None:
        """The process of *member* runs; one that is tried again takes the place of the one before."""
        node = member.node(self._pod)
        attempt = self._runner.known_attempt(node, self._number) or Attempt(node, self._number, time.time())
        attempt.pid, attempt.start_time = running.pid, running.start_time
        self._runner.container_started(self._pod, attempt)

    def ready(self) -> None:
        """The pod is up."""
        self._runner.pod_ready(self._pod)

    def ended(self, member: PodContainer, end: End) -> None:
        """*member* has ended for good. What a container by itself ends with is its pod's end."""
        if not member.apart:
            return
        node = member.node(self._pod)
        attempt = self._runner.known_attempt(node, self._number)
        if attempt:
            attempt.finished, attempt.code = time.time(), end.code
        phase = Phase.SUCCEEDED if not end.code else Phase.ERROR if end.code == NOT_STARTED else Phase.FAILED
        message = message_of(member.name, end) if end.code else ""
        self._runner.container_ended(effects.ContainerChange(node, phase, message), attempt)


def _next_numbers(attempts: dict[tuple[str, int], Attempt]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for node, number in attempts:
        numbers[node] = max(numbers.get(node, 0), number + 1)
    return numbers
