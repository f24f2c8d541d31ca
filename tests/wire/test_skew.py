"""What a newer version's parts cost: one test for each rule, then every place at once."""

from __future__ import annotations

import typing
from dataclasses import replace

import pytest

from tests.wire.samples import FULL, LISTENERS, ROUTES, UPSTREAMS, routes_of
from tests.wire.walking import Path, at, changed, load, objects_in, words_in, write
from wardgate import ir
from wardgate.inja.limits import TemplateLimits
from wardgate.wire import Bundle, Decoded, decode, decode_credentials, decode_routes, encode, hash_of, revision_of

JSON = load(encode(FULL).groups["routes"])
CLOSED = ir.Refuse(503, "unknown_plan")
NEW = {"newer": 1}

LISTENER: Path = ("listeners", 0)
HOST: Path = (*LISTENER, "virtual_hosts", 0)
ROUTE: Path = (*HOST, "routes", 0)
MATCH: Path = (*ROUTE, "matches", 0)


def with_field(path: Path, name: str = "newer") -> Decoded:
    """The sample with an unknown field in the object at ``path``."""
    return decode_routes(write(changed(JSON, (*path, name), NEW)))


def with_word(path: Path) -> Decoded:
    """The sample with an unknown word or kind at ``path``."""
    return decode_routes(write(changed(JSON, path, "newer")))


def places(decoded: Decoded) -> dict[tuple[str, tuple[str, ...], str], ir.Route]:
    return {
        (listener.name, host.domains, route.name): route
        for listener in decoded.config.listeners
        for host in listener.virtual_hosts
        for route in host.routes
    }


def closed_in(decoded: Decoded) -> list[str]:
    """The routes that are closed, each once."""
    return sorted({route.name for route in routes_of(decoded.config) if route.action == CLOSED})


def first_match(decoded: Decoded) -> ir.RouteMatch:
    return routes_of(decoded.config)[0].matches[0]


ALL_ROUTES = sorted(route.name for route in ROUTES)
USES_PLAN_KEYS = ["apps/rt/forward"]
FORWARDS = ["apps/rt/forward", "apps/rt/prefix"]


class TestRoutes:
    def test_an_unknown_field_closes_the_route(self) -> None:
        decoded = with_field(ROUTE)
        assert routes_of(decoded.config)[0] == ir.Route(
            name="apps/rt/forward", action=CLOSED, matches=ROUTES[0].matches, owner="team-a"
        )

    def test_the_other_routes_stay_as_they_were(self) -> None:
        assert routes_of(with_field(ROUTE).config)[1:] == routes_of(FULL)[1:]

    def test_it_is_said_what_was_closed_and_why(self) -> None:
        assert with_field(ROUTE).closed == ("Route apps/rt/forward is closed: unknown field 'newer' of Route.",)

    @pytest.mark.parametrize(
        "path", [("action",), ("action", "path_rewrite"), ("action", "upstreams", 0)], ids=lambda path: str(path[-1])
    )
    def test_an_unknown_field_of_the_action_closes_the_route(self, path: Path) -> None:
        decoded = with_field((*ROUTE, *path))
        assert closed_in(decoded)[0] == "apps/rt/forward"
        assert len(decoded.closed) == 1

    def test_an_unknown_kind_of_action_closes_the_route(self) -> None:
        decoded = with_word((*ROUTE, "action", "@"))
        assert routes_of(decoded.config)[0].action == CLOSED
        assert decoded.closed == ("Route apps/rt/forward is closed: unknown kind 'newer'.",)

    def test_an_unknown_kind_of_rewrite_closes_the_route(self) -> None:
        assert routes_of(with_word((*ROUTE, "action", "path_rewrite", "@")).config)[0].action == CLOSED

    def test_an_unknown_field_of_a_host_closes_its_routes(self) -> None:
        decoded = with_field(HOST)
        assert [route.action for route in decoded.config.listeners[0].virtual_hosts[0].routes] == [CLOSED] * 5
        assert decoded.config.listeners[1:] == FULL.listeners[1:]

    def test_an_unknown_field_of_a_listener_closes_its_routes(self) -> None:
        decoded = with_field(LISTENER)
        assert [route.action for route in routes_of(decoded.config)[:5]] == [CLOSED] * 5
        assert decoded.config.listeners[1:] == FULL.listeners[1:]

    def test_a_closed_route_keeps_its_host_and_its_matches(self) -> None:
        decoded = with_field(LISTENER)
        assert decoded.config.listeners[0].virtual_hosts[0].domains == ("api.example", "*.example")
        assert routes_of(decoded.config)[0].matches == ROUTES[0].matches


