"""Content codings of responses are asked away, and undone where they come all the same, in bounded steps."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from contextlib import suppress
from functools import cache
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proxy.core.conversation import Talk, config, open_route, post_plan, request
from tests.proxy.core.http1.codings import ENCODERS, coded, of_a_wide_window
from tests.proxy.core.test_observer import Notes
from tests.proxy.core.transform.test_transformation import message, x_
from wardgate.ir import GatewayConfig, MessageTemplate, TransformationPlan
from wardgate.proxy.core.http1.content_coding import ContentDecoder, ExpandsTooFarError, content_decoder, decoded
from wardgate.proxy.core.http1.decoders import STEP, DecodingError
from wardgate.proxy.core.messages import Incoming

TEXT = b'{"model":"m","choices":[' + b",".join(b'{"index":%d,"text":"abc"}' % number for number in range(400)) + b"]}"
names = st.sampled_from(sorted(ENCODERS))


def response(*codings: str) -> Incoming:
    return Incoming(200, [(b"content-encoding", coding.encode()) for coding in codings])


def decoder(coding: str, *, expansion: int = 100) -> ContentDecoder:
    found = content_decoder(response(coding), expansion=expansion)
    assert found is not None
    return found


def run(undoing: ContentDecoder, pieces: list[bytes]) -> bytes:
    """Give the pieces one after the other; every step is bounded."""
    made = bytearray()
    for piece in pieces:
        undoing.give(piece)
        while undoing.behind:
            step = undoing.step()
            assert len(step) <= 2 * STEP
            made += step
    undoing.end()
    return bytes(made)


# -- decoding


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize(
    "text", [TEXT, b"", b"x", Random(1).randbytes(300_000)], ids=["json", "empty", "one", "binary"]
)
def test_coded_body_is_decoded(name: str, text: bytes) -> None:
    data, coding = coded(text, name)
    assert text == run(decoder(coding), [data])


@pytest.mark.parametrize("name", ENCODERS)
def test_every_split_of_a_body_gives_the_same_text(name: str) -> None:
    data, coding = coded(b'{"model":"m"}', name)
    for at in range(len(data) + 1):
        assert b'{"model":"m"}' == run(decoder(coding), [data[:at], data[at:]])
    assert b'{"model":"m"}' == run(decoder(coding), [data[at : at + 1] for at in range(len(data))])


@pytest.mark.parametrize("length", [STEP - 1, STEP, STEP + 1, 3 * STEP, 2_500_000])
@pytest.mark.parametrize("name", ENCODERS)
def test_output_that_a_library_holds_back_is_fetched(name: str, length: int) -> None:
    text = Random(2).randbytes(20_000).hex().encode() + b"a" * length
    data, coding = coded(text, name)
    for cut in (len(data), len(data) // 2, 20_000):
        assert text == run(decoder(coding, expansion=10**6), [data[:cut], data[cut:]])


@pytest.mark.parametrize("name", ENCODERS)
def test_text_that_ends_around_a_step_is_whole(name: str) -> None:
    for length in range(STEP - 2, STEP + 12):
        data, coding = coded(b"a" * length, name)
        assert b"a" * length == run(decoder(coding, expansion=10**6), [data])


@given(text=st.binary(max_size=2000).map(lambda each: each * 50), applied=st.lists(names, max_size=4), data=st.data())
def test_any_codings_in_any_pieces_are_undone(text: bytes, applied: list[str], data: st.DataObject) -> None:
    body, coding = coded(text, *applied)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    if not applied:
        assert content_decoder(response(coding), expansion=100) is None
        return
    assert text == run(decoder(coding, expansion=10**9), pieces)


@pytest.mark.parametrize(("first", "second"), list(permutations(["gzip", "raw deflate", "br", "zstd"], 2)))
def test_codings_are_undone_in_the_reverse_of_their_order(first: str, second: str) -> None:
    data, coding = coded(TEXT, first, second)
    assert TEXT == run(decoder(coding), [data])


def test_codings_of_several_fields_count_as_one_list() -> None:
    data, _ = coded(TEXT, "gzip", "br")
    found = content_decoder(response("gzip", " BR "), expansion=100)
    assert found is not None
    assert TEXT == run(found, [data])


@pytest.mark.parametrize("coding", ["identity", "", " , identity,", "Identity"])
def test_identity_is_no_coding(coding: str) -> None:
    assert content_decoder(response(coding), expansion=100) is None
    assert content_decoder(response(), expansion=100) is None


@pytest.mark.parametrize("coding", ["compress", "gzip, rot13", "aes128gcm", "\xff", "gzip;q=1"])
def test_coding_that_nobody_knows_is_refused(coding: str) -> None:
    with pytest.raises(DecodingError, match="none of gzip, deflate, br and zstd"):
        content_decoder(Incoming(200, [(b"content-encoding", coding.encode("latin-1"))]), expansion=100)


def test_more_than_four_codings_are_refused() -> None:
    assert decoder("gzip, gzip, gzip, gzip") is not None
    with pytest.raises(DecodingError, match="more than 4"):
        content_decoder(response(*["gzip"] * 5), expansion=100)


# -- damaged data


@pytest.mark.parametrize("name", ENCODERS)
def test_every_beginning_of_a_body_is_refused(name: str) -> None:
    data, coding = coded(b'{"model":"m"}', name)
    whole = {len(b"".join(parts)) for parts in _members(name, b'{"model":"m"}')}
    for end in range(1, len(data)):
        if end not in whole:
            with pytest.raises(DecodingError, match="ends early"):
                run(decoder(coding), [data[:end]])


def _members(name: str, text: bytes) -> list[list[bytes]]:
    """The beginnings of a body of several members that are whole by themselves."""
    if "of three" not in name:
        return []
    size = len(text) // 3
    encode = ENCODERS[name.partition(" of ")[0]][1]
    parts = [encode(text[:size]), encode(text[size : 2 * size])]
    return [parts[:1], parts]


def test_outer_coding_that_ends_early_is_refused_though_the_inner_one_is_whole() -> None:
    data, coding = coded(TEXT, "br", "gzip")
    with pytest.raises(DecodingError, match="ends early"):
        run(decoder(coding), [data[:-4]])


def test_gzip_behind_deflate_is_no_second_member() -> None:
    data, coding = coded(TEXT, "deflate")
    with pytest.raises(DecodingError, match="too much follows"):
        run(decoder(coding), [data + coded(TEXT, "gzip")[0]])


def test_body_of_no_bytes_is_no_damaged_one() -> None:
    assert b"" == run(decoder("gzip"), [])
    assert b"" == run(decoder("br, zstd"), [b""])


@pytest.mark.parametrize("name", ENCODERS)
def test_what_follows_the_end_is_refused(name: str) -> None:
    data, coding = coded(TEXT, name)
    for pieces in ([data + b"junk"], [data, b"junk"], [data, b"\0"]):
        with pytest.raises(DecodingError):
            run(decoder(coding), pieces)


@settings(max_examples=300)
@given(name=names, at=st.floats(0, 1), flip=st.integers(1, 255))
def test_damaged_body_is_refused_or_is_another_text_and_never_an_error_of_ours(name: str, at: float, flip: int) -> None:
    data, coding = coded(TEXT, name)
    place = min(int(at * len(data)), len(data) - 1)
    damaged = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
    with suppress(DecodingError):
        run(decoder(coding), [damaged])


@given(data=st.binary(max_size=300), coding=st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br"]))
def test_garbage_is_refused_or_decoded_and_never_an_error_of_ours(data: bytes, coding: str) -> None:
    with suppress(DecodingError):
        run(decoder(coding), [data])


def test_checksum_of_gzip_is_checked() -> None:
    data, coding = coded(TEXT, "gzip")
    with pytest.raises(DecodingError, match="gzip data is damaged"):
        run(decoder(coding), [data[:-8] + bytes(4) + data[-4:]])


def test_window_of_zstd_beyond_eight_mebibytes_is_refused() -> None:
    with pytest.raises(DecodingError, match="8 MiB"):
        run(decoder("zstd"), [of_a_wide_window(TEXT)])


# -- bombs

MEBIBYTE = 1024 * 1024
bomb = cache(lambda *names: coded(bytes(20 * MEBIBYTE), *names))
BOMBS = [("gzip",), ("deflate",), ("raw deflate",), ("br",), ("zstd",), ("gzip", "gzip"), ("br", "zstd")]


@pytest.mark.parametrize("names", BOMBS, ids=" then ".join)
@pytest.mark.parametrize("piece", [10**9, 1000, 1], ids=["whole", "kilobytes", "bytes"])
def test_bomb_is_refused_before_it_takes_memory(names: tuple[str, ...], piece: int) -> None:
    data, coding = bomb(*names)
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
    tracemalloc.start()
    try:
        with pytest.raises(ExpandsTooFarError, match="more than 100 times"):
            run(decoder(coding), pieces)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # All that may be made of it, once more while the buffer grows, and one step. Libraries' windows are not traced.
    assert peak < 2 * max(100 * len(data), 16 * 1024) + 4 * STEP + 100 * len(pieces)


def test_bomb_that_the_inner_coding_swallows_is_refused() -> None:
    """The name of a file in a gzip header, without an end: nothing comes of it but work."""
    endless = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (20 * MEBIBYTE)
    data, _ = coded(endless, "gzip")
    with pytest.raises(ExpandsTooFarError):
        run(decoder("gzip, gzip"), [data])


def test_a_little_text_of_equal_letters_is_no_bomb() -> None:
    text = b"a" * 16_000
    data, coding = coded(text, "gzip")
    assert len(text) > 100 * len(data)
    assert text == run(decoder(coding), [data])


def test_expansion_may_be_set() -> None:
    data, coding = coded(bytes(MEBIBYTE), "gzip")
    assert bytes(MEBIBYTE) == run(decoder(coding, expansion=2000), [data])
    with pytest.raises(ExpandsTooFarError, match="more than 3 times"):
        run(decoder(coding, expansion=3), [data])


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_thousands_of_empty_members_are_refused(name: str) -> None:
    empty, coding = coded(b"", name)
    assert b"" == run(decoder(coding), [empty * 1024])
    with pytest.raises(DecodingError, match="too much follows"):
        run(decoder(coding), [empty * 1025])


# -- what the response says then


def test_decoded_response_is_one_that_never_was_coded() -> None:
    headers = [(b"content-type", b"a/b"), (b"content-encoding", b"gzip"), (b"etag", b'"1"'), (b"content-length", b"9")]
    incoming = Incoming(200, headers, arrived=tuple(headers))
    decoded(incoming, b"12345")
    assert [(b"content-type", b"a/b"), (b"etag", b'W/"1"'), (b"content-length", b"9")] == incoming.headers
    assert (b"12345", b"5") == (incoming.body, dict(incoming.arrived)[b"content-length"])


def test_weak_tag_and_unknown_length_stay() -> None:
    incoming = Incoming(200, [(b"etag", b'W/"1"')], arrived=((b"transfer-encoding", b"chunked"),))
    decoded(incoming, b"1")
    assert [(b"etag", b'W/"1"')] == incoming.headers
    assert [(b"transfer-encoding", b"chunked")] == incoming.arrived


# -- what is asked for

READS = message(("x-model", "{{ model }}"))
ACCEPTS = (("accept-encoding", "gzip, br"), ("accept_encoding", "zstd"))


def served(*plans: TransformationPlan) -> GatewayConfig:
    return config(open_route(transformations=tuple(each.name for each in plans)), transformations=plans)


def asked(*plans: TransformationPlan) -> str:
    return Talk(served(*plans), request("GET", "/", *ACCEPTS)).sent.get("accept-encoding", "")


@pytest.mark.parametrize(
    "template",
    [
        READS,
        message(("x", "{{ body() }}"), parse_body="DontParse"),
        message(extractors=(x_("e", None),)),
        MessageTemplate(body_mode="template", body="new", parse_body="DontParse"),
        MessageTemplate(body_mode="merge_extractors"),
        MessageTemplate(parse_body="ParseAsJson"),
    ],
)
@pytest.mark.parametrize("phase", ["pre", "post"])
def test_route_whose_plan_reads_responses_asks_for_identity(phase: str, template: MessageTemplate) -> None:
    assert "identity" == asked(post_plan(phase=phase, response=template))


@pytest.mark.parametrize(
    "template", [message(("x", "y")), message(("x", '{{ header("a") }}')), MessageTemplate(body_mode="passthrough")]
)
def test_route_whose_plan_reads_no_response_asks_for_what_the_caller_does(template: MessageTemplate) -> None:
    assert "gzip, br" == asked(post_plan(response=template))


def test_request_that_a_template_reads_asks_for_what_the_caller_does() -> None:
    talk = Talk(served(post_plan(request=READS)), request("POST", "/", *ACCEPTS, body=True)).body(b'{"model":"m"}')
    assert "gzip, br" == talk.sent["accept-encoding"]


PARTS = (("range", "bytes=0-99"), ("if-range", '"1"'), ("if_range", '"2"'))


@pytest.mark.parametrize("phase", ["pre", "post"])
def test_route_whose_plan_reads_responses_asks_for_all_of_the_body(phase: str) -> None:
    plan = post_plan(phase=phase, request=message(("range", "bytes=1-")), response=READS)
    talk = Talk(served(plan), request("GET", "/", *PARTS, ("x-range", "stays")))
    assert {"x-range"} == {name for name in talk.sent if "range" in name}


def test_route_whose_plan_reads_no_response_asks_for_the_part_that_the_caller_does() -> None:
    sent = Talk(served(post_plan(response=message(("x", "y")))), request("GET", "/", *PARTS[:2])).sent
    assert ("bytes=0-99", '"1"') == (sent["range"], sent["if-range"])


def test_identity_is_asked_for_whatever_a_template_sets() -> None:
    assert "identity" == asked(post_plan(request=message(("accept-encoding", "gzip")), response=READS))


def test_observer_hears_what_is_asked_for() -> None:
    notes = Notes()
    Talk(served(post_plan(response=READS)), request("GET", "/", *ACCEPTS), observer=notes)
    assert [("route", "accept-encoding", b"identity", False)] == notes.set
    assert [("route", "accept_encoding")] == notes.removed


LOADED = """
import sys
from wardgate import ir
import wardgate.proxy.worker_process, wardgate.proxy.io.gateway
from wardgate.proxy.core.routing.table_builder import build_table

def loaded(template):
    plan = ir.TransformationPlan("t", "post", response=template)
    route = ir.Route("r", ir.Forward((ir.WeightedUpstream("u", 1),)), transformations=("t",))
    hosts = (ir.VirtualHost(("*",), (route,)),)
    upstreams = (ir.Upstream("u", (ir.Endpoint("h", 1),)),)
    build_table(ir.GatewayConfig((ir.Listener("l", 1, hosts),), upstreams, transformations=(plan,)), {})
    return {"brotli", "zlib"} <= set(sys.modules) and bool({"backports.zstd", "compression.zstd"} & set(sys.modules))

print(loaded(ir.MessageTemplate(remove=("a",))), loaded(ir.MessageTemplate(body_mode="template", body="x")))
"""


def test_libraries_are_loaded_with_the_first_plan_that_reads_responses_and_not_before() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert "False True\n" == done.stdout


@pytest.mark.parametrize("name", [b"content-digest", b"repr-digest", b"digest", b"content-md5"])
def test_decoded_response_has_no_digest_of_the_coded_bytes(name: bytes) -> None:
    incoming = Incoming(200, [(name, b"sha-256=:x:"), (b"content-encoding", b"gzip")])
    decoded(incoming, b"text")
    assert [] == incoming.headers
