"""Names of protocol numbers as VPP's traces spell them: those that are met in networks today.

The numbers are IANA's and the IEEE's; one that is missing here is shown as a number.
"""

from __future__ import annotations


def _numbered(text: str, base: int = 10) -> dict[int, str]:
    return {int(number, base): name for number, name in (pair.split(":") for pair in text.split())}


IP_PROTOCOLS = _numbered(
    """
    0:IP6_HOP_BY_HOP_OPTIONS 1:ICMP 2:IGMP 4:IP_IN_IP 6:TCP 8:EGP 9:IGP 17:UDP 33:SEP 41:IPV6 43:IPV6_ROUTE
    44:IPV6_FRAGMENTATION 46:RSVP 47:GRE 50:IPSEC_ESP 51:IPSEC_AH 58:ICMP6 59:IP6_NONXT 60:IP6_DESTINATION_OPTIONS
    88:EIGRP 89:OSPF 94:IPIP 97:ETHERIP 98:ENCAP 103:PIM 108:IPCOMP 112:VRRP 113:PGM 115:L2TP 124:ISIS 132:SCTP
    135:MOBILITY 136:UDP_LITE 137:MPLS_IN_IP 139:HIP 140:SHIM6 253:EXP1 254:EXP2 255:RESERVED
    """
)

ETHERNET_TYPES = _numbered(
    """
    800:IP4 806:ARP 2000:CDP 6558:TRANSPARENT_BRIDGING 8035:REVERSE_ARP 8100:VLAN 8137:IPX 86dd:IP6
    8808:MAC_CONTROL 8809:SLOW_PROTOCOLS 8847:MPLS 8848:MPLS_UPSTREAM_ASSIGNED 8863:PPPOE_DISCOVERY
    8864:PPPOE_SESSION 888e:802_1X_AUTHENTICATION 8892:PROFINET 88a2:AOE 88a8:DOT1AD 88cc:802_1_LLDP
    88e5:802_1_AE_MACSEC 88e7:DOT1AH 894f:NSH 9000:LOOPBACK 9100:VLAN_9100 9200:VLAN_9200
    """,
    16,
)

ICMP_TYPES = _numbered(
    """
    0:echo_reply 3:destination_unreachable 4:source_quench 5:redirect 8:echo_request 9:router_advertisement
    10:router_solicitation 11:time_exceeded 12:parameter_problem 13:timestamp_request 14:timestamp_reply
    15:information_request 16:information_reply 17:address_mask_request 18:address_mask_reply
    """
)

ICMP_CODES = {
    (3, 0): "destination_unreachable_net",
    (3, 1): "destination_unreachable_host",
    (3, 2): "protocol_unreachable",
    (3, 3): "port_unreachable",
    (3, 4): "fragmentation_needed_and_dont_fragment_set",
    (3, 5): "source_route_failed",
    (3, 6): "destination_network_unknown",
    (3, 7): "destination_host_unknown",
    (3, 9): "network_administratively_prohibited",
    (3, 10): "host_administratively_prohibited",
    (3, 13): "communication_administratively_prohibited",
    (5, 0): "network_redirect",
    (5, 1): "host_redirect",
    (11, 0): "ttl_exceeded_in_transit",
    (11, 1): "fragment_reassembly_time_exceeded",
    (12, 0): "pointer_indicates_error",
    (12, 1): "missing_required_option",
    (12, 2): "bad_length",
}
"""By (type, code)."""

ICMP6_TYPES = _numbered(
    """
    1:destination_unreachable 2:packet_too_big 3:time_exceeded 4:parameter_problem 128:echo_request 129:echo_reply
    130:multicast_listener_request 131:multicast_listener_report 132:multicast_listener_done 133:router_solicitation
    134:router_advertisement 135:neighbor_solicitation 136:neighbor_advertisement 137:redirect
    138:router_renumbering 139:node_information_request 140:node_information_response 143:multicast_listener_report_v2
    """
)

ICMP6_CODES = {
    (1, 0): "no_route_to_destination",
    (1, 1): "destination_administratively_prohibited",
    (1, 2): "beyond_scope_of_source_address",
    (1, 3): "address_unreachable",
    (1, 4): "port_unreachable",
    (1, 5): "source_address_failed_policy",
    (1, 6): "reject_route_to_destination",
    (3, 0): "ttl_exceeded_in_transit",
    (3, 1): "fragment_reassembly_time_exceeded",
    (4, 0): "erroneous_header_field",
    (4, 1): "unrecognized_next_header",
    (4, 2): "unrecognized_option",
    (4, 3): "first_fragment_has_incomplete_header_chain",
}
"""By (type, code)."""

ARP_OPCODES = ("reserved", "request", "reply", "reverse_request", "reverse_reply")
ARP_HARDWARE = _numbered("0:reserved 1:ethernet 6:ieee_802 15:frame_relay 24:ieee_1394 32:infiniband")

DSCP = _numbered(
    """
    0:CS0 8:CS1 10:AF11 12:AF12 14:AF13 16:CS2 18:AF21 20:AF22 22:AF23 24:CS3 26:AF31 28:AF32 30:AF33 32:CS4
    34:AF41 36:AF42 38:AF43 40:CS5 46:EF 48:CS6 50:CS7
    """
)
ECN = ("NON_ECN", "ECT_0", "ECT_1", "CE")
TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")

LLC_SAPS = _numbered(
    """
    0:null 6:ip4 14:osi_layer1 20:osi_layer2 34:osi_layer3 42:bpdu 54:osi_layer4 aa:snap e0:netware2 f0:netbios
    fe:osi_layer5 ff:global_dsap
    """,
    16,
)
