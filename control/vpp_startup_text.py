"""How VPP's start-up configuration is written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vectorplane.control.vpp_startup import ACL_PLUGIN, Cores, Mapped, cards, core_text

if TYPE_CHECKING:
    from vectorplane.control.config import Config


def mapping_lines(interfaces: Sequence[Mapped]) -> list[str]:
    """The interfaces' names in columns."""
    rows = [("configuration", "VPP", ""), *((m.name, m.vpp, m.how) for m in interfaces)]
    widths = [max(len(r[i]) for r in rows) for i in (0, 1)]
    return [f"{a:{widths[0]}}  {b:{widths[1]}}  {c}".rstrip() for a, b, c in rows]


def _block(name: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{name} {{", *(f"  {line}" for line in lines), "}"])


def render(
    config: Config,
    file: str,
    runtime_dir: str,
    group: str | None,
    cores: Cores,
    buffers: int,
    plugins: Sequence[str],
    interfaces: Sequence[Mapped],
) -> str:
    """The file's text. ``group``: who may use the sockets; None: only VPP's own user."""
    own = [f"gid {group}"] if group else []
    # a file name with line breaks must not leave its comment
    head = [f"# Written by `vectorplane vpp-startup {' '.join(file.split())}`; VPP takes it as `vpp -c FILE`.", "#"]
    head += [f"#   {line}" for line in mapping_lines(interfaces)]
    cpu = [f"main-core {cores.main}"]
    if cores.workers:
        cpu.append(f"corelist-workers {core_text(cores.workers)}")
    if cores.guessed:
        cpu.insert(0, "# the cards are not in this host, so its cores are not known: adapt these")
    unix = ["nodaemon", f"runtime-dir {runtime_dir}", f"cli-listen {runtime_dir}/cli.sock", *own]
    blocks = [
        "\n".join(head),
        _block("unix", unix),
        _block("socksvr", [f"socket-name {runtime_dir}/api.sock"]),
        _block("statseg", [f"socket-name {runtime_dir}/stats.sock"]),
    ]
    if group:
        blocks.append(_block("api-segment", own))
    blocks += [_block("cpu", cpu), _block("buffers", [f"buffers-per-numa {buffers}"])]
    enabled = [f"plugin {name} {{ enable }}" for name in plugins]
    blocks.append(_block("plugins", ["plugin default { disable }", *enabled]))
    if ACL_PLUGIN in plugins:
        acl = config.engine.acl
        lines = [f"connection count max {acl.max_sessions}", f"reclassify sessions {int(acl.reclassify)}"]
        blocks.append(_block("acl-plugin", lines))
    if devices := cards(config):
        lines = []
        for name, card in devices.items():
            queues = card.queues or len(cores.workers) or 1
            settings = {"name": name, "num-rx-queues": queues, "num-rx-desc": card.rx_ring, "num-tx-desc": card.tx_ring}
            lines += [f"dev {card.pci} {{", *(f"  {key} {value}" for key, value in settings.items()), "}"]
        blocks.append(_block("dpdk", lines))
    return "\n\n".join(blocks) + "\n"
