"""Holds every `--json` that a test has a verb print against the verb's schema."""

import contextlib
import functools
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

Dispatch = Callable[[Sequence[str]], int]


class _Tee(io.TextIOBase):
    """Writes on to *stream*, and remembers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def held(dispatch: Dispatch) -> Dispatch:
    """*dispatch*, which fails where what a verb prints with ``--json`` is not of its shape."""

    @functools.wraps(dispatch)
    def checked(argv: Sequence[str]) -> int:
        if "--json" not in argv or "--json-schema" in argv:
            return dispatch(argv)
        with _remembered() as tee:
            code = dispatch(argv)
        _check([word for word in argv if not word.startswith("-")], tee.text)
        return code

    return checked


@contextlib.contextmanager
def _remembered() -> Iterator[_Tee]:
    stream = sys.stdout
    tee = _Tee(stream)
    sys.stdout = tee  # type: ignore[assignment]
    try:
        yield tee
    finally:
        sys.stdout = stream


def _check(words: list[str], text: str) -> None:
    from argosy.cli import json_outputs  # not before: most tests ask no verb for JSON

    name = json_outputs.name_of(words)
    assert name is not None, f"argosy {' '.join(words)} printed JSON and has no shape in cli.json_outputs"
    # Where a test has children of a verb run in its own process, their lines for people stand between.
    for line in text.splitlines():
        if line.startswith("{"):
            _schema(name).validate(json.loads(line))


@functools.cache
def _schema(name: str) -> Any:
    import jsonschema

    from argosy.cli import json_outputs

    return jsonschema.Draft202012Validator(json_outputs.schema(name))
