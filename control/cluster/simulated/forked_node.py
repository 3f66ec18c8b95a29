"""A copy of a node in a process of its own, which can be asked several things: what happens to it stays there."""

from __future__ import annotations

import contextlib
import functools
import socket
from typing import TYPE_CHECKING, Any

from vectorplane.control.channel import Channel, ChannelError
from vectorplane.control.cluster.simulated.way import hop
from vectorplane.control.packet_explain.copy_of_process import PATIENCE, CopyError, in_a_copy
from vectorplane.control.packet_explain.live import load_compiled

if TYPE_CHECKING:
    from vectorplane.control.cluster.simulated.node import SimNode

_loaded = functools.cache(load_compiled)


class ForkedNode:
    """A `NodeCopy`. It ends when it is closed, and with the process that made it.

    Raises:
        CopyError: the process could not be copied.
    """

    def __init__(self, node: SimNode) -> None:
        _loaded()
        node.engine.link()
        ours, theirs = socket.socketpair()

        def serve() -> None:
            ours.close()
            channel = Channel(theirs)
            with contextlib.suppress(ChannelError):
                while asked := (received := channel.receive())[0]:
                    channel.send(hop(node, asked["interface"], received[1]))

        try:
            with node.engine.paused():
                self._ended = in_a_copy([node.engine], serve)
        except CopyError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._channel: Channel | None = Channel(ours, PATIENCE)

    def hop(self, interface: str, frame: bytes) -> dict[str, Any]:
        """Lead a frame that arrives at an interface through the copy; see `way.hop`. Raises CopyError."""
        if self._channel is None:
            raise CopyError("the copy was closed")
        try:
            self._channel.send({"interface": interface}, frame)
            return self._channel.receive()[0]
        except ChannelError as error:
            self.close()  # which says why, if the copy said
            raise CopyError(f"the copy of the node {error}") from None

    def close(self) -> None:
        """It is not needed any more. Raises CopyError: it had failed."""
        if self._channel is None:
            return
        channel, self._channel = self._channel, None
        with contextlib.suppress(ChannelError):
            channel.send({})  # it may not see that we close: copies made later have this end, too
        channel.close()
        self._ended()
