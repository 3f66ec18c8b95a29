"""l3xc.api of VPP 26.10: L3 cross-connects. Notation: `parse`."""

TEXT = """
api l3xc 1.0.1 0x520bfc6e
import vnet/fib/fib_types.api
import vnet/ip/ip_types.api
import vnet/interface_types.api
type l3xc interface_index sw_if_index, bool is_ip6, u8 n_paths, fib_path[n_paths] paths

request l3xc_plugin_get_version 0x51077d14
reply l3xc_plugin_get_version_reply 0x9b32cf86 u32 major, u32 minor
request l3xc_update 0xe96aabdf l3xc l3xc
reply l3xc_update_reply 0x1992deab i32 retval, u32 stats_index
request l3xc_del 0xe7dbef91 interface_index sw_if_index, bool is_ip6
reply l3xc_del_reply 0xe8d4e804 i32 retval
request l3xc_dump 0xf9e6675e interface_index sw_if_index
reply l3xc_details 0xbc5bf852 l3xc l3xc

dump l3xc_dump l3xc_details
"""
