"""An API server that answers from a dictionary, and a kubeconfig that leads to it. What is not in it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from aiohttp import web

from tests.kube.fake_http_api import serving_beside

Answer: TypeAlias = dict[str, Any] | int
"""An object, or the status of a refusal."""


class CannedApiServer:
    """``answers`` by path, without the query; ``asked`` are the requests with path, query and ``Accept``."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.answers: dict[str, Answer] = {}
        self.everything: int | None = None
        """The status of every answer, if it is one and the same."""
        self.asked: list[tuple[str, str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        path, _, query = request.raw_path.partition("?")
        self.asked.append((path, query, request.headers.get("Accept", "")))
        found = self.answers.get(path, 404) if self.everything is None else self.everything
        if isinstance(found, int):
            refused = {"kind": "Status", "code": found, "reason": "X", "message": "no"}
            return web.json_response(refused, status=found)
        return web.json_response(found)

    def put_list(self, path: str, *items: dict[str, Any]) -> None:
        self.answers[path] = {"kind": "List", "metadata": {"resourceVersion": "7"}, "items": list(items)}


@contextmanager
def canned_api_server(folder: Path) -> Iterator[CannedApiServer]:
    """Serve until the block ends."""
    canned = CannedApiServer(folder / "kubeconfig")
    with serving_beside(canned.answer) as url:
        canned.kubeconfig.write_text(kubeconfig_text(url))
        yield canned


def kubeconfig_text(server: str) -> str:
    """A kubeconfig without credentials."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )
