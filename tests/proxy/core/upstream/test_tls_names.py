"""Names that certificates carry."""

from __future__ import annotations

import pytest

from wardgate.proxy.core.upstream.tls_names import carries_one_of


@pytest.mark.parametrize(
    ("carried", "wanted", "expected"),
    [
        ([("DNS", "api.example.com")], ["api.example.com"], True),
        ([("DNS", "API.Example.com.")], ["api.example.COM"], True),
        ([("DNS", "*.example.com")], ["api.example.com"], True),
        ([("DNS", "*.example.com")], ["example.com"], False),
        ([("DNS", "*.example.com")], ["a.b.example.com"], False),
        ([("DNS", "*.com")], ["example.com"], False),
        ([("DNS", "a*.example.com")], ["api.example.com"], False),
        ([("DNS", "api.*.com")], ["api.example.com"], False),
        ([("DNS", "*.example.com")], ["*.example.com"], False),
        ([("DNS", "*.example.com")], [".example.com"], False),
        ([("DNS", "other.example.com")], ["api.example.com", "other.example.com"], True),
        ([("DNS", "api.example.com")], [], False),
        ([], ["api.example.com"], False),
        ([("URI", "api.example.com")], ["api.example.com"], False),
        ([("IP Address", "192.0.2.1")], ["192.0.2.1"], True),
        ([("IP Address", "2001:DB8:0:0:0:0:0:1")], ["2001:db8::1"], True),
        ([("IP Address", "2001:DB8:0:0:0:0:0:1\n")], ["[2001:db8::1]"], True),
        ([("DNS", "192.0.2.1")], ["192.0.2.1"], False),
        ([("IP Address", "192.0.2.2")], ["192.0.2.1"], False),
    ],
)
def test_certificate_names(carried: list[tuple[str, str]], wanted: list[str], *, expected: bool) -> None:
    assert expected is carries_one_of(carried, wanted)
