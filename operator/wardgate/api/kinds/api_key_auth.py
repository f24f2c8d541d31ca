"""``apiKeyAuth``: callers show a key in a header, and Secrets of the cluster say which keys are good.

Both spellings of the selector are here: the flat, deprecated one, and ``k8sSecretApikeyStorage``, which wins over it.
``translate`` decides on the meaning of the fields.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wardgate.api.kinds.references import SecretReference
from wardgate.api.rules.bounds import Count, Flag, HeaderName, Items, Label, Line, Name, OptionalTable, Port, Table
from wardgate.api.rules.model import ApiModel, JsonObject, OpenModel
from wardgate.api.rules.rules import Rule, at_most_one, given, implies

DEFAULT_HEADER = "api-key"
"""The header that carries the key where ``headerName`` is absent or empty."""


class MetadataEntry(ApiModel):
    """One entry of the key's Secret that becomes a header."""

    name: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        description="Name of the entry in the data of the key's Secret."
    )
    required: Flag = Field(False, description="Refuse a key whose Secret lacks the entry; if false, no header is set.")


class K8sSecretApikeyStorage(ApiModel):
    """Keys kept in Kubernetes Secrets of the type extauth.solo.io/apikey."""

    label_selector: OptionalTable[Label] = Field(
        None,
        max_length=64,
        description="Labels that a key's Secret must carry; absent or empty, without references, selects no key.",
    )
    api_key_secret_refs: Items[SecretReference] = Field(
        (), max_length=4096, description="Further Secrets with keys, by name."
    )


class AerospikeApikeyStorage(OpenModel):
    """Keys kept in an Aerospike database. Not supported by Wardgate: a policy with it is INVALID."""

    hostname: Line | None = Field(None, description="Host of the database.")
    namespace: Name | None = Field(None, description="Namespace in the database.")
    set: Name | None = Field(None, description="Set in that namespace.")
    port: Port | None = Field(None, description="Port of the database.")
    batch_size: Count | None = Field(None, description="Records read at once.")
    commit_all: Count | None = Field(None, description="Write to all replicas before a write succeeds.")
    commit_master: Count | None = Field(None, description="Write to the master before a write succeeds.")
    read_mode_sc: JsonObject | None = Field(None, description="Consistency of reads under strong consistency.")
    read_mode_ap: JsonObject | None = Field(None, description="Consistency of reads under availability.")
    node_tls_name: Line | None = Field(None, description="Name in the certificates of the nodes.")
    cert_path: Line | None = Field(None, description="File of the client certificate.")
    key_path: Line | None = Field(None, description="File of the client's private key.")
    allow_insecure: Flag = Field(False, description="Do not verify the certificates of the nodes.")
    root_ca_path: Line | None = Field(None, description="File of the certificate authorities.")
    tls_version: Name | None = Field(None, description="Version of TLS.")
    tls_curve_groups: Items[JsonObject] = Field((), max_length=64, description="Elliptic curves, preferred ones first.")
    label_selector: Table[Label] = Field({}, max_length=64, description="Labels of the keys that are valid.")


class Hmac(ApiModel):
    """Secrets hold HMACs of the keys, not the keys."""

    algorithm: Literal["HMAC_SHA256"] | None = Field(None, description="The function; HMAC with SHA-256 if absent.")
    shared_secret_ref: SecretReference = Field(description="The Secret that holds the shared secret of the HMAC.")


class Digest(ApiModel):
    """Secrets hold digests of the keys, not the keys."""

    algorithm: Literal["SHA256"] | None = Field(None, description="The function; SHA-256 if absent.")


class MatchedHeader(ApiModel):
    """One further header that has to agree with the key's Secret."""

    name: Annotated[HeaderName, Field(min_length=1)] = Field(
        description="Name of the header, and of the entry in the Secret that its value must equal."
    )


class KeyMatch(ApiModel):
    """Headers beside the key that must equal entries of the key's Secret."""

    headers: Items[MatchedHeader] = Field((), max_length=64, description="The headers; all of them must be equal.")


class ApiKeyAuth(ApiModel):
    """Let callers in who show a known key."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            given("k8s_secret_apikey_storage"),
            given("aerospike_apikey_storage"),
            message="Give only one store of keys: k8sSecretApikeyStorage. Aerospike is not supported.",
        ),
        at_most_one(given("hmac"), given("digest"), message="Give either hmac or digest: a key is stored in one form."),
        implies(given("match"), given("digest"), message="match works only with digest: add digest or remove match."),
    )

    header_name: HeaderName | None = Field(None, description="Header that carries the key; api-key if absent or empty.")
    k8s_secret_apikey_storage: K8sSecretApikeyStorage | None = Field(
        None, description="Which Secrets hold the keys. Wins over labelSelector and apiKeySecretRefs beside it."
    )
    aerospike_apikey_storage: AerospikeApikeyStorage | None = Field(
        None, description="Keys in an Aerospike database. Not supported by Wardgate."
    )
    label_selector: OptionalTable[Label] = Field(
        None, max_length=64, description="Deprecated spelling of k8sSecretApikeyStorage.labelSelector."
    )
    api_key_secret_refs: Items[SecretReference] = Field(
        (), max_length=4096, description="Deprecated spelling of k8sSecretApikeyStorage.apiKeySecretRefs."
    )
    headers_from_metadata_entry: Table[MetadataEntry] = Field(
        {},
        max_length=256,
        description="Headers to set once the key is accepted: header name to the entry of the key's Secret.",
    )
    headers_from_metadata: Table[MetadataEntry] = Field(
        {}, max_length=256, description="Deprecated spelling of headersFromMetadataEntry."
    )
    skip_metadata_validation: Flag = Field(
        False, description="Do not check that entries of the Secret can be values of headers."
    )
    hmac: Hmac | None = Field(None, description="The Secrets hold HMACs of the keys.")
    digest: Digest | None = Field(None, description="The Secrets hold SHA-256 digests of the keys.")
    match: KeyMatch | None = Field(None, description="Further headers that the caller must send; with digest only.")
