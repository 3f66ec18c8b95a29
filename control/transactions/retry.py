"""Failed operations, and when they are tried again."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.backends.base import BackendError

FIRST_DELAY, MAX_DELAY = 1.0, 60.0
"""Seconds; each delay is twice the one before."""
MAX_ATTEMPTS = 6
"""After so many an operation whose failure will not pass by itself waits for a change of what it depends on."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failure of a key. ``retry_at``: seconds on the scheduler's clock; None: not by itself."""

    error: BackendError
    verb: str
    attempts: int
    retry_at: float | None
    reason: str
    """The error without the operation's name."""

    def __str__(self) -> str:
        return f"{self.verb} failed: {self.reason}"


class Failures:
    """By key."""

    def __init__(self) -> None:
        self._by_key: dict[str, Failure] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def get(self, key: str) -> Failure | None:
        """The last failure of a key that has not succeeded since."""
        return self._by_key.get(key)

    def note(self, key: str, verb: str, error: BackendError, now: float) -> Failure:
        """One more failure."""
        before = self._by_key.get(key)
        attempts = before.attempts + 1 if before else 1
        delay = min(FIRST_DELAY * 2 ** min(attempts - 1, 30), MAX_DELAY)
        again = error.retry or attempts < MAX_ATTEMPTS
        reason = str(error).removeprefix(f"{verb} {key}: ")
        self._by_key[key] = made = Failure(error, verb, attempts, now + delay if again else None, reason)
        return made

    def forget(self, key: str) -> None:
        """It succeeded, or nobody wants it any more."""
        self._by_key.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._by_key.clear()

    def due(self, now: float) -> list[str]:
        """Keys whose time has come."""
        return [k for k, f in self._by_key.items() if f.retry_at is not None and f.retry_at <= now]

    def next(self) -> float | None:
        """The earliest time of a retry."""
        return min((f.retry_at for f in self._by_key.values() if f.retry_at is not None), default=None)

    def copy(self) -> dict[str, Failure]:
        """For `restore`."""
        return dict(self._by_key)

    def restore(self, kept: dict[str, Failure]) -> None:
        """As it was."""
        self._by_key = kept
