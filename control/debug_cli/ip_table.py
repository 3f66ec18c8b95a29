"""``ip table``, ``show ip table``, ``set interface ip table``, ``set ip flow-hash``; the same for ``ip6``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_entries import CLI
from vectorplane.backends.engine.tables import Tables
from vectorplane.backends.engine.tables6 import Tables6
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.show_fib import HASH_NAMES
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def _tables(cli: DebugCli, version: int) -> Tables | Tables6:
    return cli.engine.tables if version == 4 else cli.engine.tables6


def _table(version: int) -> Callable[[DebugCli, Words], str]:
    def table(cli: DebugCli, words: Words) -> str:
        """Make or give up a table; without an id one is chosen and printed."""
        add, number, name, multicast = True, None, "", True
        while not words.done:
            if words.accept("add"):
                add = True
            elif words.accept("del"):
                add = False
            elif words.accept("name"):
                name = words.take_word("expected name, got")
            elif words.accept("no-mfib"):
                multicast = False
            else:
                number = words.take_number("parse error")
        tables = _tables(cli, version)
        if number == 0:
            raise CliError("Can't change the default table")
        if not add:
            if number is None:
                raise CliError("No table id")
            tables.delete(number, CLI)
            return ""
        chosen = tables.unused_id() if number is None else number
        tables.create(chosen, name, multicast=multicast, source=CLI)
        return "" if number is not None else str(chosen)

    return table


def _show(version: int) -> Callable[[DebugCli, Words], str]:
    def show(cli: DebugCli, words: Words) -> str:
        """FIB index, id and name of all tables, or of one."""
        tables = _tables(cli, version)
        ids = tables.ids()
        if not words.done:
            number = words.take_number("parse error")
            if number not in tables:
                raise CliError(f"Couldn't find table with table_id {number}")
            ids = [number]
        routes = cli.engine.routes if version == 4 else cli.engine.routes6
        return "\n".join(f"[{routes.control.fib_index(i)}] table_id:{i} {tables.name(i)}" for i in ids)

    return show


def _bind(version: int) -> Callable[[DebugCli, Words], str]:
    def bind(cli: DebugCli, words: Words) -> str:
        """Put an interface into a table."""
        interface = cli.interface(words)
        number = words.take_number("expected table id")
        if number not in _tables(cli, version):
            raise CliError(f"no such table {number}")
        try:
            if version == 4:
                cli.engine.addresses.set_table(interface.sw_if_index, number)
            else:
                cli.engine.addresses6.set_table(interface.sw_if_index, number)
        except ValueError:
            raise CliError(f"IP addresses are still present on {interface.name}") from None
        return ""

    return bind


def set_flow_hash(cli: DebugCli, words: Words) -> str:
    """What the flow hash of a table is made of."""
    table = config = 0
    while not words.done:
        if words.accept("table"):
            table = words.take_number("expected table id, got")
        elif words.peek() in HASH_NAMES:
            config |= HASH_NAMES[words.take()]
        else:
            raise words.unknown()
    if not config:
        raise words.unknown()
    if table not in cli.engine.tables:
        raise CliError(f"no such FIB table {table}")
    cli.engine.routes.set_flow_hash(table, config)
    return ""


COMMANDS = (
    Command("ip table", "ip table [add|del] <table-id> [name <name>] [no-mfib]", _table(4)),
    Command("ip6 table", "ip6 table [add|del] <table-id> [name <name>] [no-mfib]", _table(6)),
    Command("show ip table", "show ip table <table-id>", _show(4)),
    Command("show ip6 table", "show ip6 table <table-id>", _show(6)),
    Command("set interface ip table", "set interface ip table <interface> <table-id>", _bind(4)),
    Command("set interface ip6 table", "set interface ip6 table <interface> <table-id>", _bind(6)),
    Command(
        "set ip flow-hash",
        "set ip flow-hash table <table-id> [src] [dst] [sport] [dport] [proto] [reverse] [symmetric]",
        set_flow_hash,
    ),
)
