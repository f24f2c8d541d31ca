"""Requests to the API server, as JSON: no models, no caches, no retries.

Where the server is and who we are is read by the function that the client is given. The token is read again every
minute, because projected tokens and those of plugins expire. Objects go in and out as plain dictionaries, since most
of them are handed on unread.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import aiohttp

from wardgate.kube.api.access import Access, Load, NoAccess
from wardgate.kube.api.connections import Connections
from wardgate.kube.api.errors import ApiError, ConnectionFailed

Manifest: TypeAlias = dict[str, Any]
Parameters: TypeAlias = Mapping[str, str | int]

CONNECT: Final = 5.0
"""Seconds to connect to the API server."""
ANSWER: Final = 15.0
"""Seconds for the answer to one request."""
PAGE: Final = 500
"""Objects of one page of a list."""
_TOKEN_AGE: Final = 60.0
_MERGE_PATCH: Final = "application/merge-patch+json"
_JSON: Final = "application/json"
_METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""The form of the events of a watch of metadata: no Secret's entries are transferred to be thrown away."""
_METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""The same for lists. A watch that asks for this form is ended by the server at its first event."""
_ANSWERS: Final = frozenset({404, 409})
"""Statuses that are no failure: a kind without a definition is asked for every few seconds."""


class KubeClient:
    """Owned by one event loop. Every method raises ``ApiError`` or ``ConnectionFailed``."""

    def __init__(self, load: Load, *, user_agent: str) -> None:
        self._load = load
        self._user_agent = user_agent
        self._access: Access | None = None
        self._loaded = 0.0
        self._connections: Connections | None = None
        self.errors = 0
        """Requests that failed; that something is not there, or not at the version expected, is an answer."""

    async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
        """Read one object, or one page."""
        return await self._call("GET", path, parameters=parameters)

    async def probe(self, path: str, parameters: Parameters | None = None, *, limit: float) -> Manifest:
        """Read over a connection of its own, within ``limit`` seconds."""
        try:
            async with asyncio.timeout(limit):
                return await self._call("GET", path, parameters=parameters, fresh=True)
        except TimeoutError as error:
            raise self._failed(error, method="GET", path=path) from None

    async def pages(
        self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        """Read a consistent list page by page, so that no more than one page is held as text.

        Lists make up for connections that went silent, so each page comes over a connection of its own.
        ``metadata_only``: of each object nothing else is transferred; ``items`` may then be null.
        """
        accept = _METADATA_LIST if metadata_only else _JSON
        asked: dict[str, str | int] = {**(parameters or {}), "limit": PAGE}
        while True:
            page = await self._call("GET", path, parameters=asked, accept=accept, fresh=True)
            yield page
            following = page["metadata"].get("continue")
            if not following:
                return
            asked["continue"] = following

    async def create(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        """Create an object in the collection at ``path``."""
        return await self._call("POST", path, body=manifest)

    async def replace(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        """Replace an object; a ``resourceVersion`` in it is a precondition."""
        return await self._call("PUT", path, body=manifest)

    async def merge_patch(self, path: str, patch: Mapping[str, object]) -> Manifest:
        """Change the fields that the patch names."""
        return await self._call("PATCH", path, body=patch, content_type=_MERGE_PATCH)

    async def delete(self, path: str) -> None:
        """Delete an object; one that is gone already is no error."""
        try:
            await self._call("DELETE", path)
        except ApiError as error:
            if not error.is_absent:
                raise

    @asynccontextmanager
    async def watch(
        self, path: str, parameters: Parameters, *, silence: float, metadata_only: bool = False
    ) -> AsyncIterator[AsyncIterator[Manifest]]:
        """Follow a collection. The inner iterator ends with the server's time-out, or as ``ConnectionFailed``.

        ``silence``: seconds without a byte (bookmarks come every minute) after which the watch counts as dead.
        An event of type ERROR is raised as ``ApiError``. ``metadata_only``: see ``pages``.
        """
        response = await self._begin_watch(
            path, parameters, silence=silence, accept=_METADATA if metadata_only else _JSON
        )
        try:
            if response.status != 200:
                raise await self._error(response, method="GET", path=path)
            yield _events(response)
        finally:
            _cut(response)

    async def server(self) -> str:
        """The API server's URL."""
        return (await self._ready()).url

    async def access(self) -> Access:
        """Where the API server is and who we are, with a fresh token: for kopf, which connects on its own."""
        access = await self._ready()
        if time.monotonic() - self._loaded > _TOKEN_AGE:
            access = self._access = replace(access, authorization=(await self._load()).authorization)
            self._loaded = time.monotonic()
        return access

    async def close(self) -> None:
        """Close all connections."""
        if self._connections is not None:
            await self._connections.close()
            self._connections = None

    async def _begin_watch(
        self, path: str, parameters: Parameters, *, silence: float, accept: str
    ) -> aiohttp.ClientResponse:
        """Ask for a watch. Its answer begins at once, news or not, so it has no more time than any other answer."""
        try:
            async with asyncio.timeout(ANSWER):
                return await self._request(
                    "GET",
                    path,
                    parameters={"watch": "true", "allowWatchBookmarks": "true", **parameters},
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=silence),
                    accept=accept,
                    fresh=True,
                )
        except TimeoutError as error:
            raise self._failed(error, method="GET", path=path) from None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        body: Mapping[str, object] | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        fresh: bool = False,
    ) -> Manifest:
        response = await self._request(
            method,
            path,
            parameters=parameters,
            body=body,
            content_type=content_type,
            timeout=aiohttp.ClientTimeout(total=ANSWER, sock_connect=CONNECT),
            accept=accept,
            fresh=fresh,
        )
        try:
            if response.status >= 300:
                raise await self._error(response, method=method, path=path)
            answer = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._failed(error, method=method, path=path) from None
        finally:
            response.release()
        assert isinstance(answer, dict)
        return answer

    async def _request(
        self,
        method: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the library's own way to bound a request
        parameters: Parameters | None = None,
        body: Mapping[str, object] | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        fresh: bool = False,
    ) -> aiohttp.ClientResponse:
        """Send a request; a token that is refused is read again once, since it may have been replaced early."""
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        form = {"Accept": accept, "Content-Type": content_type}
        response = await self._send(method, target, timeout=timeout, body=body, form=form, fresh=fresh)
        if response.status == 401 and time.monotonic() - self._loaded > 1.0:
            response.close()
            self._loaded = float("-inf")
            response = await self._send(method, target, timeout=timeout, body=body, form=form, fresh=fresh)
        return response

    async def _send(
        self,
        method: str,
        target: str,
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
        body: Mapping[str, object] | None,
        form: Mapping[str, str],
        fresh: bool,
    ) -> aiohttp.ClientResponse:
        try:
            access = await self.access()
            self._connections = self._connections or Connections(access)
            return await self._connections.request(
                method,
                f"{access.url}{target}",
                headers={**self._headers(access), **form},
                body=body,
                limits=timeout,
                fresh=fresh,
            )
        except (aiohttp.ClientError, TimeoutError, OSError, NoAccess) as error:
            raise self._failed(error, method=method, path=target.partition("?")[0]) from None

    async def _ready(self) -> Access:
        if self._access is None:
            self._access = await self._load()
            self._loaded = time.monotonic()
        return self._access

    def _headers(self, access: Access) -> dict[str, str]:
        headers = {"User-Agent": self._user_agent}
        if access.authorization:
            headers["Authorization"] = access.authorization
        return headers

    async def _error(self, response: aiohttp.ClientResponse, *, method: str, path: str) -> ApiError:
        try:
            status = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            status = {}
        if response.status not in _ANSWERS:
            self.errors += 1
        return api_error(f"{method} {path}", status, status_code=response.status)

    def _failed(self, error: Exception, *, method: str, path: str) -> ConnectionFailed:
        self.errors += 1
        return ConnectionFailed(f"{method} {path}: {type(error).__name__}{_detail(error)}")


