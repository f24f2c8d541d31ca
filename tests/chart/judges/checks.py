"""checkov, with a reason for each of its checks that does not pass. A reason that nothing needs is a fault, too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chart.judges.sheets import run


@dataclass(frozen=True, slots=True)
class Exemption:
    """``resources``: a pattern for all of a resource's name. ``sheets``: for all of a combination's name."""

    check: str
    resources: str
    why: str
    sheets: str = ".*"

    def covers(self, failed: Mapping[str, Any]) -> bool:
        """Tell whether this is why a check failed."""
        return (
            self.check == failed["check_id"]
            and re.fullmatch(self.resources, failed["resource"]) is not None
            and re.fullmatch(self.sheets, Path(failed["file_path"]).stem) is not None
        )


_ADDED = "The containers that this combination adds are its own, and have nothing that is not tried."

EXEMPTIONS = (
    Exemption(
        "CKV2_K8S_5",
        r".*\.wardgate-operator-(keys\..*|config)",
        "Callers' keys are Secrets, and RBAC cannot narrow a read by type or label: keyNamespaces does. The config "
        "namespace holds what the operator itself writes, under names that change.",
    ),
    Exemption(
        "CKV_K8S_11",
        r"Deployment\.wardgate\.wardgate-operator",
        "A limit of its CPU would make the operator late when much changes at once, and a revoked key live longer.",
    ),
    Exemption(
        "CKV_K8S_15",
        r".*",
        "IfNotPresent starts pods while the registry is away. A tag that moves needs Always, a digest needs neither.",
    ),
    Exemption("CKV_K8S_43", r".*", "image.digest pins the image; there is no digest before it is built."),
    Exemption(
        "CKV_K8S_38",
        r"Deployment\..*",
        "Both talk to the API server with the token. It is mounted by the pods and not by the accounts.",
    ),
    Exemption(
        "CKV_K8S_21",
        r"Role(Binding)?\.default\.wardgate-operator-apiserver\..*",
        "The EndpointSlice of the API server is in the namespace default; the role reads that one object.",
    ),
    Exemption(
        "CKV_K8S_21", r"Role(Binding)?\.default\..*", "This combination watches the namespace default.", "isolated"
    ),
    Exemption(
        "CKV_K8S_40",
        r".*",
        "The combination leaves the user to the platform, as OpenShift wants it.",
        "user-of-the-platform",
    ),
    Exemption("CKV_K8S_8", r"Pod\..*-test", "It runs once for helm test, and ends."),
    Exemption("CKV_K8S_9", r"Pod\..*-test", "It runs once for helm test, and ends."),
    Exemption("CKV_K8S_8", r"Deployment\..*", _ADDED, "every-value"),
    Exemption("CKV_K8S_9", r"Deployment\..*", _ADDED, "every-value"),
    Exemption("CKV_K8S_10", r"Deployment\..*", _ADDED, "every-value"),
    Exemption("CKV_K8S_11", r"Deployment\..*-proxy", _ADDED, "every-value"),
    Exemption("CKV_K8S_12", r"Deployment\..*", _ADDED, "every-value"),
    Exemption("CKV_K8S_13", r"Deployment\..*", _ADDED, "every-value"),
    Exemption("CKV_K8S_35", r"Deployment\..*", "extraEnvFrom is for what has to be a variable.", "every-value"),
)


def judge_checks(tools: Path, sheets: Sequence[Path]) -> list[str]:
    """Give the checks that failed without a reason, and the reasons without a check."""
    flags = ("--framework", "kubernetes", "--skip-download", "--compact", "--quiet", "--output", "json")
    found = json.loads(run(tools / "checkov", "--directory", sheets[0].parent, *flags).stdout)
    failed = found["results"]["failed_checks"]
    faults = [
        f"{each['check_id']} {each['check_name']}: {each['resource']} in {Path(each['file_path']).name}"
        for each in failed
        if not any(exemption.covers(each) for exemption in EXEMPTIONS)
    ]
    if found["summary"]["passed"] < len(sheets) * 100 or found["summary"]["parsing_errors"]:
        faults.append(f"checkov did not read everything: {found['summary']}")
    return faults + [
        f"{each.check} for {each.resources} is exempt for nothing: {each.why}"
        for each in EXEMPTIONS
        if not any(each.covers(check) for check in failed)
    ]
