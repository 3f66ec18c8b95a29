"""Every operation: what the machine code does is what its Python twin does (rule 11), and the memory model (rule 2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.budget import ROOT, examples
from tests.jit import op_kernels
from tests.jit.op_kernels import ATOMIC, MEMORY, PURE, SIZES, SPACE, Scratch, add_often, pure, swap_often, wait_for
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT

Twin = Callable[[str, int, int, int, str], tuple[int, str]]

EDGES = [0, 1, -1, 2, 5, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 1 << 31, (1 << 32) - 1, 1 << 32]
EDGES += [(1 << 63) - 1, -(1 << 63), -(1 << 31), 0x0123456789ABCDEF]
words = st.one_of(st.sampled_from(EDGES), st.integers(-(1 << 63), (1 << 63) - 1))


@pytest.fixture(scope="module")
def other() -> Iterator[Twin]:
    """Runs an operation's twin, in a process without the JIT."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.jit.op_kernels"],
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def call(*job: object) -> tuple[int, str]:
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
        value, after = json.loads(stdout.readline())
        return value, after

    yield call
    stdin.close()
    process.wait(10)
    stdout.close()


@examples(160)
@given(which=st.integers(0, len(PURE) - 1), a=words, b=words)
@example(which=PURE.index("ctz"), a=0, b=0)
@example(which=PURE.index("mul"), a=-(1 << 63), b=-1)
@example(which=PURE.index("shr"), a=-1, b=63)
def test_numbers(other: Twin, which: int, a: int, b: int) -> None:
    assert Scratch().run("pure", which, a, b, "") == other("pure", which, a, b, ""), PURE[which]


def test_numbers_by_hand() -> None:
    """The few whose meaning is easily got wrong, by number."""
    expect = {
        ("bswap16", 0x11223344, 0): 0x4433,
        ("bswap32", 0x1122334455, 0): 0x55443322,
        ("bswap64", 0xFF, 0): -(1 << 56),
        ("shr", -1, 60): 15,
        ("ult", 1, -1): 1,
        ("ult", -1, 1): 0,
        ("popcount", -1, 0): 64,
        ("ctz", 0, 0): 64,
        ("ctz", -(1 << 63), 0): 63,
        ("mul", 1 << 62, 6): -(1 << 63),
        ("add", (1 << 63) - 1, 1): -(1 << 63),
    }
    for (name, a, b), value in expect.items():
        assert pure(PURE.index(name), a, b) == value, name


@examples(160)
@given(
    which=st.integers(0, len(MEMORY) - 1),
    at=st.integers(0, SPACE),
    end=st.booleans(),
    value=words,
    content=st.binary(min_size=SPACE, max_size=SPACE),
)
def test_memory(other: Twin, which: int, at: int, end: bool, value: int, content: bytes) -> None:
    """Loads and stores at any alignment, up to the last byte of the memory that there is, and not one byte more."""
    name = MEMORY[which]
    size = SIZES.get(name, 80 + (value & 63) if name == "copy" else value & 63)
    at = SPACE - size if end else min(at, SPACE - size)
    job = ("memory", which, at, value, content.hex())
    found, expected = Scratch().run(*job), other(*job)
    assert found == expected, name
    if name.startswith("st"):
        written = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        assert bytes.fromhex(found[1]) == content[:at] + written + content[at + size :]


@examples(60)
@given(which=st.integers(0, len(ATOMIC) - 1), at=st.integers(0, 31), value=words, there=words)
def test_atomic(other: Twin, which: int, at: int, value: int, there: int) -> None:
    content = bytes(at * 8) + there.to_bytes(8, "little", signed=True)
    job = ("atomic", which, at * 8, value, content.hex())
    found = Scratch().run(*job)
    assert found == other(*job), ATOMIC[which]
    after = int.from_bytes(bytes.fromhex(found[1])[at * 8 : at * 8 + 8], "little", signed=True)
    if ATOMIC[which] == "compare_and_swap":
        assert (found[0], after) == (there, value if there == 5 else there)
    if ATOMIC[which] == "fetch_add":
        assert (found[0], (after - there - value) % (1 << 64)) == (there, 0)


def test_the_twin_sees_wild_accesses(other: Twin) -> None:
    """One byte beyond the memory: compiled code would have gone on, the twin does not."""
    for name, size in SIZES.items():
        value, _ = other("memory", MEMORY.index(name), SPACE - size + 1, 1, "")
        assert "MemoryFault" in str(value), name
    assert "MemoryFault" in str(other("memory", MEMORY.index("ld8"), -1, 1, "")[0])


def test_call3() -> None:
    assert op_kernels.through(pure.address, 3, 4) == 12  # 7: mul


def words_of(n: int) -> np.ndarray:
    """Shared memory of ``n`` words."""
    made = np.zeros(n, np.int64)
    if not JIT:
        twin.register(made.ctypes.data, made.nbytes, "words")
    return made


@pytest.mark.parametrize("unit", [add_often, swap_often])
def test_atomics_between_threads(unit: Callable[[int, int], int]) -> None:
    """Four threads count on one word; the compiled functions release the GIL, so they really meet."""
    word, each = words_of(1), 50_000 if JIT else 20
    threads = 4 if JIT else 1  # the twin's read and write are two operations
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(unit, word.ctypes.data, each) for _ in range(threads)]:
            done.result()
    assert int(word[0]) == threads * each


def test_a_compiled_loop_sees_a_python_store() -> None:
    """``while load_acquire(flag) == 0``: a plain load would be hoisted out of the loop, which then never ends."""
    word = words_of(1)
    threading.Thread(target=lambda: (time.sleep(0.02), word.__setitem__(0, 77))).start()
    began = time.monotonic()
    assert wait_for(word.ctypes.data, 1 << 33 if JIT else 1 << 22) == 77
    assert time.monotonic() - began < 5
