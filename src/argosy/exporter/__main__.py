"""``python -m argosy.exporter``: what a container runs. The same as the verb ``argosy exporter``."""

import argparse
import os
import sys

from argosy import errors, network, telemetry
from argosy.exporter import command


def main() -> None:
    """Run and leave with the exit code."""
    os.environ.update(telemetry.OFF)  # before a client is imported that looks at it
    parser = argparse.ArgumentParser(prog="python -m argosy.exporter", description=command.__doc__)
    command.add_arguments(parser)
    try:
        network.prepare(os.environ)
        sys.exit(command.run(parser.parse_args()))
    except errors.ArgosyError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
