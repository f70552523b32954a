"""The layout of the environment repo, and the order in which a model passes its environments. Pure functions."""

STAGING, PRODUCTION = "staging", "production"
ENVIRONMENTS = (STAGING, PRODUCTION)
"""In the order in which a model passes them."""
BUNDLE_SIGNATURE, EVIDENCE_SIGNATURE = "bundle.sig", "evidence.sig"
VERIFYING_KEYS = "keys/signing.pub.pem"
"""Path of our public keys."""
SIGNATURES = {BUNDLE_SIGNATURE, EVIDENCE_SIGNATURE}
"""Committed beside the evidence, and never part of what they sign."""


def folder(model: str, environment: str) -> str:
    """The folder of *model* in *environment*."""
    return f"models/{model}/{environment}"


def version_path(model: str, environment: str) -> str:
    """The file that says which model *environment* serves."""
    return f"{folder(model, environment)}/version.yaml"


def evidence_folder(model: str, environment: str) -> str:
    """The folder of the evidence for that version, signatures included."""
    return f"{folder(model, environment)}/evidence"


def evidence_path(model: str, environment: str) -> str:
    """The file with the figures by which that version may be served."""
    return f"{evidence_folder(model, environment)}/evidence.json"


def policy_path(model: str) -> str:
    """The gates of *model*."""
    return f"policies/{model}.yaml"


def overrides_path(model: str) -> str:
    """The file that says which gates *model* may go past, by whose word and until when."""
    return f"policies/overrides/{model}.yaml"


def is_policy(path: str) -> bool:
    """True where the file *path* holds the gates of a model."""
    folder, _, name = path.rpartition("/")
    return folder == "policies" and name.endswith(".yaml")


def merging_path(environment: str) -> str:
    """The rules by which requests for *environment* merge by themselves."""
    return f"clusters/{environment}/merging.yaml"


def values_path(model: str) -> str:
    """The values of *model* that all environments share."""
    return f"models/{model}/values.yaml"


def server_path(environment: str) -> str:
    """The file that names the server's image in *environment*, for versions that name none."""
    return f"clusters/{environment}/server.yaml"


def second_path(model: str, environment: str) -> str:
    """The file that says which second version *environment* has beside the one it serves; absent where it has none."""
    return f"{folder(model, environment)}/second.yaml"


def rejected_path(model: str, model_digest: str) -> str:
    """The file that says why a model was taken out of service. One file a model, so that two of them never conflict."""
    return f"models/{model}/rejected/{model_digest.removeprefix('sha256:')}.txt"


def retired_path(model: str, environment: str) -> str:
    """The file that says which model *environment* served when *model* was retired there, and why; it takes the version file's place."""
    return f"{folder(model, environment)}/retired.yaml"


def hold_path(model: str, model_digest: str | None = None) -> str:
    """The file that says why nothing of *model* may be deleted, or why not what has *model_digest*: a legal hold."""
    return f"models/{model}/holds/{model_digest.removeprefix('sha256:') if model_digest else 'all'}.txt"


def served_paths(model: str, environment: str) -> tuple[str, str]:
    """The file and the folder that say what *environment* serves, and why."""
    return version_path(model, environment), evidence_folder(model, environment)


def following(environment: str) -> str | None:
    """The environment after *environment*, or None after the last."""
    position = ENVIRONMENTS.index(environment) + 1
    return ENVIRONMENTS[position] if position < len(ENVIRONMENTS) else None


def preceding(environment: str) -> str | None:
    """The environment before *environment*, or None before the first."""
    position = ENVIRONMENTS.index(environment)
    return ENVIRONMENTS[position - 1] if position else None


def retirement(content: bytes) -> str:
    """When, by whom and why a model was retired, in one line, from the content of :func:`retired_path`."""
    first = content.decode(errors="replace").partition("\n")[0]
    return " ".join(first.lstrip("#").split())[:1000] if first.startswith("#") else "nobody wrote down why"


def rejection(content: bytes | None) -> str | None:
    """Why a model was taken out of service, in one line, from the content of :func:`rejected_path`; None where it was not."""
    if content is None:
        return None
    return " ".join(content.decode(errors="replace").split()) or "no reason given"
