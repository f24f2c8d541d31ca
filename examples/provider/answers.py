"""What the stand-in answers: the shapes of Hugging Face, OpenAI and Anthropic, decided by path and body alone.

No model runs here. The text is fixed, the ids are fixed, and nothing is checked that a gateway does not depend on: a
request without any token gets 200 as well, because one step of the lab sends none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

WORDS = ("The ", "key ", "stayed ", "at ", "the ", "gate.")
TEXT = "".join(WORDS)
CREATED = 1_700_000_000

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """``events`` not empty: a stream of server-sent events, one piece each. Otherwise ``document`` as JSON."""

    status: int = 200
    document: Any = None
    events: Sequence[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(*, method: str, path: str, body: bytes) -> Answer:
    """Choose the answer. ``path`` has no query."""
    request = _as_object(body)
    if path.startswith(("/models/", "/hf-inference/models/")):
        return _hugging_face(method=method, path=path, request=request)
    if path == "/v1/models" and method in {"GET", "HEAD"}:
        return Answer(document={"object": "list", "data": [_model("stand-in-small"), _model("stand-in-large")]})
    post = _POSTS.get(path)
    if post is None:
        return _problem(404, f"The stand-in provider has nothing at {path}.")
    if method != "POST":
        return _problem(405, f"{path} takes POST.", headers={"allow": "POST"})
    if request is None:
        return _problem(400, "The body is not a JSON object.")
    return post(request)


def _as_object(body: bytes) -> Document | None:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, document={"error": {"message": message, "type": "stand_in"}}, headers=headers or {})


def _model(name: str) -> Document:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "stand-in"}


def _name(request: Document) -> str:
    model = request.get("model")
    return model if isinstance(model, str) else "stand-in-small"


def _event(document: Document | str, *, name: str = "") -> bytes:
    data = document if isinstance(document, str) else json.dumps(document)
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def _hugging_face(*, method: str, path: str, request: Document | None) -> Answer:
    if method in {"GET", "HEAD"}:
        return Answer(document={"model": path.partition("/models/")[2], "state": "Loaded"})
    if request is not None and request.get("stream"):
        return Answer(events=_text_generation_events())
    return Answer(document=[{"generated_text": TEXT}])


def _text_generation_events() -> list[bytes]:
    last = len(WORDS) - 1
    return [
        _event(
            {
                "index": number,
                "token": {"id": number, "text": word, "logprob": -0.5, "special": False},
                "generated_text": TEXT if number == last else None,
                "details": None,
            }
        )
        for number, word in enumerate(WORDS)
    ]


def _chat_completions(request: Document) -> Answer:
    if request.get("stream"):
        return Answer(events=_chat_events(request))
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    document = _chat_head(request, "chat.completion") | {
        "choices": [choice],
        "usage": {"prompt_tokens": 9, "completion_tokens": len(WORDS), "total_tokens": 9 + len(WORDS)},
    }
    return Answer(document=document)


def _chat_head(request: Document, kind: str) -> Document:
    return {
        "id": "chatcmpl-stand-in",
        "object": kind,
        "created": CREATED,
        "model": _name(request),
        "system_fingerprint": "fp_stand_in",
    }


def _chat_events(request: Document) -> list[bytes]:
    head = _chat_head(request, "chat.completion.chunk")

    def chunk(delta: Document, finish: str | None = None) -> bytes:
        return _event(head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

    texts = [chunk({"content": word}) for word in WORDS]
    return [chunk({"role": "assistant", "content": ""}), *texts, chunk({}, "stop"), _event("[DONE]")]


def _responses(request: Document) -> Answer:
    part = {"type": "output_text", "text": TEXT, "annotations": []}
    message = {"id": "msg_stand_in", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    document = _response_head(request) | {"status": "completed", "output": [message]}
    if request.get("stream"):
        return Answer(events=_response_events(request, document))
    return Answer(document=document)


def _response_head(request: Document) -> Document:
    return {
        "id": "resp_stand_in",
        "object": "response",
        "created_at": CREATED,
        "model": _name(request),
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _response_events(request: Document, completed: Document) -> list[bytes]:
    place = {"item_id": "msg_stand_in", "output_index": 0, "content_index": 0}
    bodies: list[Document] = [
        {"type": "response.created", "response": _response_head(request) | {"status": "in_progress"}},
        *({"type": "response.output_text.delta", "delta": word, "logprobs": [], **place} for word in WORDS),
        {"type": "response.completed", "response": completed},
    ]
    return [_event(body | {"sequence_number": n}, name=body["type"]) for n, body in enumerate(bodies)]


def _messages(request: Document) -> Answer:
    message = {
        "id": "msg_stand_in",
        "type": "message",
        "role": "assistant",
        "model": _name(request),
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": len(WORDS)},
    }
    return Answer(events=_message_events(message)) if request.get("stream") else Answer(document=message)


def _message_events(message: Document) -> list[bytes]:
    start = message | {"content": [], "stop_reason": None}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    bodies: list[Document] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in WORDS),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": len(WORDS)}},
        {"type": "message_stop"},
    ]
    return [_event(body, name=body["type"]) for body in bodies]


_POSTS = {
    "/v1/chat/completions": _chat_completions,
    "/v1/responses": _responses,
    "/v1/messages": _messages,
}
