"""How a line of the debug CLI fails."""

from __future__ import annotations


class CliError(Exception):
    """A command failed. ``str()`` is all that there is to show: what was printed until then, and the message.

    ``retval`` is what VPP's API message cli_inband answers with.
    """

    def __init__(self, message: str, printed: str = "", retval: int = -1) -> None:
        self.message, self.printed, self.retval = message, printed, retval
        super().__init__(message)

    @property
    def text(self) -> str:
        """What is printed, ending with a newline."""
        return self.printed + (self.message if self.message.endswith("\n") else self.message + "\n")

    def __str__(self) -> str:
        return self.text


class Quit(Exception):
    """The session wants to end; ``printed`` is what had been printed."""

    def __init__(self, printed: str = "") -> None:
        self.printed = printed
        super().__init__("quit")
