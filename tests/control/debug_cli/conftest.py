"""An engine with two packet-generator interfaces, and its debug CLI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vectorplane.backends.engine.engine import Engine
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.debug_cli.errors import CliError

SETUP = """
create packet-generator interface pg0
create packet-generator interface pg1 hw-addr 02:00:00:00:11:01
set interface state pg0 up
set interface state pg1 up
set interface ip address pg0 10.0.0.1/24
set interface ip address pg1 10.0.1.1/24
set ip neighbor pg1 10.0.1.2 02:00:00:00:00:02
"""


@pytest.fixture
def bare() -> Iterator[DebugCli]:
    """An engine as it starts."""
    engine = Engine()
    yield DebugCli(engine)
    engine.close()


@pytest.fixture
def cli(bare: DebugCli) -> DebugCli:
    """With pg0 10.0.0.1/24 and pg1 10.0.1.1/24, both up."""
    bare.run(SETUP)
    return bare


def failure(cli: DebugCli, line: str) -> str:
    """What a line prints that has to fail."""
    with pytest.raises(CliError) as caught:
        cli.run(line)
    assert caught.value.retval < 0
    return caught.value.text
