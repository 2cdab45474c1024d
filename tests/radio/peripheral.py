"""An emulator as a GATT server on the air."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bumble import att, gatt, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.host import Host

from imu.emulators.peripheral import Emulator, Notification, RefusedError
from tests.radio.air import Air, AirController

ADVERTISING_MS = 50.0
MAX_MTU = 247
MAX_ADVERTISEMENT = 31
BASE_UUID = "-0000-1000-8000-00805f9b34fb"
FLAGS = b"\x06"


class Peripheral:
    """Hands reads, writes and subscriptions to an emulator; sends its notifications.

    `clock` tells the sensor's time, `changed` is called after whatever may have changed the stream,
    `early` with a characteristic before its subscription is acknowledged, `unlinked` when a link
    is gone.
    """

    def __init__(self, emulator: Emulator, address: str, air: Air) -> None:
        self._emulator = emulator
        self._address = address
        self.clock: Callable[[], float] = lambda: 0.0
        self.changed: Callable[[], None] = lambda: None
        self.early: Callable[[str], None] = lambda _: None
        self.unlinked: Callable[[], None] = lambda: None
        self.connection = None
        self.connects = 0
        public = hci.Address(address, hci.Address.PUBLIC_DEVICE_ADDRESS)
        self.controller = AirController(address, air, public)
        host = Host(self.controller, self.controller)
        self._device = Device(name=address, address=public, host=host)
        self._device.gatt_server.max_mtu = MAX_MTU
        self._characteristics = {
            uuid: self._characteristic(uuid, words)
            for characteristics in emulator.services.values()
            for uuid, words in characteristics.items()
        }

    async def power_on(self) -> None:
        for uuid, characteristics in self._emulator.services.items():
            members = [self._characteristics[member] for member in characteristics]
            self._device.add_service(gatt.Service(UUID(uuid), members))
        self._device.on("connection", self._linked)
        self._device.gatt_server.on("characteristic_subscription", self._subscription)
        await self._device.power_on()
        await self.advertise()

    def _characteristic(self, uuid: str, words: str) -> gatt.Characteristic:
        properties = gatt.Characteristic.Properties(0)
        for word in words.split(","):
            properties |= gatt.Characteristic.Properties[word.strip().upper().replace("-", "_")]

        def read(_connection) -> bytes:
            try:
                return self._emulator.read(uuid)
            except RefusedError as error:
                raise att.ATT_Error(error_code=error.code) from error

        def write(_connection, data: bytes) -> None:
            try:
                answers = self._emulator.write(uuid, bytes(data), self.clock())
            except RefusedError as error:
                raise att.ATT_Error(error_code=error.code) from error
            self._send_soon(answers)
            self.changed()

        rights = att.Attribute.READABLE | att.Attribute.WRITEABLE
        return gatt.Characteristic(UUID(uuid), properties, rights, att.AttributeValue(read, write))

    def _subscription(self, connection, characteristic, notify: bool, _indicate: bool) -> None:
        for uuid, own in self._characteristics.items():
            if own is characteristic and connection is self.connection:
                answers = self._emulator.subscribe(uuid, notify)
                if notify:
                    self.early(uuid)
                self._send_soon(answers)
                self.changed()

    def _send_soon(self, notifications: list[Notification]) -> None:
        """Send after what is being answered at the moment."""
        if notifications:
            asyncio.get_running_loop().call_soon(self.send, notifications)

    def hears(self, uuid: str) -> bool:
        """Whether a characteristic's notifications are switched on."""
        own = self._characteristics.get(uuid)
        if own is None or self.connection is None:
            return False
        switched = self._device.gatt_server.subscribers.get(self.connection, {})
        return bool(switched.get(own.handle, b"\0\0")[0] & 1)

    @property
    def mtu(self) -> int:
        return self.connection.att_mtu if self.connection is not None else att.ATT_DEFAULT_MTU

    def send(self, notifications: list[Notification]) -> None:
        """Send what is subscribed."""
        for uuid, payload in notifications:
            if self.hears(uuid):
                pdu = att.ATT_Handle_Value_Notification(
                    attribute_handle=self._characteristics[uuid].handle,
                    attribute_value=payload[: self.mtu - 3],
                )
                self._device.gatt_server.send_gatt_pdu(self.connection, bytes(pdu))

    def _linked(self, connection) -> None:
        self.connection = connection
        self.connects += 1
        connection.on("disconnection", lambda _: self._unlinked())

    def _unlinked(self) -> None:
        self.connection = None
        self._emulator.unlink()
        self.unlinked()

    async def advertise(self) -> None:
        if self.connection is not None:
            return
        first, second = _packed(self._emulator.advertisement(self._address, 0))
        await self._device.start_advertising(
            own_address_type=hci.OwnAddressType.PUBLIC,
            advertising_data=first,
            scan_response_data=second,
            advertising_interval_min=ADVERTISING_MS,
            advertising_interval_max=ADVERTISING_MS,
        )

    def silence(self) -> None:
        """Advertise no longer."""
        self.controller.le_legacy_advertiser.stop()


def _packed(said) -> tuple[bytes, bytes]:
    """What fits the advertisement, the rest in the scan response, as devices do."""
    kinds = AdvertisingData.Type
    short = [uuid[4:8] for uuid in said.services if uuid.endswith(BASE_UUID)]
    long = [uuid for uuid in said.services if not uuid.endswith(BASE_UUID)]
    parts = [(kinds.FLAGS, FLAGS)]
    for kind, uuids in (
        (kinds.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, short),
        (kinds.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, long),
    ):
        if uuids:
            parts.append((kind, b"".join(bytes(UUID(uuid)) for uuid in uuids)))
    for company, data in said.manufacturer_data.items():
        parts.append((kinds.MANUFACTURER_SPECIFIC_DATA, company.to_bytes(2, "little") + data))
    if said.name:
        parts.append((kinds.COMPLETE_LOCAL_NAME, said.name.encode()))
    packets = [b"", b""]
    for part in parts:
        packed = bytes(AdvertisingData([part]))
        rooms = [len(packet) + len(packed) <= MAX_ADVERTISEMENT for packet in packets]
        if not any(rooms):
            raise ValueError(f"{said.name}: does not fit an advertisement")
        packets[rooms.index(True)] += packed
    return packets[0], packets[1]
