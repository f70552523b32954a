"""The shell round every step: inputs found, outputs named, failures turned into exit codes.

A step runs the same way in a container, under ``argosy run`` and by hand: parameters come from the environment (``ARGOSY_PARAMETER_*``) or
from the command line, files lie under ``$ARGOSY_ROOT``. What a step does with them is its ``run`` module's business.
"""

import argparse
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar

from argosy import errors, network
from argosy.domain import provenance, step_times
from argosy.domain.provenance import Provenance
from argosy.steps import spec as specs

Declared = TypeVar("Declared", specs.Artifact, specs.Result)

STARTTIME = 19
"""Of what stands behind the name in Linux' ``/proc/<pid>/stat``, field 22 of all: ticks from boot to the process' start."""
SIGTERM_EXIT = 128 + signal.SIGTERM
TERMINATION_MESSAGE = Path("/dev/termination-log")
"""Where a container leaves why it ended (Kubernetes' default ``terminationMessagePath``); only pods have it."""


class Step:
    """The inputs and outputs of one attempt of one step."""

    def __init__(self, spec: specs.StepSpec, *, root: Path, parameters: dict[str, str]) -> None:
        self.spec = spec
        self._root = root
        self._parameters = parameters

    def parameter(self, name: str) -> str:
        """The value of parameter *name*. Raises Misconfigured where it is neither given nor has a default."""
        declared = next(parameter for parameter in self.spec.parameters if parameter.name == name)
        value = self._handed(declared) or self._parameters.get(name, declared.default)
        if value is None:
            raise errors.Misconfigured(
                f"step {self.spec.name} has no value for parameter {name!r}: set {declared.variable} or pass --{name} VALUE"
            )
        return value

    def _handed(self, parameter: specs.Parameter) -> str | None:
        """The value that a step before this one in the same pod wrote."""
        path = os.environ.get(parameter.file_variable)
        return (self._root / path).read_text(encoding="utf-8") if path else None

    def provenance(self) -> Provenance:
        """The provenance of the run, from its environment. Raises Misconfigured where it was told something else."""
        return Provenance.from_text(os.environ.get(provenance.VARIABLE, ""))

    def input(self, name: str) -> Path:
        """The path of input artifact *name*. Raises Misconfigured where nothing lies there."""
        path = self.optional_input(name)
        if path is None:
            raise errors.Misconfigured(
                f"step {self.spec.name} has no input {name!r}: nothing at {self._input_path(name)}"
            )
        return path

    def optional_input(self, name: str) -> Path | None:
        """The path of input artifact *name*, or None where the run has none."""
        path = self._input_path(name)
        return path if path.exists() else None

    def output(self, name: str) -> Path:
        """The path to write output artifact *name* to; its parent exists, itself it does not."""
        _declared(name, self.spec.outputs)
        path = Path(specs.output_path(name, str(self._root)))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def result(self, name: str, value: str) -> None:
        """Hand over the short output value *name*."""
        _declared(name, self.spec.results)
        path = Path(specs.result_path(name, str(self._root)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value, encoding="utf-8")

    def _input_path(self, name: str) -> Path:
        declared = _declared(name, self.spec.inputs)
        if handed := os.environ.get(declared.variable):
            return self._root / handed
        return Path(specs.input_path(name, str(self._root)))


def main(spec: specs.StepSpec, body: Callable[[Step], None], argv: Sequence[str] | None = None) -> NoReturn:
    """Run *body* as the process that this is, and leave with the exit code that its outcome has."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(_outcome(spec, body, argv))


def _outcome(spec: specs.StepSpec, body: Callable[[Step], None], argv: Sequence[str] | None) -> int:
    began = time.time() - _age()
    try:
        network.prepare(os.environ)
        step = _step(spec, argv)
        body(step)
        _tell_time(step, began)
    except errors.ArgosyError as error:
        _tell(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    except OSError as error:
        if not errors.is_disk_full(error):
            _leave(_named(error))
            raise
        _tell(f"error: {_disk_message(spec, error)}")
        return errors.LocalDisk.exit_code
    except Exception as error:
        _leave(_named(error))
        raise
    return errors.DONE


def _tell_time(step: Step, began: float) -> None:
    """Hand the step's time on, after that of the steps before it that it was told, where its spec says so."""
    spec, own = step.spec, specs.spent(step.spec.name)
    if own not in spec.results:
        return
    before = step_times.parse(step.parameter(specs.SPENT.name)) if specs.SPENT in spec.parameters else []
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    mine = step_times.StepTime(
        step=spec.name, began=round(began, 3), ended=round(max(began, time.time()), 3), cpu=round(cpu, 3)
    )
    step.result(own.name, step_times.text([*before, mine]))


def _age() -> float:
    """Seconds since this process began, its imports among them; 0 where the system does not tell."""
    try:
        began = float(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[STARTTIME])
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK"))
    except (OSError, AttributeError):
        return 0.0


def _tell(why: str) -> None:
    """Say why the step ends, in its log and, in a pod, where whoever looks at the workflow reads it."""
    print(why, file=sys.stderr)  # noqa: T201 - the step's log is its standard error
    _leave(why)


def _leave(why: str) -> None:
    """Leave *why* to Kubernetes, if this is a pod: Argo puts it into the message of the node."""
    if os.access(TERMINATION_MESSAGE, os.W_OK):
        TERMINATION_MESSAGE.write_text(why, encoding="utf-8")


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _step(spec: specs.StepSpec, argv: Sequence[str] | None) -> Step:
    parser = argparse.ArgumentParser(prog=f"python -m {spec.module}", description=spec.summary)
    parser.add_argument(
        "--root", default=os.environ.get("ARGOSY_ROOT", specs.ROOT), help="folder of in/, out/ and results/"
    )
    for parameter in spec.parameters:
        given = os.environ.get(parameter.variable)
        parser.add_argument(f"--{parameter.name}", default=given, help=f"{parameter.summary} [{parameter.variable}]")
    arguments = vars(parser.parse_args(argv))
    values = {parameter.name: arguments[parameter.name.replace("-", "_")] for parameter in spec.parameters}
    return Step(
        spec,
        root=Path(arguments["root"]),
        parameters={name: value for name, value in values.items() if value is not None},
    )


def _declared(name: str, among: Sequence[Declared]) -> Declared:
    found = next((one for one in among if one.name == name), None)
    if found is None:
        raise LookupError(f"the step's spec does not declare {name!r}")
    return found


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    # An exception, not os._exit: temporary files are removed on the way out.
    sys.exit(SIGTERM_EXIT)


def _disk_message(spec: specs.StepSpec, error: OSError) -> str:
    where = f" at {error.filename}" if error.filename else ""
    return f"step {spec.name} cannot write{where}: {error.strerror}. Free space there, then `argosy resume`."
