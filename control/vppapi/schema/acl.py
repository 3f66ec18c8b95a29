"""acl.api of VPP 26.10: access control lists, and those for MAC and IP addresses. Notation: `parse`."""

TEXT = """
api acl 2.0.1 0x5133bba0
import plugins/acl/acl_types.api
import vnet/interface_types.api
request acl_plugin_get_version 0x51077d14
reply acl_plugin_get_version_reply 0x9b32cf86 u32 major, u32 minor
request acl_plugin_control_ping 0x51077d14
reply acl_plugin_control_ping_reply 0xf6b0b8ca i32 retval, u32 client_index, u32 vpe_pid
request acl_plugin_get_conn_table_max_entries 0x51077d14
reply acl_plugin_get_conn_table_max_entries_reply 0x7a096d3d u64 conn_table_max_entries
request acl_add_replace 0xee5c2f18 u32 acl_index, string[64] tag, u32 count, acl_rule[count] r
reply acl_add_replace_reply 0xac407b0c u32 acl_index, i32 retval
request acl_del 0xef34fea4 u32 acl_index
reply acl_del_reply 0xe8d4e804 i32 retval
request acl_interface_add_del 0x4b54bebd bool is_add=true, bool is_input, interface_index sw_if_index, u32 acl_index
reply acl_interface_add_del_reply 0xe8d4e804 i32 retval
request acl_interface_set_acl_list 0x473982bd interface_index sw_if_index, u8 count, u8 n_input, u32[count] acls
reply acl_interface_set_acl_list_reply 0xe8d4e804 i32 retval
request acl_dump 0xef34fea4 u32 acl_index
reply acl_details 0x95babae0 u32 acl_index, string[64] tag, u32 count, acl_rule[count] r
request acl_interface_list_dump 0xf9e6675e interface_index sw_if_index=4294967295
reply acl_interface_list_details 0xe695d256 interface_index sw_if_index, u8 count, u8 n_input, u32[count] acls
request macip_acl_add 0xce6fbad0 string[64] tag, u32 count, macip_acl_rule[count] r
reply macip_acl_add_reply 0xac407b0c u32 acl_index, i32 retval
request macip_acl_add_replace 0x2a461dd4 u32 acl_index=4294967295, string[64] tag, u32 count, macip_acl_rule[count] r
reply macip_acl_add_replace_reply 0xac407b0c u32 acl_index, i32 retval
request macip_acl_del 0xef34fea4 u32 acl_index
reply macip_acl_del_reply 0xe8d4e804 i32 retval
request macip_acl_interface_add_del 0x4b8690b1 bool is_add=true, interface_index sw_if_index, u32 acl_index
reply macip_acl_interface_add_del_reply 0xe8d4e804 i32 retval
request macip_acl_dump 0xef34fea4 u32 acl_index=4294967295
reply macip_acl_details 0x27135b59 u32 acl_index, string[64] tag, u32 count, macip_acl_rule[count] r
request macip_acl_interface_get 0x51077d14
reply macip_acl_interface_get_reply 0xaccf9b05 u32 count, u32[count] acls
request macip_acl_interface_list_dump 0xf9e6675e interface_index sw_if_index
reply macip_acl_interface_list_details 0xa0c5d56d interface_index sw_if_index, u8 count, u32[count] acls
request acl_interface_set_etype_whitelist 0x3f5c2d2d interface_index sw_if_index, u8 count, u8 n_input,
  u16[count] whitelist
reply acl_interface_set_etype_whitelist_reply 0xe8d4e804 i32 retval
request acl_interface_etype_whitelist_dump 0xf9e6675e interface_index sw_if_index
reply acl_interface_etype_whitelist_details 0xcc2bfded interface_index sw_if_index, u8 count, u8 n_input,
  u16[count] whitelist
request acl_stats_intf_counters_enable 0xb3e225d2 bool enable
reply acl_stats_intf_counters_enable_reply 0xe8d4e804 i32 retval
request acl_plugin_use_hash_lookup_set 0xb3e225d2 bool enable
reply acl_plugin_use_hash_lookup_set_reply 0xe8d4e804 i32 retval
request acl_plugin_use_hash_lookup_get 0x51077d14
reply acl_plugin_use_hash_lookup_get_reply 0x5392ad31 bool enable

dump acl_dump acl_details
dump acl_interface_list_dump acl_interface_list_details
dump macip_acl_dump macip_acl_details
dump macip_acl_interface_list_dump macip_acl_interface_list_details
dump acl_interface_etype_whitelist_dump acl_interface_etype_whitelist_details
"""
