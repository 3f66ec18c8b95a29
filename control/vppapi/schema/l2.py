"""l2.api of VPP 26.10: bridge domains, ports, MAC tables, cross-connects, VLAN tag rewriting. Notation: `parse`."""

TEXT = """
api l2 3.3.0 0x1a53d6cc
import vnet/ip/ip_types.api
import vnet/ethernet/ethernet_types.api
import vnet/interface_types.api
enum mac_event_action u32 MAC_EVENT_ACTION_API_ADD=0 MAC_EVENT_ACTION_API_DELETE=1 MAC_EVENT_ACTION_API_MOVE=2
enum l2_intf_feat_flags u32 L2_INTF_FEAT_NONE=0 L2_INTF_FEAT_LEARN=1 L2_INTF_FEAT_FWD=2 L2_INTF_FEAT_FLOOD=4
  L2_INTF_FEAT_UU_FLOOD=8 L2_INTF_FEAT_ARP_TERM=16 L2_INTF_FEAT_ARP_UFWD=32
enum bd_flags u32 BRIDGE_API_FLAG_NONE=0 BRIDGE_API_FLAG_LEARN=1 BRIDGE_API_FLAG_FWD=2 BRIDGE_API_FLAG_FLOOD=4
  BRIDGE_API_FLAG_UU_FLOOD=8 BRIDGE_API_FLAG_ARP_TERM=16 BRIDGE_API_FLAG_ARP_UFWD=32
enum l2_port_type u32 L2_API_PORT_TYPE_NORMAL=0 L2_API_PORT_TYPE_BVI=1 L2_API_PORT_TYPE_UU_FWD=2
type mac_entry interface_index sw_if_index, mac_address mac_addr, mac_event_action action, u8 flags
type bridge_domain_sw_if u32 context, interface_index sw_if_index, u8 shg
type bd_ip_mac u32 bd_id, address ip, mac_address mac

reply l2_xconnect_details 0x472b6b67 interface_index rx_sw_if_index, interface_index tx_sw_if_index
request l2_xconnect_dump 0x51077d14
reply l2_fib_table_details 0xa44ef6b8 u32 bd_id, mac_address mac, interface_index sw_if_index, bool static_mac,
  bool filter_mac, bool bvi_mac
request l2_fib_table_dump 0xc25fdce6 u32 bd_id
request l2_fib_clear_table 0x51077d14
reply l2_fib_clear_table_reply 0xe8d4e804 i32 retval
request l2fib_flush_all 0x51077d14
reply l2fib_flush_all_reply 0xe8d4e804 i32 retval
request l2fib_flush_bd 0xc25fdce6 u32 bd_id
reply l2fib_flush_bd_reply 0xe8d4e804 i32 retval
request l2fib_flush_int 0xf9e6675e interface_index sw_if_index
reply l2fib_flush_int_reply 0xe8d4e804 i32 retval
request l2fib_add_del 0xeddda487 mac_address mac, u32 bd_id, interface_index sw_if_index, bool is_add=true,
  bool static_mac, bool filter_mac, bool bvi_mac
reply l2fib_add_del_reply 0xe8d4e804 i32 retval
request want_l2_macs_events 0x9aabdfde u32 learn_limit=1000, u8 scan_delay=10, u8 max_macs_in_event=10,
  bool enable_disable=true, u32 pid
reply want_l2_macs_events_reply 0xe8d4e804 i32 retval
request want_l2_macs_events2 0xcc1377b0 u8 max_macs_in_event=10, bool enable_disable=true, u32 pid
reply want_l2_macs_events2_reply 0xe8d4e804 i32 retval
request l2fib_set_scan_delay 0xa3b968a4 u16 scan_delay=10
reply l2fib_set_scan_delay_reply 0xe8d4e804 i32 retval
event l2_macs_event 0x44b8fd64 u32 pid, u32 n_macs, mac_entry[n_macs] mac
request l2_flags 0xfc41cfe8 interface_index sw_if_index, bool is_set, u32 feature_bitmap
reply l2_flags_reply 0x29b2a2b3 i32 retval, u32 resulting_feature_bitmap
request l2_flags_get 0xf9e6675e interface_index sw_if_index
reply l2_flags_get_reply 0x35cb810f i32 retval, u32 input_feature_bitmap, u32 output_feature_bitmap
request l2_flags_set 0xd4030647 interface_index sw_if_index, bool is_set, u32 input_feature_bitmap,
  u32 output_feature_bitmap
reply l2_flags_set_reply 0xe8d4e804 i32 retval
request l2_interface_feat_flags_get 0xf9e6675e interface_index sw_if_index
reply l2_interface_feat_flags_get_reply 0xa4149215 i32 retval, l2_intf_feat_flags flags
request l2_interface_feat_flags_set 0xc4e2865c interface_index sw_if_index, bool is_set, l2_intf_feat_flags flags
reply l2_interface_feat_flags_set_reply 0xe8d4e804 i32 retval
request bridge_domain_set_mac_age 0xb537ad7b u32 bd_id, u8 mac_age
reply bridge_domain_set_mac_age_reply 0xe8d4e804 i32 retval
request bridge_domain_set_default_learn_limit 0xf097ffce u32 learn_limit
reply bridge_domain_set_default_learn_limit_reply 0xe8d4e804 i32 retval
request bridge_domain_set_learn_limit 0x89c52b5f u32 bd_id, u32 learn_limit
reply bridge_domain_set_learn_limit_reply 0xe8d4e804 i32 retval
request bridge_domain_add_del 0x600b7170 u32 bd_id, bool flood, bool uu_flood, bool forward, bool learn,
  bool arp_term, bool arp_ufwd, u8 mac_age, string[64] bd_tag, bool is_add=true
reply bridge_domain_add_del_reply 0xe8d4e804 i32 retval
request bridge_domain_add_del_v2 0x600b7170 u32 bd_id, bool flood, bool uu_flood, bool forward, bool learn,
  bool arp_term, bool arp_ufwd, u8 mac_age, string[64] bd_tag, bool is_add=true
reply bridge_domain_add_del_v2_reply 0xfcb1e980 i32 retval, u32 bd_id
request bridge_domain_dump 0x74396a43 u32 bd_id=4294967295, interface_index sw_if_index=4294967295
reply bridge_domain_details 0x0fa506fd u32 bd_id, bool flood, bool uu_flood, bool forward, bool learn, bool arp_term,
  bool arp_ufwd, u8 mac_age, string[64] bd_tag, interface_index bvi_sw_if_index, interface_index uu_fwd_sw_if_index,
  u32 n_sw_ifs, bridge_domain_sw_if[n_sw_ifs] sw_if_details
request bridge_flags 0x1b0c5fbd u32 bd_id, bool is_set, bd_flags flags
reply bridge_flags_reply 0x29b2a2b3 i32 retval, u32 resulting_feature_bitmap
request l2_interface_vlan_tag_rewrite 0x62cc0bbc interface_index sw_if_index, u32 vtr_op, u32 push_dot1q, u32 tag1,
  u32 tag2
reply l2_interface_vlan_tag_rewrite_reply 0xe8d4e804 i32 retval
request l2_interface_pbb_tag_rewrite 0x38e802a8 interface_index sw_if_index, u32 vtr_op, u16 outer_tag,
  mac_address b_dmac, mac_address b_smac, u16 b_vlanid, u32 i_sid
reply l2_interface_pbb_tag_rewrite_reply 0xe8d4e804 i32 retval
request l2_patch_add_del 0xa1f6a6f3 interface_index rx_sw_if_index, interface_index tx_sw_if_index, bool is_add=true
reply l2_patch_add_del_reply 0xe8d4e804 i32 retval
request sw_interface_set_l2_xconnect 0x4fa28a85 interface_index rx_sw_if_index, interface_index tx_sw_if_index,
  bool enable=true
reply sw_interface_set_l2_xconnect_reply 0xe8d4e804 i32 retval
request sw_interface_set_l2_bridge 0xd0678b13 interface_index rx_sw_if_index, u32 bd_id, l2_port_type port_type,
  u8 shg, bool enable=true
reply sw_interface_set_l2_bridge_reply 0xe8d4e804 i32 retval
request bd_ip_mac_add_del 0x0257c869 bool is_add=true, bd_ip_mac entry
reply bd_ip_mac_add_del_reply 0xe8d4e804 i32 retval
request bd_ip_mac_flush 0xc25fdce6 u32 bd_id
reply bd_ip_mac_flush_reply 0xe8d4e804 i32 retval
reply bd_ip_mac_details 0x545af86a bd_ip_mac entry
request bd_ip_mac_dump 0xc25fdce6 u32 bd_id
request l2_interface_efp_filter 0x5501adee interface_index sw_if_index, bool enable_disable=true
reply l2_interface_efp_filter_reply 0xe8d4e804 i32 retval
request sw_interface_set_vpath 0xae6cfcfb interface_index sw_if_index, bool enable=4294967295
reply sw_interface_set_vpath_reply 0xe8d4e804 i32 retval
request bvi_create 0xf5398559 mac_address mac, u32 user_instance=4294967295
reply bvi_create_reply 0x5383d31f i32 retval, interface_index sw_if_index
request bvi_delete 0xf9e6675e interface_index sw_if_index
reply bvi_delete_reply 0xe8d4e804 i32 retval
request want_l2_arp_term_events 0x3ec6d6c2 bool enable, u32 pid
reply want_l2_arp_term_events_reply 0xe8d4e804 i32 retval
event l2_arp_term_event 0x6963e07a u32 pid, address ip, interface_index sw_if_index, mac_address mac

events want_l2_macs_events l2_macs_event
events want_l2_arp_term_events l2_arp_term_event
dump l2_xconnect_dump l2_xconnect_details
dump l2_fib_table_dump l2_fib_table_details
dump bridge_domain_dump bridge_domain_details
dump bd_ip_mac_dump bd_ip_mac_details
"""
