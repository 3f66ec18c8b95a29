"""An instance of a lab: a `vectorplane run` of its own, with its sockets and its log in a folder."""

from __future__ import annotations

import copy
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectorplane.control.lab.namespaces import LabError
from vectorplane.control.lab.plan import PlannedInstance
from vectorplane.control.lab.processes import environment
from vectorplane.control.management_client import Client, NoInstance

if TYPE_CHECKING:
    from subprocess import Popen

_PATIENCE = 10.0
"""Seconds that a running instance may take until its taps are there."""
_LINES = 20
"""Lines of a log that are told."""


def write_config(plan: PlannedInstance, prefix: str, path: Path) -> None:
    """The configuration with its namespaces as they are really called."""
    from ruamel.yaml import YAML

    config = copy.deepcopy(plan.config)
    for tap in plan.taps:
        host = config["interfaces"][tap]["device"]["host"]
        host["namespace"] = prefix + host["namespace"]
    out = io.StringIO()
    YAML(typ="safe", pure=True).dump(config, out)
    path.write_text(out.getvalue())


class LabInstance:
    """A running one. ``folder``: where its sockets, its configuration and its log are."""

    def __init__(self, plan: PlannedInstance, folder: Path, prefix: str, token: str) -> None:
        self.name, self.folder = plan.name, folder
        self._taps = plan.taps
        folder.mkdir(mode=0o700)
        self.config, self.log = folder / "config.yaml", folder / "log"
        self.socket = folder / "management.sock"
        write_config(plan, prefix, self.config)
        sockets = [word for kind in ("api", "cli", "stats") for word in (f"--{kind}-socket", "default")]
        command = [sys.executable, "-m", "vectorplane", "run", "-c", str(self.config), "--run-dir", str(folder)]
        with open(self.log, "wb") as log:
            # a session of its own: Ctrl-C at the terminal is for the lab, which ends its instances in order
            self.process: Popen[bytes] = subprocess.Popen(
                [*command, *sockets],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment(token),
            )

    def check(self) -> None:
        """Raises LabError with the end of its log when it has died."""
        if self.process.poll() is None:
            return
        status = self.process.returncode
        how = f"signal {-status}" if status < 0 else f"status {status}"
        lines = self.log.read_text(errors="replace").splitlines()[-_LINES:]
        raise LabError("\n".join([f"instance {self.name} has ended ({how}); its log:", *lines]))

    def wait(self, pause: Callable[[], None] = lambda: time.sleep(0.05)) -> list[str]:
        """Until its taps are there (kernels may have to be compiled first); what else of its configuration is not.

        Raises:
            LabError: it died, or a tap can't be had.
        """
        while not self.socket.exists():
            self.check()
            pause()
        end = time.monotonic() + _PATIENCE
        while True:
            self.check()
            missing = {row["key"]: _told(row) for row in self._items() if row["state"] != "applied"}
            taps = [text for key, text in missing.items() if key in {f"interface/{tap}" for tap in self._taps}]
            if not taps:
                return list(missing.values())
            if time.monotonic() > end:
                raise LabError("\n".join([f"instance {self.name}: not all of its taps are there:", *taps]))
            pause()

    def _items(self) -> list[dict[str, Any]]:
        try:
            with Client(self.socket) as client:
                return list(client.call("items"))
        except NoInstance as error:
            self.check()
            raise LabError(str(error)) from None

    def cli(self, line: str) -> str:
        """What the debug CLI says to a line. Raises NoInstance, Refused."""
        with Client(self.socket) as client:
            return str(client.call("cli", line=line))


def _told(row: dict[str, Any]) -> str:
    origin = f"{os.path.basename(row['origin'])}: " if row["origin"] else ""
    return f"{origin}{row['key']}: {row['state']}: {row['reason']}"
