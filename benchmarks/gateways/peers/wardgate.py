"""Wardgate's form of a site: a config of the neutral model, shaped as ``translate`` shapes the workshop's lab."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from benchmarks.gateways.peers.site import KEY_HEADER, PROVIDER, SHAPED, Certificate, Site, key, token
from wardgate import ir
from wardgate.sensitive import Sensitive
from wardgate.standalone.handover.bundle_file import write_bundle
from wardgate.wire import Encoder

TOKEN_HEADER = "x-api-key"  # noqa: S105 - the name of a header
TOKEN_ENTRY = "token"  # noqa: S105 - the name of an entry
PUT_TOKEN = ir.TransformationPlan(
    "authorization",
    "post",
    request=ir.MessageTemplate(
        extractors=(ir.Extractor("token", TOKEN_HEADER, ".*"),),
        headers=(ir.HeaderTemplate("authorization", "Bearer {{ token }}"),),
    ),
)
SHAPE = ir.TransformationPlan(
    "shape",
    "pre",
    request=ir.MessageTemplate(
        extractors=(ir.Extractor("team", "x-team", "([a-z]+)-.*", subgroup=1),),
        headers=(ir.HeaderTemplate("x-team-name", "{{ team }}"),),
        body_mode="template",
        body='{"model": "{{ model }}", "prompt": "{{ prompt }}"}',
    ),
    response=ir.MessageTemplate(headers=(ir.HeaderTemplate("x-served-type", '{{ header("content-type") }}'),)),
)


def config(site: Site, versions: Sequence[int]) -> ir.GatewayConfig:
    """Return the site's config; ``versions`` has that of each key's token."""
    routes = tuple(_route(number) for number in range(site.size.routes))
    if site.shaped:
        routes = (*routes, _shaped_route())
    listener = ir.Listener("callers", site.port, (ir.VirtualHost(("*",), routes),), tls=_listener_tls(site.certificate))
    plans = sorted((_plan(number) for number in range(site.size.routes)), key=lambda plan: plan.name)
    credentials = (_credential(number, site.size.routes, version) for number, version in enumerate(versions))
    return ir.GatewayConfig(
        listeners=(listener,),
        upstreams=_upstreams(site),
        auth_plans=tuple(plans),
        transformations=(PUT_TOKEN, SHAPE) if site.shaped else (PUT_TOKEN,),
        credentials=tuple(sorted(credentials, key=lambda one: (one.key_set, one.digest))),
        guard=ir.Guard(allow_loopback=True),
    )


class BundleFile:
    """The file that a proxy follows."""

    def __init__(self, site: Site) -> None:
        self.path = site.folder / f"wardgate-{site.port}.json"
        self._next = self.path.with_suffix(".next")
        self._site = site
        self._encoder = Encoder()
        self._versions = [0] * site.size.keys

    def prepare(self, *, changed: int = 0, version: int = 0) -> None:
        """Write the next config beside the file; the first ``changed`` keys get the tokens of ``version``."""
        self._versions[:changed] = [version] * changed
        write_bundle(self._next, self._encoder.encode(config(self._site, self._versions)))

    def put(self) -> None:
        """Put the prepared config in its place."""
        self._next.replace(self.path)


def command(environment: Path, site: Site, bundle: Path) -> list[str]:
    """Return the command of a virtual environment that serves a bundle."""
    log = "--access-log" if site.access_log else "--no-access-log"
    served = ["--bind", "127.0.0.1", "--workers", str(site.workers), "--admin", "none", log]
    return [str(environment / "bin" / "wardgate"), "proxy", "--config", str(bundle), *served]


def _route(number: int) -> ir.Route:
    match = ir.RouteMatch(paths=(ir.PathMatch("prefix", f"/t{number}/"),))
    forward = ir.Forward((ir.WeightedUpstream("provider", 1),), ir.PrefixRewrite("/v1/"), host_rewrite=PROVIDER)
    return ir.Route(f"t{number}", forward, matches=(match,), auth=f"t{number}", transformations=("authorization",))


def _shaped_route() -> ir.Route:
    match = ir.RouteMatch(paths=(ir.PathMatch("prefix", SHAPED),))
    weights = (ir.WeightedUpstream("provider", 90), ir.WeightedUpstream("provider-b", 10))
    forward = ir.Forward(weights, ir.PrefixRewrite("/v1/"), host_rewrite=PROVIDER)
    return ir.Route("shaped", forward, matches=(match,), auth="t0", transformations=("shape", "authorization"))


def _plan(number: int) -> ir.AuthPlan:
    put_on = ir.MetadataHeader(TOKEN_HEADER, TOKEN_ENTRY)
    return ir.AuthPlan(f"t{number}", (ir.ApiKeyStep("config_0", KEY_HEADER, f"t{number}", (put_on,)),))


def _credential(number: int, routes: int, version: int) -> ir.Credential:
    digest = sha256(key(number).encode()).hexdigest()
    entry = ir.MetadataEntry(TOKEN_ENTRY, Sensitive(token(number, version)))
    return ir.Credential(f"t{number % routes}", digest, "callers", f"key-{number:06}", metadata=(entry,))


def _upstreams(site: Site) -> tuple[ir.Upstream, ...]:
    tls = None
    if site.upstream_tls is not None:
        tls = ir.UpstreamTls(PROVIDER, ca=site.upstream_tls.authority.read_text())
    endpoints = (ir.Endpoint("127.0.0.1", site.upstream),)
    names = ("provider", "provider-b") if site.shaped else ("provider",)
    return tuple(ir.Upstream(name, endpoints, tls) for name in names)


def _listener_tls(certificate: Certificate | None) -> ir.ListenerTls | None:
    if certificate is None:
        return None
    return ir.ListenerTls(certificate.chain.read_text(), Sensitive(certificate.private_key.read_text()))
