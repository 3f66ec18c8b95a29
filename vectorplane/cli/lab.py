"""``vectorplane lab``: a lab for as long as somebody wants it, and what killed ones left."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from vectorplane.cli.errors import fail, say, warn

if TYPE_CHECKING:
    from vectorplane.control.lab.lab import Lab

_KILLED = 128
"""Exit status of what a signal ended: this and its number, as shells have it."""


def up(file: Path, command: list[str], name: str | None, prefix: str, run_dir: Path | None) -> None:
    """Make the lab, and stay until Ctrl-C, SIGTERM, the end of the command or of an instance. Raises ConfigError."""
    from vectorplane.cli.progress import compile_missing
    from vectorplane.control.lab.config import load_lab
    from vectorplane.control.lab.lab import Lab
    from vectorplane.control.lab.namespaces import LabError
    from vectorplane.jit.prepare import everything

    plan = load_lab(file)
    lab = Lab(plan, name=name, prefix=prefix, base=run_dir)
    if plan.instances and os.geteuid() == 0:
        compile_missing(everything())  # here it can be seen; several instances would compile the same
    status = 0
    try:
        with torn_down_on_signals(), lab:
            for warning in lab.warnings:
                warn(warning)
            _show(lab, sys.stderr if command else sys.stdout)
            status = _run(lab, command) if command else _stay(lab)
    except LabError as error:
        first, *more = str(error).splitlines()
        say(first)
        print(*more, sep="\n", file=sys.stderr, end="\n" if more else "")
        status = 1
    except KeyboardInterrupt:
        status = 0 if not command else _KILLED + signal.SIGINT
    if status:
        sys.exit(status)


@contextmanager
def torn_down_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the program as its end does: in order."""

    def end(number: int, _: Any) -> NoReturn:
        raise SystemExit(_KILLED + number)

    before = {n: signal.signal(n, end) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(lab: Lab, stream: Any) -> None:
    """What there is, and how to get at it."""
    from vectorplane.cli.tables import console, table

    out = console(stream)
    hosts = table("Hosts", "host", "namespace", "addresses", "gateways", "link", left=5)
    for host in lab.plan.hosts:
        eth0 = host.eth0
        addresses, gateways = (" ".join(map(str, each)) for each in (eth0.addresses, eth0.gateways))
        hosts.add_row(host.name, lab.namespace(host.name), addresses, gateways, host.link)
    out.print(hosts)
    out.print()
    if lab.instances:
        instances = table("Instances", "instance", "process", "folder (config.yaml, log, sockets)", left=3)
        for each in lab.instances.values():
            instances.add_row(each.name, str(each.process.pid), str(each.folder))
        out.print(instances)
        out.print()
    if lab.plan.hosts:
        out.print(f"a shell on a host:  ip netns exec {lab.namespace(lab.plan.hosts[0].name)} bash")
    for each in list(lab.instances.values())[:1]:
        out.print(f'an instance\'s CLI:  vectorplane cli -s {each.folder}/cli.sock "show interface"')


def _stay(lab: Lab) -> int:
    print("Ctrl-C ends the lab", flush=True)
    _wait(lab, [])
    return 0


def _run(lab: Lab, command: Sequence[str]) -> int:
    """Run the command; its exit status."""
    from vectorplane.control.lab.processes import environment

    try:
        running = subprocess.Popen(command, env=environment(lab.token))
    except OSError as error:
        fail(f"{command[0]}: {(error.strerror or str(error)).lower()}", 127)
    # Ctrl-C is for the command: that it ends is what ends the lab
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _wait(lab, [running])
    finally:
        signal.signal(signal.SIGINT, before)
    return running.returncode if running.returncode >= 0 else _KILLED - running.returncode


def _wait(lab: Lab, running: list[subprocess.Popen[bytes]]) -> None:
    """Until one of these processes has ended. Raises LabError when an instance has."""
    instances = list(lab.instances.values())
    fds = [os.pidfd_open(p.pid) for p in (*running, *(i.process for i in instances))]
    try:
        poll = select.poll()
        for fd in fds:
            poll.register(fd, select.POLLIN)
        poll.poll()
    finally:
        for fd in fds:
            os.close(fd)
    if not any(p.poll() is not None for p in running):
        for instance in instances:
            instance.check()


def clean(run_dir: Path | None) -> None:
    """Tear down what labs left whose process died, and tell. Exit status 1 when something had to be left."""
    from vectorplane.control.lab.folder import base_folder
    from vectorplane.control.lab.namespaces import LabError
    from vectorplane.control.lab.teardown import clean

    if os.geteuid() != 0:
        fail("lab clean needs root: it ends processes and removes network namespaces")
    base = run_dir or base_folder()
    try:
        done = clean(base)
    except LabError as error:
        fail(str(error))
    if not done:
        print(f"{base}: nothing to clean")
    for each in done:
        if each.removed is not None:
            names = ", ".join(each.removed.namespaces) or "none"
            print(f"{each.name}: removed; {each.removed.processes} processes ended; namespaces: {names}")
            for name in each.removed.foreign:
                warn(f"{each.name}: the network namespace {name} is not this lab's; it was left alone")
        elif each.alive is not None:
            print(f"{each.name}: lives (process {each.alive}); left alone")
        else:
            say(f"{each.name}: {each.left}")
    if any(each.left for each in done):
        sys.exit(1)
