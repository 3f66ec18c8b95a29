"""arp.api of VPP 26.10: proxy ARP. Notation: `parse`."""

TEXT = """
api arp 1.0.0 0xb57796ae
import vnet/ip/ip_types.api
import vnet/ethernet/ethernet_types.api
import vnet/interface_types.api
type proxy_arp u32 table_id, ip4_address low, ip4_address hi

request proxy_arp_add_del 0x1823c3e7 bool is_add, proxy_arp proxy
reply proxy_arp_add_del_reply 0xe8d4e804 i32 retval
request proxy_arp_dump 0x51077d14
reply proxy_arp_details 0x5b948673 proxy_arp proxy
request proxy_arp_intfc_enable_disable 0xae6cfcfb interface_index sw_if_index, bool enable
reply proxy_arp_intfc_enable_disable_reply 0xe8d4e804 i32 retval
request proxy_arp_intfc_dump 0x51077d14
reply proxy_arp_intfc_details 0xf6458e5f u32 sw_if_index

dump proxy_arp_dump proxy_arp_details
dump proxy_arp_intfc_dump proxy_arp_intfc_details
"""
