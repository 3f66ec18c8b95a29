"""Routers for tests of tunnels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.tunnels.router import Router


@pytest.fixture
def router() -> Iterator[Router]:
    """A router without tunnels; in the end all its packets are accounted for."""
    made = Router()
    yield made
    made.close()
