"""Readers that run without the GIL beside writers: they may see the old or the new, and nothing else."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import numpy as np

from vectorplane.dataplane.epoch import Epochs, quiescent
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables import mtrie_update
from vectorplane.dataplane.tables.hash_map import HashMap, insert_40, remove_40, search_40
from vectorplane.dataplane.tables.mtrie import Mtrie, lookup
from vectorplane.jit.kernel import JIT, Compiled, compiled
from vectorplane.jit.ops import ld64, load_acquire, mul, shr

SECONDS = 0.5
KEYS = 64


class Running:
    """Compiled loops in threads; they run until the word at `stop` is set, and give what they counted."""

    def __init__(self, *functions: Compiled) -> None:
        assert JIT
        for function in functions:
            _ = function.address  # nothing should be compiled while loops run
        self.region = Region(4096, name="stop")
        self.stop = self.region.address
        self.results: list[int] = []
        self.threads: list[threading.Thread] = []

    def start(self, function: Compiled, *args: int) -> None:
        self.threads.append(threading.Thread(target=lambda: self.results.append(function(self.stop, *args))))
        self.threads[-1].start()

    def finish(self) -> list[int]:
        self.region.view("i8")[0] = 1
        for thread in self.threads:
            thread.join()
        return self.results


@compiled
def _watch_mtrie(stop: int, own: int, epoch: int, root: int, plies: int, cases: int, n: int) -> int:
    """Look up the addresses of ``n`` cases (address, lowest and highest value); gives how many values were wrong."""
    wrong = 0
    while load_acquire(stop) == 0:
        for _ in range(50):
            for i in range(n):
                case = cases + 24 * i
                value = lookup(root, plies, ld64(case))
                if value < ld64(case + 8) or value > ld64(case + 16):
                    wrong += 1
        quiescent(own, epoch)
    return wrong


def test_concurrent_mtrie_readers_see_old_or_new() -> None:
    epochs = Epochs(1)
    mtrie = Mtrie(epochs, fibs=1, plies=64)
    nets = range(16)
    cases = np.array([[(10 + i) << 24 | 0x010203, 100 * i, 100 * i + 9] for i in nets], np.int64)
    for i in nets:
        mtrie.add(0, (10 + i) << 24, 8, 100 * i)
    running = Running(_watch_mtrie, mtrie_update.mtrie_add, mtrie_update.mtrie_remove, mtrie_update.mtrie_free)
    epochs.enter(0)
    memory = cases.ctypes.data
    running.start(_watch_mtrie, epochs.address_of(0), epochs.global_address, mtrie.root(0), mtrie.plies, memory, 16)
    # routes around the addresses come and go, so plies do, and those of one net are used again in another
    generator = random.Random(1)
    there: dict[int, set[int]] = {i: {8} for i in nets}
    end = time.monotonic() + SECONDS
    updates = 0
    while updates < 5000 or time.monotonic() < end:
        net = generator.choice(nets)
        length = generator.choice([12, 16, 20, 24, 25, 31, 32])
        prefix = int(cases[net, 0]) >> (32 - length) << (32 - length)
        if length in there[net]:
            there[net].remove(length)
            covering = max(n for n in there[net] if n < length)
            mtrie.remove(0, prefix, length, 100 * net + covering % 10, covering)
        elif mtrie.plies_used < 60:
            there[net].add(length)
            mtrie.add(0, prefix, length, 100 * net + length % 10)
        epochs.poll()
        updates += 1
    assert running.finish() == [0]
    for net in nets:
        assert mtrie.look_up(0, int(cases[net, 0])) == 100 * net + max(there[net]) % 10


@compiled
def _churn(stop: int, m: int, first: int, step: int) -> int:
    """Insert and remove keys first, first + step ...: value = key + 256 * count. Gives 1 when a key was lost."""
    state = first + 12345
    count = 0
    lost = 0
    while load_acquire(stop) == 0:
        state = mul(state, 0x5851F42D4C957F2D) + 1
        key = (shr(state, 33) % (KEYS // step)) * step + first
        count += 1
        if key < 16:  # these stay; they are moved about
            if search_40(m, key, 0, 0, 0, key) & 255 != key:
                lost = 1
        elif remove_40(m, key, 0, 0, 0, key) == -1:
            insert_40(m, key, 0, 0, 0, key, key | (count & 0xFFFFFF) << 8)
    return lost


@compiled
def _watch_map(stop: int, m: int) -> int:
    """Search all keys; gives how often a value was another key's, or one that stays was not there."""
    wrong = 0
    while load_acquire(stop) == 0:
        for key in range(KEYS):
            value = search_40(m, key, 0, 0, 0, key)
            if value == -1:
                wrong += key < 16
            elif value & 255 != key:
                wrong += 1
    return wrong


def words(key: int) -> tuple[int, ...]:
    """The 40-byte key of a number: entries of 48 bytes lie across cache lines, which gives races their chance."""
    return key, 0, 0, 0, key


def churned(*start: Callable[[Running, int], None]) -> HashMap:
    """Let loops run on a small map whose chains are long, so that entries move all the time."""
    hash_map = HashMap(9, 5, "small")
    hash_map.load([[*words(key), key] for key in range(KEYS // 2, 16 - 1, -1)])
    hash_map.load([[*words(key), key] for key in range(16)])  # behind the others, so that removals move them
    running = Running(_churn, _watch_map)
    for loop in start:
        loop(running, hash_map.address)
    time.sleep(SECONDS)
    assert not any(running.finish())
    return hash_map


def test_concurrent_hash_map_reader_sees_a_keys_own_value() -> None:
    hash_map = churned(lambda r, m: r.start(_watch_map, m), lambda r, m: r.start(_churn, m, 0, 1))
    found = dict(hash_map.items())
    assert all(value & 255 == key for (key, *_), value in found.items())
    assert all(words(key) in found for key in range(16))
    for key in range(KEYS):
        hash_map.delete(words(key))
    assert sum(hash_map.stats()["chains"][1:]) == 0  # every overflow bucket went back


def test_concurrent_hash_map_writers() -> None:
    hash_map = churned(lambda r, m: r.start(_churn, m, 0, 2), lambda r, m: r.start(_churn, m, 1, 2))
    found = [(key, value) for (key, *_), value in hash_map.items()]
    assert len(found) == len({key for key, _ in found}) == len(hash_map)
    assert all(value & 255 == key for key, value in found)
    for key, value in found:
        assert hash_map.delete(words(key)) == value
    assert hash_map.stats()["chains"][1:] == [0] * 7
