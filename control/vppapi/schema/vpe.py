"""vpe.api of VPP 26.10: version, time, log. Notation: `parse`."""

TEXT = """
api vpe 1.7.0 0xbbfa7484
import vpp/api/vpe_types.api

request show_version 0x51077d14
reply show_version_reply 0xc919bde1 i32 retval, string[32] program, string[32] version, string[32] build_date,
  string[256] build_directory
request show_vpe_system_time 0x51077d14
reply show_vpe_system_time_reply 0x7ffd8193 i32 retval, timestamp vpe_system_time
request log_dump 0x6ab31753 timestamp start_timestamp
reply log_details 0x03d61cc0 timestamp timestamp, log_level level, string[32] msg_class, string[256] message

dump log_dump log_details
"""
