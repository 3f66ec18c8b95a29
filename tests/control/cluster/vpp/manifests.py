"""What the cluster of these tests has: 3 nodes, pods, services of every sort, policies both ways."""

from __future__ import annotations

NODES = 3
NODE_PORT, ONE_NODE_PORT, LOCAL_NODE_PORT = 30080, 30081, 30082
EXTERNAL = "203.0.113.10"


def pod(name: str, node: int, namespace: str = "web", ports: str = "", **labels: str) -> str:
    """A pod on a node. ``ports``: name:number/protocol ..."""
    found = []
    for port in ports.split():
        called, _, rest = port.partition(":")
        number, _, protocol = rest.partition("/")
        found.append(f"{{name: {called}, containerPort: {number}, protocol: {protocol.upper()}}}")
    return f"""\
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{{", ".join(f"{k}: {v}" for k, v in labels.items())}}}}}
spec:
  nodeName: node-{node}
  containers: [{{name: main, image: none, ports: [{", ".join(found)}]}}]
"""


def service(name: str, ports: str, more: str = "", **selector: str) -> str:
    """``ports``: port:target[:nodePort]/protocol ..."""
    found = []
    for port in ports.split():
        numbers, _, protocol = port.partition("/")
        number, target, *node = numbers.split(":")
        at = f", nodePort: {node[0]}" if node else ""
        called = f"p{number}{protocol}"
        found.append(f"{{name: {called}, port: {number}, targetPort: {target}, protocol: {protocol.upper()}{at}}}")
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: web}}
spec:
  selector: {{{", ".join(f"{k}: {v}" for k, v in selector.items())}}}
  ports: [{", ".join(found)}]
  {more}
"""


def policy(name: str, spec: str) -> str:
    """In the namespace web."""
    return f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: web}}
spec: {spec}
"""


SERVER_POLICY = policy(
    "server",
    "{podSelector: {matchLabels: {app: server}}, policyTypes: [Ingress], ingress: [{from: ["
    "{podSelector: {matchLabels: {role: client}}}, {ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.128/25]}}], "
    "ports: [{protocol: TCP, port: http}, {protocol: UDP, port: 5000, endPort: 5010}]}]}",
)
OTHER_SERVER_POLICY = policy(
    "server",
    "{podSelector: {matchLabels: {app: server}}, policyTypes: [Ingress], ingress: [{from: ["
    "{namespaceSelector: {matchLabels: {team: other}}}], ports: [{protocol: TCP, port: http}]}]}",
)
"""The same policy, replaced: who was let in is not, and the other way round."""
CLOSED_POLICY = policy("closed", "{podSelector: {matchLabels: {app: closed}}, policyTypes: [Ingress, Egress]}")
NAMESPACES = """\
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {team: web}}
---
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {team: other}}
"""
OPEN_2 = pod("open-2", 2, ports="http:8080/tcp", app="open")
LATE = pod("open-3", 1, ports="http:8080/tcp", app="open")

EVERYTHING = "---\n".join(
    [
        NAMESPACES,
        *(pod(f"server-{n}", n, ports="http:80/tcp dns:5001/udp", app="server") for n in (1, 2, 3)),
        pod("one", 1, ports="http:8080/tcp dns:53/udp", app="one"),
        *(pod(f"open-{n}", n, ports="http:8080/tcp", app="open") for n in (1,)),
        OPEN_2,
        pod("client", 1, role="client"),
        pod("jailed", 1, role="client", jail="yes"),
        pod("closed", 1, app="closed"),
        pod("far-client", 2, role="client"),
        pod("visitor", 1, "other"),
        pod("far", 2, "other"),
        service("server", "80:http/tcp", app="server"),
        service("one", f"80:http:{ONE_NODE_PORT}/tcp 53:dns/udp", "type: NodePort", app="one"),
        service("open", f"80:http:{NODE_PORT}/tcp", f"type: NodePort\n  externalIPs: [{EXTERNAL}]", app="open"),
        service(
            "local", f"81:http:{LOCAL_NODE_PORT}/tcp", "type: NodePort\n  externalTrafficPolicy: Local", app="open"
        ),
        service("sticky", "82:http/tcp", "sessionAffinity: ClientIP", app="open"),
        service("nobody", "80:80/tcp", app="nobody"),
        SERVER_POLICY,
        CLOSED_POLICY,
        policy(
            "jail",
            "{podSelector: {matchLabels: {jail: 'yes'}}, policyTypes: [Egress], egress: ["
            "{to: [{podSelector: {matchLabels: {app: server}}}], ports: [{protocol: TCP, port: http}]}, "
            "{to: [{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.128/25]}}]}]}",
        ),
    ]
)
