"""A manifest's objects by name."""

import pytest

from argosy.engine.manifest import artifact_model, model, pod_model, schema
from argosy.engine.manifest.manifest_object import Field, ManifestObject
from argosy.engine.manifest.model import Hooked, Task, Template

VIEWS = {
    view: None
    for module in (pod_model, artifact_model, model)
    for view in vars(module).values()
    if isinstance(view, type) and issubclass(view, ManifestObject) and view is not ManifestObject
}


def test_what_is_not_said() -> None:
    """Lists and objects that are not there are empty, texts too; a value is None, as an empty one is one."""
    template = Template({"inputs": {"parameters": [{"name": "a", "value": ""}, {"name": "b"}]}})
    assert [parameter.value for parameter in template.inputs.parameters] == ["", None]
    assert template.outputs.parameters == []
    assert (template.timeout, template.retry_strategy, template.dag.fail_fast) == ("", None, True)


@pytest.mark.parametrize("nothing", [{}, {"inputs": None, "outputs": {"parameters": None}, "retryStrategy": None}])
def test_what_is_null(nothing: dict[str, object]) -> None:
    """An API server drops what is null; here, too, it is as if it were not there."""
    template = Template(nothing)
    assert (template.inputs.artifacts, template.outputs.parameters, template.retry_strategy) == ([], [], None)


@pytest.mark.parametrize(
    ("written", "handler"),
    [
        pytest.param({"onExit": "a", "hooks": {"exit": {"template": "b"}}}, "b", id="a-hook-before-the-older-way"),
        pytest.param({"onExit": "a", "hooks": {"exit": {}}}, "a", id="an-empty-hook"),
        pytest.param({"hooks": {"early": {"template": "b"}}}, None, id="none"),
    ],
)
def test_exit_handlers(written: dict[str, object], handler: str | None) -> None:
    """There are two ways to write one."""
    found = Hooked(written).exit_handler
    assert (found and found.template) == handler


def test_a_loop_over_no_numbers_is_one() -> None:
    """``withSequence`` is a loop however little it says."""
    assert Task({"withSequence": {}}).is_loop
    assert not Task({"withItems": [], "withParam": ""}).is_loop


def test_a_field_that_no_class_declares() -> None:
    """It is an error where it is asked for, as with any attribute; and it is read but once."""
    task = Task({"name": "a"})
    with pytest.raises(AttributeError, match="no attribute 'nme'"):
        task.nme  # type: ignore[attr-defined]  # noqa: B018
    assert task.arguments is task.arguments


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_fields_are_those_of_the_schema(view: type[ManifestObject]) -> None:
    """A field that Argo does not have would be empty for ever."""
    types = [schema.TYPES[view.__name__]] if view.__name__ in schema.TYPES else schema.TYPES.values()
    known = {name for kind in types for name in (*kind.runs, *kind.ignored, *kind.refused)}
    fields = {field.key for base in view.__mro__ for field in vars(base).values() if isinstance(field, Field)}
    assert fields
    assert fields - known == set()
