"""Where the API server is, and at which ports callers reach the proxies: what a translation knows beside objects.

Both are looked at now and then, and become settings of the next translation.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Final, NoReturn

from wardgate.control.settings import OperatorSettings
from wardgate.control.trigger import Trigger
from wardgate.kube.api.api_server import api_server_addresses
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pacing import Timing
from wardgate.kube.api.service_ports import service_ports
from wardgate.renderer import Renderer

_log = logging.getLogger(__name__)

PERIOD: Final = 10.0
"""Seconds between two looks."""
_AGAIN: Final = 1.0


class Whereabouts:
    """Owned by the operator's loop."""

    def __init__(
        self, client: KubeClient, settings: OperatorSettings, *, renderer: Renderer, trigger: Trigger, timing: Timing
    ) -> None:
        self._client = client
        self._settings = settings
        self._renderer = renderer
        self._trigger = trigger
        self._sleep = timing.sleep

    async def follow(self) -> NoReturn:
        """Look for ever; a difference makes a round."""
        while True:
            try:
                await self._look()
            except KubeError as error:
                _log.debug("The API server's addresses and the proxies' Service could not be read: %s", error)
                await self._sleep(_AGAIN)
                continue
            await self._sleep(PERIOD)

    async def _look(self) -> None:
        own, given = self._settings, self._settings.translation
        addresses = await api_server_addresses(self._client, os.environ)
        ports = await service_ports(self._client, namespace=own.namespace, name=own.service)
        settings = replace(
            self._renderer.settings,
            denied_addresses=tuple(dict.fromkeys((*given.denied_addresses, *addresses))),
            service_ports=ports or given.service_ports,
        )
        if settings != self._renderer.settings:
            self._renderer.settings = settings
            self._trigger.mark()
