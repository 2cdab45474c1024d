"""bumble's link and controllers, with what they lack: strength, refusals, lost links, holds."""

from __future__ import annotations

import asyncio
import dataclasses
import random

from bumble import controller, hci, link, ll

LOST = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
NOT_ESTABLISHED = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
UNKNOWN_CONNECTION = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
REFUSE_AFTER_S = 0.002


@dataclasses.dataclass
class Heard(ll.AdvInd):
    """An advertisement with what a receiver learns besides its data."""

    rssi_dbm: int
    scan_response: bytes


class Air(link.LocalLink):
    """What is sent arrives at once, unless the sender or the receiver is held."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[controller.Controller, list] = {}

    def send_acl_data(self, sender_controller, destination_address, transport, data) -> None:
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            return
        delivery = (receiver, connection.self_address, transport, data)
        for end in (sender_controller, receiver):
            if end in self._held:
                self._held[end].append(delivery)
                return
        self._deliver(*delivery)

    @staticmethod
    def _deliver(receiver, source, transport, data) -> None:
        if source in receiver.le_connections:
            asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, source, transport, data)

    def send_ll_control_pdu(self, sender_address, receiver_address, packet) -> None:
        if self.find_le_controller(receiver_address) is not None:  # else it is gone already
            super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def hold(self, end: controller.Controller, seconds: float) -> None:
        """Let nothing cross to or from a controller for a while, then all of it at once."""
        if end not in self._held:
            self._held[end] = []
            asyncio.get_running_loop().call_later(seconds, self._release, end)

    def _release(self, end: controller.Controller) -> None:
        for delivery in self._held.pop(end, []):
            self._deliver(*delivery)

    def cut(self, end: controller.Controller, reason: int = LOST) -> None:
        """Lose all links of a controller, as both ends would notice; what was held is gone."""
        self._held.pop(end, None)
        for connection in list(end.le_connections.values()):
            peer = self.find_le_controller(connection.peer_address)
            back = peer and peer.le_connections.get(connection.self_address)
            end.on_le_disconnected(connection, reason)
            if back:
                peer.on_le_disconnected(back, reason)


class AirController(controller.Controller):
    """A controller with the advertising and scanning of Bluetooth 4."""

    le_features = hci.LeFeatureMask.LE_ENCRYPTION | hci.LeFeatureMask.LE_PING
    le_acl_data_packet_length = 251

    def __init__(self, name: str, air: Air, address: hci.Address) -> None:
        super().__init__(name, link=air, public_address=address)
        self.rssi_dbm = -60
        self.refusals = 0  # so many connections fail
        self.refused = 0

    def send_advertising_pdu(self, packet) -> None:
        if type(packet) is ll.AdvInd:
            packet = Heard(
                packet.advertiser_address,
                packet.data,
                self.rssi_dbm + random.randint(-2, 2),
                self.le_legacy_advertiser.scan_response_data,
            )
        super().send_advertising_pdu(packet)

    def on_advertising_pdu(self, pdu) -> None:
        kinds = hci.HCI_LE_Advertising_Report_Event.EventType
        if self.le_scan_enable and isinstance(pdu, Heard):
            for kind, data in ((kinds.ADV_IND, pdu.data), (kinds.SCAN_RSP, pdu.scan_response)):
                report = hci.HCI_LE_Advertising_Report_Event.Report(
                    event_type=kind,
                    address_type=pdu.advertiser_address.address_type,
                    address=pdu.advertiser_address,
                    data=data,
                    rssi=pdu.rssi_dbm,
                )
                self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))
        wanted = self.pending_le_connection
        if wanted is not None and wanted.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def on_le_connect_ind(self, packet) -> None:
        before = len(self.le_connections)
        super().on_le_connect_ind(packet)
        if len(self.le_connections) > before and self.refused < self.refusals:
            self.refused += 1
            asyncio.get_running_loop().call_later(
                REFUSE_AFTER_S, self.link.cut, self, NOT_ESTABLISHED
            )

    def on_hci_le_create_connection_cancel_command(self, _command):
        """Complete what is cancelled, which bumble leaves waiting."""
        wanted, self.pending_le_connection = self.pending_le_connection, None
        if wanted is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        event = hci.HCI_LE_Connection_Complete_Event(
            status=UNKNOWN_CONNECTION,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=wanted.peer_address_type,
            peer_address=wanted.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, event)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_le_disconnected(self, connection, reason) -> None:
        if self.le_connections.get(connection.peer_address) is connection:
            super().on_le_disconnected(connection, reason)

    def on_hci_command(self, command):
        """Refuse what is not known, also where the answer is a status event."""
        status = hci.HCI_ErrorCode.UNKNOWN_HCI_COMMAND_ERROR
        if isinstance(command, hci.HCI_SyncCommand):
            return hci.HCI_StatusReturnParameters(status)
        self._send_hci_command_status(status, command.op_code)
        return None
