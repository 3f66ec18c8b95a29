"""vxlan.api of VPP 26.10: VXLAN tunnels. Notation: `parse`."""

TEXT = """
api vxlan 2.1.0 0x95381587
import vnet/interface_types.api
import vnet/ip/ip_types.api

request vxlan_add_del_tunnel 0x0c09dc80 bool is_add=true, u32 instance, address src_address, address dst_address,
  interface_index mcast_sw_if_index, u32 encap_vrf_id, u32 decap_next_index, u32 vni
request vxlan_add_del_tunnel_v2 0x4f223f40 bool is_add=true, u32 instance=4294967295, address src_address,
  address dst_address, u16 src_port, u16 dst_port, interface_index mcast_sw_if_index, u32 encap_vrf_id,
  u32 decap_next_index, u32 vni
request vxlan_add_del_tunnel_v3 0x0072b037 bool is_add=true, u32 instance=4294967295, address src_address,
  address dst_address, u16 src_port, u16 dst_port, interface_index mcast_sw_if_index, u32 encap_vrf_id,
  u32 decap_next_index, u32 vni, bool is_l3=false
reply vxlan_add_del_tunnel_reply 0x5383d31f i32 retval, interface_index sw_if_index
reply vxlan_add_del_tunnel_v2_reply 0x5383d31f i32 retval, interface_index sw_if_index
reply vxlan_add_del_tunnel_v3_reply 0x5383d31f i32 retval, interface_index sw_if_index
request vxlan_tunnel_dump 0xf9e6675e interface_index sw_if_index
request vxlan_tunnel_v2_dump 0xf9e6675e interface_index sw_if_index
reply vxlan_tunnel_details 0xc3916cb1 interface_index sw_if_index, u32 instance, address src_address,
  address dst_address, interface_index mcast_sw_if_index, u32 encap_vrf_id, u32 decap_next_index, u32 vni
reply vxlan_tunnel_v2_details 0xd3bdd4d9 interface_index sw_if_index, u32 instance, address src_address,
  address dst_address, u16 src_port, u16 dst_port, interface_index mcast_sw_if_index, u32 encap_vrf_id,
  u32 decap_next_index, u32 vni
request sw_interface_set_vxlan_bypass 0x65247409 interface_index sw_if_index, bool is_ipv6, bool enable=true
reply sw_interface_set_vxlan_bypass_reply 0xe8d4e804 i32 retval
request vxlan_offload_rx 0x9cc95087 interface_index hw_if_index, interface_index sw_if_index, bool enable=true
reply vxlan_offload_rx_reply 0xe8d4e804 i32 retval

dump vxlan_tunnel_dump vxlan_tunnel_details
dump vxlan_tunnel_v2_dump vxlan_tunnel_v2_details
"""
