"""Writes the list of an environment's packages as CycloneDX 1.6: ``python -m release.sbom /opt/wardgate``.

The same environment gives the same bytes. ``SOURCE_DATE_EPOCH`` is the time that the list states. ``BASE_IMAGE``, where
set, is stated as a property: what the base holds is not listed, its maker lists that.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCT = "wardgate"
WITHOUT_EPOCH = 1580601600
"""2020-02-02, the time that hatchling gives to what lies in its wheels."""


def main() -> None:
    """Write the list of the environment that is named, to standard output."""
    (site,) = Path(sys.argv[1]).glob("lib/python3.*/site-packages")
    found: dict[str, Distribution] = {canonicalize_name(each.name): each for each in distributions(path=[str(site)])}
    bom = make_bom(found)
    print(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2))


def make_bom(found: dict[str, Distribution]) -> Bom:
    """List the packages, what each needs, and the product that they are needed for."""
    components = {name: _component(each) for name, each in sorted(found.items())}
    product = components[PRODUCT]
    product.type = ComponentType.APPLICATION
    bom = Bom(components=[each for name, each in components.items() if name != PRODUCT])
    bom.metadata.component = product
    names = " ".join(str(each.purl) for each in components.values())
    bom.serial_number = uuid5(NAMESPACE_URL, names)
    bom.metadata.timestamp = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", WITHOUT_EPOCH)), UTC)
    if base := os.environ.get("BASE_IMAGE"):
        bom.metadata.properties.add(Property(name="wardgate:base-image", value=base))
    for name, each in found.items():
        bom.register_dependency(components[name], [components[needed] for needed in _needed(each, found)])
    return bom


def _component(each: Distribution) -> Component:
    purl = PackageURL("pypi", name=canonicalize_name(each.name), version=each.version)
    stated = _field(each, "License-Expression") or _field(each, "License")
    licenses = [LicenseFactory().make_from_string(stated)] if stated and "\n" not in stated else []
    return Component(
        name=each.name,
        version=each.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        description=_field(each, "Summary"),
        licenses=licenses,
    )


def _field(each: Distribution, name: str) -> str:
    return str((each.metadata.get_all(name) or [""])[0])


def _needed(each: Distribution, found: dict[str, Distribution]) -> list[str]:
    """Give the packages that a package needs on this machine, without extras."""
    wanted = (Requirement(text) for text in each.requires or ())
    names = {canonicalize_name(one.name) for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
    return sorted(names & found.keys())


if __name__ == "__main__":
    main()
