"""Lua scripts for wrk: what each request is, and the line with the result in the end."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.gateways.peers.site import KEY_HEADER, PROVIDER, SHAPED, Size, key, token

RESULT = "RESULT "
SDK: Mapping[str, str] = {
    "host": "gateway.test",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "OpenAI/Python 1.99.0",
    "content-type": "application/json",
    "x-stainless-lang": "python",
    "x-stainless-os": "Linux",
    "x-stainless-arch": "x64",
    "x-stainless-runtime": "CPython",
}
"""The headers of a provider's client."""
# In capitals because wrk adds a second Host unless it finds this very word.
PLAIN: Mapping[str, str] = {"Host": "gateway.test", "accept": "*/*", "user-agent": "curl/8.5.0"}
END = """
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def same(*, good: bool = True, path: str = "/t0/chat", direct: bool = False) -> str:
    """The same GET again, with a key that is accepted or one that is not; ``direct`` goes to the upstream itself."""
    headers = {**PLAIN, KEY_HEADER: key(0 if good else 1)}
    if direct:
        headers = {**PLAIN, "Host": PROVIDER, "authorization": f"Bearer {token(0)}"}
    lines = "\n".join(f"wrk.headers[{quoted(name)}] = {quoted(value)}" for name, value in headers.items())
    return f"wrk.path = {quoted(path)}\n{lines}\n{END}"


def paced(script: str, milliseconds: int) -> str:
    """Let each connection wait before each of its requests, for a time drawn around ``milliseconds``.

    Drawn, because connections that begin together and wait equally long would send their requests in one go for ever.
    """
    return f"{script}delay = function() return math.random(0, {2 * milliseconds}) end\n"


def differing(seed: int) -> str:
    """A POST of a provider's client whose body, length and trace id differ each time."""
    return f"""
local head = {quoted(_head("POST", "/t0/chat", {**SDK, KEY_HEADER: key(0)}))}
local words = string.rep("Hello ", 40)
local number, seed = 0, {seed}
request = function()
  number = number + 1
  local body = '{{"inputs": "' .. string.sub(words, 1, number * 7 % 240) .. number .. '"}}'
  return head .. string.format("traceparent: 00-%08x%08x%016x-%016x-01\\r\\ncontent-length: %d\\r\\n\\r\\n",
    seed, 1, number, number, #body) .. body
end
{END}"""


def shaped(seed: int) -> str:
    """A POST to the route that is not plain; the prompt differs each time."""
    return f"""
local head = {quoted(_head("POST", SHAPED + "chat", {**SDK, KEY_HEADER: key(0), "x-team": "blue-7"}))}
local words = string.rep("Hello ", 40)
local number, seed = 0, {seed}
request = function()
  number = number + 1
  local prompt = string.sub(words, 1, number * 7 % 240) .. seed .. " " .. number
  local body = '{{"model": "gpt-5", "stream": false, "prompt": "' .. prompt .. '"}}'
  return head .. "content-length: " .. #body .. "\\r\\n\\r\\n" .. body
end
{END}"""


def spread(size: Size, *, active: int, seed: int) -> str:
    """GETs of ``active`` callers out of all, drawn at random: each with its key on its route."""
    head = f"accept: {PLAIN['accept']}\r\nuser-agent: {PLAIN['user-agent']}\r\n{KEY_HEADER}: "
    stride = max(1, size.keys // active)
    return f"""
math.randomseed({seed})
local rest = {quoted(f"/chat HTTP/1.1{chr(13)}{chr(10)}host: {PLAIN['Host']}{chr(13)}{chr(10)}" + head)}
request = function()
  local key = (math.random({active}) - 1) * {stride}
  return string.format("GET /t%d%scaller-key-%06d\\r\\n\\r\\n", key % {size.routes}, rest, key)
end
{END}"""


def sized(upload: int) -> str:
    """The same POST with a body of ``upload`` bytes, answered with 16 KiB."""
    return _posted("/t0/large", upload, {})


def reading(upload: int) -> str:
    """The same POST to the route that reads its body, a JSON object of about ``upload`` bytes."""
    return _posted(SHAPED + "chat", upload, {"x-team": "blue-7"})


def quoted(text: str) -> str:
    """Write a text as a string of Lua."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n") + '"'


def _posted(path: str, upload: int, headers: Mapping[str, str]) -> str:
    start, end = '{"model": "gpt-5", "prompt": "', '"}'
    filling = "token " * ((upload - len(start) - len(end)) // 6)
    body = start + filling.ljust(upload - len(start) - len(end), "x") + end
    head = _head("POST", path, {**SDK, KEY_HEADER: key(0), **headers, "content-length": str(len(body))})
    return f"local whole = {quoted(head)} .. '\\r\\n' .. {quoted(body)}\nrequest = function() return whole end\n{END}"


def _head(method: str, path: str, headers: Mapping[str, str]) -> str:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}"
