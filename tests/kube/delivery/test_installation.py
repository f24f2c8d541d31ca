"""The name of an installation: shared by its proxies, and by nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardgate.kube.api.access import Access
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.installation import name_installation

LOCATION = ConfigLocation("wardgate", "wardgate-config")


def reaching(host: str, *, authority: str | None) -> Access:
    return Access(host, ca_file=authority)


@pytest.fixture
def access(tmp_path: Path) -> Access:
    authority = tmp_path / "ca.crt"
    authority.write_text("the authority of a cluster")
    return reaching("https://10.96.0.1:443", authority=str(authority))


def test_proxies_that_reach_the_cluster_by_other_addresses_share_the_name(access: Access, tmp_path: Path) -> None:
    copy = tmp_path / "copy.crt"
    copy.write_text("the authority of a cluster")
    elsewhere = reaching("https://api.cluster.example", authority=str(copy))
    assert name_installation(access, LOCATION) == name_installation(elsewhere, LOCATION)


def test_other_cluster_release_and_namespace_have_other_names(access: Access, tmp_path: Path) -> None:
    authority = tmp_path / "other.crt"
    authority.write_text("the authority of another cluster")
    names = {
        name_installation(access, LOCATION),
        name_installation(access, ConfigLocation("other", "wardgate-config")),
        name_installation(access, ConfigLocation("wardgate", "other-config")),
        name_installation(reaching(access.url, authority=str(authority)), LOCATION),
    }
    assert len(names) == 4


@pytest.mark.parametrize("authority", [None, "", "/nowhere/ca.crt"])
def test_address_stands_in_for_an_authority_that_is_not_there(authority: str | None) -> None:
    first, second = (
        name_installation(reaching(host, authority=authority), LOCATION) for host in ("http://a", "http://b")
    )
    assert first != second
