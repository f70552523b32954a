"""Whether the model server's memory grows: its resident memory over many requests, plain and wrong ones, and the slope of it.

    python tests/bench/serving_soak.py [--requests N]

The first tenth warms it up. Prints the memory at each tenth, and the slope over the rest by least squares; ends 1 above 2 KiB a thousand
requests, which would be 5 GiB in a month at a thousand a second.
"""

import argparse
import http.client
import json
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import serving

CONNECTIONS, PARTS, MOST = 8, 20, 2.0


def resident(pid: int) -> float:
    """KiB of process *pid* in memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


def ask(port: int, count: int, bodies: list[serving.Work]) -> None:
    """*count* requests over one connection, each body in turn."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for place in range(count):
        path, body = bodies[place % len(bodies)]
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    connection.close()


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    share = parser.parse_args().requests // (PARTS * CONNECTIONS)
    works = serving.works()
    path, body = works["V1, 1 row"]
    wrong = json.dumps({"instances": [{**json.loads(body)["instances"][0], "tenur": 1}]}).encode()
    plain = [works[name] for name in ("V1, 1 row", "V2, 1 row")] * 8
    bodies = [*plain, works["V1, 100 rows"], (path, wrong), (path, b"{")]
    found: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(__file__).parents[2] / "src"
        with serving.serving(source, Path(scratch) / "home", ARGOSY_PREDICTIONS_SHIP_SECONDS="5") as (pid, port):
            for part in range(PARTS):
                threads = [threading.Thread(target=ask, args=(port, share, bodies)) for _ in range(CONNECTIONS)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                found.append(resident(pid))
                print(f"{(part + 1) * share * CONNECTIONS:8} requests {found[-1] / 1024:8.1f} MiB", flush=True)
    rest = found[PARTS // 10 :]
    slope = float(np.polyfit(np.arange(len(rest)) * share * CONNECTIONS / 1000, rest, 1)[0])
    print(f"slope: {slope:.2f} KiB a thousand requests; at most {MOST:g} may be")
    sys.exit(slope > MOST)


if __name__ == "__main__":
    main()
