"""Mistakes of the user in one line each on standard error; everything else keeps its traceback, as it is a bug."""

from __future__ import annotations

import sys
from typing import NoReturn


def say(message: str) -> None:
    """One error line."""
    print(f"vectorplane: error: {message}", file=sys.stderr)


def warn(message: str) -> None:
    """One warning line."""
    print(f"vectorplane: warning: {message}", file=sys.stderr)


def fail(message: str, status: int = 1) -> NoReturn:
    """Say what is wrong and end the program."""
    say(message)
    sys.exit(status)


def report(error: Exception) -> bool:
    """Tell an error that a user can do something about; False when it is not one of those."""
    from vectorplane.control.config_error import ConfigError
    from vectorplane.control.unix_socket import SocketPathError
    from vectorplane.pcap.errors import CaptureError

    if isinstance(error, ConfigError):
        for line in error.lines():
            say(line)
    elif isinstance(error, CaptureError | SocketPathError):
        say(str(error))
    elif isinstance(error, OSError) and error.filename is not None:
        say(f"{error.filename}: {(error.strerror or str(error)).lower()}")
    else:
        return False
    return True
