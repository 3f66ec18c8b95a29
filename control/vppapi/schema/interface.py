"""interface.api of VPP 26.10: interfaces. Notation: `parse`."""

TEXT = """
api interface 3.2.5 0x98d849f6
import vnet/interface_types.api
import vnet/ethernet/ethernet_types.api
import vnet/ip/ip_types.api

request sw_interface_set_flags 0xf5aec1b8 interface_index sw_if_index, if_status_flags flags
reply sw_interface_set_flags_reply 0xe8d4e804 i32 retval
request sw_interface_set_promisc 0xd40860d4 interface_index sw_if_index, bool promisc_on
reply sw_interface_set_promisc_reply 0xe8d4e804 i32 retval
request hw_interface_set_mtu 0xe6746899 interface_index sw_if_index, u16 mtu
reply hw_interface_set_mtu_reply 0xe8d4e804 i32 retval
request sw_interface_set_mtu 0x5cbe85e5 interface_index sw_if_index, u32[4] mtu
reply sw_interface_set_mtu_reply 0xe8d4e804 i32 retval
request sw_interface_set_ip_directed_broadcast 0xae6cfcfb interface_index sw_if_index, bool enable
reply sw_interface_set_ip_directed_broadcast_reply 0xe8d4e804 i32 retval
event sw_interface_event 0x2d3d95a7 u32 pid, interface_index sw_if_index, if_status_flags flags, bool deleted
request want_interface_events 0x476f5a08 u32 enable_disable, u32 pid
reply want_interface_events_reply 0xe8d4e804 i32 retval
reply sw_interface_details 0x6c221fc7 interface_index sw_if_index, u32 sup_sw_if_index, mac_address l2_address,
  if_status_flags flags, if_type type, link_duplex link_duplex, u32 link_speed, u16 link_mtu, u32[4] mtu,
  u32 sub_id, u8 sub_number_of_tags, u16 sub_outer_vlan_id, u16 sub_inner_vlan_id, sub_if_flags sub_if_flags,
  u32 vtr_op, u32 vtr_push_dot1q, u32 vtr_tag1, u32 vtr_tag2, u16 outer_tag, mac_address b_dmac, mac_address b_smac,
  u16 b_vlanid, u32 i_sid, string[64] interface_name, string[64] interface_dev_type, string[64] tag
request sw_interface_dump 0xaa610c27 interface_index sw_if_index=4294967295, bool name_filter_valid,
  string[] name_filter
request sw_interface_add_del_address 0x5463d73b interface_index sw_if_index, bool is_add, bool del_all,
  address_with_prefix prefix
reply sw_interface_add_del_address_reply 0xe8d4e804 i32 retval
request sw_interface_address_replace_begin 0x51077d14
reply sw_interface_address_replace_begin_reply 0xe8d4e804 i32 retval
request sw_interface_address_replace_end 0x51077d14
reply sw_interface_address_replace_end_reply 0xe8d4e804 i32 retval
request sw_interface_set_table 0xdf42a577 interface_index sw_if_index, bool is_ipv6, u32 vrf_id
reply sw_interface_set_table_reply 0xe8d4e804 i32 retval
request sw_interface_get_table 0x2d033de4 interface_index sw_if_index, bool is_ipv6
reply sw_interface_get_table_reply 0xa6eb0109 i32 retval, u32 vrf_id
request sw_interface_set_unnumbered 0x154a6439 interface_index sw_if_index, interface_index unnumbered_sw_if_index,
  bool is_add
reply sw_interface_set_unnumbered_reply 0xe8d4e804 i32 retval
request sw_interface_clear_stats 0xf9e6675e interface_index sw_if_index
reply sw_interface_clear_stats_reply 0xe8d4e804 i32 retval
request sw_interface_tag_add_del 0x426f8bc1 bool is_add, interface_index sw_if_index, string[64] tag
reply sw_interface_tag_add_del_reply 0xe8d4e804 i32 retval
request sw_interface_add_del_mac_address 0x638bb9f4 u32 sw_if_index, mac_address addr, u8 is_add
reply sw_interface_add_del_mac_address_reply 0xe8d4e804 i32 retval
request sw_interface_set_mac_address 0xc536e7eb interface_index sw_if_index, mac_address mac_address
reply sw_interface_set_mac_address_reply 0xe8d4e804 i32 retval
request sw_interface_get_mac_address 0xf9e6675e interface_index sw_if_index
reply sw_interface_get_mac_address_reply 0x40ef2c08 i32 retval, mac_address mac_address
request sw_interface_set_rx_mode 0xb04d1cfe interface_index sw_if_index, bool queue_id_valid, u32 queue_id,
  rx_mode mode
reply sw_interface_set_rx_mode_reply 0xe8d4e804 i32 retval
request sw_interface_set_rx_placement 0xdb65f3c9 interface_index sw_if_index, u32 queue_id, u32 worker_id,
  bool is_main
reply sw_interface_set_rx_placement_reply 0xe8d4e804 i32 retval
request sw_interface_set_tx_placement 0x4e0cd5ff interface_index sw_if_index, u32 queue_id, u32 array_size,
  u32[array_size] threads
reply sw_interface_set_tx_placement_reply 0xe8d4e804 i32 retval
request sw_interface_set_interface_name 0x45a1d548 interface_index sw_if_index, string[64] name
reply sw_interface_set_interface_name_reply 0xe8d4e804 i32 retval
request sw_interface_rx_placement_dump 0xf9e6675e interface_index sw_if_index
request sw_interface_rx_placement_details 0x9e44a7ce interface_index sw_if_index, u32 queue_id, u32 worker_id,
  rx_mode mode
request sw_interface_tx_placement_get 0x47250981 u32 cursor, interface_index sw_if_index
reply sw_interface_tx_placement_get_reply 0x53b48f5d i32 retval, u32 cursor
request sw_interface_tx_placement_details 0x00381a2e interface_index sw_if_index, u32 queue_id, u8 shared,
  u32 array_size, u32[array_size] threads
request interface_name_renumber 0x2b8858b8 interface_index sw_if_index, u32 new_show_dev_instance
reply interface_name_renumber_reply 0xe8d4e804 i32 retval
request create_subif 0x790ca755 interface_index sw_if_index, u32 sub_id, sub_if_flags sub_if_flags,
  u16 outer_vlan_id, u16 inner_vlan_id
reply create_subif_reply 0x5383d31f i32 retval, interface_index sw_if_index
request create_vlan_subif 0xaf34ac8b interface_index sw_if_index, u32 vlan_id
reply create_vlan_subif_reply 0x5383d31f i32 retval, interface_index sw_if_index
request delete_subif 0xf9e6675e interface_index sw_if_index
reply delete_subif_reply 0xe8d4e804 i32 retval
request create_loopback 0x42bb5d22 mac_address mac_address
reply create_loopback_reply 0x5383d31f i32 retval, interface_index sw_if_index
request create_loopback_instance 0xd36a3ee2 mac_address mac_address, bool is_specified, u32 user_instance
reply create_loopback_instance_reply 0x5383d31f i32 retval, interface_index sw_if_index
request delete_loopback 0xf9e6675e interface_index sw_if_index
reply delete_loopback_reply 0xe8d4e804 i32 retval
request collect_detailed_interface_stats 0x5501adee interface_index sw_if_index, bool enable_disable
reply collect_detailed_interface_stats_reply 0xe8d4e804 i32 retval
request pcap_set_filter_function 0x616abb92 string[] filter_function_name
reply pcap_set_filter_function_reply 0xe8d4e804 i32 retval
request pcap_trace_on 0xcb39e968 bool capture_rx, bool capture_tx, bool capture_drop, bool filter,
  bool preallocate_data, bool free_data, u32 max_packets=1000, u32 max_bytes_per_packet=512,
  interface_index sw_if_index, string[128] error, string[64] filename
reply pcap_trace_on_reply 0xe8d4e804 i32 retval
request pcap_trace_off 0x51077d14
reply pcap_trace_off_reply 0xe8d4e804 i32 retval
request sw_interface_set_default_rx_mode 0x776b4837 rx_mode mode
reply sw_interface_set_default_rx_mode_reply 0xe8d4e804 i32 retval
request sw_interface_get_default_rx_mode 0x51077d14
reply sw_interface_get_default_rx_mode_reply 0x2339da5a i32 retval, rx_mode mode
request sw_interface_set_link_speed 0x2f0867fa interface_index sw_if_index, u32 link_speed
reply sw_interface_set_link_speed_reply 0xe8d4e804 i32 retval
request sw_interface_get_speed_capa 0xf9e6675e interface_index sw_if_index
reply sw_interface_get_speed_capa_reply 0x20b21417 i32 retval, u32 count, u32[count] speeds

events want_interface_events sw_interface_event
get sw_interface_tx_placement_get sw_interface_tx_placement_get_reply sw_interface_tx_placement_details
dump sw_interface_dump sw_interface_details
dump sw_interface_rx_placement_dump sw_interface_rx_placement_details
"""
