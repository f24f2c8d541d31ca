"""Whatever the model can say survives its bytes, and the same model always has the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from tests.wire.samples import FULL
from tests.wire.strategies import configs
from wardgate import ir
from wardgate.sensitive import Sensitive
from wardgate.wire import Decoded, decode, decode_routes, encode


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs())
def test_any_configuration_comes_back_as_it_was(config: ir.GatewayConfig) -> None:
    assert decode(encode(config)) == Decoded(config=config)


def test_the_empty_configuration_comes_back_as_it_was() -> None:
    assert decode(encode(ir.GatewayConfig())) == Decoded(config=ir.GatewayConfig())


def test_the_routes_alone_are_the_configuration_without_its_credentials() -> None:
    assert decode_routes(encode(FULL).groups["routes"]) == Decoded(
        config=replace(FULL, credentials=(), token_sources=())
    )


def test_credentials_come_back_in_one_order_whatever_their_buckets() -> None:
    credentials = tuple(ir.Credential("set", f"{number:064x}", "apps", str(number)) for number in range(200))
    bundle = encode(ir.GatewayConfig(credentials=credentials))
    assert len(bundle.groups) > 10
    assert decode(bundle).config.credentials == credentials


def test_text_that_is_not_utf8_survives() -> None:
    texts = ("\udcff\udc80", "\udcc3\udca9", "\ud83d\ude00", "😀", "é", "\x00\x7f\u2028")
    credentials = tuple(
        ir.Credential("set", str(n), "apps", "key", metadata=(ir.MetadataEntry("t", Sensitive(text)),))
        for n, text in enumerate(texts)
    )
    config = ir.GatewayConfig(credentials=credentials, template_env=texts)
    assert decode(encode(config)).config == config


def test_what_has_its_default_is_not_written() -> None:
    assert json.loads(encode(ir.GatewayConfig()).groups["routes"]) == {"group": "routes", "schema": "1.0"}


def test_names_are_sorted_and_nothing_is_padded() -> None:
    data = encode(FULL).groups["routes"]
    value = json.loads(data.decode("utf-8", "surrogatepass"))
    again = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert data == again.encode("utf-8", "surrogatepass")


def test_another_process_with_another_hash_seed_writes_the_same_revision() -> None:
    script = "from tests.wire.samples import FULL; from wardgate.wire import encode; print(encode(FULL).revision)"
    seeded = {"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], env=seeded, capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().strip() == encode(FULL).revision


def test_a_bundle_shows_nothing_of_what_it_holds() -> None:
    assert "hf_token" not in repr(encode(FULL))