class TestMatches:
    def test_an_unknown_field_of_a_match_counts_as_met_and_closes_the_route(self) -> None:
        decoded = with_field(MATCH)
        assert first_match(decoded) == ROUTES[0].matches[0]
        assert routes_of(decoded.config)[0].action == CLOSED

    @pytest.mark.parametrize("part", ["paths", "headers", "query"])
    def test_a_condition_with_an_unknown_field_counts_as_met_and_closes_the_route(self, part: str) -> None:
        decoded = with_field((*MATCH, part, 0))
        known = ROUTES[0].matches[0]
        assert first_match(decoded) == replace(known, **{part: getattr(known, part)[1:]})
        assert routes_of(decoded.config)[0].action == CLOSED

    def test_an_unknown_kind_of_path_condition_counts_as_met_and_closes_the_route(self) -> None:
        decoded = with_word((*MATCH, "paths", 1, "kind"))
        assert [path.kind for path in first_match(decoded).paths] == ["prefix", "exact"]
        assert routes_of(decoded.config)[0].action == CLOSED


class TestPlans:
    @pytest.mark.parametrize(
        "path",
        [
            (),
            ("steps", 0),
            ("steps", 0, "metadata_headers", 0),
            ("steps", 0, "stored"),
            ("steps", 1, "stored"),
            ("steps", 3),
            ("steps", 3, "users", 0),
            ("expression",),
            ("expression", "operands", 0, "operands", 1, "operand"),
        ],
        ids=str,
    )
    def test_an_unknown_field_of_an_auth_plan_closes_the_routes_that_use_it(self, path: Path) -> None:
        decoded = with_field(("auth_plans", 0, *path))
        assert closed_in(decoded) == USES_PLAN_KEYS
        assert decoded.config.auth_plans == FULL.auth_plans[1:]

    @pytest.mark.parametrize(
        "path",
        [
            ("steps", 0, "@"),
            ("steps", 0, "stored", "@"),
            ("steps", 3, "encryption"),
            ("expression", "operands", 0, "operands", 1, "operand", "@"),
        ],
        ids=str,
    )
    def test_an_unknown_kind_or_word_of_an_auth_plan_closes_the_routes_that_use_it(self, path: Path) -> None:
        assert closed_in(with_word(("auth_plans", 0, *path))) == USES_PLAN_KEYS

    def test_it_is_said_what_was_left_out_and_what_that_closed(self) -> None:
        left_out, *closed = with_word(("auth_plans", 0, "steps", 0, "@")).closed
        assert left_out == "AuthPlan plan-keys is left out: unknown kind 'newer'."
        assert set(closed) == {"Route apps/rt/forward is closed: auth plan plan-keys is not known."}

    @pytest.mark.parametrize(
        "path",
        [(), ("request",), ("request", "extractors", 0), ("request", "dynamic_metadata", 0), ("response",)],
        ids=str,
    )
    def test_an_unknown_field_of_a_transformation_closes_the_routes_that_use_it(self, path: Path) -> None:
        decoded = with_field(("transformations", 0, *path))
        assert closed_in(decoded) == ["apps/rt/forward", "apps/rt/hello"]

    @pytest.mark.parametrize(
        "path",
        [("phase",), ("request", "body_mode"), ("request", "parse_body"), ("request", "extractors", 0, "mode")],
        ids=str,
    )
    def test_an_unknown_word_of_a_transformation_closes_the_routes_that_use_it(self, path: Path) -> None:
        assert closed_in(with_word(("transformations", 0, *path))) == ["apps/rt/forward", "apps/rt/hello"]


