"""The sections of the start-up configuration: their settings, and the order in which VPP looks for each keyword."""

from __future__ import annotations

import grp
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.control.startup.text import Cursor, Source

if TYPE_CHECKING:
    from vectorplane.control.startup.conf import StartupConf


@dataclass
class Unix:
    """``unix { ... }``. ``coredump_size``: bytes, -1 for unlimited. ``exec_file``: CLI lines to run at the start."""

    interactive: bool = False
    nodaemon: bool = False
    nosyslog: bool = False
    nocolor: bool = False
    nobanner: bool = False
    full_coredump: bool = False
    coredump_size: int | None = None
    use_current_dir: bool = False
    cli_listen: str | None = None
    cli_prompt: str | None = None
    cli_no_pager: bool = False
    cli_line_mode: bool = False
    cli_pager_buffer_limit: int = 100_000
    cli_history_limit: int = 50
    poll_sleep_usec: int = 0
    runtime_dir: str | None = None
    exec_file: str | None = None
    log: str | None = None
    gid: int | None = None
    pidfile: str | None = None


@dataclass
class Statseg:
    """``statseg { ... }``. ``size`` in bytes, ``update_interval`` in seconds."""

    socket_name: str | None = None
    size: int | None = None
    per_node_counters: bool = False
    update_interval: float = 10.0


@dataclass
class Socksvr:
    """``socksvr { ... }``."""

    socket_name: str | None = None


@dataclass
class Cpu:
    """``cpu { ... }``. ``worker_cores``: those of a core list or mask; empty when only a number was given."""

    main_core: int | None = None
    workers: int = 0
    worker_cores: tuple[int, ...] = ()
    skip_cores: int = 0
    relative: bool = False

    def check(self, source: Source) -> None:
        """What VPP demands of the whole section."""
        if self.worker_cores and self.main_core is None:
            raise source.error(0, "cpu: main-core must be specified when using corelist-* or coremask-* attribute")
        if self.skip_cores and self.main_core is None:
            raise source.error(0, "cpu: main-core must be specified when using skip-cores attribute")


@dataclass
class Buffers:
    """``buffers { ... }``; None: VPP's default."""

    per_numa: int | None = None
    data_size: int | None = None


_UNIX_FLAGS = {
    "interactive": "interactive",
    "nodaemon": "nodaemon",
    "nosyslog": "nosyslog",
    "nocolor": "nocolor",
    "nobanner": "nobanner",
    "use-current-dir": "use_current_dir",
    "cli-line-mode": "cli_line_mode",
    "cli-no-banner": "nobanner",
    "cli-no-pager": "cli_no_pager",
    "full-coredump": "full_coredump",
}
_UNIX_WORDS = {
    "cli-prompt": "cli_prompt",
    "cli-listen": "cli_listen",
    "runtime-dir": "runtime_dir",
    "startup-config": "exec_file",
    "exec": "exec_file",
    "log": "log",
    "pidfile": "pidfile",
}
_UNIX_NUMBERS = {
    "poll-sleep-usec": "poll_sleep_usec",
    "cli-pager-buffer-limit": "cli_pager_buffer_limit",
    "cli-history-limit": "cli_history_limit",
}


def _first(cursor: Cursor, known: dict[str, str]) -> str | None:
    return next((keyword for keyword in known if cursor.take(keyword)), None)


def unix(conf: StartupConf, c: Cursor) -> None:
    """Read ``unix { ... }``."""
    u = conf.unix
    while c.more():
        if flag := _first(c, _UNIX_FLAGS):
            setattr(u, _UNIX_FLAGS[flag], True)
        elif name := _first(c, _UNIX_WORDS):
            setattr(u, _UNIX_WORDS[name], c.need(name))
        elif name := _first(c, _UNIX_NUMBERS):
            setattr(u, _UNIX_NUMBERS[name], c.number(name))
        elif c.take("coredump-size"):
            u.coredump_size = -1 if c.take("unlimited") else c.size("coredump-size")
        elif c.take("gid"):
            u.gid = _gid(c)
        else:
            raise c.unknown()


def _gid(c: Cursor) -> int:
    name = c.need("gid")
    try:
        return grp.getgrgid(int(name)).gr_gid if name.isdecimal() else grp.getgrnam(name).gr_gid
    except (KeyError, ValueError, OverflowError):
        raise c.error(f"there is no group {name}") from None


def statseg(conf: StartupConf, c: Cursor) -> None:
    """Read ``statseg { ... }``."""
    s = conf.statseg
    while c.more():
        if c.take("socket-name"):
            s.socket_name = c.need("socket-name")
        elif c.take("default"):
            pass
        elif c.take("size"):
            s.size = c.size("size")
        elif c.take("page-size"):
            c.need("page-size")
        elif c.take("per-node-counters on"):
            s.per_node_counters = True
        elif c.take("per-node-counters off"):
            s.per_node_counters = False
        elif c.take("update-interval"):
            s.update_interval = c.real("update-interval")
        else:
            raise c.unknown()


def socksvr(conf: StartupConf, c: Cursor) -> None:
    """Read ``socksvr { ... }``."""
    while c.more():
        if c.take("socket-name"):
            conf.socksvr.socket_name = c.need("socket-name")
        elif not c.take("default"):
            raise c.unknown()


def buffers(conf: StartupConf, c: Cursor) -> None:
    """Read ``buffers { ... }``."""
    b = conf.buffers
    while c.more():
        if c.take("buffers-per-numa"):
            b.per_numa = c.number("buffers-per-numa")
        elif c.take("default data-size"):
            b.data_size = c.number("default data-size")
        elif c.take("page-size"):
            c.need("page-size")
        elif c.take("layout natural") or c.take("layout packed"):
            pass
        elif c.take("numa"):
            c.number("numa")
            c.block("numa")
        else:
            raise c.unknown()


_VPP = (
    "api-fuzz api-queue api-segment api-trace crypto-engines devices ethernet heapsize interface ip ip6 ipsec l2fib "
    "l2learn l3fib logging memory mpls node physmem plugin_path plugins punt session sfdp tcp test_plugin_path tls "
    "trace tuntap udp unix-cli vlib"
)
_PLUGINS = (
    "cnat crypto_sw_scheduler dns dpdk dsa dslite fateshare hs_apps http l2tp linux-cp linux-nl mactime nat "
    "npol-plugin nsim pvti quic selog test-proxy vhost-user"
)
IGNORED = frozenset(f"{_VPP} {_PLUGINS}".split())
"""Sections that VPP knows and that have no meaning here."""


def _cpu(conf: StartupConf, c: Cursor) -> None:
    from vectorplane.control.startup.cpu import cpu

    cpu(conf.cpu, c)


def _acl_plugin(conf: StartupConf, c: Cursor) -> None:
    from vectorplane.control.startup.acl import acl_plugin

    acl_plugin(conf.acl, c)


SECTIONS: dict[str, Callable[[StartupConf, Cursor], None]] = {
    "unix": unix,
    "statseg": statseg,
    "socksvr": socksvr,
    "cpu": _cpu,
    "buffers": buffers,
    "acl-plugin": _acl_plugin,
}
"""How each section that means something is read."""
