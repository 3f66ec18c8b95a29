"""What names, labels and ports may look like (Kubernetes: "Object Names and IDs", "Labels and Selectors")."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_SERVICE = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_PORT = re.compile(r"(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*")
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")


def label_problem(name: str) -> str:
    """Why it is no RFC 1123 label; empty: it is one."""
    if len(name) <= 63 and _LABEL.fullmatch(name):
        return ""
    return f"expected at most 63 lower case letters, digits and -, not - at an end (RFC 1123), got {name!r}"


def subdomain_problem(name: str) -> str:
    """Why it is no RFC 1123 subdomain; empty: it is one."""
    if len(name) <= 253 and _SUBDOMAIN.fullmatch(name):
        return ""
    return f"expected at most 253 lower case letters, digits, - and . (RFC 1123 subdomain), got {name!r}"


def service_name_problem(name: str) -> str:
    """Why it is no name of a service (RFC 1035 label); empty: it is one."""
    if len(name) <= 63 and _SERVICE.fullmatch(name):
        return ""
    return f"expected at most 63 lower case letters, digits and -, beginning with a letter (RFC 1035), got {name!r}"


def key_problem(key: str) -> str:
    """Why it is no key of a label or an annotation; empty: it is one."""
    prefix, slash, word = key.rpartition("/")
    if slash and subdomain_problem(prefix):
        return f"the part before / in {key!r}: {subdomain_problem(prefix)}"
    if len(word) <= 63 and _WORD.fullmatch(word):
        return ""
    return f"expected a key of at most 63 letters, digits, -, _ and . (before it, a domain and /), got {key!r}"


def value_problem(value: str) -> str:
    """Why it is no value of a label; empty: it is one."""
    if not value or (len(value) <= 63 and _WORD.fullmatch(value)):
        return ""
    return f"expected a label's value of at most 63 letters, digits, -, _ and ., got {value!r}"


def _checked_labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if problem := key_problem(key):
            raise ValueError(problem)
        if problem := value_problem(value):
            raise ValueError(f"{key}: {problem}")
    return labels


def _checked_annotations(annotations: dict[str, str]) -> dict[str, str]:
    for key in annotations:
        if problem := key_problem(key.lower()):
            raise ValueError(problem)
    return annotations


def port_name(name: str) -> str:
    """Raises ValueError: no name of a container's port (IANA_SVC_NAME, RFC 6335)."""
    if len(name) > 15 or not _PORT.fullmatch(name):
        raise ValueError(
            f"expected a port's name of at most 15 lower case letters (one at least), digits and -, got {name!r}"
        )
    return name


def _dns_label(name: str) -> str:
    if problem := label_problem(name):
        raise ValueError(problem)
    return name


def _protocol(value: Any) -> Any:
    if value not in ("TCP", "UDP", "SCTP"):
        raise ValueError(f"expected TCP, UDP or SCTP, got {value!r}")
    return value


def _port_or_name(value: Any) -> Any:
    if isinstance(value, str) and value.isdecimal():
        raise ValueError(f"a number in quotes is taken for a name: write {value} without them")
    if isinstance(value, str):
        return port_name(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        raise ValueError(f"expected a port of 1 to 65535, or the name of one, got {value!r}")
    return value


Labels = Annotated[dict[str, str], AfterValidator(_checked_labels)]
Annotations = Annotated[dict[str, str], AfterValidator(_checked_annotations)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
PortName = Annotated[str, AfterValidator(port_name)]
"""Of a container's port."""
DnsLabel = Annotated[str, AfterValidator(_dns_label)]
"""RFC 1123 label."""
Protocol = Annotated[Literal["TCP", "UDP", "SCTP"], BeforeValidator(_protocol)]
PortOrName = Annotated[int | str, BeforeValidator(_port_or_name)]
