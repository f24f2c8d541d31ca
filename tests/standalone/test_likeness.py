"""A text that cannot be read is told from a policy only where it says so itself."""

from __future__ import annotations

import pytest

from wardgate.standalone.likeness import Likeness, is_template, likeness

GROUP = "security.policy.gloo.solo.io/v2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind: ExtAuthPolicy\nmetadata: {", Likeness.GUARD),
        ("kind: 'ExtAuthPolicy'\nmetadata: {", Likeness.GUARD),
        ("kind: ExtAuthPolice\nmetadata: {", Likeness.GUARD),
        ("kind: JWTPolicy\nmetadata: {", Likeness.GUARD),
        ('{"kind": "ExtAuthPolicy", "metadata": ', Likeness.GUARD),
        ("{apiVersion: x, kind: ExtAuthPolicy, metadata: [", Likeness.GUARD),
        ("spec:\n  config:\n    glooAuth: [", Likeness.GUARD),
        ("apiVersion: v1\nitems:\n- kind: ExtAuthPolicy\n  x: [\nkind: List", Likeness.GUARD),
        ("kind: ConfigMap\ndata: [\nkind: ExtAuthPolicy\n", Likeness.GUARD),
        ("{{- range .x }}\nkind: ExtAuthPolicy\n", Likeness.GUARD),
        ("kind: RouteTable\nspec: [", Likeness.OURS),
        ("kind: Secret\ndata: [", Likeness.OURS),
        ("apiVersion: v1\nitems:\n- kind: RouteTable\n  x: [\nkind: List", Likeness.OURS),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    kind: ExtAuthPolicy\n  y: [", Likeness.FOREIGN),
        ("apiVersion: apps/v1\nspec: [", Likeness.FOREIGN),
        ("stages: [", Likeness.FOREIGN),
        ("- hosts: [", Likeness.FOREIGN),
        ('{"compilerOptions": {} // yes', Likeness.FOREIGN),
        ("{{- if .x }}\nkind: {{ .kind }}\n{{- end }}", Likeness.FOREIGN),
        (f"{{{{- if .x }}}}\napiVersion: {GROUP}\nkind: {{{{ .kind }}}}\n", Likeness.UNKNOWN),
        (f"apiVersion: {GROUP}\nki", Likeness.UNKNOWN),
        ("metadata: [", Likeness.UNKNOWN),
        ("kind: [", Likeness.UNKNOWN),
        ("  spec: [", Likeness.UNKNOWN),
        ("\x00\x01", Likeness.UNKNOWN),
        ("", Likeness.UNKNOWN),
    ],
)
def test_text_is_what_it_says_for_sure(text: str, expected: Likeness) -> None:
    assert expected is likeness(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: {{ .Release.Name }}", True),
        ("{{- if .Values.x }}", True),
        ('{{ include "x" . }}', True),
        ("{{/* a comment */}}", True),
        ("name: {{ $x }}", True),
        ("text: Bearer {{ huggingface-api-key }}", False),
        ('text: {{ header("x") }}', False),
    ],
)
def test_chart_s_template_is_told_from_a_policy_s(text: str, *, expected: bool) -> None:
    assert expected is is_template(text)
