"""Options of the translation, for every command that reads manifests or a cluster's objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from wardgate.cli.options.option_groups import chosen
from wardgate.cli.options.proxy_options import RootOptions
from wardgate.printable import printable
from wardgate.settings import Settings

_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationOptions:
    """A field has the name of the setting that it is for."""

    tenancy: Annotated[
        Literal["shared", "isolated"],
        typer.Option(
            "--tenancy",
            envvar="WARDGATE_TENANCY",
            help="shared: policies act in all namespaces. isolated: outside --platform-namespace only in their own.",
        ),
    ] = _DEFAULTS.tenancy
    platform_namespaces: Annotated[
        list[str] | None,
        typer.Option(
            "--platform-namespace",
            metavar="NAME",
            envvar="WARDGATE_PLATFORM_NAMESPACES",
            help="A namespace whose objects act everywhere under --tenancy isolated; may be repeated.",
        ),
    ] = None
    require_auth: Annotated[
        bool,
        typer.Option(
            "--require-auth/--no-require-auth",
            envvar="WARDGATE_REQUIRE_AUTH",
            help="Answer 401 on routes without a valid ExtAuthPolicy.",
        ),
    ] = _DEFAULTS.require_auth
    foreign_guards: Annotated[
        Literal["close", "ignore"],
        typer.Option(
            "--foreign-guards",
            envvar="WARDGATE_FOREIGN_GUARDS",
            help="Routes that only a JWTPolicy, a WAFPolicy or another kind that Wardgate does not implement guards: "
            "close (403), or ignore, which leaves them open.",
        ),
    ] = _DEFAULTS.foreign_guards
    template_env: Annotated[
        list[str] | None,
        typer.Option(
            "--template-env",
            metavar="NAME",
            envvar="WARDGATE_TEMPLATE_ENV",
            help="An environment variable that templates may read with env(); may be repeated.",
        ),
    ] = None

    def settings(self, roots: RootOptions | None = None, *, allow_loopback: bool = True) -> Settings:
        """Return the settings that the options are for, and warn of half of an isolated tenancy.

        A gateway of this machine may reach this machine, unless told not to.
        """
        self._warn()
        groups = (self,) if roots is None else (self, roots)
        return Settings(**chosen(*groups, many=frozenset), allow_loopback=allow_loopback)

    def _warn(self) -> None:
        if self.platform_namespaces and self.tenancy != "isolated":
            named = " ".join(f"--platform-namespace {name}" for name in self.platform_namespaces)
            typer.echo(f"warning: {printable(named)} has no effect without --tenancy isolated.", err=True)
        if self.tenancy == "isolated" and not self.platform_namespaces:
            typer.echo(
                "warning: --tenancy isolated without --platform-namespace: no VirtualGateway opens a listener.",
                err=True,
            )
