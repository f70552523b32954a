"""The images of an installation: found wherever manifests name them, and called alike in a mirror."""

import pytest

from argosy.domain import image_list
from argosy.domain.image_list import NeededImage

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        pytest.param({"containers": [{"image": "a/b:1"}, {"image": "c"}]}, ["a/b:1", "c"], id="containers"),
        pytest.param({"args": ["--executor-image", "quay.io/a/exec:v1"]}, ["quay.io/a/exec:v1"], id="an-option"),
        pytest.param(
            {"args": ["--executor-image=quay.io/a/exec:v1", "-x"]}, ["quay.io/a/exec:v1"], id="an-option-at-once"
        ),
        pytest.param({"args": ["--executor-image"]}, [], id="an-option-without"),
        pytest.param(
            {"data": {"x": '{"image" : "k/init:latest", "memory": "1Gi"}'}}, ["k/init:latest"], id="json-in-a-text"
        ),
        pytest.param(
            {"data": {"x": "versions:\n- natsImage: nats:2.10\n  reloaderImage: n/r:1\n"}},
            ["nats:2.10", "n/r:1"],
            id="yaml-in-a-text",
        ),
        pytest.param({"spec": {"natsImage": "nats:2"}}, ["nats:2"], id="a-setting"),
        pytest.param({"image": {"repository": "x"}}, [], id="no-text"),
        pytest.param({"description": "The image: what it shows"}, [], id="prose"),
        pytest.param({"image": "{{inputs.parameters.image}}"}, [], id="an-expression"),
        pytest.param({"imagePullPolicy": "Never", "imagePullSecrets": ["a"]}, [], id="other-fields"),
    ],
)
def test_where_images_are_named(manifest: dict[str, object], found: list[str]) -> None:
    """In containers, in options of programs, in settings that are a text."""
    assert [one.image for one in image_list.in_manifests([manifest], "x")] == found


@pytest.mark.parametrize(
    ("image", "there"),
    [
        ("nats:2.10", "m.example:5000/ml/library/nats:2.10"),
        ("argosy/train:dev", "m.example:5000/ml/argosy/train:dev"),
        (f"docker.io/argosy/train@{DIGEST}", f"m.example:5000/ml/argosy/train@{DIGEST}"),
        ("docker.io/nats:2", "m.example:5000/ml/library/nats:2"),
        ("quay.io/argoproj/argoexec:v4.1.2", "m.example:5000/ml/argoproj/argoexec:v4.1.2"),
        ("localhost/x:1", "m.example:5000/ml/x:1"),
        ("registry:5000/a/b:1", "m.example:5000/ml/a/b:1"),
    ],
)
def test_what_it_is_called_in_a_mirror(image: str, there: str) -> None:
    """The same path, tag and digest behind another host."""
    assert image_list.mirrored(image, "m.example:5000/ml") == there


def test_each_is_listed_once_with_all_reasons() -> None:
    """Also where one names the registry that a node adds, and another leaves it out."""
    found = [
        NeededImage("argosy/x:1", "steps"),
        NeededImage("docker.io/argosy/x:1", "jobs"),
        NeededImage("argosy/x:1", "steps"),
    ]
    assert image_list.together(found, []) == [NeededImage("docker.io/argosy/x:1", "steps; jobs")]


def test_what_a_controller_injects_is_listed_unless_its_manifest_says_which() -> None:
    """Its own manifest knows the version better."""
    (executor, _) = image_list.INJECTED
    assert image_list.together([], image_list.INJECTED) != []
    named = NeededImage("mirror.example/argoproj/argoexec:v9", "install.yaml")
    assert executor not in image_list.together([named], image_list.INJECTED)
