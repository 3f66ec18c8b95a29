"""fib.api of VPP 26.10: who makes routes. Notation: `parse`."""

TEXT = """
api fib 1.0.0 0x4ef4abc1
import vnet/fib/fib_types.api
import vnet/ip/ip_types.api
type fib_source u8 priority, u8 id, string[64] name

request fib_source_add 0xb3ac2aec fib_source src
reply fib_source_add_reply 0x604fd6f1 i32 retval, u8 id
request fib_source_dump 0x51077d14
reply fib_source_details 0x8668acdb fib_source src

dump fib_source_dump fib_source_details
"""
