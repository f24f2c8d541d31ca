"""The admin endpoints, asked by a real client."""

from __future__ import annotations

import asyncio

import uvloop

from wardgate.admin import AdminServer, Page, json_page

PAGES = {"/healthz": lambda: Page(200, b"ok\n"), "/config": lambda: json_page({"a": 1})}


def ask(*requests: bytes) -> list[bytes]:
    async def scenario() -> list[bytes]:
        server = AdminServer(pages=PAGES, local=frozenset({"/config"}))
        await server.start("127.0.0.1", 0)
        host, _, port = server.address.rpartition(":")
        answers = []
        for request in requests:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request)
            writer.write_eof()
            answers.append(await reader.read())
            writer.close()
        await server.stop()
        return answers

    return uvloop.run(scenario())


def test_a_page_is_served_and_the_connection_closed() -> None:
    (answer,) = ask(b"GET /healthz?x HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nok\n")


def test_a_head_request_gets_no_body() -> None:
    (answer,) = ask(b"HEAD /healthz HTTP/1.1\r\n\r\n")
    assert answer.endswith(b"content-length: 3\r\nconnection: close\r\n\r\n")


def test_an_unknown_page_names_the_known_ones() -> None:
    (answer,) = ask(b"GET /nope HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"Known: /config, /healthz." in answer


def test_other_methods_and_nonsense_are_refused_or_ignored() -> None:
    posted, nonsense, endless = ask(b"POST /healthz HTTP/1.1\r\n\r\n", b"nonsense", b"GET /" + b"a" * 20_000)
    assert posted.startswith(b"HTTP/1.1 405 ")
    assert (nonsense, endless) == (b"", b"")


def test_a_local_page_answers_on_loopback_only() -> None:
    (answer,) = ask(b"GET /config HTTP/1.1\r\n\r\n")
    assert b'"a": 1' in answer
    server = AdminServer(pages=PAGES, local=frozenset({"/config"}))
    refused = server._answer(b"GET /config HTTP/1.1\r\n\r\n", caller="10.0.0.7")
    assert refused.status == 403
    assert server._answer(b"GET /healthz HTTP/1.1\r\n\r\n", caller="10.0.0.7").status == 200


def test_a_document_holds_nothing_that_a_terminal_obeys() -> None:
    assert json_page({"b": "\x7f\x9b", "a": "\u202e"}).body == (b'{\n  "a": "\\u202e",\n  "b": "\\u007f\\u009b"\n}\n')
