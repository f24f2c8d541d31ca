"""A configuration that uses every type of the model, and every field with another value than its default."""

from __future__ import annotations

from dataclasses import replace

from wardgate import ir
from wardgate.inja.limits import TemplateLimits
from wardgate.sensitive import Sensitive

MATCHES = (
    ir.RouteMatch(
        paths=(
            ir.PathMatch("prefix", "/v1", ignore_case=True),
            ir.PathMatch("regex", "/v1/[a-z]+"),
            ir.PathMatch("exact", "/v1/chat"),
        ),
        headers=(
            ir.HeaderMatch("x-team"),
            ir.HeaderMatch("x-tier", "gold|silver", regex=True, invert=True),
        ),
        query=(ir.QueryMatch("debug"), ir.QueryMatch("model", "m-.*", regex=True)),
        methods=("GET", "POST"),
    ),
    ir.RouteMatch(),
)

PLANS = (
    ir.AuthPlan(
        name="plan-keys",
        steps=(
            ir.ApiKeyStep(
                name="digest",
                header="api-key",
                key_set="set-a",
                metadata_headers=(ir.MetadataHeader("x-token", "token", required=True), ir.MetadataHeader("x-t", "t")),
                stored=ir.Digest(match_headers=("x-org",)),
                skip_metadata_validation=True,
            ),
            ir.ApiKeyStep(name="hmac", header="authorization", key_set="set-b", stored=ir.Hmac(Sensitive("shared"))),
            ir.ApiKeyStep(name="plain", header="api-key", key_set="set-a", stored=ir.Digest()),
            ir.BasicAuthStep(
                name="basic",
                realm="gateway",
                encryption="apr1",
                users=(
                    ir.BasicUser(name="ann", salt=Sensitive("TYiryv0/"), hashed=Sensitive("8BvzLUO9IfGPGGsPnAgSu1")),
                ),
            ),
            ir.BasicAuthStep(name="sha", realm="r", encryption="sha1", users=()),
        ),
        expression=ir.BoolOr(
            (ir.BoolAnd((ir.BoolStep("digest"), ir.BoolNot(ir.BoolStep("hmac")))), ir.BoolStep("basic"))
        ),
        forward_credential=True,
        policy="ExtAuthPolicy gateways/keys",
        owner="team-a",
    ),
    ir.AuthPlan(name="plan-simple", steps=(ir.ApiKeyStep(name="k", header="api-key", key_set="set-a"),)),
)

TRANSFORMATIONS = (
    ir.TransformationPlan(
        name="t-post",
        phase="post",
        request=ir.MessageTemplate(
            extractors=(
                ir.Extractor("token", "x-token", "Bearer (.*)", mode="SINGLE_REPLACE", subgroup=1, replacement="$1"),
                ir.Extractor("all", None, ".*", mode="REPLACE_ALL"),
            ),
            headers=(ir.HeaderTemplate("authorization", "Bearer {{ token }}"), ir.HeaderTemplate("x-gone", None)),
            append=(ir.AppendedHeader("x-trace", "{{ all }}"),),
            remove=("x-token",),
            body_mode="template",
            body='{"a": "ü \\u0000 \udcff"}',
            dynamic_metadata=(ir.DynamicMetadataValue("ns", "k", "{{ token }}", as_json=True),),
            parse_body="ParseAsJson",
            ignore_parse_error=True,
            advanced=True,
            escape=True,
            data_sources=(ir.DataSource("motd", "hello"),),
        ),
        response=ir.MessageTemplate(body_mode="merge_extractors", parse_body="DontParse"),
        recalculate=True,
        credential_headers=("x-secret",),
        policy="TransformationPolicy gateways/t",
        owner="team-a",
    ),
    ir.TransformationPlan(name="t-pre", phase="pre", request=ir.MessageTemplate(body_mode="passthrough")),
)

UPSTREAMS = (
    ir.Upstream(
        name="up-files",
        endpoints=(ir.Endpoint("10.0.0.1", 443), ir.Endpoint("", 0, unix_path="/run/up.sock")),
        tls=ir.UpstreamTls(
            sni="api.example",
            verify=False,
            verify_names=("other.example",),
            ca=ir.FileRef("/certs/ca.pem"),
            certificate=ir.FileRef("/certs/tls.crt"),
            private_key=ir.FileRef("/certs/tls.key"),
        ),
        bound_hosts=(),
        send_user_id=True,
        send_forwarded=True,
    ),
    ir.Upstream(
        name="up-texts",
        endpoints=(ir.Endpoint("api.example", 443),),
        tls=ir.UpstreamTls(sni="api.example", ca="CA", certificate="CERTIFICATE", private_key=Sensitive("KEY")),
        bound_hosts=("api.example",),
    ),
)

