"""A frame that the dispatcher handed to Python, as a list of buffer indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vectorplane.dataplane.worker import Worker


def take_frame(worker: Worker) -> tuple[int, list[int]]:
    """The node index and the packets of the worker's `python_frame`; the frame is freed."""
    r = worker.record
    number = int(r["python_frame"])
    frame = worker.frames[number]
    n = int(frame["n"])
    indices = [int(i) for i in frame["bi"][:n]]
    frame["n"] = 0
    free = worker.memory(int(r["free_frames"]), np.dtype("i4"), len(worker.frames))
    free[int(r["free_frames_n"])] = number
    r["free_frames_n"] += 1
    return int(frame["node"]), indices
