"""`hiprot scan` and `hiprot record` in front of the real Linux Bluetooth stack (BlueZ).

The emulated sensors and the guest that runs BlueZ are not part of this project: they stand in
``../shared/rig`` (see its README for what the host needs; build the guest once with the packages
in ``tests/rig/requirements.txt``). One command runs all scenarios, or those named:

    python -m tests.rig [SCENARIO...]

It compares every recording with what the sensors say they sent: all of it there, once, in order.
"""