ROUTES = (
    ir.Route(
        name="apps/rt/forward",
        action=ir.Forward(
            upstreams=(ir.WeightedUpstream("up-files", 1), ir.WeightedUpstream("up-texts", 0)),
            path_rewrite=ir.RegexRewrite("^/v1", "/\\1"),
            host_rewrite="api.example",
            auto_host_rewrite=True,
        ),
        matches=MATCHES,
        auth="plan-keys",
        transformations=("t-pre", "t-post"),
        owner="team-a",
    ),
    ir.Route(
        name="apps/rt/prefix",
        action=ir.Forward(upstreams=(ir.WeightedUpstream("up-texts", 3),), path_rewrite=ir.PrefixRewrite("/models")),
        matches=MATCHES[:1],
        auth="plan-simple",
    ),
    ir.Route(name="apps/rt/moved", action=ir.Redirect(301, host="new.example", path="/new")),
    ir.Route(name="apps/rt/hello", action=ir.DirectResponse(200, body="hello"), transformations=("t-post",)),
    ir.Route(name="apps/rt/broken", action=ir.Refuse(500, "invalid_policy")),
)

LISTENERS = (
    ir.Listener(
        name="files",
        port=8443,
        virtual_hosts=(ir.VirtualHost(domains=("api.example", "*.example"), routes=ROUTES),),
        tls=ir.ListenerTls(
            certificate=ir.FileRef("/certs/tls.crt"),
            private_key=ir.FileRef("/certs/tls.key"),
            client_ca=ir.FileRef("/certs/ca.pem"),
            subject_alt_names=("client.example",),
            minimum_version="TLSv1_1",
            maximum_version="TLSv1_3",
            cipher_suites=("ECDHE-RSA-AES256-GCM-SHA384",),
            hosts=("api.example",),
            others=(
                ir.ServerCertificate(ir.FileRef("/certs/two.crt"), ir.FileRef("/certs/two.key"), hosts=("*.example",)),
                ir.ServerCertificate("CERTIFICATE", Sensitive("KEY"), hosts=("other.example", "*")),
            ),
        ),
    ),
    ir.Listener(
        name="redirect",
        port=8080,
        https_redirect=True,
        front=ir.FrontProxies(trusted_hops=2, proxy_protocol=True, trusted_networks=("10.0.0.0/8", "fd00::/8")),
    ),
    ir.Listener(
        name="texts",
        port=9443,
        virtual_hosts=(
            ir.VirtualHost(domains=("one.example",), routes=ROUTES[:2]),
            ir.VirtualHost(domains=("*",), routes=ROUTES[1:2]),
        ),
        tls=ir.ListenerTls(certificate="CERTIFICATE", private_key=Sensitive("KEY"), client_ca="CA"),
    ),
)

CREDENTIALS = (
    ir.Credential(
        key_set="set-a",
        digest="0f" * 32,
        namespace="apps",
        name="key-ann",
        expires_at=1_900_000_000,
        allowed_hosts=("api.example",),
        shared_with=("team-a", "team-b"),
        allowed_from=("10.0.0.0/8",),
        metadata=(
            ir.MetadataEntry("t", Sensitive("line\nbreak"), legal_header=False),
            ir.MetadataEntry("token", Sensitive("hf_token")),
        ),
    ),
    ir.Credential(key_set="set-a", digest="a0" * 32, namespace="apps", name="key-bob", allowed_hosts=()),
    ir.Credential(key_set="set-b", digest="0f" * 32, namespace="apps", name="key-cid", metadata_from="apps/openai"),
)

SOURCES = (
    ir.TokenSource("apps", "mistral", metadata=(ir.MetadataEntry("token", Sensitive("m_token")),)),
    ir.TokenSource(
        namespace="apps",
        name="openai",
        metadata=(ir.MetadataEntry("token", Sensitive("sk_token")),),
        allowed_hosts=("api.example",),
        shared_with=("team-a",),
    ),
)

FULL = ir.GatewayConfig(
    listeners=LISTENERS,
    upstreams=UPSTREAMS,
    auth_plans=PLANS,
    transformations=TRANSFORMATIONS,
    credentials=CREDENTIALS,
    token_sources=SOURCES,
    template_env=("REGION",),
    template_limits=TemplateLimits(
        template_bytes=1,
        output_bytes=2,
        steps=3,
        nesting=4,
        value_depth=5,
        regex_bytes=6,
        regex_memory=7,
        replace_work=8,
        regex_program=9,
        regex_work=10,
        json_bytes=11,
        json_values=12,
    ),
    guard=ir.Guard(
        denied_addresses=("10.96.0.1:443",),
        allow_cidrs=("10.0.0.0/8",),
        deny_cidrs=("192.168.0.0/16",),
        allow_loopback=True,
    ),
)

GUARDED = replace(FULL, listeners=(replace(LISTENERS[0], virtual_hosts=(ir.VirtualHost(("*",), ROUTES[:2]),)),))
"""Every route demands a key."""


def routes_of(config: ir.GatewayConfig) -> list[ir.Route]:
    """All routes of all listeners."""
    hosts = [host for listener in config.listeners for host in listener.virtual_hosts]
    return [route for host in hosts for route in host.routes]