class TestUpstreamsAndTls:
    @pytest.mark.parametrize("path", [(), ("endpoints", 0), ("tls",), ("tls", "ca")], ids=str)
    def test_an_unknown_field_of_an_upstream_closes_the_routes_that_use_it(self, path: Path) -> None:
        decoded = with_field(("upstreams", 0, *path))
        assert closed_in(decoded) == ["apps/rt/forward"]
        assert decoded.config.upstreams == UPSTREAMS[1:]

    def test_an_upstream_of_weight_zero_closes_its_route_too(self) -> None:
        assert closed_in(with_field(("upstreams", 1))) == FORWARDS

    def test_an_unknown_kind_of_key_closes_the_routes_that_use_the_upstream(self) -> None:
        assert closed_in(with_word(("upstreams", 0, "tls", "private_key", "@"))) == ["apps/rt/forward"]

    @pytest.mark.parametrize("path", [("tls",), ("tls", "certificate")], ids=str)
    def test_an_unknown_field_of_a_listeners_tls_leaves_the_listener_out(self, path: Path) -> None:
        decoded = with_field((*LISTENER, *path))
        assert decoded.config.listeners == LISTENERS[1:]

    @pytest.mark.parametrize("path", [("minimum_version",), ("maximum_version",), ("client_ca", "@")], ids=str)
    def test_an_unknown_word_of_a_listeners_tls_leaves_the_listener_out(self, path: Path) -> None:
        decoded = with_word((*LISTENER, "tls", *path))
        assert decoded.config.listeners == LISTENERS[1:]
        assert "Listener files is left out" in decoded.closed[-1]


class TestBoundsAndTopLevel:
    def test_an_unknown_field_of_the_guard_closes_every_route_that_forwards(self) -> None:
        decoded = with_field(("guard",))
        assert closed_in(decoded) == FORWARDS
        assert decoded.config.guard == ir.Guard()

    def test_an_unknown_field_of_the_template_limits_closes_every_route_with_a_transformation(self) -> None:
        decoded = with_field(("template_limits",))
        assert closed_in(decoded) == ["apps/rt/forward", "apps/rt/hello"]
        assert decoded.config.transformations == ()
        assert decoded.config.template_limits == TemplateLimits()

    def test_an_unknown_part_closes_every_route(self) -> None:
        decoded = with_field((), "denied_callers")
        assert closed_in(decoded) == ALL_ROUTES
        assert all("unknown part 'denied_callers'" in sentence for sentence in decoded.closed)

    def test_a_note_is_ignored(self) -> None:
        assert with_field((), "info_sources") == Decoded(config=replace(FULL, credentials=(), token_sources=()))

    def test_a_route_is_reported_once(self) -> None:
        both = changed(changed(JSON, (*ROUTE, "newer"), 1), ("newer",), 1)
        sentences = decode_routes(write(both)).closed
        assert len(sentences) == len(routes_of(FULL))


class TestDanglingNames:
    @pytest.mark.parametrize(
        "config",
        [
            replace(FULL, auth_plans=FULL.auth_plans[1:]),
            replace(FULL, upstreams=UPSTREAMS[1:]),
            replace(FULL, transformations=FULL.transformations[:1]),
        ],
        ids=["auth plan", "upstream", "transformation"],
    )
    def test_a_route_that_names_what_is_not_there_is_closed(self, config: ir.GatewayConfig) -> None:
        assert closed_in(decode(encode(config))) == ["apps/rt/forward"]

    @pytest.mark.parametrize("part", ["auth_plans", "transformations", "upstreams", "listeners"])
    def test_two_parts_of_one_name_are_no_skew_but_an_error(self, part: str) -> None:
        twice = changed(JSON, (part,), [JSON[part][0], JSON[part][0]])
        with pytest.raises(Exception, match="one name"):
            decode_routes(write(twice))


