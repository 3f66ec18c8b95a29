"""vlib.api of VPP 26.10: the debug CLI, nodes, threads. Notation: `parse`."""

TEXT = """
api vlib 1.0.0 0x9a9e84e4
type thread_data u32 id, string[64] name, string[64] type, u32 pid, u32 cpu_id, u32 core, u32 cpu_socket

request cli 0x23bfbfff u64 cmd_in_shmem
request cli_inband 0xf8377302 string[] cmd
reply cli_reply 0x06d68297 i32 retval, u64 reply_in_shmem
reply cli_inband_reply 0x05879051 i32 retval, string[] reply
request get_node_index 0xf1984c64 string[64] node_name
reply get_node_index_reply 0xa8600b89 i32 retval, u32 node_index
request add_node_next 0x2457116d string[64] node_name, string[64] next_name
reply add_node_next_reply 0x2ed75f32 i32 retval, u32 next_index
request show_threads 0x51077d14
reply show_threads_reply 0xefd78e83 i32 retval, u32 count, thread_data[count] thread_data
request get_node_graph 0x51077d14
reply get_node_graph_reply 0x06d68297 i32 retval, u64 reply_in_shmem
request get_next_index 0x2457116d string[64] node_name, string[64] next_name
reply get_next_index_reply 0x2ed75f32 i32 retval, u32 next_index
request get_f64_endian_value 0x809fcd44 f64 f64_one=1.0
reply get_f64_endian_value_reply 0x7e02e404 u32 retval, f64 f64_one_result
request get_f64_increment_by_one 0xb64f027e f64 f64_value=1.0
reply get_f64_increment_by_one_reply 0xd25dbaa3 u32 retval, f64 f64_value
"""
