"""mfib_types.api of VPP 26.10: paths of multicast routes. Notation: `parse`."""

TEXT = """
api mfib_types 1.0.0 0xd2b57aaf
import vnet/fib/fib_types.api
import vnet/ip/ip_types.api
enum mfib_entry_flags u32 MFIB_API_ENTRY_FLAG_NONE=0 MFIB_API_ENTRY_FLAG_SIGNAL=1 MFIB_API_ENTRY_FLAG_DROP=2
  MFIB_API_ENTRY_FLAG_CONNECTED=4 MFIB_API_ENTRY_FLAG_ACCEPT_ALL_ITF=8
enum mfib_itf_flags u32 MFIB_API_ITF_FLAG_NONE=0 MFIB_API_ITF_FLAG_NEGATE_SIGNAL=1 MFIB_API_ITF_FLAG_ACCEPT=2
  MFIB_API_ITF_FLAG_FORWARD=4 MFIB_API_ITF_FLAG_SIGNAL_PRESENT=8 MFIB_API_ITF_FLAG_DONT_PRESERVE=16
type mfib_path mfib_itf_flags itf_flags, fib_path path
"""
