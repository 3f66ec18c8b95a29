"""geneve.api of VPP 26.10: Geneve tunnels. Notation: `parse`."""

TEXT = """
api geneve 2.1.0 0xe3dbb8a3
import vnet/interface_types.api
import vnet/ethernet/ethernet_types.api
import vnet/ip/ip_types.api

request geneve_add_del_tunnel 0x99445831 bool is_add, address local_address, address remote_address,
  interface_index mcast_sw_if_index, u32 encap_vrf_id, u32 decap_next_index, u32 vni
reply geneve_add_del_tunnel_reply 0x5383d31f i32 retval, interface_index sw_if_index
request geneve_add_del_tunnel2 0x8c2a9999 bool is_add, address local_address, address remote_address,
  interface_index mcast_sw_if_index, u32 encap_vrf_id, u32 decap_next_index, u32 vni, bool l3_mode
reply geneve_add_del_tunnel2_reply 0x5383d31f i32 retval, interface_index sw_if_index
request geneve_tunnel_dump 0xf9e6675e interface_index sw_if_index
reply geneve_tunnel_details 0x6b16eb24 interface_index sw_if_index, address src_address, address dst_address,
  interface_index mcast_sw_if_index, u32 encap_vrf_id, u32 decap_next_index, u32 vni
request sw_interface_set_geneve_bypass 0x65247409 interface_index sw_if_index, bool is_ipv6, bool enable
reply sw_interface_set_geneve_bypass_reply 0xe8d4e804 i32 retval

dump geneve_tunnel_dump geneve_tunnel_details
"""
