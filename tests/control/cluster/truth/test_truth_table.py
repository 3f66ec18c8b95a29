"""All cases of the truth table in packets: nine pods, three nodes and the world, all against all after each step.

``-s`` shows what a change costs from the request until all nodes have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import pytest

from tests.control.cluster.policies.truth_table import CASES, Case
from tests.control.cluster.truth.nine_pods import NinePods, nine_pods
from tests.control.cluster.truth.objects import policy
from vectorplane.control.cluster.kube.records.policies import policy_record

_EACH = 14
"""One case of so many is in the quick run."""


@pytest.fixture(scope="module")
def nine() -> Iterator[NinePods]:
    with nine_pods() as made:
        yield made
        took = [1000 * t for t in made.took] or [0.0]
        print(f"\n{len(took)} changes: median {median(took):.1f} ms, longest {max(took):.1f} ms of CPU time")


def _marked(number: int, case: Case) -> object:
    return pytest.param(case, id=case.name, marks=() if number % _EACH == _EACH - 1 else pytest.mark.slow)


@pytest.mark.parametrize("case", [_marked(*of) for of in enumerate(CASES)])
def test_case(nine: NinePods, case: Case) -> None:
    nine.begin_anew()
    for step in case.steps:
        nine.take(step)
        nine.check()


def test_policies_survive_the_way_to_an_object_and_back() -> None:
    addresses = {f"{n}/{p}": "10.1.1.2" for n in "xyz" for p in "abc"}
    records = [record for case in CASES for step in case.steps for record in step.policies(addresses)]
    assert len(records) > 60
    assert [policy_record(policy(record)) for record in records] == records
