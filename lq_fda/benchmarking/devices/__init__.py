"""Benchmarks on devices: this machine, Raspberry Pis and other Linux machines by ssh, phones by adb.

    host                    this machine
    ssh://user@host:port    another Linux machine; user and port may be left out
    adb, adb:SERIAL         a phone with the demo app

Every device runs the same protocol, and gives the same records. docs/devices.md says what each of them needs.
"""

from lq_fda.benchmarking.devices.choosing import Device, HostDevice, Measured, measure_all, open_device
from lq_fda.benchmarking.devices.phone import AdbDevice
from lq_fda.benchmarking.devices.remote import SshDevice

__all__ = ["AdbDevice", "Device", "HostDevice", "Measured", "SshDevice", "measure_all", "open_device"]
