"""What commands share: families and limits from outside, and what is shown in a terminal."""

from __future__ import annotations

import io
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imu.errors import CallError, MachineError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from analysis.settings import Settings
    from imu.codecs.protocol import Codec
    from imu.collector.observer import SensorStatus

NOT_KNOWN = "–"  # noqa: RUF001  an en dash stands for "not known" in tables


def families(only: str | None) -> dict[str, Codec]:
    """Load the families of sensors, or the one asked for; tell of broken plug-ins.

    Raises
    ------
    CallError
        There is no such family.
    """
    from imu.codecs.table import load_codecs

    codecs, complaints = load_codecs()
    for complaint in complaints:
        click.echo(f"hiprot: {complaint}", err=True)
    if only is None:
        return codecs
    if only not in codecs:
        raise CallError(f"--family {only}: there is none. Known: {', '.join(codecs)}.")
    return {only: codecs[only]}


def read_settings(config: Path | None) -> Settings:
    """Read the limits from a TOML file, or take the usual ones.

    Raises
    ------
    CallError
        No such file, not TOML, an unknown name or a value out of range.
    MachineError
        The file cannot be read.
    """
    from analysis.compared import MEASURES
    from analysis.settings import Settings, settings_from

    if config is None:
        return Settings()
    settings = settings_from(read_toml(config), str(config))
    judged = [one.name for one in MEASURES if one.judged]
    for name in settings.mdc.keys() - set(judged):
        raise CallError(f"{config}: mdc.{name} is no measure. Known: {', '.join(judged)}.")
    return settings


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file that the user wrote.

    Raises
    ------
    CallError
        No such file, or not TOML.
    MachineError
        The file cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise CallError(f"{path}: there is no such file. Give a TOML file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError(f"{path}: not TOML: {error}. Write lines like min_hold_s = 0.5.") from error
    except OSError as error:
        raise MachineError(f"{path}: cannot be read: {error.strerror}.") from error


def console() -> Console:
    """Make a console on standard error that takes texts as they are."""
    from rich.console import Console

    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="replace")
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def percent(value: float | None) -> str:
    """Write a battery's level."""
    return NOT_KNOWN if value is None else f"{value:.0f} %"


def printable(text: str) -> str:
    """Keep what a stranger's device calls itself from steering the terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


def sensor_table(sensors: Sequence[SensorStatus], title: str | None = None) -> Table:
    """Lay out how the sensors are, one row each."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.title, table.title_justify = title, "left"
    for name in ("Sensor", "Model", "State"):
        table.add_column(name, no_wrap=True)
    for name in ("Rate", "Samples", "Lost", "Bad", "Last", "Battery"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in sensors:
        table.add_row(
            one.segment or one.address,
            printable(one.name),
            one.state,
            f"{one.rate_hz:g} Hz",
            str(one.samples),
            str(one.lost),
            str(one.refused),
            NOT_KNOWN if one.age_s is None else f"{one.age_s:.1f} s",
            percent(one.battery_percent),
        )
    return table
