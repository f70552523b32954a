"""Checks a whole workflow as Argo's ``validate.Workflow`` does: from the entrypoint, from the exit handler, then every template.

The order matters: a variable exported with ``globalName`` is known to what is looked at after the template that exports it.
"""

from collections.abc import Mapping

from argosy.engine.manifest import claims, resources
from argosy.engine.manifest.catalogue import WORKFLOW, Catalogue, Owner, UnknownTemplate
from argosy.engine.manifest.model import Arguments, Caller, DagTemplate, Hook, Spec, Task, Template
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import Json, is_resource_name
from argosy.engine.validation import call_rules, dag_rules, names, placeholders, templates, variables
from argosy.engine.validation.refusals import Refusal

SHUTDOWNS = ("Stop", "Terminate")
COLLECTED = ("OnWorkflowCompletion", "OnWorkflowDeletion", "Never", "")


def check(catalogue: Catalogue, arguments: Json, metadata: Json, *, where: str) -> None:
    """Raise Misconfigured, naming the file *where*, where Argo would refuse the workflow."""
    try:
        Validation(catalogue, arguments, metadata).run()
    except Refusal as refusal:
        raise refusal.of_file(where) from None


class Validation:
    """One look at one workflow."""

    def __init__(self, catalogue: Catalogue, arguments: Json, metadata: Json) -> None:
        self._catalogue = catalogue
        self._arguments = Arguments(arguments)
        self._spec = catalogue.workflow
        self._globals = variables.of_workflow(self._arguments, ObjectMeta(metadata), self._spec)
        self._values = {f"workflow.parameters.{entry.name}": entry.value or "" for entry in self._arguments.parameters}
        self._done: set[tuple[Owner, str]] = set()

    def run(self) -> None:
        """Look at everything."""
        spec = self._spec
        names.check_each(spec.templates, "spec.templates", of_values=False)
        call_rules.check_arguments(self._arguments, "spec.arguments")
        if not spec.entrypoint:
            raise Refusal("spec.entrypoint", "is required; or say which template to start with --entrypoint")
        if spec.parallelism is not None and spec.parallelism < 1:
            raise Refusal("spec.parallelism", "must be at least 1")
        _check_claims(spec)
        _check_collection(spec)
        if spec.shutdown not in ("", *SHUTDOWNS):
            raise Refusal("spec.shutdown", f"{spec.shutdown!r} is not one of {', '.join(SHUTDOWNS)}")
        self._check_start(Caller({"template": spec.entrypoint}), "spec.entrypoint")
        call_rules.check_hooks(spec, "spec")
        self._globals.add("workflow.failures")
        if handler := spec.exit_handler:
            self._check_start(handler, "spec.onExit" if spec.on_exit else "spec.hooks.exit")
        for template in spec.templates:
            self._check_template(template.name, WORKFLOW)

    def _check_start(self, caller: Caller, where: str) -> None:
        called, owner = self._called(caller, WORKFLOW, where)
        arguments = caller.arguments if caller.arguments.written else self._arguments
        call_rules.check_given(called, arguments, where)
        self._check_template(called.name, owner, self._inputs(called, arguments))
        self._globals |= variables.exported_by(called)

    def _inputs(self, called: Template, arguments: Arguments) -> dict[str, str]:
        """The values that the inputs of *called* have where it is given *arguments*."""
        given = {entry.name: entry.value for entry in arguments.parameters}
        values = {}
        for entry in called.inputs.parameters:
            found = (given.get(entry.name), entry.value, entry.default)
            value = next((value for value in found if value is not None), None)
            if value is not None:
                values[f"inputs.parameters.{entry.name}"] = placeholders.replaced(value, self._values)
        return values

    def _called(self, caller: Caller, owner: Owner, where: str) -> tuple[Template, Owner]:
        try:
            return self._catalogue.resolve(caller, owner)
        except UnknownTemplate as unknown:
            raise Refusal(where, str(unknown)) from None

    def _check_template(self, name: str, owner: Owner, inputs: Mapping[str, str] | None = None) -> None:
        if (owner, name) in self._done:
            return
        self._done.add((owner, name))
        template, _ = self._called(Caller({"template": name}), owner, "spec.templates")
        try:
            self._check_body(template, owner, inputs or {})
        except Refusal as refusal:
            placed = refusal.at(self._place(name, owner))
            raise Refusal(placed.where, placed.what, whole=True) from None

    def _place(self, name: str, owner: Owner) -> str:
        position = [template.name for template in self._catalogue.templates(owner)].index(name)
        return (
            f"spec.templates[{position}]" if owner == WORKFLOW else f"{owner[0]} {owner[1]} spec.templates[{position}]"
        )

    def _check_body(self, template: Template, owner: Owner, inputs: Mapping[str, str]) -> None:
        """*inputs*: the values of those that are known."""
        unknown = placeholders.standing_in(variables.of_inputs(template) | self._globals)
        known = {**unknown, **self._values, **inputs}
        try:
            self._check_settled(Template(placeholders.settled(template.written, known)), owner)
        except Refusal as refusal:
            raise Refusal(refusal.where, placeholders.restored(refusal.what, known), whole=refusal.whole) from None

    def _check_settled(self, template: Template, owner: Owner) -> None:
        templates.check(template)
        scope = variables.of_inputs(template)
        if template.kind == "dag":
            scope |= self._check_dag(template.dag, scope, owner)
        elif template.kind == "steps":
            scope |= self._check_steps(template.steps, scope, owner)
        else:
            scope |= variables.of_leaf(template)
            variables.check(template.written, scope | self._globals, "")
        variables.check(template.outputs.written, scope | self._globals, "outputs")

    # Calls

    def _check_call(self, call: Task, owner: Owner, where: str) -> Template:
        """The template that a task or step calls, looked at itself. Raises Refusal where it cannot be called like this."""
        reference = call.written.get("templateRef")
        if reference and call.template:
            raise Refusal(f"{where}.template", "cannot be specified with templateRef")
        if reference and "{{" in str(reference):
            return Template({})  # known only when it runs
        if not (call.template or reference or call.inline.written):
            raise Refusal(f"{where}.template", "is required")
        called, called_owner = self._called(call, owner, f"{where}.template")
        if call.inline.written:
            self._check_inline(called, owner, f"{where}.inline")
        else:
            self._check_template(called.name, called_owner)
        call_rules.check_arguments(call.arguments, f"{where}.arguments")
        call_rules.check_hooks(call, where)
        call_rules.check_loop(call, where)
        call_rules.check_given(called, call.arguments, where)
        if handler := call.exit_handler:
            self._check_handler(handler, owner, f"{where}.onExit")
        return called

    def _check_handler(self, handler: Hook, owner: Owner, where: str) -> None:
        called, called_owner = self._called(handler, owner, where)
        self._check_template(called.name, called_owner)

    def _check_inline(self, template: Template, owner: Owner, where: str) -> None:
        try:
            self._check_body(template, owner, {})
        except Refusal as refusal:
            raise refusal.at(where) from None

    def _check_dag(self, dag: DagTemplate, scope: set[str], owner: Owner) -> set[str]:
        tasks = dag.tasks
        if not tasks:
            raise Refusal("dag.tasks", "must have at least one task")
        names.check_each(tasks, "dag.tasks", of_values=False)
        try:
            ancestors = dag_rules.check(tasks, dag.target)
        except Refusal as refusal:
            raise refusal.at("dag" if refusal.where == "target" else "dag.tasks") from None
        called = {}
        for position in _in_order(tasks, ancestors):
            task = tasks[position]
            called[task.name] = self._check_call(task, owner, f"dag.tasks[{position}]")
        outputs = set()
        for task in tasks:
            outputs |= variables.of_call("tasks", task.name, called[task.name], loop=_is_loop(task))
            outputs |= {f"tasks.{task.name}.status"} if task.hooks else set()
            self._globals |= variables.exported_by(called[task.name])
        for position, task in enumerate(tasks):
            known = scope | outputs | self._globals | variables.of_items(task)
            known |= {f"tasks.{name}.status" for name in ancestors[task.name]}
            _check_references(task, known, ancestors[task.name], f"dag.tasks[{position}]")
        return outputs

    def _check_steps(self, groups: list[list[Task]], scope: set[str], owner: Owner) -> set[str]:
        outputs: set[str] = set()
        seen: set[str] = set()
        for row, group in enumerate(groups):
            for column, step in enumerate(group):
                where = f"steps[{row}][{column}]"
                name = step.name
                _check_name(name, f"{where}.name")
                if name in seen:
                    raise Refusal(f"{where}.name", f"{name!r} is not unique")
                seen.add(name)
                called = self._check_call(step, owner, where)
                outputs.add(f"steps.{name}.status")
                own = variables.of_call("steps", name, called, loop=_is_loop(step))
                known = scope | outputs | self._globals | variables.of_items(step)
                known |= own if step.exit_handler else set()
                variables.check(_without_inline(step), known, where)
                outputs |= own
                self._globals |= variables.exported_by(called)
        return outputs


