"""A tenant after the platform's token, on a real API server: by moving requests, by using the platform's Secrets, by
borrowing the platform's labels. What it tries it applies in its own identity; a caller with the platform's key helps.
"""

from __future__ import annotations

import pytest

from tests.e2e.estate import (
    CALLER,
    ELSEWHERE,
    PROVIDER,
    Manifest,
    delegation,
    ext_auth,
    key_secret,
    route,
    service,
    table,
    transformation,
)
from tests.e2e.two_tenants import Estate

PLATFORM_TOKEN = "sk-the-token-of-the-platform-71c2"
PLATFORM_CALLER = "key-of-a-caller-of-the-platform"
SHARE_WITH, UPSTREAM_HOSTS = "wardgate.dev/share-with", "wardgate.dev/upstream-hosts"
GUARD, MINE = {"guard": "front"}, {"mine": "yes"}
PRINTS = {
    "injaTemplate": {
        "headers": {"x-stolen": {"text": '[{{ request_header("authorization") }}{{ request_header("x-made") }}]'}}
    }
}


def secret(**annotations: str) -> Manifest:
    given = {f"wardgate.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return key_secret("front", PLATFORM_CALLER, PLATFORM_TOKEN, labels=GUARD, annotations=given)


@pytest.fixture
def front(estate: Estate) -> Estate:
    """The platform's own route /front, with a token that is bound to its provider."""
    root = delegation(estate.apps, estate.evil_namespace)
    root["spec"]["http"] = [*root["spec"]["http"], route("/front", "provider", labels=GUARD)]
    estate.installation.cluster.apply(
        [
            service("provider", PROVIDER),
            ext_auth("front", storage={"labelSelector": GUARD}, labels=GUARD),
            secret(upstream_hosts=PROVIDER),
            root,  # the last one: a route is open until its policy is there
        ],
        namespace=estate.platform,
    )
    estate.installation.everywhere(200, "/front", method="POST", **{"api-key": PLATFORM_CALLER})
    assert [PLATFORM_TOKEN] == estate.provider.last_headers()["authorization"]
    return estate


def stolen(estate: Estate, path: str, key: str = PLATFORM_CALLER) -> tuple[int, str]:
    """Ask as a caller of the platform's, and give what the tenant's template printed into the answer."""
    answer = estate.installation.proxies[0].ask("POST", path, headers={"api-key": key})
    return answer.status, answer.headers.get("x-stolen", "")


@pytest.mark.parametrize("phase", ["preAuthz", "postAuthz"])
def test_requests_are_moved_to_nobody_elses_route(front: Estate, phase: str) -> None:
    moves = {
        name: transformation(
            name,
            selectors=[{"route": {"labels": {"move": name}}}],
            phase=phase,
            request={
                "recalculateRoutingDestination": True,
                "injaTemplate": {"headers": {":path": {"text": target}}},
            },
            response=PRINTS,
        )
        for name, target in (("to-front", "/front"), ("to-apps", "/apps/chat"), ("home", "/evil/end"))
    }
    routes = [route(f"/evil/{name}", "own", labels={"move": name}) for name in moves]
    front.attack(
        service("own", ELSEWHERE), table("thief", *routes, route("/evil/end", "own", labels=MINE)), *moves.values()
    )
    assert (403, "[]") == stolen(front, "/evil/to-front")
    assert (403, "[]") == stolen(front, "/evil/to-apps", CALLER)
    assert (200, "") == stolen(front, "/evil/home")
    assert "/models/evil/end" == front.provider.received()[-1]["path"]
    assert [] == front.leaks()


def test_platforms_secret_serves_a_tenant_by_its_owners_word_alone(front: Estate) -> None:
    """The tenant's policy selects the platform's keys, its route leads to the bound host, its template prints."""
    cluster, ask = front.installation.cluster, {"api-key": PLATFORM_CALLER}
    front.attack(
        service("same", PROVIDER),
        table("thief", route("/evil/use", "same", labels=MINE)),
        ext_auth("mine", storage={"labelSelector": GUARD}, labels=MINE),
        transformation("prints", selectors=[{"route": {"labels": MINE}}], request=PRINTS, response=PRINTS),
    )
    assert (401, "") == stolen(front, "/evil/use")
    cluster.apply(secret(upstream_hosts=PROVIDER, share_with=front.evil_namespace), namespace=front.platform)
    front.installation.everywhere(200, "/evil/use", method="POST", **ask)
    assert (200, "[]") == stolen(front, "/evil/use")
    seen = front.provider.last_headers()
    assert ([PLATFORM_TOKEN], ["[]"]) == (seen["authorization"], seen["x-stolen"])
    cluster.apply(secret(upstream_hosts=PROVIDER, share_with="not_a_namespace"), namespace=front.platform)
    front.installation.everywhere(401, "/evil/use", method="POST", **ask)


def test_shared_token_and_its_callers_keys_are_told_by_nothing_else(front: Estate) -> None:
    """The tenant's policy puts the token where providers repeat it, its route redirects, its matchers compare."""
    front.installation.cluster.apply(
        secret(upstream_hosts=PROVIDER, share_with=front.evil_namespace), namespace=front.platform
    )
    labels = [{"how": how} for how in ("echo", "redirect", "own")]
    echo, *others = [ext_auth(each["how"], storage={"labelSelector": GUARD}, labels=each) for each in labels]
    headers = {"origin": {"name": "token"}}
    echo["spec"]["config"]["glooAuth"]["configs"][0]["apiKeyAuth"]["headersFromMetadataEntry"] = headers
    away = route("/evil/redirect", "same", labels=labels[1])
    away.pop("forwardTo")
    guess = route("/evil/guess", "same", labels=GUARD)
    guess["matchers"][0]["headers"] = [{"name": "api-key", "value": "key-of-.*", "regex": True}]
    guess["forwardTo"]["pathRewrite"] = "/models/guessed"
    front.attack(
        service("same", PROVIDER),
        table(
            "thief",
            route("/evil/echo", "same", labels=labels[0]),
            {**away, "redirect": {"hostRedirect": "evil.example"}},
            guess,
            {**route("/evil/guess", "same", labels=GUARD), "name": "plain"},
        ),
        echo,
        *others,
    )
    assert (403, "") == stolen(front, "/evil/echo")
    assert (403, "") == stolen(front, "/evil/redirect")
    assert (200, "") == stolen(front, "/evil/guess")
    assert "/models/evil/guess" == front.provider.received()[-1]["path"]


def test_borrowed_label_of_the_platforms_brings_no_token(front: Estate) -> None:
    """The platform's policy selects by label, and so reaches the tenant's routes."""
    cluster, ask = front.installation.cluster, {"api-key": PLATFORM_CALLER}
    front.attack(
        service("own", ELSEWHERE),
        service("same", PROVIDER),
        table(
            "thief",
            route("/evil/away", "own", labels=GUARD),
            route("/evil/same", "same", labels=GUARD),
        ),
        transformation("prints", selectors=[{"route": {"labels": GUARD}}], request=PRINTS, response=PRINTS),
    )
    made = {"injaTemplate": {"headers": {"x-made": {"text": 'for {{ request_header("authorization") }}'}}}}
    cluster.apply(
        transformation("makes", selectors=[{"route": {"labels": GUARD}}], request=made), namespace=front.platform
    )
    front.settle()
    assert (403, "") == stolen(front, "/evil/away")
    assert (200, "[]") == stolen(front, "/evil/same")
    seen = front.provider.last_headers()
    assert ([f"for {PLATFORM_TOKEN}"], ["[]"]) == (seen["x-made"], seen["x-stolen"])
    cluster.apply(secret(), namespace=front.platform)
    front.installation.everywhere(403, "/evil/same", method="POST", **ask)
    front.installation.everywhere(200, "/front", method="POST", **ask)
    cluster.wait_until(
        lambda: "may not leave there" in str(cluster.get("ExtAuthPolicy", "front", namespace=front.platform)["status"]),
        seconds=20,
        what="the policy's status tells of the refused keys",
    )
