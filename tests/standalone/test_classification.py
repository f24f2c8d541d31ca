"""A text that cannot be read is told from a policy only where it says so itself."""

from __future__ import annotations

import pytest

from wardgate.standalone.objects.classification import Classification, classify, is_template

GROUP = "security.policy.gloo.solo.io/v2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind: ExtAuthPolicy\nmetadata: {", Classification.GUARD),
        ("kind: 'ExtAuthPolicy'\nmetadata: {", Classification.GUARD),
        ("kind: ExtAuthPolice\nmetadata: {", Classification.GUARD),
        ("kind: JWTPolicy\nmetadata: {", Classification.GUARD),
        ('{"kind": "ExtAuthPolicy", "metadata": ', Classification.GUARD),
        ("{apiVersion: x, kind: ExtAuthPolicy, metadata: [", Classification.GUARD),
        ("spec:\n  config:\n    glooAuth: [", Classification.GUARD),
        ("apiVersion: v1\nitems:\n- kind: ExtAuthPolicy\n  x: [\nkind: List", Classification.GUARD),
        ("kind: ConfigMap\ndata: [\nkind: ExtAuthPolicy\n", Classification.GUARD),
        ("{{- range .x }}\nkind: ExtAuthPolicy\n", Classification.GUARD),
        ("kind: RouteTable\nspec: [", Classification.OURS),
        ("kind: Secret\ndata: [", Classification.OURS),
        ("apiVersion: v1\nitems:\n- kind: RouteTable\n  x: [\nkind: List", Classification.OURS),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    kind: ExtAuthPolicy\n  y: [", Classification.FOREIGN),
        ("apiVersion: apps/v1\nspec: [", Classification.FOREIGN),
        ("stages: [", Classification.FOREIGN),
        ("- hosts: [", Classification.FOREIGN),
        ('{"compilerOptions": {} // yes', Classification.FOREIGN),
        ("{{- if .x }}\nkind: {{ .kind }}\n{{- end }}", Classification.FOREIGN),
        (f"{{{{- if .x }}}}\napiVersion: {GROUP}\nkind: {{{{ .kind }}}}\n", Classification.UNKNOWN),
        (f"apiVersion: {GROUP}\nki", Classification.UNKNOWN),
        ("metadata: [", Classification.UNKNOWN),
        ("kind: [", Classification.UNKNOWN),
        ("  spec: [", Classification.UNKNOWN),
        ("\x00\x01", Classification.UNKNOWN),
        ("", Classification.UNKNOWN),
    ],
)
def test_text_is_what_it_says_for_sure(text: str, expected: Classification) -> None:
    assert expected is classify(text)


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
