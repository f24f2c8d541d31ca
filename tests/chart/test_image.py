"""The Dockerfile, as it is written. ``test_built_image.py`` follows its steps."""

from __future__ import annotations

import json
import re

from tests.chart.dockerfile import read_dockerfile


def test_both_stages_stand_on_the_base_that_an_argument_names() -> None:
    assert ["${BASE_IMAGE}", "${BASE_IMAGE}"] == [stage.base for stage in read_dockerfile()]


def test_the_user_is_a_number_above_zero() -> None:
    """Kubernetes refuses to start a container with ``runAsNonRoot`` whose user is a name."""
    _, image = read_dockerfile()

    assert all(int(part) > 0 for part in image.only("USER").split(":"))


def test_the_image_starts_the_command_without_a_shell() -> None:
    _, image = read_dockerfile()

    assert ["wardgate"] == json.loads(image.only("ENTRYPOINT"))


def test_every_package_comes_from_a_lock_by_its_hash() -> None:
    build, _ = read_dockerfile()
    installs = [each.text for each in build.instructions if re.search(r"-m pip .*\binstall\b", each.text)]

    assert 3 == len(installs)
    assert [] == [each for each in installs if not {"--require-hashes", "--no-index"} & set(each.split())]


def test_the_image_itself_gets_no_compiler() -> None:
    _, image = read_dockerfile()

    assert [] == [each for each in image.instructions if each.name == "RUN" or "gcc" in each.text]
