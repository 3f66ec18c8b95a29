"""``vectorplane compare``: exit status 0 the same, 1 different, 2 trouble."""

from __future__ import annotations

import sys

from vectorplane.cli.errors import fail, warn
from vectorplane.pcap.compare import compare
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.masks import Mask, MaskError


def run(a: str, b: str, masks: list[str], unordered: bool, times: bool, most: int) -> None:
    """Compare and say what differs; ends the program with diff's exit status."""
    if a == b == "-":
        fail("standard input (-) can be given once", 2)
    try:
        wanted = [Mask.parse(m) for m in masks]
        result = compare(a, b, masks=wanted, unordered=unordered, ignore_time=not times, limit=most)
    except (CaptureError, MaskError) as error:
        fail(str(error), 2)
    for warning in result.warnings:
        warn(warning)
    for difference in result.differences:
        print(difference)
    if result.equal:
        print(f"equal: {result.packets_a:,} packets")
        return
    print(
        f"{a}: {result.packets_a:,} packets; {b}: {result.packets_b:,} packets; {result.different:,} differ, "
        f"{result.only_a:,} only in {a}, {result.only_b:,} only in {b}"
    )
    sys.exit(1)
