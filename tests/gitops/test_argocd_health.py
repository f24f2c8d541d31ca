"""Argo CD's view of our objects: the script of the example, in a real Lua, over recorded objects.

Argo CD's interpreter speaks Lua 5.1 and opens no library but ``base``, ``package`` and ``table``.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from tests.documents.blocks import ROOT
from tests.gitops.recordings import FAILED, HEALTHY, PROGRESSING, Object, read, recorded
from wardgate.api import KINDS

EXAMPLE = ROOT / "examples" / "argocd"
SCRIPT = (EXAMPLE / "health.lua").read_text(encoding="utf-8")
OPEN = {"_G", "_VERSION", "package", "table"}
_UNSEEN = "Wardgate has not looked at this generation yet."


def health(found: Object) -> tuple[str, str]:
    """Status and message that Argo CD shows of an object."""
    lua: Any = LuaRuntime(register_eval=False, register_builtins=False)
    for library in ("string", "os", "io", "math", "debug", "coroutine", "python", "require", "module"):
        lua.globals()[library] = None
    lua.globals()["obj"] = lua.table_from(found, recursive=True)
    answer = lua.execute(SCRIPT)
    return answer["status"], answer["message"]


@pytest.mark.parametrize(("kind", "state"), recorded(*HEALTHY))
def test_good_object_is_healthy(kind: str, state: str) -> None:
    assert "Healthy" == health(read(kind)[state])[0]


@pytest.mark.parametrize(("kind", "state"), recorded(*FAILED, "incomplete"))
def test_wrong_object_is_degraded_with_the_remedy(kind: str, state: str) -> None:
    found = read(kind)[state]
    (accepted,) = [one for one in found["status"]["conditions"] if one["type"] == "Accepted"]

    assert ("Degraded", accepted["message"]) == health(found)


@pytest.mark.parametrize(("kind", "state"), recorded(*PROGRESSING))
def test_object_that_nobody_serves_yet_is_progressing(kind: str, state: str) -> None:
    assert "Progressing" == health(read(kind)[state])[0]


@pytest.mark.parametrize("status", [None, {}, {"observedGeneration": 1}, {"observedGeneration": 1, "conditions": []}])
def test_status_of_another_form_is_progressing(status: object) -> None:
    """As beside Gloo's own CRDs, which fill in nothing."""
    found = {"metadata": {"generation": 1}, **({} if status is None else {"status": status})}

    assert ("Progressing", _UNSEEN) == health(found)


def test_warning_of_a_healthy_object_is_shown() -> None:
    found = read("ExtAuthPolicy")["good"]
    (accepted,) = [one for one in found["status"]["conditions"] if one["type"] == "Accepted"]
    accepted["message"] = "Something has no effect."

    assert ("Healthy", "Something has no effect.") == health(found)


def test_settings_of_argo_cd_hold_the_script_for_every_kind() -> None:
    settings = yaml.safe_load((EXAMPLE / "argocd-cm.yaml").read_text(encoding="utf-8"))

    assert {f"resource.customizations.health.{kind.group}_{kind.kind}": SCRIPT for kind in KINDS.values()} == settings[
        "data"
    ]
