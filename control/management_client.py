"""Talks to a running instance over its management socket: the other end of `management.py`."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

TIMEOUT = 60.0
"""Seconds that an instance may take for an answer, or for a part of it."""


class Refused(Exception):
    """The instance answered with an error; ``lines`` is what it told."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class NoInstance(Exception):
    """Nobody (or something else) is at the socket."""


def run_dir() -> Path:
    """Where an instance has its sockets when nothing else was said."""
    uid = os.geteuid()
    return Path("/run/vectorplane") if uid == 0 else Path(f"/run/user/{uid}/vectorplane")


def default_socket() -> Path:
    """The management socket when no other was named."""
    return run_dir() / "management.sock"


class Client:
    """A connection to an instance; use it with ``with``.

    Raises:
        NoInstance: nobody is there.
    """

    def __init__(self, path: Path | None = None, timeout: float = TIMEOUT) -> None:
        self.path = path or default_socket()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._number = 0
        try:
            self._socket.connect(os.fspath(self.path))
        except OSError as error:
            self._socket.close()
            reason = (error.strerror or str(error)).lower()
            raise NoInstance(
                f"{self.path}: no instance answers ({reason}); start one with `vectorplane run`, or name its socket "
                "with --socket"
            ) from None
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def call(self, method: str, **params: Any) -> Any:
        """The answer to one request; parameters that are None are left out. The parts of a long one are joined.

        Raises:
            Refused: the instance said why not.
            NoInstance: it went away, or what it says is no answer.
        """
        self._number += 1
        request = {"id": self._number, "method": method, "params": {k: v for k, v in params.items() if v is not None}}
        parts: list[Any] = []
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            while True:
                answer = self._answer()
                if "part" in answer:
                    parts += answer["part"]
                elif "error" in answer:
                    raise Refused([str(line) for line in answer.get("lines") or [answer["error"]]])
                else:
                    return parts if parts or _counts(answer["result"]) else answer["result"]
        except TimeoutError:
            raise NoInstance(f"{self.path}: the instance does not answer") from None
        except OSError as error:
            raise NoInstance(f"{self.path}: {(error.strerror or str(error)).lower()}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NoInstance(f"{self.path}: what answers there is no instance") from None

    def _answer(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise NoInstance(f"{self.path}: the instance has gone")
        answer = json.loads(line)
        if answer.get("id") not in (self._number, None):
            raise ValueError(f"answer {answer.get('id')} to request {self._number}")
        return dict(answer)


def _counts(result: Any) -> bool:
    """Is this the end of an answer in parts, of which there were none?"""
    return isinstance(result, dict) and result.keys() == {"count"}
