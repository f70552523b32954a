"""Runs the worker processes of a server, and answers for them where nobody but operators ask: health and metrics of all together."""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from argosy import scratch
from argosy.serving import listeners, operations
from argosy.serving.server_metrics import SupervisorMetrics
from argosy.serving.supervisor import Supervisor
from argosy.serving.worker_board import BoardLifecycle, BoardMetrics


@dataclass(frozen=True)
class Sockets:
    """Where a server listens."""

    listener: socket.socket
    operations: socket.socket | None = None
    """A second port for health and metrics; None: on the listener only."""
    grpc: str | None = None
    """The address for gRPC, which is listened on later; None: not at all."""


def run(
    command: Sequence[str], workers: int, sockets: Sockets, hold: Callable[[Supervisor], None] = lambda _: None
) -> int:
    """Serve by *workers* processes that *command* starts; returns the exit code. *hold* is given the supervisor before it begins."""
    words = [] if sockets.grpc is None else ["--grpc-port", sockets.grpc.rpartition(":")[2]]
    with scratch.folder("workers") as folder, ExitStack() as stack:
        metrics = SupervisorMetrics()
        made = Supervisor([*command, *words], workers, folder, sockets.listener, restarted=metrics.restarted)
        if sockets.operations is not None:
            app = operations.build_app(BoardMetrics(made.board, metrics), BoardLifecycle(made.board))
            stack.enter_context(listeners.beside(app, sockets.operations, lambda _: None))
        hold(made)
        return made.run()
