"""``python -m argosy.serving.log_shipper SPOOL STORE``: ship what servers log on this machine. A server starts it, and ends it."""

import os
import sys
from pathlib import Path

from argosy import errors, network, wiring


def main() -> None:
    """Ship until whoever started it is gone."""
    spool, store = sys.argv[1:]
    try:
        network.prepare(os.environ)
    except errors.ArgosyError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    wiring.ship_spool(Path(spool), store)


if __name__ == "__main__":
    main()
