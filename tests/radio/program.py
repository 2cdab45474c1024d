"""The command line in a virtual world: ``python -m tests.radio.program WORLD.json -- record ...``.

A process of its own, so that it can be killed and interrupted. The world is a JSON object::

    {
        "lead_s": 2.0,
        "sensors": [
            {
                "family": "movella-dot",
                "address": "D4:22:CD:00:00:01",
                "csv": "left.csv",
                "sensor": "pelvis",
                "truth": "pelvis-truth.csv",
                "rssi_dbm": -55,
                "faults": {"clock_ppm": 40},
                "script": [[5, "drop", 2.0]],
            }
        ],
    }

All but ``family`` and ``address`` may be left out; paths are relative to the JSON's folder.
``family`` is a codec's name or ``plain``, which is then known to the command line as a plug-in is.
``lead_s`` is for how long the first row lasts before the sets begin to play, all together, counted
from the first sample of any sensor. ``faults`` are those of `tests.radio.sensor.Faults`; a script
has seconds since its sensor first streamed, and the name and arguments of an order: ``drop``,
``off``, ``stall``, ``hold``, ``next_bad``, ``refuse``, ``battery``. The truth of every sample is
written line by line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import imu.plugins
import imu.transports.ble
from analysis.commands import main
from imu.codecs.table import PLUGINS
from imu.emulators.peripheral import Emulator
from imu.emulators.table import make_emulator
from tests.radio.plain import PlainEmulator
from tests.radio.sensor import Faults, Truth, VirtualSensor
from tests.radio.sources import COLUMNS, play_set
from tests.radio.world import World

PLAIN = EntryPoint("plain", "tests.radio.plain:CODEC", PLUGINS)


def load_world(path: Path) -> World:
    """Make the world that a file describes."""
    described = json.loads(path.read_text())
    sensors = [_sensor(one, path.parent) for one in described["sensors"]]
    return World(sensors, described.get("lead_s", 0.0))


def _sensor(described: dict, folder: Path) -> VirtualSensor:
    sensor = VirtualSensor(
        _emulator(described["family"], described["address"]),
        described["address"],
        play_set(folder / described["csv"], described["sensor"]) if "csv" in described else None,
        Faults(**described.get("faults", {})),
        described.get("script", ()),
        _recorder(folder / described["truth"]) if "truth" in described else lambda _: None,
    )
    sensor.rssi_dbm = described.get("rssi_dbm", sensor.rssi_dbm)
    return sensor


def _emulator(family: str, address: str) -> Emulator:
    return PlainEmulator(address) if family == "plain" else make_emulator(family, address)


def _recorder(path: Path) -> Callable[[Truth], None]:
    file = path.open("w", buffering=1)  # by lines: the process may be killed at any moment
    file.write(f"index,time_s,fate,{','.join(COLUMNS)}\n")

    def record(truth: Truth) -> None:
        six = ",".join(f"{value:.9g}" for value in (*truth.acc_ms2, *truth.gyr_rads))
        file.write(f"{truth.index},{truth.time_s:.6f},{truth.fate},{six}\n")

    return record


def run() -> None:
    """Put the world in place of the machine's Bluetooth and run the command line."""
    if len(sys.argv) < 3 or sys.argv[2] != "--":
        sys.exit("usage: python -m tests.radio.program WORLD.json -- COMMAND ...")
    world = load_world(Path(sys.argv[1]))
    imu.transports.ble.backends = lambda: (world.scanner, world.client)
    installed = imu.plugins.entry_points
    imu.plugins.entry_points = lambda group: (
        [*installed(group=group), PLAIN] if group == PLAIN.group else installed(group=group)
    )
    sys.argv = ["hiprot", *sys.argv[3:]]
    main()


if __name__ == "__main__":
    run()
