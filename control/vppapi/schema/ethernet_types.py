"""ethernet_types.api of VPP 26.10: MAC addresses. Notation: `parse`."""

TEXT = """
api ethernet_types 1.0.0 0xf24103d6
alias mac_address u8[6]
"""
