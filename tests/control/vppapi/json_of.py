"""The whole schema as one JSON text."""

from __future__ import annotations

import json

from vectorplane.control.vppapi import api_json
from vectorplane.control.vppapi.schema.registry import Registry


def all_json(registry: Registry) -> str:
    """What vpp_papi's ``process_json_array_str`` takes, with every message, served or not."""
    return json.dumps([api_json.describe(f, registry, registry.services.keys()) for f in registry.files.values()])
