"""Snapshot to config and statuses: total, pure, deterministic.

The order of events:
1. ``stages.route_stage`` reads every object that makes routes, in the form that is served, and builds the routes.
2. ``stages.policy_stage`` reads the policies.
3. ``stages.attachment_stage`` attaches the policies to the routes.
4. ``stages.config_stage`` assembles the config without its credentials.
5. ``keys.resolution`` resolves the keys of the policies.
6. ``statuses`` judges every object. It runs when the verdicts are first asked for, because publishing comes first.

Same input, same bytes: nothing here reads a clock or draws a random number, and every iteration has a defined order. A
user's mistake is a problem in a status, never an exception. Each stage names its inputs; while these are the identical
objects, the memo returns the stage's last value (``incremental.memo``).
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Final

from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.ir import GatewayConfig
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.foreign.guards import known_guards
from wardgate.translate.incremental.memo import Memo
from wardgate.translate.keys.key_rules import KeyRules
from wardgate.translate.keys.resolution import KeySets, resolve_keys
from wardgate.translate.policies import lost_policies
from wardgate.translate.reading.last_good import LastGood, past_forms
from wardgate.translate.reading.stray_annotations import Strays
from wardgate.translate.secrets.secret_index import SecretIndex
from wardgate.translate.sight import Sight
from wardgate.translate.stages import policy_stage, route_stage
from wardgate.translate.stages.attachment_stage import PolicyAttachment, attach_policies
from wardgate.translate.stages.config_stage import AssembledConfig, assemble_config
from wardgate.translate.stages.policy_stage import Policies, read_policies
from wardgate.translate.stages.route_stage import Routing, build_routes
from wardgate.translate.statuses.object_status import Statuses
from wardgate.translate.statuses.stage_results import StageResults
from wardgate.translate.statuses.verdicts import judge_all, next_last_good
from wardgate.translate.tables.served_tables import ReadTable, past_tables, read_tables
from wardgate.translate.tenancy import Tenancy

_NOTHING: Final[LastGood] = MappingProxyType({})


class Translation:
    """The result of one translation. ``named_secrets`` are the Secrets that objects name, whether or not they exist.

    ``config`` is ready at once. The verdicts are computed on first use, from the inputs of this translation alone,
    whatever was translated since.
    """

    def __init__(self, config: GatewayConfig, named_secrets: tuple[ObjectRef, ...], *, results: StageResults) -> None:
        self.config = config
        self.named_secrets = named_secrets
        self._results = results

    @property
    def lost_policies(self) -> tuple[StoredObject, ...]:
        """The policies that went away with their kind, sorted."""
        return self._results.attached.lost

    @cached_property
    def statuses(self) -> Statuses:
        """The verdict on every object."""
        return judge_all(self._results)

    @cached_property
    def last_good(self) -> LastGood:
        """Input of the next translation."""
        return next_last_good(self._results)


def translate(
    snapshot: ClusterSnapshot, settings: Settings, *, last_good: LastGood = _NOTHING, memo: Memo | None = None
) -> Translation:
    """Translate everything. A memo makes it faster and changes nothing else."""
    memo = Memo() if memo is None else memo
    memo.begin(settings)
    translation = _Translator(snapshot, settings, last_good=last_good, memo=memo).run()
    # Not in a ``finally``: a translation that breaks off leaves the memo as it was.
    memo.end()
    return translation


class _Translator:
    """The stages of one translation, in their order."""

    def __init__(self, snapshot: ClusterSnapshot, settings: Settings, *, last_good: LastGood, memo: Memo) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self.last_good = last_good
        self.tenancy = Tenancy.of(settings)
        self.sight = Sight.of(settings)
        self.memo = memo

    def run(self) -> Translation:
        secrets = self._secrets()
        routing = self._routing(secrets)
        policies = self._policies(secrets)
        attached = self._attached(routing, policies)
        assembled = self._config(routing, policies, attached=attached)
        keys = self._keys(secrets, policies)
        results = StageResults(
            snapshot=self.snapshot,
            tenancy=self.tenancy,
            closes_guarded=self.settings.foreign_guards == "close",
            last_good=self.last_good,
            strays=[self._strays(kind) for kind in sorted(self.snapshot.objects)],
            routing=routing,
            policies=policies,
            attached=attached,
            assembled=assembled,
            keys=keys,
        )
        return Translation(
            config=assembled.with_credentials(
                keys.credentials(assembled.key_sets), keys.token_sources(assembled.key_sets)
            ),
            named_secrets=self._named_secrets(routing, policies),
            results=results,
        )

    def _secrets(self) -> SecretIndex:
        stored = self.snapshot.of("Secret")
        return self.memo.stage("secrets", (stored,), make=lambda last, _: (last or SecretIndex()).after(stored))

    def _strays(self, kind: str) -> Strays:
        stored = self.snapshot.of(kind)
        return self.memo.stage(
            f"stray annotations of {kind}", (stored,), make=lambda last, _: (last or Strays()).after(stored)
        )

    def _routing(self, secrets: SecretIndex) -> Routing:
        tables = self._tables()
        past = self._past(route_stage.KINDS)
        past_of_tables = self._past_of_tables(tables)
        return self.memo.stage(
            "routing",
            (*map(self.snapshot.of, route_stage.KINDS), self.snapshot.of("Service"), tables, past, past_of_tables),
            make=lambda last, versions: build_routes(
                self.snapshot,
                tables,
                past=past,
                past_tables=past_of_tables,
                settings=self.settings,
                secrets=secrets,
                versions=versions,
                last=last,
            ),
            holds=lambda kept: secrets.shows(kept.asked),
        )

    def _tables(self) -> tuple[ReadTable, ...]:
        stored = self.snapshot.of("RouteTable")
        return self.memo.stage(
            "tables",
            (stored,),
            make=lambda last, versions: read_tables(stored, self.settings, versions=versions, last=last),
        )

    def _policies(self, secrets: SecretIndex) -> Policies:
        past = self._past(policy_stage.KINDS)
        return self.memo.stage(
            "policies",
            (*map(self.snapshot.of, policy_stage.KINDS), past),
            make=lambda last, versions: read_policies(
                self.snapshot, past=past, settings=self.settings, secrets=secrets, versions=versions, last=last
            ),
            holds=lambda kept: secrets.shows(kept.asked),
        )

    def _past(self, kinds: tuple[str, ...]) -> LastGood:
        objects = tuple(map(self.snapshot.of, kinds))
        return self.memo.stage(
            f"past of {kinds}",
            (*objects, self.last_good),
            make=lambda last, _: past_forms(chain.from_iterable(objects), self.last_good, last=last),
        )

    def _past_of_tables(self, tables: tuple[ReadTable, ...]) -> LastGood:
        return self.memo.stage(
            "past of tables",
            (tables, self.last_good),
            make=lambda last, _: past_tables(tables, self.last_good, last=last),
        )

    def _attached(self, routing: Routing, policies: Policies) -> PolicyAttachment:
        knows_policies = "ExtAuthPolicy" not in self.snapshot.absent_kinds
        guards, lost = self._guards(), self._lost()
        return self.memo.stage(
            "attachment",
            (routing, policies, guards, lost, knows_policies),
            make=lambda *_: attach_policies(
                routing, policies, guards=guards, lost=lost, settings=self.settings, knows_policies=knows_policies
            ),
        )

    def _guards(self) -> tuple[StoredObject, ...]:
        return self.memo.stage(
            "guards",
            (*map(self.snapshot.of, GUARDS), self.snapshot.unlisted_kinds, self.last_good),
            make=lambda last, _: known_guards(self.snapshot, self.last_good, last=last),
        )

    def _lost(self) -> tuple[StoredObject, ...]:
        return self.memo.stage(
            "lost policies",
            (self.snapshot.of(lost_policies.KIND), lost_policies.KIND in self.snapshot.lapsed_kinds, self.last_good),
            make=lambda last, _: lost_policies.lost_policies(self.snapshot, self.last_good, last=last),
        )

    def _config(self, routing: Routing, policies: Policies, *, attached: PolicyAttachment) -> AssembledConfig:
        return self.memo.stage(
            "config",
            (routing, policies, attached),
            make=lambda last, _: assemble_config(
                routing, policies, attached=attached, settings=self.settings, last=last
            ),
        )

    def _keys(self, secrets: SecretIndex, policies: Policies) -> KeySets:
        rules = KeyRules(self.settings.credential_bytes, self.tenancy, self.sight)
        return self.memo.stage(
            "keys",
            (secrets, policies.requests, policies.closed),
            make=lambda last, _: resolve_keys(
                policies.requests, secrets, rules=rules, closed=policies.closed, last=last
            ),
        )

    def _named_secrets(self, routing: Routing, policies: Policies) -> tuple[ObjectRef, ...]:
        return self.memo.stage(
            "named secrets",
            (routing, policies),
            make=lambda *_: tuple(sorted({*routing.asked, *policies.asked, *policies.named_keys()})),
        )
