"""Policies of the kinds that Kubernetes' own end-to-end tests apply, each with who may then talk to whom.

Namespaces x, y and z (label ns) with pods a, b and c each (label pod), which serve the ports 80 and 81 of TCP, UDP and
SCTP under the names serve-80-tcp and so on. A case begins without policies and with these labels. Its steps change
something and say for a protocol and a port who is denied whom; everybody else may talk. A pod always reaches itself.

What is denied: texts of the form ``x/b > x/a``, ``*`` stands for any number of letters; ``allow`` takes some of it
back. Addresses of pods are not known here; a step that needs them is given them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.control.cluster.policies.build import block, both, namespaces, pods, policy, port, rule, select
from vectorplane.control.cluster.model.policy import Policy

PODS = [(namespace, name) for namespace in "xyz" for name in "abc"]
Addresses = dict[str, str]
"""By ``namespace/name``."""


@dataclass(frozen=True)
class Check:
    """Who is denied."""

    protocol: str
    port: int
    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()

    def allowed(self, source: tuple[str, str], destination: tuple[str, str]) -> bool:
        """May one pod talk to the other?"""
        text = f"{'/'.join(source)} > {'/'.join(destination)}"
        denied = any(fnmatchcase(text, p) for p in self.deny) and not any(fnmatchcase(text, p) for p in self.allow)
        return source == destination or not denied


@dataclass(frozen=True)
class Step:
    """``apply``: policies that come or change. ``labels``: of pods (``x/a``) or namespaces (``x``), all of them."""

    checks: tuple[Check, ...]
    apply: tuple[Policy, ...] | Callable[[Addresses], tuple[Policy, ...]] = ()
    delete: tuple[str, ...] = ()
    labels: tuple[tuple[str, dict[str, str]], ...] = ()

    def policies(self, addresses: Addresses) -> tuple[Policy, ...]:
        """What comes."""
        return self.apply if isinstance(self.apply, tuple) else self.apply(addresses)


@dataclass(frozen=True)
class Case:
    """One after the other."""

    name: str
    steps: tuple[Step, ...]


def _tcp(*deny: str, allow: tuple[str, ...] = (), at: int = 80) -> Check:
    return Check("TCP", at, deny, allow)


def _case(name: str, *policies: Policy, checks: tuple[Check, ...]) -> Case:
    return Case(name, (Step(checks, policies),))


A = select(pod="a")
EVERYTHING = (rule(),)
IN_DENIED = ("* > x/a",)
OUT_DENIED = ("x/a > *",)
TCP_80, TCP_81 = port(80), port(81)
_MONITORS = select(("ns", "IN", "y", "z"))

CASES = [
    _case("no policy", checks=(_tcp(), Check("UDP", 81), Check("SCTP", 80))),
    _case(
        "default deny ingress", policy("x/deny", ingress=()), checks=(_tcp("* > x/*"), Check("UDP", 80, ("* > x/*",)))
    ),
    _case("default deny egress", policy("x/deny", egress=()), checks=(_tcp("x/* > *"), Check("UDP", 81, ("x/* > *",)))),
    _case("default deny all", policy("x/deny", ingress=(), egress=()), checks=(_tcp("x/* > *", "* > x/*"),)),
    _case(
        "deny all in two namespaces",
        policy("x/deny", ingress=(), egress=()),
        policy("y/deny", ingress=(), egress=()),
        checks=(_tcp("x/* > *", "* > x/*", "y/* > *", "* > y/*"),),
    ),
    _case("allow all ingress", policy("x/all", A, ingress=EVERYTHING), checks=(_tcp(), Check("UDP", 81))),
    _case("allow all egress", policy("x/all", A, egress=EVERYTHING), checks=(_tcp(), Check("SCTP", 81))),
    _case(
        "deny ingress to one pod",
        policy("x/deny", A, ingress=()),
        checks=(_tcp(*IN_DENIED), Check("ICMP", 0, IN_DENIED)),
    ),
    _case("deny egress of one pod", policy("x/deny", A, egress=()), checks=(_tcp(*OUT_DENIED),)),
    _case(
        "ingress from pods of the namespace",
        policy("x/p", A, ingress=(rule(pods(pod="b")),)),
        checks=(_tcp(*IN_DENIED, allow=("x/b > *",)),),
    ),
    _case(
        "ingress from all pods of the namespace: empty podSelector",
        policy("x/p", A, ingress=(rule(pods()),)),
        checks=(_tcp(*IN_DENIED, allow=("x/* > *",)),),
    ),
    _case(
        "ingress from a namespace by label",
        policy("x/p", A, ingress=(rule(namespaces(ns="y")),)),
        checks=(_tcp(*IN_DENIED, allow=("y/* > *",)),),
    ),
    _case(
        "ingress from all namespaces: empty namespaceSelector",
        policy("x/p", A, ingress=(rule(namespaces()),)),
        checks=(_tcp(), Check("UDP", 80)),
    ),
    _case(
        "ingress from namespaces by expression",
        policy("x/p", A, ingress=(rule(namespaces(("ns", "NOT_IN", "x", "z"))),)),
        checks=(_tcp(*IN_DENIED, allow=("y/* > *",)),),
    ),
    _case(
        "ingress from a namespace by its name",
        policy("x/p", A, ingress=(rule(namespaces(**{"kubernetes.io/metadata.name": "z"})),)),
        checks=(_tcp(*IN_DENIED, allow=("z/* > *",)),),
    ),
    _case(
        "ingress from pods by expression, in namespaces by expression",
        policy("x/p", A, ingress=(rule(both(_MONITORS, select(("pod", "IN", "b", "c")))),)),
        checks=(_tcp(*IN_DENIED, allow=("y/[bc] > *", "z/[bc] > *")),),
    ),
    _case(
        "ingress from pods and namespaces in one peer: both must hold",
        policy("x/p", A, ingress=(rule(both(select(ns="y"), select(pod="b"))),)),
        checks=(_tcp(*IN_DENIED, allow=("y/b > *",)),),
    ),
    _case(
        "ingress from pods or namespaces in two peers: one is enough",
        policy("x/p", A, ingress=(rule(namespaces(ns="y"), pods(pod="b")),)),
        checks=(_tcp(*IN_DENIED, allow=("y/* > *", "x/b > *")),),
    ),
    _case(
        "ingress from pods by name in all namespaces",
        policy("x/p", A, ingress=(rule(both(select(), select(pod="b"))),)),
        checks=(_tcp(*IN_DENIED, allow=("*/b > *",)),),
    ),
    _case(
        "ingress where a label exists and another does not",
        policy("x/p", A, ingress=(rule(namespaces(("ns", "EXISTS"), ("team", "DOES_NOT_EXIST"))),)),
        checks=(_tcp(),),
    ),
    _case(
        "ingress where a label that nobody has is not in a list",
        policy("x/p", A, ingress=(rule(pods(("team", "NOT_IN", "blue"))),)),
        checks=(_tcp(*IN_DENIED, allow=("x/* > *",)),),
    ),
    _case(
        "policy that selects pods by expression",
        policy("x/p", select(("pod", "IN", "a", "b")), ingress=()),
        checks=(_tcp("* > x/[ab]"),),
    ),
    _case(
        "ingress at one port",
        policy("x/p", A, ingress=(rule(ports=(TCP_80,)),)),
        checks=(_tcp(), _tcp(*IN_DENIED, at=81), Check("UDP", 80, IN_DENIED), Check("ICMP", 0, IN_DENIED)),
    ),
    _case(
        "ingress at one port from a namespace",
        policy("x/p", A, ingress=(rule(namespaces(ns="y"), ports=(TCP_81,)),)),
        checks=(_tcp(*IN_DENIED), _tcp(*IN_DENIED, at=81, allow=("y/* > *",))),
    ),
    _case(
        "ingress at several ports from several peers",
        policy(
            "x/p", A, ingress=(rule(namespaces(ns="y"), ports=(TCP_80,)), rule(namespaces(ns="z"), ports=(TCP_81,)))
        ),
        checks=(_tcp(*IN_DENIED, allow=("y/* > *",)), _tcp(*IN_DENIED, at=81, allow=("z/* > *",))),
    ),
    _case(
        "ingress at a range of ports",
        policy("x/p", A, ingress=(rule(ports=(port(81, end=90),)),)),
        checks=(_tcp(*IN_DENIED), _tcp(at=81), _tcp(at=90), _tcp(*IN_DENIED, at=91)),
    ),
    _case(
        "egress at a range of ports",
        policy("x/p", A, egress=(rule(ports=(port(79, end=80),)),)),
        checks=(_tcp(), _tcp(*OUT_DENIED, at=81)),
    ),
    _case(
        "ingress at a named port",
        policy("x/p", A, ingress=(rule(ports=(port("serve-80-tcp"),)),)),
        checks=(_tcp(), _tcp(*IN_DENIED, at=81), Check("UDP", 80, IN_DENIED)),
    ),
    _case(
        "ingress at a named port of UDP",
        policy("x/p", A, ingress=(rule(ports=(port("serve-81-udp", "UDP"),)),)),
        checks=(Check("UDP", 81), Check("UDP", 80, IN_DENIED), _tcp(*IN_DENIED, at=81)),
    ),
    _case(
        "ingress at a name that belongs to another protocol",
        policy("x/p", A, ingress=(rule(ports=(port("serve-80-tcp", "UDP"),)),)),
        checks=(_tcp(*IN_DENIED), Check("UDP", 80, IN_DENIED)),
    ),
    _case(
        "egress at a named port",
        policy("x/p", A, egress=(rule(ports=(port("serve-80-tcp"),)),)),
        checks=(_tcp(), _tcp(*OUT_DENIED, at=81)),
    ),
    _case(
        "egress at a named port of a namespace's pods",
        policy("x/p", A, egress=(rule(namespaces(ns="y"), ports=(port("serve-81-tcp"),)),)),
        checks=(_tcp(*OUT_DENIED), _tcp(*OUT_DENIED, at=81, allow=("* > y/*",))),
    ),
    _case(
        "ingress of UDP only",
        policy("x/p", A, ingress=(rule(ports=(port(80, "UDP"),)),)),
        checks=(Check("UDP", 80), _tcp(*IN_DENIED), Check("UDP", 81, IN_DENIED)),
    ),
    _case(
        "ingress of a protocol without a port",
        policy("x/p", A, ingress=(rule(ports=(port(0, "UDP"),)),)),
        checks=(Check("UDP", 80), Check("UDP", 5353), _tcp(*IN_DENIED)),
    ),
    _case(
        "ingress of SCTP only",
        policy("x/p", A, ingress=(rule(ports=(port(80, "SCTP"),)),)),
        checks=(Check("SCTP", 80), Check("SCTP", 81, IN_DENIED), _tcp(*IN_DENIED), Check("UDP", 80, IN_DENIED)),
    ),
    _case(
        "egress of SCTP without a port",
        policy("x/p", A, egress=(rule(ports=(port(0, "SCTP"),)),)),
        checks=(Check("SCTP", 80), Check("SCTP", 81), _tcp(*OUT_DENIED)),
    ),
    _case(
        "egress to pods in namespaces",
        policy("x/p", A, egress=(rule(both(select(ns="y"), select(pod="a"))),)),
        checks=(_tcp(*OUT_DENIED, allow=("* > y/a",)),),
    ),
    _case(
        "egress to pods of the namespace at a port",
        policy("x/p", A, egress=(rule(pods(pod="c"), ports=(TCP_80,)),)),
        checks=(_tcp(*OUT_DENIED, allow=("* > x/c",)), _tcp(*OUT_DENIED, at=81)),
    ),
    _case(
        "egress of a whole namespace to another",
        policy("x/p", egress=(rule(namespaces(ns="y")),)),
        checks=(_tcp("x/* > *", allow=("* > y/*",)),),
    ),
    _case(
        "both directions must allow it",
        policy("x/out", A, egress=(rule(namespaces(ns="y")),)),
        policy("y/in", A, ingress=(rule(pods()),)),
        checks=(_tcp("x/a > *", "* > y/a", allow=("x/a > y/[bc]", "y/* > y/a")),),
    ),
    _case(
        "ingress and egress in one policy",
        policy("x/p", A, ingress=(rule(pods(pod="b")),), egress=(rule(pods(pod="c")),)),
        checks=(_tcp(*IN_DENIED, *OUT_DENIED, allow=("x/b > x/a", "x/a > x/c")),),
    ),
    _case(
        "policies add up",
        policy("x/first", A, ingress=(rule(namespaces(ns="y"), ports=(TCP_80,)),)),
        policy("x/second", A, ingress=(rule(namespaces(ns="z"), ports=(TCP_81,)),)),
        policy("x/third", ingress=()),
        checks=(
            _tcp("* > x/*", allow=("y/* > x/a",)),
            _tcp("* > x/*", at=81, allow=("z/* > x/a",)),
        ),
    ),
    _case(
        "allow all beats default deny",
        policy("x/all", ingress=EVERYTHING, egress=EVERYTHING),
        policy("x/deny", ingress=(), egress=()),
        checks=(_tcp(), Check("UDP", 81)),
    ),
    _case(
        "a rule without peers and ports beside one with",
        policy("x/p", A, ingress=(rule(pods(pod="b"), ports=(TCP_81,)), rule())),
        checks=(_tcp(), _tcp(at=81)),
    ),
    _case(
        "policies of one namespace do not concern another",
        policy("y/deny", A, ingress=()),
        checks=(_tcp("* > y/a"),),
    ),
    Case(
        "egress to a block",
        (
            Step(
                (_tcp(*OUT_DENIED, allow=("* > y/b",)),),
                lambda at: (policy("x/p", A, egress=(rule(block(f"{at['y/b']}/32")),)),),
            ),
        ),
    ),
    _case(
        "ingress from and egress to a block of everything",
        policy("x/p", A, ingress=(rule(block("0.0.0.0/0")),), egress=(rule(block("0.0.0.0/0")),)),
        checks=(_tcp(), Check("UDP", 81), Check("ICMP", 0)),
    ),
    Case(
        "egress to a block with a hole",
        (
            Step(
                (_tcp("x/a > y/b"),),
                lambda at: (policy("x/p", A, egress=(rule(block("10.1.0.0/16", f"{at['y/b']}/32")),)),),
            ),
        ),
    ),
    Case(
        "a hole in one block that is in another",
        (
            Step(
                (_tcp("x/a > y/b"),),
                lambda at: (policy("x/p", A, egress=(rule(block("10.1.0.0/16", f"{at['y/b']}/32")),)),),
            ),
            Step(
                (_tcp(),),
                lambda at: (
                    policy("x/p", A, egress=(rule(block("10.1.0.0/16", f"{at['y/b']}/32"), block(f"{at['y/b']}/32")),)),
                ),
            ),
        ),
    ),
    Case(
        "ingress from a block with a hole",
        (
            Step(
                (_tcp("x/b > x/a"),),
                lambda at: (policy("x/p", A, ingress=(rule(block("10.0.0.0/8", f"{at['x/b']}/32")),)),),
            ),
        ),
    ),
    Case(
        "ingress from a block at a port",
        (
            Step(
                (_tcp(*IN_DENIED, allow=("z/c > *",)), _tcp(*IN_DENIED, at=81)),
                lambda at: (policy("x/p", A, ingress=(rule(block(f"{at['z/c']}/32"), ports=(TCP_80,)),)),),
            ),
        ),
    ),
    Case(
        "a policy is updated",
        (
            Step((_tcp(*IN_DENIED),), (policy("x/p", A, ingress=()),)),
            Step((_tcp(*IN_DENIED, allow=("x/b > *",)),), (policy("x/p", A, ingress=(rule(pods(pod="b")),)),)),
            Step((_tcp(), _tcp(*IN_DENIED, at=81)), (policy("x/p", A, ingress=(rule(ports=(TCP_80,)),)),)),
            Step((_tcp("* > x/b"),), (policy("x/p", select(pod="b"), ingress=()),)),
            Step((_tcp("x/b > *"),), (policy("x/p", select(pod="b"), egress=()),)),
        ),
    ),
    Case(
        "policies are deleted",
        (
            Step((_tcp("* > x/*", "x/* > *"),), (policy("x/in", ingress=()), policy("x/out", egress=()))),
            Step((_tcp("x/* > *"),), delete=("x/in",)),
            Step((_tcp(),), delete=("x/out",)),
        ),
    ),
    Case(
        "a pod's labels change",
        (
            Step((_tcp(*IN_DENIED, allow=("x/b > *",)),), (policy("x/p", A, ingress=(rule(pods(pod="b")),)),)),
            Step((_tcp(*IN_DENIED, allow=("x/[bc] > *",)),), labels=(("x/c", {"pod": "b"}),)),
            Step((_tcp(*IN_DENIED, allow=("x/c > *",)),), labels=(("x/b", {"pod": "other"}),)),
            Step((_tcp(),), labels=(("x/a", {}),)),
        ),
    ),
    Case(
        "a namespace's labels change",
        (
            Step(
                (_tcp(*IN_DENIED, allow=("y/* > *",)),),
                (policy("x/p", A, ingress=(rule(namespaces(team="blue")),)),),
                labels=(("y", {"team": "blue"}),),
            ),
            Step((_tcp(*IN_DENIED, allow=("[yz]/* > *",)),), labels=(("z", {"team": "blue"}),)),
            Step((_tcp(*IN_DENIED, allow=("z/* > *",)),), labels=(("y", {"team": "red"}),)),
        ),
    ),
]
