"""Records of pods, namespaces, nodes and services."""

from __future__ import annotations

from vectorplane.control.cluster.kube.model.nodes import Namespace, Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.model import namespace as namespace_model
from vectorplane.control.cluster.model import node as node_model
from vectorplane.control.cluster.model import pod as pod_model
from vectorplane.control.cluster.model import service as service_model

_ADDRESS_TYPES = {
    "Hostname": node_model.HOSTNAME,
    "ExternalIP": node_model.EXTERNAL_IP,
    "InternalIP": node_model.INTERNAL_IP,
    "ExternalDNS": node_model.EXTERNAL_DNS,
    "InternalDNS": node_model.INTERNAL_DNS,
}


def sorted_labels(labels: dict[str, str]) -> dict[str, str]:
    """By key, as Contiv-VPP's reflector has them."""
    return dict(sorted(labels.items()))


def pod_record(pod: Pod) -> pod_model.Pod:
    """The record of a pod. One that has come to its end has no address: it may be another's by now."""
    containers = tuple(
        pod_model.Container(
            name=container.name,
            ports=tuple(
                pod_model.ContainerPort(
                    name=port.name or "",
                    container_port=port.containerPort,
                    protocol=port.protocol,
                    host_port=port.hostPort or 0,
                    host_ip=port.hostIP,
                )
                for port in container.ports
            ),
        )
        for container in pod.spec.containers
    )
    return pod_model.Pod(
        name=pod.name,
        namespace=pod.namespace,
        labels=sorted_labels(pod.labels),
        ip_address=pod.address,
        host_ip_address=pod.status.hostIP,
        containers=containers,
        annotations=sorted_labels(pod.metadata.annotations),
    )


def namespace_record(namespace: Namespace) -> namespace_model.Namespace:
    """The record of a namespace."""
    return namespace_model.Namespace(name=namespace.name, labels=sorted_labels(namespace.labels))


def node_record(node: Node) -> node_model.Node:
    """The record of a node."""
    return node_model.Node(
        name=node.name,
        pod_CIDR=node.spec.podCIDR,
        provider_ID=node.spec.providerID,
        addresses=tuple(
            node_model.NodeAddress(type=_ADDRESS_TYPES[a.type], address=a.address) for a in node.status.addresses
        ),
        labels=sorted_labels(node.labels),
        unschedulable=not node.schedulable,
    )


def service_record(service: Service) -> service_model.Service:
    """The record of a service. One of type ExternalName has no addresses: it is a matter of DNS."""
    spec = service.spec
    ingress = service.status.loadBalancer.ingress if spec.type == "LoadBalancer" else ()
    affinity = spec.sessionAffinity == "ClientIP"
    ports = tuple(
        service_model.ServicePort(
            name=port.name or "",
            protocol=port.protocol,
            port=port.port,
            target_port=str(port.target),
            node_port=port.nodePort,
        )
        for port in spec.ports
    )
    return service_model.Service(
        name=service.name,
        namespace=service.namespace,
        ports=ports,
        selector=sorted_labels(spec.selector),
        cluster_ip=service.cluster_ip,
        cluster_ips=(service.cluster_ip,) if service.cluster_ip else (),
        type=spec.type,
        external_ips=spec.externalIPs if spec.type != "ExternalName" else (),
        lb_ingress_ips=tuple(i.ip for i in ingress if i.ip is not None),
        session_affinity=spec.sessionAffinity,
        session_affinity_timeout=spec.sessionAffinityConfig.clientIP.timeoutSeconds if affinity else 0,
        external_traffic_policy=spec.externalTrafficPolicy,
        internal_traffic_policy=spec.internalTrafficPolicy,
        annotations=sorted_labels(service.metadata.annotations),
    )
