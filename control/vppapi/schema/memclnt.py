"""memclnt.api of VPP 26.10: clients come and go, message ids. Notation: `parse`."""

TEXT = """
api memclnt 2.1.0 0xb197c551
type module_version u32 major, u32 minor, u32 patch, string[64] name
type message_table_entry u16 index, string[64] name

reply memclnt_create 0x9c5e1c2f i32 ctx_quota, u64 input_queue, string[64] name, u32[8] api_versions
reply memclnt_create_reply 0x42ec4560 i32 response, u64 handle, u32 index, u64 message_table
bare memclnt_delete 0x7e1c04e3 u32 index, u64 handle, bool do_cleanup
bare memclnt_delete_reply 0x3d3b6312 i32 response, u64 handle
bare rx_thread_exit 0xc3a3a452 u8 dummy
bare memclnt_rx_thread_suspend 0xc3a3a452 u8 dummy
bare memclnt_read_timeout 0xc3a3a452 u8 dummy
request rpc_call 0x7e8a2c95 u64 function, u8 multicast, u8 need_barrier_sync, u8 send_reply, u32 data_len,
  u8[data_len] data
reply rpc_call_reply 0xe8d4e804 i32 retval
request get_first_msg_id 0xebf79a66 string[64] name
reply get_first_msg_id_reply 0x7d337472 i32 retval, u16 first_msg_id
request api_versions 0x51077d14
reply api_versions_reply 0x5f0d99d6 i32 retval, u32 count, module_version[count] api_versions
request trace_plugin_msg_ids 0xf476d3ce string[128] plugin_name, u16 first_msg_id, u16 last_msg_id
reply sockclnt_create 0x455fb9c4 string[64] name
request sockclnt_create_reply 0x35166268 i32 response, u32 index, u16 count,
  message_table_entry[count] message_table
request sockclnt_delete 0x8ac76db6 u32 index
reply sockclnt_delete_reply 0x8f38b1ee i32 response
request sock_init_shm 0x51646d92 u32 requested_size, u8 nitems, u64[nitems] configs
reply sock_init_shm_reply 0xe8d4e804 i32 retval
request memclnt_keepalive 0x51077d14
reply memclnt_keepalive_reply 0xe8d4e804 i32 retval
request control_ping 0x51077d14
reply control_ping_reply 0xf6b0b8ca i32 retval, u32 client_index, u32 vpe_pid
reply memclnt_create_v2 0xc4bd4882 i32 ctx_quota, u64 input_queue, string[64] name, u32[8] api_versions,
  bool keepalive=true
reply memclnt_create_v2_reply 0x42ec4560 i32 response, u64 handle, u32 index, u64 message_table
request get_api_json 0x51077d14
reply get_api_json_reply 0xea715b59 i32 retval, string[] json

oneway memclnt_rx_thread_suspend
oneway memclnt_read_timeout
oneway rx_thread_exit
oneway trace_plugin_msg_ids
"""
