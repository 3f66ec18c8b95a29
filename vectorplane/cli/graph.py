"""``vectorplane graph``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from vectorplane.cli.errors import fail
from vectorplane.cli.show import configured


def run(config: Path | None, output: Path | None) -> None:
    """Write the graph as DOT to standard output or a file, or as SVG by Graphviz's `dot`."""
    from vectorplane.dataplane.graphviz import dot

    if output is not None and output.suffix not in (".dot", ".gv", ".svg"):
        fail(f"{output}: expected a name that ends in .dot or .svg", 2)
    program = shutil.which("dot")
    if output is not None and output.suffix == ".svg" and program is None:
        fail(f"{output}: SVG needs the program dot: install it (Debian: apt-get install graphviz) or write a .dot file")
    engine = configured(config)
    if config is not None:
        # captures are named when they are replayed; the picture shows where they would come in
        engine.plane.graph.add("capture-input")
    text = dot(engine.plane)
    engine.close()
    if output is None:
        print(text, end="" if text.endswith("\n") else "\n")
    elif output.suffix == ".svg":
        done = subprocess.run([str(program), "-Tsvg"], input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            fail(f"{output}: dot failed: {done.stderr.decode(errors='replace').strip()}")
        output.write_bytes(done.stdout)
    else:
        output.write_text(text)
