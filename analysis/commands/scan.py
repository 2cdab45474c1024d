"""``hiprot scan``: the supported sensors in range."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import click

from imu.errors import CallError, LinkError

if TYPE_CHECKING:
    from rich.table import Table

    from imu.codecs.protocol import Codec
    from imu.collector.choosing import Candidate
    from imu.collector.sensor import Sensor
    from imu.transports.links import Radio

SCHEMA = "hiprot.scan/1"
ASK_S = 15.0


@click.command(short_help="the supported sensors in range")
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 600),
    default=8.0,
    show_default=True,
    help="How long to listen.",
)
@click.option("--identify", metavar="ADDRESS", help="Have this sensor blink, where it can.")
@click.option("--family", metavar="NAME", help="Only sensors of this family.")
@click.option("--no-battery", is_flag=True, help="Do not connect to ask for the battery.")
@click.option("--simulate", is_flag=True, help="Simulated sensors; needs no Bluetooth.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def scan(
    seconds: float,
    identify: str | None,
    family: str | None,
    no_battery: bool,
    simulate: bool,
    as_json: bool,
) -> None:
    """List the supported sensors in range: model, name, address, signal, battery.

    To ask for the battery it connects to one after the other; sensors that another program holds
    are not heard.
    """
    from analysis.commands.terminal import families

    codecs = families(family)
    asyncio.run(_scan(codecs, seconds, identify, not no_battery, simulate, as_json))


async def _scan(
    codecs: Mapping[str, Codec],
    seconds: float,
    identify: str | None,
    battery: bool,
    simulate: bool,
    as_json: bool,
) -> None:
    radio = _radio(codecs, simulate)
    if identify:
        await _identify(radio, codecs, identify, seconds)
        return
    board = Board(quiet=as_json)
    with board:
        await _listen(radio, codecs, seconds, board)
        if battery:
            for one in list(board.found.values()):
                await _ask_battery(radio, one, board)
    if as_json:
        click.echo(json.dumps(board.document(), indent=2))
    elif not board.found:
        remedy = "Switch them on, bring them near, and end other programs that may hold them."
        click.echo(f"No supported sensor was heard for {seconds:g} s. {remedy}", err=True)


def _radio(codecs: Mapping[str, Codec], simulate: bool) -> Radio:
    if simulate:
        from imu.transports.simulated import SimulatedRadio

        return SimulatedRadio(next(iter(codecs.values())), ("pelvis", "thigh", "shank"), "left")
    from imu.transports.ble import BleRadio

    return BleRadio()


class Board:
    """The table of what was found, shown as it grows; on standard output at the end."""

    def __init__(self, quiet: bool) -> None:
        from rich.live import Live

        from analysis.commands.terminal import console

        self.found: dict[str, Candidate] = {}
        self.batteries: dict[str, float | None] = {}
        self._quiet = quiet
        screen = console()
        self._live = None
        if screen.is_terminal and not quiet:
            self._live = Live(console=screen, transient=True, refresh_per_second=4)

    def __enter__(self) -> Board:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        if kind is None and self.found and not self._quiet:
            from rich.console import Console

            Console(highlight=False, markup=False, emoji=False).print(self._table())

    def see(self, one: Candidate) -> None:
        """Take what was heard."""
        self.found[one.address] = one
        self.show()

    def show(self) -> None:
        """Show it, where somebody is looking."""
        if self._live is not None:
            self._live.update(self._table())

    def _table(self) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        from analysis.commands.terminal import NOT_KNOWN, percent, printable

        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in ("Model", "Name", "Address"):
            table.add_column(name, overflow="fold")
        for name in ("Signal", "Battery"):
            table.add_column(name, justify="right", no_wrap=True)
        for address, one in self.found.items():
            heard = one.advertisement
            table.add_row(
                one.codec.model,
                printable(heard.name) or NOT_KNOWN,
                address,
                f"{heard.rssi_dbm} dBm",
                percent(self.batteries.get(address)),
            )
        return table

    def document(self) -> dict[str, Any]:
        """Lay out the JSON document."""
        sensors = [
            {
                "family": one.codec.name,
                "model": one.codec.model,
                "name": one.advertisement.name,
                "address": address,
                "rssi_dbm": one.advertisement.rssi_dbm,
                "battery_percent": self.batteries.get(address),
                "rates_hz": list(one.codec.rates_hz),
            }
            for address, one in self.found.items()
        ]
        return {"schema": SCHEMA, "sensors": sensors}


async def _listen(radio: Radio, codecs: Mapping[str, Codec], seconds: float, board: Board) -> None:
    from imu.codecs.table import find_codec
    from imu.collector.choosing import Candidate

    async with aclosing(radio.scan(seconds)) as heard:
        async for advertisement in heard:
            codec = find_codec(advertisement, codecs)
            if codec is not None:
                board.see(Candidate(advertisement, codec))


async def _ask_battery(radio: Radio, one: Candidate, board: Board) -> None:
    """Connect, ask, let go; what does not answer stays unknown."""
    sensor = _sensor(radio, one)
    try:
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(ASK_S):
                await sensor.ask()
        board.batteries[one.address] = sensor.battery_percent
    finally:
        await sensor.let_go()
    board.show()


def _sensor(radio: Radio, one: Candidate) -> Sensor:
    from imu.collector.discovery import Discovery
    from imu.collector.sensor import Sensor

    return Sensor(
        one.address, one.codec, one.codec.default_rate_hz, Discovery(radio), lambda *_: None
    )


async def _identify(
    radio: Radio, codecs: Mapping[str, Codec], address: str, seconds: float
) -> None:
    from imu.collector.choosing import Wanted, find_candidates

    wanted = Wanted({"": address}, codecs, max(seconds, 10.0))
    (one,) = await find_candidates(radio, wanted, asyncio.Event())
    if not one.codec.can_identify:
        raise CallError(f"{one.codec.model} {address} cannot make itself seen. Move it instead.")
    sensor = _sensor(radio, one)
    try:
        await sensor.ask()
        await sensor.talk(one.codec.identify())
        click.echo(f"{one.codec.model} {address} blinks.", err=True)
        await asyncio.sleep(1.0)
    finally:
        await sensor.let_go()
