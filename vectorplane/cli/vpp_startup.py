"""``vectorplane vpp-startup``."""

from __future__ import annotations

import sys
from pathlib import Path

from vectorplane.cli.errors import fail, warn


def run(path: Path, output: Path | None, runtime_dir: str, main_core: int | None, worker_cores: str | None) -> None:
    """Write the file; say on standard error what each interface is called and what the host has to be given."""
    from vectorplane.control.config import load_config
    from vectorplane.control.host import Host
    from vectorplane.control.startup.cpu import core_list
    from vectorplane.control.vpp_startup import cards, make_startup
    from vectorplane.control.vpp_startup_text import mapping_lines

    try:
        workers = core_list(worker_cores) if worker_cores is not None else None
    except ValueError as error:
        fail(f"--worker-cores: {error}", 2)
    if not runtime_dir.startswith("/") or any(c.isspace() or c in "{}#\\" for c in runtime_dir):
        fail(f"--runtime-dir: expected an absolute path without white space, braces, # and \\, got {runtime_dir!r}", 2)
    config = load_config(path)
    host = Host()
    made = make_startup(
        config, host, file=str(path), runtime_dir=runtime_dir, main_core=main_core, worker_cores=workers
    )
    if output is None:
        print(made.text, end="")
    else:
        output.write_text(made.text)
    say = sys.stderr if output is None else sys.stdout
    for line in mapping_lines(made.interfaces):
        print(line, file=say)
    nodes = ", ".join(str(n) for n in made.nodes)
    print(f"huge pages: {made.huge_pages} of 2 MB on NUMA node {nodes}", file=say)
    if not cards(config):
        warn(f"{path}: no interface has a device of type dpdk: this VPP will drive no network card")
    present = {c.pci for c in host.cards()}
    for name, card in cards(config).items():
        if card.pci not in present:
            warn(f"{path}: interfaces.{name}.device.pci: this host has no network card {card.pci}")
