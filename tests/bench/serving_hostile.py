"""The model server among callers who mean it ill: wrong requests over HTTP and gRPC, a thousand silent connections, and slow senders.

    python tests/bench/serving_hostile.py [--requests N] [--seed N] [--connections N]

Everything is on: access, limits, log, metrics. Prints how the requests ended and what the server's memory did, and ends 1 where an answer
is a failure of the server's (500, INTERNAL), a connection was cut that should have been answered, its log holds a traceback, memory grew by
more than MOST_MIB after the first fifth, whoever behaves is not answered meanwhile, or a slow sender is still connected at the end.
"""

import argparse
import collections
import contextlib
import http.client
import random
import resource
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
import serving
import serving_soak

from argosy.serving import grpc_messages
from kit import hostile_requests
from kit.model_server import free_port

REQUESTS, CALLERS, CONNECTIONS, MOST_MIB = 50_000, 4, 1_000, 24.0
SLOW_SECONDS = 30.0
"""Beyond every limit of the server's on senders: 10 s for headers, 15 for a body."""
CALL = f"/{grpc_messages.SERVICE}/ModelInfer"
Ends = "collections.Counter[str]"


def ask(port: int, head: dict[str, str], chance: random.Random, count: int, ends: Ends) -> None:
    """*count* requests over HTTP, one connection after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for _ in range(count):
        make = chance.choice([hostile_requests.any_body, hostile_requests.worse_body])
        path, body, more = make(chance)
        try:
            connection.request("POST", path, body, {**head, **more})
            reply = connection.getresponse()
            reply.read()
            ends[f"HTTP {reply.status}"] += 1
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            ends[f"HTTP cut: {type(error).__name__}"] += 1
    connection.close()


def call(port: int, head: dict[str, str], chance: random.Random, count: int, ends: Ends) -> None:
    """*count* calls over gRPC."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        method = channel.unary_unary(CALL)
        brought = tuple((name.lower(), value) for name, value in head.items())
        for _ in range(count):
            try:
                method(hostile_requests.any_message(chance), timeout=120, metadata=brought)
                ends["gRPC OK"] += 1
            except grpc.RpcError as error:
                ends[f"gRPC {error.code().name}"] += 1  # type: ignore[attr-defined]


def wrong_frames(port: int, chance: random.Random, count: int) -> None:
    """*count* connections to the gRPC port that speak HTTP/2 wrongly, or something else."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line, contextlib.suppress(OSError):
            start = chance.choice([preface + b"\0\0\0\4\0\0\0\0\0", preface, b"GET / HTTP/1.1\r\n\r\n", b""])
            line.sendall(start + b"".join(_frame(chance) for _ in range(chance.randrange(20))) + chance.randbytes(9))


def _frame(chance: random.Random) -> bytes:
    payload = chance.randbytes(chance.choice([0, 1, 4, 5, 8, 100]))
    length = chance.choice([len(payload)] * 9 + [2**24 - 1])
    stream = chance.choice([0, 1, 2, 3, 2**31 - 1])
    return (
        length.to_bytes(3, "big")
        + bytes([chance.randrange(12), chance.randrange(256)])
        + stream.to_bytes(4, "big")
        + payload
    )


def slow_senders(port: int) -> list[socket.socket]:
    """Connections in the middle of headers, of a body, and silent behind a first request."""
    begun = [
        b"POST /v1/models/leaving:predict HTTP/1.1\r\nHost: h\r\nContent-Le",
        b"POST /v1/models/leaving:predict HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{",
        b"",
    ]
    made = []
    for text in begun * 5:
        made.append(socket.create_connection(("127.0.0.1", port)))
        made[-1].sendall(text)
    return made


def still_open(lines: list[socket.socket]) -> int:
    """The number of *lines* that the server has not ended; waits for no more than SLOW_SECONDS of all."""
    until, left = time.monotonic() + SLOW_SECONDS, 0
    for line in lines:
        line.settimeout(max(until - time.monotonic(), 0.01))
        with contextlib.suppress(ConnectionError), line:
            try:
                while line.recv(4096):
                    pass
            except TimeoutError:
                left += 1
    return left


def hostile(ports: tuple[int, int], head: dict[str, str], requests: int, seed: int, ends: Ends) -> None:
    """*requests* of them, over HTTP and gRPC, from CALLERS callers of each."""
    share = requests // (2 * CALLERS)
    threads = []
    for place in range(CALLERS):
        for offset, work, port in ((0, ask, ports[0]), (1, call, ports[1])):
            chance = random.Random(seed * 1_000 + 2 * place + offset)
            threads.append(threading.Thread(target=work, args=(port, head, chance, share, ends)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong_frames(ports[1], random.Random(seed), requests // 100)


def main() -> None:
    """Ask, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ends: Ends = collections.Counter()
    beside = free_port()
    with tempfile.TemporaryDirectory() as folder:
        rules, head = serving.access(Path(folder))
        words = ("--access", str(rules), "--grpc-port", str(beside))
        with (
            (Path(folder) / "log").open("w+", encoding="utf-8") as log,
            serving.serving(serving.SOURCE, Path(folder) / "home", words=words, errors=log) as (pid, port),
        ):
            ports = port, beside
            hostile(ports, head, given.requests // 5, given.seed, ends)
            warm = serving_soak.resident(pid)
            silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(given.connections)]
            behaves = serving.load(port, serving.works()["V1, 1 row"], head)
            slow = slow_senders(port)
            hostile(ports, head, given.requests - given.requests // 5, given.seed + 1, ends)
            left = still_open(slow)
            for line in silent:
                line.close()
            grown = (serving_soak.resident(pid) - warm) / 1024
        told = (Path(folder) / "log").read_text(encoding="utf-8")
    faults = [end for end in ends if end.startswith(("HTTP 5", "HTTP cut", "gRPC INTERNAL", "gRPC UNKNOWN"))]
    print(f"{sum(ends.values())} requests: {dict(sorted(ends.items()))}")
    print(f"memory {grown:+.1f} MiB behind the first fifth ({warm / 1024:.0f} MiB); at most {MOST_MIB:g} may be")
    print(
        f"beside {given.connections} silent connections {behaves} good requests were answered; {left} of {len(slow)} slow senders are left"
    )
    print(f"tracebacks in the log: {told.count('Traceback')}; faults: {faults}")
    sys.exit(bool(faults or left or not behaves or "Traceback" in told or grown > MOST_MIB))


if __name__ == "__main__":
    main()
