"""The ``vectorplane lab`` commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

_DEFAULT = "up"


class _Group(TyperGroup):
    """``lab FILE`` is short for ``lab up FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


lab = typer.Typer(cls=_Group)
BaseOption = Annotated[
    Path | None, typer.Option("--run-dir", metavar="DIR", help="Where labs have their folders (/run/vectorplane/lab).")
]


@lab.callback(no_args_is_help=True, subcommand_metavar="FILE [-- COMMAND...] | clean")
def lab_top() -> None:
    """Network namespaces as hosts around running instances: `lab FILE`; `lab clean` after a crash. Needs root."""


@lab.command(_DEFAULT)
def lab_up(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A lab (YAML): hosts, switches, instances.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND...]", help="Run that in the lab, and tear down when it has ended."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What this lab is called (default: as its file).")
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="TEXT", help="How the names of its namespaces begin.")
    ] = "vp-",
    run_dir: BaseOption = None,
) -> None:
    """Make a lab: namespaces, switches, instances. It is torn down on Ctrl-C, SIGTERM, or when an instance dies.

    With a command: when that has ended, and its exit status is ours. `vectorplane check FILE` only checks a lab.
    """
    from vectorplane.cli.lab import up

    up(file, command or [], name, prefix, run_dir)


@lab.command("clean")
def lab_clean(run_dir: BaseOption = None) -> None:
    """Remove what labs left that were killed: processes, namespaces, folders. Living labs are not touched."""
    from vectorplane.cli.lab import clean

    clean(run_dir)
