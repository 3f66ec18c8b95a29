"""``vectorplane doctor --bare-metal``: is this host ready for a real VPP with DPDK cards, and what is to be done?"""

from __future__ import annotations

import getpass
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

from vectorplane.control.bare_metal import BAD, FAIR, GOOD, Finding, examine
from vectorplane.control.host import Host

Ask = Callable[[Sequence[str]], str | None]
"""Runs a program; its output, or None when it is missing, fails or takes too long."""
_OLDEST = (23, 10)


def ask(words: Sequence[str]) -> str | None:
    """As `Ask`, on this machine."""
    program = shutil.which(words[0], path=None) or shutil.which(words[0], path="/usr/sbin:/sbin:/usr/bin")
    if program is None:
        return None
    try:
        done = subprocess.run([program, *words[1:]], capture_output=True, text=True, timeout=5, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def vpp(ask: Ask) -> Finding:
    """The vpp binary and its version."""
    text = ask(["vpp", "--version"])
    if text is None:
        do = "apt-get install vpp vpp-plugin-core vpp-plugin-dpdk  # from FD.io's package repository"
        return Finding("VPP", BAD, "not found", "no program vpp that says its version", do)
    found = re.search(r"v(\d+)\.(\d+)\S*", text)
    if found is None:
        return Finding("VPP", FAIR, text.partition("\n")[0][:80], "a program vpp that does not say its version")
    version = int(found[1]), int(found[2])
    if version < _OLDEST:
        return Finding("VPP", BAD, found[0], "too old: 23.10 or later is needed", "install a later release")
    return Finding("VPP", GOOD, found[0], "23.10 or later")


def dpdk(ask: Ask) -> Finding:
    """DPDK's libraries; VPP's DPDK plugin brings its own."""
    found = ask(["pkg-config", "--modversion", "libdpdk"])
    if found:
        return Finding("DPDK", GOOD, f"{found} (pkg-config)", "VPP's DPDK plugin carries its own copy")
    libraries = re.findall(r"librte_eal\.so\.(\d+)", ask(["ldconfig", "-p"]) or "")
    if libraries:
        # the ABI's number is the year of the release and one
        return Finding("DPDK", GOOD, f"ABI {libraries[0]} (ldconfig)", "VPP's DPDK plugin carries its own copy")
    meaning = "VPP's DPDK plugin carries its own copy; dpdk-devbind.py, which binds cards, comes with DPDK's tools"
    return Finding("DPDK", FAIR, "not found", meaning, "apt-get install dpdk")


def run(as_json: bool) -> None:
    """The command; exit status 1 when there is a problem."""
    findings = [vpp(ask), dpdk(ask), *examine(Host(), _user())]
    if as_json:
        print(json.dumps([asdict(f) for f in findings]))
    else:
        from rich.markup import escape
        from rich.table import Table

        from vectorplane.cli.tables import console

        made = Table.grid("", "", "", padding=(0, 2))
        for f in findings:
            do = f"\n$ {escape(f.do)}" if f.do else ""
            made.add_row(f.what, f.state, f"{escape(f.found)}\n[dim]{escape(f.meaning)}[/dim]{do}")
        console().print(made)
    if any(f.state == BAD for f in findings):
        sys.exit(1)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "root"