def _check_name(step: str, where: str) -> None:
    """Raise Refusal where *step* is no name of a step, whatever the variables in it come to."""
    try:
        names.check(placeholders.without(step), where)
    except Refusal as refusal:
        raise Refusal(refusal.where, refusal.what.replace(repr(placeholders.without(step)), repr(step))) from None


def _check_collection(spec: Spec) -> None:
    """Raise Refusal where nobody knows when artifacts are to be deleted."""
    artifacts = ((where, artifact.gc) for where, artifact in resources.locations(spec.written, "spec"))
    for where, gc in (("spec", spec.artifact_gc), *artifacts):
        if gc.strategy not in COLLECTED:
            raise Refusal(
                f"{where}.artifactGC.strategy",
                f"{gc.strategy!r} is not one of {', '.join(filter(None, COLLECTED))}",
            )


def _check_claims(spec: Spec) -> None:
    for position, template in enumerate(spec.volume_claim_templates):
        where = f"spec.volumeClaimTemplates[{position}].metadata.name"
        if not template.metadata.name:
            raise Refusal(where, "is required")
        if not is_resource_name(template.metadata.name):
            raise Refusal(where, "has lower case letters, digits and '-'")
    strategy = spec.volume_claim_gc.strategy
    if strategy and strategy not in claims.STRATEGIES:
        raise Refusal("spec.volumeClaimGC.strategy", f"{strategy!r} is not one of {', '.join(claims.STRATEGIES)}")


def _check_references(task: Task, known: set[str], ancestors: list[str], where: str) -> None:
    variables.check(_without_inline(task), known, where)
    given = task.arguments
    referring = [
        ("parameters", position, "value", entry.value or "") for position, entry in enumerate(given.parameters)
    ]
    referring += [("artifacts", position, "from", entry.source) for position, entry in enumerate(given.artifacts)]
    for plural, position, source, text in referring:
        name = text.split(".")[1] if text.startswith("{{tasks.") else None
        if name is not None and name not in ancestors:
            place = f"{where}.arguments.{plural}[{position}].{source}"
            raise Refusal(place, f"refers to the task {name!r}, on which this one does not depend")


def _without_inline(task: Task) -> Json:
    return {key: value for key, value in task.written.items() if key != "inline"}


def _is_loop(task: Task) -> bool:
    return bool(task.with_items or task.with_param)


def _in_order(tasks: list[Task], ancestors: dict[str, list[str]]) -> list[int]:
    """The positions of *tasks*, each after those it depends on, as the controller sorts them."""
    return sorted(range(len(tasks)), key=lambda position: (len(ancestors[tasks[position].name]), position))
