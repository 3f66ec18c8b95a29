"""Maps the top-level folders to ``vectorplane.<folder>``; everything else is in pyproject.toml."""

from setuptools import setup

FOLDERS = {
    "dataplane": "dataplane",
    "graph_nodes": "graph_nodes",
    "backends": "backends",
    "control": "control",
    "pcap": "pcap",
    "bench": "bench",
}


def packages() -> dict[str, str]:
    """Package name to folder, sub-packages included (a folder with an ``__init__.py``)."""
    import os

    found = {"vectorplane": "vectorplane"}
    for base, root in [("vectorplane", "vectorplane"), *((f"vectorplane.{n}", f) for n, f in FOLDERS.items())]:
        for folder, _, files in os.walk(root):
            if "__init__.py" in files:
                found[".".join([base, *os.path.relpath(folder, root).split(os.sep)]).rstrip(".")] = folder
    return found


mapped = packages()
setup(packages=sorted(mapped), package_dir=mapped, package_data={"vectorplane": ["py.typed"]})
