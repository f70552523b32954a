"""A fused pod as an Argo container set: a container for each step, one after the other, and ``main``, by which Argo takes the outputs.

Each container waits for all before it, in their order, so that whichever fails is the one that the others, and with them Argo's messages,
name. ``main`` does nothing and comes last: the outputs are in a volume, and no step has to be called ``main`` in a message.
"""

from collections.abc import Mapping, Sequence

from hera.workflows import Artifact, ContainerNode, ContainerSet, Env, Parameter
from hera.workflows import models as argo

from argosy.domain.model_settings import StepResources
from argosy.steps import spec as specs
from argosy.templates import container_templates
from argosy.templates.fusing import FusedStep, Fusion, inputs_of

MAIN = "main"
# Of a pod of several containers the exit code is main's, which is 64 where it had to give up. The failed step's own is in the message:
# `validate: Error (exit code 75)`, or `main: Error (exit code 64): dependency "validate" exited with non-zero code: 75`.
# Where it is main's own, nothing is left of why: one more attempt tells.
OF_MEMBER = r'lastRetry.message matches "code:? (75|137|143)\\b"'
RETRYABLE = f'({container_templates.ENDED_OTHERWISE} or {OF_MEMBER}) and not (lastRetry.message matches "OOMKilled")'
IDLE = argo.ResourceRequirements(
    requests=container_templates.quantities({"cpu": "10m", "memory": "16Mi"}),
    limits=container_templates.quantities({"cpu": "100m", "memory": "128Mi"}),
)
MEBI = 1024**2
UNITS = {"": 1, "k": 1e3, "Ki": 1024, "M": 1e6, "Mi": MEBI, "G": 1e9, "Gi": 1024**3}


def of(
    fusion: Fusion, *, images: Mapping[str, str], resources: Mapping[str, StepResources], mutex: str | None
) -> ContainerSet:
    """The template of *fusion*. *images*: by step; *resources*: by step, defaults elsewhere; *mutex*: see ``containers.container``."""
    own = {step.name: resources.get(step.name, StepResources()) for step in fusion.specs}
    kept = _shares(list(own.values()))
    names = list(own)
    return ContainerSet(
        name=fusion.name,
        annotations={
            **{
                f"{container_templates.PRELOAD}.{step.name}": ",".join(step.preload)
                for step in fusion.specs
                if step.preload
            },
            **container_templates.reads(fusion.specs),
        },
        inputs=[*_parameters(fusion.members), *_artifacts(fusion.members)],
        outputs=container_templates.outputs(fusion.specs),
        containers=[
            *(
                _node(member, images[member.spec.name], own[name], kept[at], names[:at])
                for at, (name, member) in enumerate(zip(names, fusion.members, strict=True))
            ),
            _main(images[names[-1]], names),
        ],
        volume_mounts=[argo.VolumeMount(name="files", mount_path=specs.ROOT)],
        active_deadline_seconds=sum(one.deadline_seconds for one in own.values()),
        retry_strategy=container_templates.retries(RETRYABLE),
        **container_templates.pod(fusion.specs, own[names[0]], mutex),
    )


def _node(
    member: FusedStep, image: str, resources: StepResources, kept: Mapping[str, str], after: Sequence[str]
) -> ContainerNode:
    return ContainerNode(
        name=member.spec.name,
        image=image,
        image_pull_policy=container_templates.pull_policy(image),
        command=container_templates.command(member.spec),
        dependencies=list(after) or None,
        env=container_templates.environment(member.spec, resources, image, member.handed),
        env_from=container_templates.environment_from(member.spec),
        resources=container_templates.requirements(resources, kept),
        security_context=container_templates.unprivileged(),
        volume_mounts=[_temporary(member.spec.name)],
    )


def _main(image: str, after: Sequence[str]) -> ContainerNode:
    return ContainerNode(
        name=MAIN,
        image=image,
        image_pull_policy=container_templates.pull_policy(image),
        command=["true"],
        dependencies=list(after),
        env=[Env(name="ARGOSY_ROOT", value=specs.ROOT)],
        resources=IDLE,
        security_context=container_templates.unprivileged(),
        volume_mounts=[_temporary(MAIN)],
    )


def _temporary(name: str) -> argo.VolumeMount:
    """A ``/tmp`` of the container's own, in the one volume that Argo gives all of a set."""
    return argo.VolumeMount(name="files", mount_path="/tmp", sub_path=f"tmp/{name}")  # noqa: S108


def _parameters(members: Sequence[FusedStep]) -> list[Parameter]:
    found = {
        parameter.name: parameter.default
        for member in members
        for parameter in member.spec.parameters
        if parameter.name in inputs_of(member)
    }
    return [container_templates.parameter(name, default) for name, default in found.items()]


def _artifacts(members: Sequence[FusedStep]) -> list[Artifact]:
    found: dict[str, bool] = {}
    for member in members:
        for artifact in member.spec.inputs:
            if artifact.name in inputs_of(member):
                found[artifact.name] = found.get(artifact.name, True) and artifact.optional
    return [
        Artifact(name=name, path=specs.input_path(name), optional=optional or None) for name, optional in found.items()
    ]


def _shares(resources: Sequence[StepResources]) -> list[dict[str, str]]:
    """The resource requests of each container. A cluster adds that up, though one runs at a time: together it is what the largest needs."""
    cores = [_millicores(one.cpu) for one in resources]
    memory = [_mebibytes(one.memory) for one in resources]
    return [
        {"cpu": f"{_share(cpu, cores)}m", "memory": f"{_share(amount, memory)}Mi"}
        for cpu, amount in zip(cores, memory, strict=True)
    ]


def _share(amount: int, of: Sequence[int]) -> int:
    return max(1, amount * max(of) // sum(of)) if sum(of) else 0


def _millicores(amount: str) -> int:
    return round(float(amount[:-1])) if amount.endswith("m") else round(float(amount) * 1000)


def _mebibytes(amount: str) -> int:
    unit = amount.lstrip("0123456789.")
    return round(float(amount.removesuffix(unit)) * UNITS[unit] / MEBI)
