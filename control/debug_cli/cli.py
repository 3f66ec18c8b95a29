"""VPP's debug CLI over an engine: lines in, text out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from vectorplane.control.debug_cli.commands import commands
from vectorplane.control.debug_cli.errors import CliError, Quit
from vectorplane.control.debug_cli.lines import MOST, command_lines
from vectorplane.control.debug_cli.tree import Tree
from vectorplane.control.debug_cli.words import Words
from vectorplane.control.log import WARN, Log
from vectorplane.control.pcap_trace import PcapTrace

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface


class ApiClient(Protocol):
    """A client of the binary API, as `show api clients` lists it."""

    @property
    def name(self) -> str:
        """What it called itself."""

    @property
    def pid(self) -> int:
        """Its process; 0: not known."""


def no_clients() -> Iterable[ApiClient]:
    """Nobody is connected."""
    return ()


class DebugCli:
    """The commands of one engine. Run it on the control thread, within ``engine.paused()`` when the engine serves.

    ``arguments`` is the command line that the program was started with (`show version cmdline`); ``clients`` lists
    the API's clients.
    """

    def __init__(
        self,
        engine: Engine,
        log: Log | None = None,
        *,
        arguments: Sequence[str] = (),
        clients: Callable[[], Iterable[ApiClient]] = no_clients,
        pcap_trace: PcapTrace | None = None,
    ) -> None:
        self.engine, self.log = engine, Log() if log is None else log
        self.arguments, self.clients = list(arguments), clients
        self._began = time.monotonic()
        self._adjusted = 0.0
        self.depth = 0
        """How many files are being executed within each other."""
        self.sessions = 0
        """Sessions of the socket."""
        self.pcap_trace = PcapTrace(engine) if pcap_trace is None else pcap_trace
        self._tree = Tree()
        self._tree.add(commands())

    def run(self, text: str) -> str:
        """Run one line, or several; gives what they print. The first one that fails ends it.

        A `quit` ends it too.

        Raises:
            CliError: a command failed; the error carries what had been printed. Nothing else is raised.
        """
        return self.run_in_session(text)[0]

    def run_in_session(self, text: str) -> tuple[str, bool]:
        """As `run`; also says whether the session is to go on."""
        if len(text) > MOST:
            raise CliError(f"more than {MOST} characters")
        try:
            return self.run_lines(command_lines(text)), True
        except Quit as end:
            return end.printed, False

    def complete(self, line: str) -> list[str]:
        """The words that may stand where the line ends (its last word may be begun)."""
        return self._tree.complete(line)

    def run_lines(self, lines: Iterable[str]) -> str:
        """Run lines that are cut already; raises as `run`."""
        printed: list[str] = []
        for line in lines:
            try:
                output = self._run_line(line)
            except CliError as error:
                raise CliError(error.message, "".join(printed) + error.printed, error.retval) from None
            except Quit as end:
                raise Quit("".join(printed) + end.printed) from None
            printed.append(output if output.endswith("\n") or not output else output + "\n")
        return "".join(printed)

    def _run_line(self, line: str) -> str:
        try:
            return self._tree.run(self, Words(line))
        except (CliError, Quit):
            raise
        except Exception as error:  # a mistake in a command must not end the session
            self.log.add(WARN, "cli", f"{line[:80]}: {type(error).__name__}: {error}")
            raise CliError(f"internal error: {type(error).__name__}: {error}") from error

    # --- what commands need

    def interface(self, words: Words, complaint: str = "unknown interface") -> Interface:
        """The interface that the next word names."""
        found = self.maybe_interface(words)
        if found is None:
            raise words.unknown(complaint)
        return found

    def maybe_interface(self, words: Words) -> Interface | None:
        """The interface that the next word names, if it names one."""
        index = self.engine.plane.interfaces.by_name.get(words.peek())
        if index is None:
            return None
        words.take()
        return self.engine.interfaces[index]

    def name_of(self, sw_if_index: int) -> str:
        """The name of an interface that may be gone."""
        return self.engine.plane.interfaces.names.get(sw_if_index, "DELETED")

    @property
    def now(self) -> float:
        """Seconds since the start, adjustments included."""
        if self.engine.clock == "real":
            return time.monotonic() - self._began + self._adjusted
        return self.engine.now / 1e9

    def adjust_clock(self, seconds: float) -> None:
        """Move the engine's time."""
        self.engine.adjust_clock(seconds)
        self._adjusted += seconds
