"""bleak's scanner and client over bumble, as strict as BlueZ where that has bitten.

A second scan is refused; a device is found only as it was scanned, and forgotten after a failed
connection; a lost link that nobody disconnected makes the next one deliver everything once more.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress

from bleak.assigned_numbers import CHARACTERISTIC_PROPERTIES
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from bleak.uuids import normalize_uuid_str
from bumble import att, hci
from bumble.core import AdvertisingData, BaseBumbleError
from bumble.device import Device, Peer
from bumble.host import Host

from tests.radio.air import Air, AirController

KINDS = AdvertisingData.Type
SERVICE_LISTS = (
    KINDS.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    KINDS.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
)
ADAPTER_ADDRESS = hci.Address("F0:F0:F0:F0:F0:F0")
MTU = 517


class Adapter:
    """The machine's adapter: bumble's central, and what the system's service remembers.

    `overlaps` counts connections begun while a scan ran, `unparted` links that were lost and not
    disconnected since.
    """

    def __init__(self, air: Air) -> None:
        self.controller = AirController("adapter", air, hci.Address.ANY)
        host = Host(self.controller, self.controller)
        self.device = Device(name="adapter", address=ADAPTER_ADDRESS, host=host)
        self.device.on("advertisement", self._heard)
        self.scanner: BumbleScanner | None = None
        self.known: set[str] = set()
        self.unparted: set[BumbleClient] = set()
        self.callbacks: dict[tuple[str, int], dict] = defaultdict(dict)
        self.overlaps = 0

    def _heard(self, advertisement) -> None:
        if self.scanner is not None:
            self.scanner.heard(advertisement)

    async def scan(self, scanner: BumbleScanner) -> None:
        if self.scanner is not None:
            raise BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])
        self.scanner = scanner
        await self.device.start_scanning()

    async def end_scan(self, scanner: BumbleScanner) -> None:
        if self.scanner is scanner:
            self.scanner = None
            await self.device.stop_scanning()

    async def link(self, target: hci.Address):
        self.overlaps += self.scanner is not None
        try:
            return await self.device.connect(target, timeout=None)
        except asyncio.CancelledError:  # bumble would go on trying
            await self.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
            raise


class BumbleScanner(BaseBleakScanner):
    world = None

    def __init__(self, detection_callback, service_uuids, _scanning_mode, **_) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        await self.world.power_on()
        self.seen_devices = {}
        await self.world.adapter.scan(self)

    async def stop(self) -> None:
        await self.world.adapter.end_scan(self)

    def heard(self, advertisement) -> None:
        said = advertisement.data
        address = advertisement.address.to_string(False)
        maker = said.get(KINDS.MANUFACTURER_SPECIFIC_DATA)
        data = AdvertisementData(
            local_name=said.get(KINDS.COMPLETE_LOCAL_NAME),
            manufacturer_data={int(maker[0]): bytes(maker[1])} if maker else {},
            service_data={},
            service_uuids=[_full(uuid) for kind in SERVICE_LISTS for uuid in said.get(kind) or []],
            tx_power=None,
            rssi=advertisement.rssi,
            platform_data=(),
        )
        self.world.adapter.known.add(address)
        device = self.create_or_update_device(
            address, address, data.local_name, advertisement.address, data
        )
        self.call_detection_callbacks(device, data)


class BumbleClient(BaseBleakClient):
    world = None

    def __init__(self, address_or_ble_device, **kwargs) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._target = getattr(address_or_ble_device, "details", None)
        self._connection = None

    @property
    def mtu_size(self) -> int:
        raise AssertionError("what BlueZ answers here is wrong; do not ask")

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **_) -> None:  # noqa: ARG002
        known = self.world.adapter.known
        if self._target is None or self.address not in known:
            raise BleakDeviceNotFoundError(self.address, f"device {self.address} was not found")
        try:
            async with asyncio.timeout(self._timeout):
                await self._connect()
        except BaseException:
            known.discard(self.address)
            await self.disconnect()
            raise

    async def _connect(self) -> None:
        try:
            connection = await self.world.adapter.link(self._target)
        except BaseBumbleError as error:
            raise BleakError(f"connection failed: {error}") from error
        if self.world.adapter.device.connections.get(connection.handle) is not connection:
            raise BleakError("the device disconnected at once")
        self._connection = connection
        connection.on("disconnection", lambda _: self._unlinked())
        peer = Peer(connection)
        await self._await(peer.request_mtu(MTU))
        await self._await(self._discover(peer))

    async def _discover(self, peer: Peer) -> None:
        services = BleakGATTServiceCollection()
        for found in await peer.discover_services():
            service = BleakGATTService(found, found.handle, _full(found.uuid))
            services.add_service(service)
            for one in await found.discover_characteristics():
                words = [w for bit, w in CHARACTERISTIC_PROPERTIES.items() if one.properties & bit]
                services.add_characteristic(
                    BleakGATTCharacteristic(
                        one, one.handle, _full(one.uuid), words, lambda: 20, service
                    )
                )
        self.services = services

    def _unlinked(self) -> None:
        if self._connection is not None:
            self._connection = self.services = None
            self.world.adapter.unparted.add(self)
            if self._disconnected_callback is not None:
                self._disconnected_callback()

    async def disconnect(self) -> None:
        connection = self._connection
        if connection is not None:
            with suppress(BaseBumbleError):
                await connection.disconnect()
        adapter = self.world.adapter
        adapter.unparted.discard(self)
        for callbacks in adapter.callbacks.values():
            callbacks.pop(self, None)

    async def _await(self, call):
        """Await the sensor's answer, with bleak's exceptions in place of bumble's."""
        if self._connection is None:
            call.close()
            raise BleakError("Not connected")
        try:
            return await self._connection.cancel_on_disconnection(call)
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():
                raise
            raise BleakError("the device disconnected") from None

    async def read_gatt_char(self, characteristic, **_) -> bytearray:
        return bytearray(await self._await(characteristic.obj.read_value()))

    async def write_gatt_char(self, characteristic, data, response: bool) -> None:
        await self._await(characteristic.obj.write_value(bytes(data), response))

    async def start_notify(self, characteristic, callback, *, bluez=None, **_) -> None:
        if (bluez or {}).get("use_start_notify") is False:
            raise AssertionError("AcquireNotify loses what comes early")
        adapter = self.world.adapter
        callbacks = adapter.callbacks[self.address, characteristic.handle]
        callbacks[self] = callback

        def received(value: bytes) -> None:
            for one in list(callbacks.values()):
                one(bytearray(value))

        await self._await(characteristic.obj.subscribe(received))

    async def stop_notify(self, characteristic) -> None:
        callbacks = self.world.adapter.callbacks[self.address, characteristic.handle]
        callbacks.pop(self, None)
        await self._await(characteristic.obj.unsubscribe())

    async def pair(self, *_, **__) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_descriptor(self, *_, **__) -> bytearray:
        raise NotImplementedError

    async def write_gatt_descriptor(self, *_) -> None:
        raise NotImplementedError


def _full(uuid) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-")).lower()