def api_error(what: str, status: object, *, status_code: int = 0) -> ApiError:
    """Make an error of a Status object."""
    found = status if isinstance(status, dict) else {}
    code = int(found.get("code") or status_code)
    reason = str(found.get("reason") or "")
    return ApiError(f"{what}: {code} {reason}: {found.get('message') or 'no message'}", status=code, reason=reason)


def _cut(response: aiohttp.ClientResponse) -> None:
    """End a watch without the polite end of TLS, for which a peer that stands still would keep us waiting."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    response.close()


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Manifest]:
    """Split the stream into lines of any length, each an event."""
    rest = bytearray()
    try:
        async for piece in response.content.iter_any():
            rest += piece
            # A large event comes in many pieces: look at it once it is whole, not at every piece.
            if b"\n" not in piece:
                continue
            *lines, last = bytes(rest).split(b"\n")
            rest = bytearray(last)
            for line in lines:
                if line:
                    yield _event(line)
    except aiohttp.ServerTimeoutError:
        msg = "The watch was silent for too long."
        raise ConnectionFailed(msg) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        msg = f"The watch broke: {type(error).__name__}{_detail(error)}"
        raise ConnectionFailed(msg) from None


def _event(line: bytes) -> Manifest:
    try:
        event = json.loads(line)
    except ValueError:
        msg = "The watch broke: an event is not JSON."
        raise ConnectionFailed(msg) from None
    assert isinstance(event, dict)
    if event.get("type") == "ERROR":
        raise api_error("watch", event.get("object"))
    return event


def _detail(error: Exception) -> str:
    """The text of an error, unless it may quote a part of the answer, which may have been a Secret."""
    text = "" if isinstance(error, aiohttp.ClientPayloadError) else str(error)
    return f": {text}" if text else ""