class TestCredentials:
    BUCKET = next(data for name, data in encode(FULL).groups.items() if b"key-ann" in data)

    def with_new(self, path: Path) -> bytes:
        return write(changed(load(self.BUCKET), (*path, "newer"), NEW))

    @pytest.mark.parametrize("path", [("credentials", 0), ("credentials", 0, "metadata", 1)], ids=str)
    def test_an_unknown_field_refuses_that_key(self, path: Path) -> None:
        decoded = decode_credentials(self.with_new(path))
        assert decoded.credentials == ()
        assert decoded.refused == 1

    def test_the_other_keys_of_the_bucket_stay(self) -> None:
        value = load(self.BUCKET)
        other = {"key_set": "s", "digest": "d", "namespace": "n", "name": "other"}
        value["credentials"] = [{**value["credentials"][0], "newer": 1}, other]
        decoded = decode_credentials(write(value))
        assert [one.name for one in decoded.credentials] == ["other"]
        assert decoded.refused == 1

    def test_an_unknown_part_refuses_all_keys_of_the_group(self) -> None:
        decoded = decode_credentials(self.with_new(()))
        assert decoded.credentials == ()
        assert decoded.refused == 1

    def test_a_note_is_ignored(self) -> None:
        value = changed(load(self.BUCKET), ("info_x",), NEW)
        assert decode_credentials(write(value)).refused == 0


class TestGroups:
    def bundle(self, groups: dict[str, bytes]) -> Bundle:
        hashes = {name: hash_of(data) for name, data in groups.items()}
        revision = revision_of(schema="1.0", hashes=hashes)
        return Bundle(schema="1.0", revision=revision, groups=groups, hashes=hashes)

    def test_refused_keys_are_counted_over_all_groups(self) -> None:
        groups = {
            name: write({**load(data), "newer": 1}) for name, data in encode(FULL).groups.items() if name != "routes"
        }
        decoded = decode(self.bundle({"routes": encode(FULL).groups["routes"], **groups}))
        assert decoded.refused_keys == 3
        assert decoded.config.credentials == ()

    def test_an_unknown_group_closes_every_route(self) -> None:
        decoded = decode(self.bundle({**encode(FULL).groups, "quotas-000": b"{}"}))
        assert closed_in(decoded) == ALL_ROUTES
        assert "unknown group 'quotas-000'" in decoded.closed[0]

    def test_a_group_of_notes_is_ignored(self) -> None:
        assert decode(self.bundle({**encode(FULL).groups, "info-sources": b"?"})) == Decoded(config=FULL)


WORDS = frozenset(
    {"@", "kind", "mode", "body_mode", "parse_body", "phase", "encryption", "minimum_version", "maximum_version"}
)
NEWER = [(*path, "newer") for path in objects_in(JSON)] + list(words_in(JSON, WORDS))


def parts_of(config: ir.GatewayConfig, route: ir.Route) -> object:
    """All that decides over a request on this route, beside the route itself."""
    upstreams = {one.upstream for one in route.action.upstreams} if isinstance(route.action, ir.Forward) else set()
    return (
        [plan for plan in config.auth_plans if plan.name == route.auth],
        [plan for plan in config.transformations if plan.name in route.transformations],
        config.template_limits if route.transformations else None,
        [upstream for upstream in config.upstreams if upstream.name in upstreams],
        config.guard if upstreams else None,
    )


def takes_no_less(closed: ir.RouteMatch, known: ir.RouteMatch) -> bool:
    return (
        set(closed.paths) <= set(known.paths)
        and set(closed.headers) <= set(known.headers)
        and set(closed.query) <= set(known.query)
        and closed.methods == known.methods
    )


@pytest.mark.parametrize("path", NEWER, ids=lambda path: ".".join(map(str, path)))
def test_wherever_something_new_stands_each_route_is_as_it_was_or_closed_and_takes_no_less(path: Path) -> None:
    decoded = decode_routes(write(changed(JSON, path, "newer")))
    before = places(Decoded(config=FULL))
    assert decoded.closed
    for place, route in places(decoded).items():
        known = before[place]
        if route.action == CLOSED:
            assert len(route.matches) == len(known.matches)
            assert all(map(takes_no_less, route.matches, known.matches))
        else:
            assert route == known
            assert parts_of(decoded.config, route) == parts_of(FULL, known)


def test_the_places_for_something_new_are_many() -> None:
    assert len(NEWER) > 100
    assert {typing.cast("str", at(JSON, path)) for path in words_in(JSON, WORDS)} >= {
        "forward",
        "prefix",
        "file",
        "apr1",
    }
