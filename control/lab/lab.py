"""A lab that is there: made when it is entered, torn down when it is left, whatever the reason."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from vectorplane.control.lab import namespaces
from vectorplane.control.lab.folder import LabFolder, base_folder
from vectorplane.control.lab.instance import LabInstance
from vectorplane.control.lab.namespaces import LabError
from vectorplane.control.lab.plan import Plan
from vectorplane.control.lab.teardown import Removed, tear_down

PREFIX = "vp-"
"""How the names of its namespaces begin when nothing else was said."""


class Lab:
    """The namespaces, switches and instances of a plan; use it with ``with``.

    ``name``: of its folder; by default the file's, without what is behind the dot.

    Raises:
        LabError: we are not root, there is a lab of that name, or something can't be made; nothing is left then.
    """

    def __init__(self, plan: Plan, *, name: str | None = None, prefix: str = PREFIX, base: Path | None = None) -> None:
        self.plan, self.prefix = plan, prefix
        self.name = name or Path(plan.file).stem
        self.instances: dict[str, LabInstance] = {}
        self.warnings: list[str] = []
        """What of the configurations waits for something."""
        self.removed: Removed | None = None
        self._base = base or base_folder()

    def namespace(self, name: str) -> str:
        """The namespace of a host or a switch."""
        return self.prefix + name

    @property
    def token(self) -> str:
        """What all that belongs to it is marked by."""
        return self._folder.state.token

    def command(self, host: str, *words: str) -> list[str]:
        """The command that runs ``words`` on a host."""
        return ["ip", "netns", "exec", self.namespace(host), *words]

    def __enter__(self) -> Lab:
        if os.geteuid() != 0:
            raise LabError("a lab needs root: it makes network namespaces and taps")
        if not os.path.exists("/dev/net/tun"):
            raise LabError("the kernel has no /dev/net/tun, which taps need (modprobe tun)")
        names = [self.namespace(host.name) for host in self.plan.hosts]
        names += [self.namespace(switch.name) for switch in self.plan.switches]
        self._folder = LabFolder(self._base, self.name, os.path.abspath(self.plan.file), names)
        try:
            self._make(names)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _make(self, names: Sequence[str]) -> None:
        for name in names:
            namespaces.make(name, self.token)
        for switch in self.plan.switches:
            namespaces.make_switch(self.namespace(switch.name), switch.mtu)
        mtus = {switch.name: switch.mtu for switch in self.plan.switches}
        for host in self.plan.hosts:
            if host.port is not None:
                name = self.namespace(host.name)
                eth0 = replace(host.eth0, namespace=name)
                namespaces.plug_in(name, eth0, self.namespace(host.link), host.port, mtus[host.link])
        for each in self.plan.instances:
            folder = self._folder.path / each.name
            self.instances[each.name] = LabInstance(each, folder, self.prefix, self.token)
        for instance in self.instances.values():
            self.warnings += instance.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # whoever is impatient now would leave half of it behind
        undo = _ignore((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        try:
            self.removed = tear_down(self._folder.state)
            for instance in self.instances.values():
                instance.process.wait()
            self._folder.remove()
        finally:
            undo()


def _ignore(numbers: Sequence[signal.Signals]) -> Callable[[], None]:
    """Ignore signals; gives what takes them up again. Nothing happens outside of the main thread, which gets none."""
    try:
        before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    except ValueError:
        return lambda: None

    def undo() -> None:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

    return undo
