"""How the value of a setting is read."""

from __future__ import annotations

import pytest

from wardgate import setting as forms
from wardgate.ir import Guard
from wardgate.proxy.core.upstream.addresses import AddressRules
from wardgate.setting import ValueForm, count, read_size, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1024", 1024), ("10MiB", 10 << 20), ("64k", 64_000), ("1 gb", 10**9), ("2kib", 2048), ("1024GiB", 1 << 40)],
)
def test_size_is_read(text: str, expected: int) -> None:
    assert expected == read_size(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "10 apples", "MiB", "1.5MiB", "1025GiB", "٣"])
def test_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - who reads with the form writes the message
        read_size(text)


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (count(), "1", 1),
        (count(lowest=0), "0", 0),
        (count(highest=200), "200", 200),
        (seconds(lowest=0.001), "0.001", 0.001),
        (seconds(lowest=0), "0", 0.0),
        (seconds(lowest=0), "1000000", 1e6),
        (forms.FRACTION, "0.05", 0.05),
        (forms.FRACTION, "0", 0.0),
        (forms.FRACTION, "1", 1.0),
        (forms.FLAG, "true", True),
        (forms.FLAG, "False", False),
        (forms.PROTOCOLS, "websocket", ("websocket",)),
        (forms.PROTOCOLS, "WebSocket, Chess/2", ("websocket", "chess/2")),
        (forms.PROTOCOLS, "none", ()),
        (forms.NETWORKS, "10.0.0.0/8", ("10.0.0.0/8",)),
        (forms.NETWORKS, "10.0.0.7, fd00::/8", ("10.0.0.7/32", "fd00::/8")),
        (forms.ENDPOINTS, "10.96.0.1:443,[FD00::1]:6443", ("10.96.0.1:443", "[fd00::1]:6443")),
        (forms.LABELS, "app=gate", {"app": "gate"}),
        (forms.LABELS, "istio.io/rev=,a.b/c_d=e.f", {"istio.io/rev": "", "a.b/c_d": "e.f"}),
        (forms.NAME, "prod-1", "prod-1"),
        (forms.NAMESPACE, "istio-system", "istio-system"),
        (forms.DOMAIN, "k8s.example.com", "k8s.example.com"),
    ],
)
def test_value_is_read(form: ValueForm, text: str, expected: object) -> None:
    value = form.read(text)

    assert expected == value
    assert type(expected) is type(value)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        *((count(), text) for text in ("", "0", "-1", "1.5", "1e3", "1000000001", "٣", "1k")),
        (count(highest=200), "201"),
        *((forms.FRACTION, text) for text in ("", "1.01", "-0.1", "10%", "1e-3", ".5", "nan")),
        *((seconds(lowest=0.001), text) for text in ("", "0", "0.0009", "-1", "nan", "inf", "1e3", "3s", "1000001")),
        *((forms.FLAG, text) for text in ("", "yes", "1")),
        *((forms.NETWORKS, text) for text in ("", "10.0.0.0/33", "10.1.2.3/8", "example.com", "10.0.0.0/8,")),
        *(
            (forms.PROTOCOLS, text)
            for text in ("", "h2c", "websocket,H2C", "h2", "HTTP/2.0", "TLS/1.2", "none,a", "a b")
        ),
        *((forms.ENDPOINTS, text) for text in ("", "10.0.0.1", ":443", "10.0.0.1:0", "10.0.0.1:65536", "kube:443")),
        *((forms.ENDPOINTS, text) for text in ("fd00::1:443", "[10.0.0.1]:443", "[fd00::1]", "10.0.0.1:٣")),
        *((forms.LABELS, text) for text in ("", "app", "=x", "app=x,", "app=a b", "-a=x", "app=x=y", "a" * 64 + "=x")),
        *((forms.NAME, text) for text in ("", "a b", "-a", "a,b")),
        *((forms.NAMESPACE, text) for text in ("", "Istio", "a.b", "a" * 64)),
        *((forms.DOMAIN, text) for text in ("", ".local", "cluster.local.", "a b")),
    ],
)
def test_what_is_written_otherwise_is_refused(form: ValueForm, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - who reads with the form writes the message
        form.read(text)


def test_denied_address_is_read_as_the_proxy_understands_it() -> None:
    denied = forms.ENDPOINTS.read("10.96.0.1:443,[fd00::1]:443")
    allowed = forms.NETWORKS.read("10.0.0.0/8,fd00::/8")
    assert isinstance(denied, tuple)
    assert isinstance(allowed, tuple)
    rules = AddressRules(Guard(denied_addresses=denied, allow_cidrs=allowed))

    assert all(rules.refusal(address, 443) for address in ("10.96.0.1", "fd00::1"))
    assert not any(rules.refusal(address, 443) for address in ("10.96.0.2", "fd00::2"))
