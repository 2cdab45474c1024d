"""What is wrong with the machine's Bluetooth and what to do, in one line.

Bleak's errors are told apart by what they carry, so that only ``ble`` knows bleak.
"""

from __future__ import annotations

IN_PROGRESS = "org.bluez.Error.InProgress"
NO_SERVICE = "the system's Bluetooth service does not run. Start it: sudo systemctl start bluetooth"
NO_PERMISSION = (
    "this user may not use it. Join the group bluetooth (sudo usermod -aG bluetooth $USER) and "
    "log in again"
)
NO_DBUS = (
    "the system's D-Bus does not run, and Bluetooth is reached through it. "
    "Start both: sudo systemctl start dbus bluetooth"
)
SWITCHED_OFF = (
    "it is switched off. Switch it on; on Linux: rfkill unblock bluetooth; bluetoothctl power on"
)
NOT_ALLOWED = (
    "this program may not use it. Allow it, or the terminal it runs in, in the system's privacy "
    "settings"
)
REASONS = {
    "NO_BLUETOOTH": (
        "there is no adapter. Plug one in, or check that its driver is loaded and that the "
        "system's Bluetooth service runs"
    ),
    "NO_BLE_CENTRAL_ROLE": (
        "the adapter cannot connect to low-energy sensors. Plug in one with Bluetooth 4.0 or later"
    ),
    "POWERED_OFF": SWITCHED_OFF,
    "DENIED_BY_USER": NOT_ALLOWED,
    "DENIED_BY_UNKNOWN": NOT_ALLOWED,
    "DENIED_BY_SYSTEM": (
        "the system does not let this user use it. Ask the administrator, or log in as another user"
    ),
    "UNKNOWN": "the system is not ready with it. Wait a moment, or switch it off and on",
}
DBUS_ERRORS = {
    "org.bluez.Error.NotReady": SWITCHED_OFF,
    "org.bluez.Error.NotAuthorized": NO_PERMISSION,
    "org.freedesktop.DBus.Error.AccessDenied": NO_PERMISSION,
    "org.freedesktop.DBus.Error.ServiceUnknown": NO_SERVICE,
    "org.freedesktop.DBus.Error.NameHasNoOwner": NO_SERVICE,
    "org.freedesktop.DBus.Error.Spawn.ServiceNotFound": NO_SERVICE,
    "org.freedesktop.systemd1.NoSuchUnit": NO_SERVICE,
}


def adapter_trouble(error: BaseException) -> str:
    """Say what the user must mend.

    Returns
    -------
    str
        One line; empty where the error is of another kind.

    Examples
    --------
    >>> adapter_trouble(PermissionError("/run/dbus/system_bus_socket"))  # doctest: +ELLIPSIS
    'Bluetooth: this user may not use it. Join the group bluetooth ...'
    >>> adapter_trouble(EOFError())
    ''
    """
    reason = getattr(getattr(error, "reason", None), "name", "")
    line = REASONS.get(reason) or DBUS_ERRORS.get(_dbus_name(error), "")
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):  # the socket of D-Bus
        line = NO_DBUS
    elif isinstance(error, PermissionError):
        line = NO_PERMISSION
    return line and f"Bluetooth: {line}."


def scan_trouble(error: BaseException) -> str:
    """Say why the machine cannot scan; never empty."""
    if is_busy(error):
        return "Bluetooth: another program is scanning. Close it, or wait until it is done."
    what = f"cannot scan: {one_line(error)}"
    if isinstance(error, TimeoutError):
        what = "the system does not begin to scan"
    remedy = "Switch Bluetooth off and on, or start this machine anew."
    return adapter_trouble(error) or f"Bluetooth: {what}. {remedy}"


def is_busy(error: BaseException) -> bool:
    """Whether another program's scan is in the way."""
    return _dbus_name(error) == IN_PROGRESS


def _dbus_name(error: BaseException) -> str:
    return str(getattr(error, "dbus_error", ""))


def one_line(error: BaseException) -> str:
    r"""Put a foreign error on one line, without the full stop.

    Examples
    --------
    >>> one_line(OSError("no such\nthing."))
    'no such thing'
    >>> one_line(EOFError())
    'EOFError'
    """
    last = error.args[-1] if error.args else ""
    text = last if isinstance(last, str) and not hasattr(error, "dbus_error") else str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__
