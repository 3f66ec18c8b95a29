"""Capture files: pcap and pcapng are read and written here, at the speed of compiled code, in constant memory.

* `vectorplane.pcap.reader`: `CaptureReader`, which gives windows of `vectorplane.pcap.index.RECORD`.
* `vectorplane.pcap.writer`: `CaptureWriter`; `vectorplane.pcap.pcapng_writer`: `PcapngWriter`.
* `vectorplane.pcap.record`: the helper with which a transmit kernel makes the records of a capture.
* `vectorplane.pcap.compare`: whether two captures hold the same packets.

Knows nothing of the engine.
"""
