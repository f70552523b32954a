"""The items of a loop, each kept as the JSON it was written in, as in Argo's own type for one.

What an object or a list holds is handed on as it stands there: ``{{item.text}}`` of ``{"text": "say \\"hi\\""}`` keeps the backslashes, and
a number of ``withParam`` the digits it was written with. Only an item that is itself a text is read.
"""

import json
from dataclasses import dataclass

from argosy.engine.expressions import json_text, values


@dataclass(frozen=True)
class Item:
    """One item. *raw*: its JSON, without blanks, with the characters escaped that HTML minds."""

    raw: str

    def shown(self) -> str:
        """The value of ``{{item}}``."""
        if self.raw.startswith('"'):
            return str(json.loads(self.raw))
        if self.raw.startswith("{"):
            pairs = sorted(json_text.members(self.raw).items())
            return "{" + ",".join(f"{json_text.of_struct(key)}:{raw}" for key, raw in pairs) + "}"
        return self.raw

    def members(self) -> dict[str, str]:
        """The values of ``{{item.KEY}}``, by key."""
        if not self.raw.startswith("{"):
            return {}
        return {key: Item(raw).written() for key, raw in json_text.members(self.raw).items()}

    def name(self) -> str:
        """The item in the name of its node."""
        if self.raw.startswith("{"):
            text = ",".join(sorted(f"{key}:{value}" for key, value in self.members().items()))
        elif self.raw.startswith("["):
            text = f"[{' '.join(Item(raw).written() for raw in json_text.entries(self.raw))}]"
        else:
            text = "[]" if self.raw == "null" else self.written()
        return text.replace("(", "").replace(")", "")

    def written(self) -> str:
        """Its JSON, a text without its quotation marks; what a text escapes stays escaped."""
        text = self.raw[1:-1] if self.raw.startswith('"') else self.raw
        for char, escape in _HTML:
            text = text.replace(escape, char)
        return text


_HTML = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))


def of_value(value: object) -> Item:
    """The item that *value* of a manifest is: an API server has written it anew, its keys in order."""
    return Item(values.to_json(value))


def of_list(text: str) -> list[Item]:
    """The items of the JSON list *text*, each as it is written there. Raises ValueError, in Go's words, where it is none."""
    found = json_text.read(text, parse_int=float)
    if found is not None and not isinstance(found, list):
        raise ValueError(f"json: cannot unmarshal {json_text.kind(found)} into Go value of type []v1alpha1.Item")
    return [Item(raw) for raw in json_text.entries(json_text.compact(text))] if found else []
