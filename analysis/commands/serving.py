"""The server of the live page, started and shown in the browser."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import urllib.request
import webbrowser
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import uvicorn
from starlette.types import ASGIApp

from analysis.app.guide import Guide, Radios
from analysis.app.hub import Hub
from analysis.app.library import Library
from analysis.app.server import MAX_MESSAGE, Doer, Server
from analysis.commands.terminal import families
from analysis.settings import Settings
from imu.codecs.protocol import Codec
from imu.errors import CallError, MachineError
from imu.simulator.settings import DrillSettings
from imu.transports.links import Radio

LOOPBACK = ("127.0.0.1", "localhost", "::1")
RUNNING = ".hiprot-app.json"  # where a running app is found
PING_S, SILENT_S = 20.0, 60.0
DRAWN_S = 1.0  # until pages have drawn how it ended
SEATED_S = 180.0  # a simulated person stays, until the set is ended

# What a simulated person does wrong, on request.
WRONG: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "pelvis": {"pelvis_obliquity_deg": 9.0, "pelvis_tilt_deg": 5.0},
    "fast": {"inward_s": 0.6, "return_s": 0.6, "hold_s": 0.0},
    "swing": {"hip_adduction_deg": 10.0, "hip_flexion_deg": 8.0},
    "short": {"range_deg": 14.0},
}


def serve(
    folder: Path, host: str, port: int, browser: bool, simulate: bool, family: str | None
) -> None:
    """Serve until Ctrl-C.

    Raises
    ------
    CallError
        The host or the port cannot be used.
    MachineError
        The folder cannot be made.
    """
    folder = folder.resolve()  # however a second start names it
    _make_folder(folder)
    running = _running(folder)
    if running is not None:
        click.echo(f"It runs already: {running}", err=True)
        if browser:
            webbrowser.open(running)
        return
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(24)
    hub = Hub()
    library = Library(folder, Settings())
    guide = Guide(library, hub, _radios(simulate, family))
    loopback = host in LOOPBACK
    about = {"mode": "app", "simulate": simulate, "folder": str(folder), "loopback": loopback}
    application = Server(library, hub, guide, about).application(token, host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/?token={token}"
    click.echo(address)
    if not loopback:
        warning = "The network can reach it, unencrypted; screens there may fall asleep."
        click.echo(f"{warning} Give the address only to whom you trust.", err=True)
    note = folder / RUNNING
    _tell_others(note, address)
    if browser:
        webbrowser.open(address)
    try:
        uvicorn.Server(_config(application)).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
        note.unlink(missing_ok=True)


def _config(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_S,
        ws_ping_timeout=SILENT_S,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


class _Beside(uvicorn.Server):
    """A server in a loop that has its own signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the loop."""
        yield


@asynccontextmanager
async def coach_page(hub: Hub, doer: Doer, browser: bool = True) -> AsyncIterator[None]:
    """Show the coach alone, on this machine, for as long as a set is recorded or played."""
    listener = _listen(LOOPBACK[0], 0)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(24)
    about = {"mode": "coach", "simulate": False, "folder": "", "loopback": True}
    application = Server(None, hub, doer, about).application(token, LOOPBACK[0], port)
    address = f"http://{LOOPBACK[0]}:{port}/?token={token}"
    click.echo(address, err=True)
    server = _Beside(_config(application))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    if browser:
        webbrowser.open(address)
    try:
        yield
        await asyncio.sleep(DRAWN_S)
    finally:
        server.should_exit = True
        await serving
        listener.close()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"{folder}: it cannot be made ({error.strerror}).") from None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        remedy = "Choose another with --port, or 0 for any that is free."
        raise CallError(f"{host}, port {port}: {error.strerror}. {remedy}") from None
    return listener


def _tell_others(note: Path, address: str) -> None:
    """Leave the address for a second start, readable by this user alone."""
    with suppress(OSError):
        note.unlink(missing_ok=True)
        handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"address": address}, file)


def _running(folder: Path) -> str | None:
    """Find an app that serves this folder already."""
    try:
        address = json.loads((folder / RUNNING).read_text(encoding="utf-8"))["address"]
        asked = str(address).replace("/?token=", "/api/state?token=")
        if not asked.startswith("http://"):
            return None
        with urllib.request.urlopen(asked, timeout=2) as answer:
            state: Any = json.load(answer)
        return str(address) if state.get("folder") == str(folder) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _radios(simulate: bool, family: str | None) -> Radios:
    """Make what makes radios."""
    codecs = families(family)

    def real(
        side: str, lift: bool, does: str
    ) -> tuple[Radio, Mapping[str, Codec], Mapping[str, str | None]]:
        from imu.transports.ble import BleRadio

        del side, lift, does
        return BleRadio(), codecs, {}

    def simulated(
        side: str, lift: bool, does: str
    ) -> tuple[Radio, Mapping[str, Codec], Mapping[str, str | None]]:
        from imu.transports.simulated import STILL_BEFORE_S, SimulatedRadio

        codec = next(iter(codecs.values()))
        # The checks before a set take their time; she waits for them.
        seated = DrillSettings(still_before_s=STILL_BEFORE_S + 4.0, still_after_s=SEATED_S)
        drill = replace(seated, **WRONG[does])
        doing = "lean" if side == "lean" else "lift" if lift else ""
        leg = "right" if side == "lean" else side
        radio = SimulatedRadio(codec, ("pelvis", "thigh"), leg, drill=drill, does=doing)
        return radio, {codec.name: codec}, dict(radio.addresses)

    return simulated if simulate else real
