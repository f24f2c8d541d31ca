"""Reads one entry of ``glooAuth.configs`` into one step of an ``AuthPlan``: ``apiKeyAuth`` and ``basicAuth``.

Every other module is an error with its name. Rules that the models enforce (one module an entry, one store of keys) are
not checked again. A step with an error may be incomplete: its policy is INVALID and not served.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from wardgate.api.kinds.api_key_auth import DEFAULT_HEADER, ApiKeyAuth, MetadataEntry
from wardgate.api.kinds.basic_auth import BasicAuth
from wardgate.api.kinds.ext_auth_policy import AuthStep
from wardgate.api.kinds.references import SecretReference
from wardgate.api.rules.rules import json_name
from wardgate.field_names import fold
from wardgate.ir import ApiKeyStep, BasicAuthStep, BasicUser, Digest, Hmac, MetadataHeader
from wardgate.problems import FieldPath, ObjectRef, Problem, Reason
from wardgate.sensitive import Sensitive
from wardgate.translate.contract import KeyForm, KeySetRequest, Scope
from wardgate.translate.findings import Findings
from wardgate.translate.policies.header_names import request_header_fault
from wardgate.translate.secrets.secret_references import Reference, shared_secret

_LABEL_KEY: Final = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_APR1_HASH: Final = re.compile(r"[./0-9A-Za-z]{22}")


@dataclass(frozen=True, slots=True)
class StepReader:
    """Reads the entry at ``field`` of ``policy``; problems go to ``findings``."""

    policy: ObjectRef
    field: FieldPath
    scope: Scope
    findings: Findings

    def read(self, step: AuthStep, name: str) -> tuple[ApiKeyStep | BasicAuthStep | None, KeySetRequest | None]:
        """The step under its name, with the key set in which it looks up keys."""
        if step.api_key_auth is not None:
            return self._at("apiKeyAuth").api_key(step.api_key_auth, name)
        if step.basic_auth is not None:
            return self._at("basicAuth").basic(step.basic_auth, name), None
        self.unsupported(json_name(step.module))
        return None, None

    def unsupported(self, module: str) -> None:
        """Report a module of the Gloo API that Wardgate does not implement."""
        message = f"{self.policy} uses {module}, which Wardgate does not implement. Use apiKeyAuth or basicAuth."
        self.findings.error(self.policy, Reason.UNSUPPORTED, message=message, field=(*self.field, module))

    def api_key(self, auth: ApiKeyAuth, name: str) -> tuple[ApiKeyStep | None, KeySetRequest | None]:
        """Read ``apiKeyAuth``."""
        if auth.aerospike_apikey_storage is not None:
            self.unsupported("aerospikeApikeyStorage")
            return None, None
        header = (auth.header_name or DEFAULT_HEADER).lower()
        self._check_header(header, ("headerName",))
        keys = self._key_set(auth)
        step = ApiKeyStep(
            name=name,
            header=header,
            key_set=keys.name,
            metadata_headers=self._metadata_headers(auth),
            stored=self._stored(auth),
            skip_metadata_validation=auth.skip_metadata_validation,
        )
        return step, keys

    def basic(self, auth: BasicAuth, name: str) -> BasicAuthStep:
        """Read ``basicAuth`` in either style."""
        encryption: Literal["apr1", "sha1"] = "apr1"
        table, path = auth.apr, ("apr", "users")
        if auth.user_list is not None:
            table, path = auth.user_list, ("userList", "users")
            if auth.encryption is not None and auth.encryption.sha1 is not None:
                encryption = "sha1"
        users = {} if table is None else table.users
        if not users:
            message = f"{self.policy} has basicAuth without users: every request to its routes is refused. Add users."
            self.findings.warning(self.policy, Reason.NO_KEYS, message=message, field=(*self.field, *path))
        for user, password in sorted(users.items()):
            self._check_user(user, (*path, user))
            if encryption == "apr1" and not _APR1_HASH.fullmatch(password.hashed_password):
                self._useless_hash(user, (*path, user, "hashedPassword"))
        return BasicAuthStep(
            name=name,
            realm=auth.realm or "",
            encryption=encryption,
            users=tuple(
                BasicUser(name=user, salt=Sensitive(password.salt), hashed=Sensitive(password.hashed_password))
                for user, password in sorted(users.items())
            ),
        )

    def _key_set(self, auth: ApiKeyAuth) -> KeySetRequest:
        path: FieldPath = ("k8sSecretApikeyStorage",)
        storage = auth.k8s_secret_apikey_storage
        if storage is None:
            selector, refs, path = auth.label_selector, auth.api_key_secret_refs, ()
        else:
            selector, refs = storage.label_selector, storage.api_key_secret_refs
            self._warn_of_flat_form(auth)
        labels = tuple(sorted((selector or {}).items()))
        self._check_labels(labels, (*path, "labelSelector"))
        scope = self.scope.tenancy.key_scope(self.policy.namespace)
        return KeySetRequest(
            selector=labels,
            refs=tuple(sorted(set(self._refs(refs, (*path, "apiKeySecretRefs"))))),
            scope=None if scope is None else tuple(sorted(scope)),
            tenant=self.scope.tenancy.owner(self.policy.namespace),
            form=_form(auth),
        )

    def _warn_of_flat_form(self, auth: ApiKeyAuth) -> None:
        flat = [
            name
            for name, given in (("labelSelector", auth.label_selector), ("apiKeySecretRefs", auth.api_key_secret_refs))
            if given
        ]
        if flat:
            message = (
                f"{self.policy} gives {flat[0]} twice; the one in k8sSecretApikeyStorage counts. Remove the other."
            )
            self.findings.warning(self.policy, Reason.NO_EFFECT, message=message, field=(*self.field, flat[0]))

    def _check_labels(self, labels: Iterable[tuple[str, str]], path: FieldPath) -> None:
        for key, value in labels:
            if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
                message = f"{self.policy} selects keys by a label that no Secret can carry. Correct its name or value."
                self._error(message, (*path, key))

    def _refs(self, refs: Iterable[SecretReference], path: FieldPath) -> Iterator[ObjectRef]:
        """The referenced Secrets, without those that the policy may not name."""
        for number, ref in enumerate(refs):
            namespace = ref.namespace or self.policy.namespace
            target = ObjectRef("Secret", namespace, ref.name)
            if not (_NAME.fullmatch(ref.name) and _NAME.fullmatch(namespace)):
                self._error(f"{self.policy} names a Secret that cannot exist. Correct the reference.", (*path, number))
            elif not self.scope.tenancy.may_reference(self.policy.namespace, namespace):
                message = (
                    f"{self.policy} may not use {target}: it lies outside its own and the platform namespaces. "
                    "The reference has no effect; remove it."
                )
                self.findings.warning(
                    self.policy, Reason.REF_NOT_PERMITTED, message=message, field=(*self.field, *path, number)
                )
            else:
                yield target

    def _metadata_headers(self, auth: ApiKeyAuth) -> tuple[MetadataHeader, ...]:
        """The headers of both spellings of the field; if both name a header, the one that is not deprecated counts."""
        deprecated = self._by_header(auth.headers_from_metadata, ("headersFromMetadata",))
        both = deprecated | self._by_header(auth.headers_from_metadata_entry, ("headersFromMetadataEntry",))
        return tuple(sorted(both.values(), key=lambda each: each.header))

    def _by_header(self, entries: Mapping[str, MetadataEntry], path: FieldPath) -> dict[str, MetadataHeader]:
        """Headers by the folded name: two spellings of one header are one."""
        found: dict[str, MetadataHeader] = {}
        for name, entry in sorted(entries.items()):
            self._check_header(name, (*path, name))
            header = MetadataHeader(header=name.lower(), entry=entry.name, required=entry.required)
            if found.setdefault(fold(name), header) is not header:
                message = f'{self.policy} sets header "{name.lower()}" twice, in two spellings. Remove one of the two.'
                self._error(message, (*path, name))
        return found

    def _stored(self, auth: ApiKeyAuth) -> Digest | Hmac | None:
        if auth.digest is not None:
            headers = [] if auth.match is None else [header.name for header in auth.match.headers]
            for number, name in enumerate(headers):
                self._check_header(name, ("match", "headers", number, "name"))
            return Digest(match_headers=tuple(sorted({name.lower() for name in headers})))
        if auth.hmac is None:
            return None
        ref = auth.hmac.shared_secret_ref
        path = (*self.field, "hmac", "sharedSecretRef")
        found = shared_secret(
            Reference(self.policy, path, namespace=ref.namespace or self.policy.namespace, name=ref.name), self.scope
        )
        if isinstance(found, Problem):
            self.findings.extend((found,))
            return None
        return Hmac(shared_secret=found)

    def _check_header(self, name: str, path: FieldPath) -> None:
        fault = request_header_fault(name)
        if fault:
            self._error(f"{self.policy} cannot use header {name!a}: {fault}. Use another name.", path)

    def _check_user(self, user: str, path: FieldPath) -> None:
        if not user or ":" in user:
            message = (
                f"{self.policy} has a basicAuth user whose name is empty or holds a colon, which no caller can send."
            )
            self._error(f"{message} Rename the user.", path)

    def _useless_hash(self, user: str, path: FieldPath) -> None:
        message = (
            f"{self.policy} has a hashedPassword for user {user!a} that no password matches: an APR1 hash is 22 "
            "characters long. Give only what follows the last $ of htpasswd's output, and the salt in salt."
        )
        self.findings.warning(self.policy, Reason.INVALID, message=message, field=(*self.field, *path))

    def _error(self, message: str, path: FieldPath) -> None:
        self.findings.error(self.policy, Reason.INVALID, message=message, field=(*self.field, *path))

    def _at(self, part: str) -> StepReader:
        return StepReader(self.policy, (*self.field, part), self.scope, self.findings)


def _form(auth: ApiKeyAuth) -> KeyForm:
    if auth.digest is not None:
        return KeyForm.SHA256
    return KeyForm.PLAIN if auth.hmac is None else KeyForm.HMAC_SHA256
