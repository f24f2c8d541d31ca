"""What an operator of the proxy may see of a config."""

from __future__ import annotations

import json

from tests.proxy.io.bench import CREDENTIAL, guarded
from wardgate.ir import ListenerTls
from wardgate.proxy.redacted import redacted
from wardgate.sensitive import Sensitive


def test_credentials_and_secret_material_do_not_show() -> None:
    shown = json.dumps(redacted(guarded(1, credentials=(CREDENTIAL,))))
    assert "api-huggingface-key" not in shown
    assert CREDENTIAL.digest not in shown
    assert '"header": "api-key"' in shown


def test_a_private_key_shows_as_redacted() -> None:
    shown = redacted(ListenerTls("PUBLIC", Sensitive("PRIVATE")))
    assert isinstance(shown, dict)
    assert (shown["certificate"], shown["private_key"]) == ("PUBLIC", "<redacted>")


def test_a_type_nobody_thought_of_shows_as_its_name() -> None:
    assert redacted([b"secret", None]) == ["bytes", None]
