"""The table of families, and plug-ins that work, that do not, and that must not get in the way."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest

from imu.codecs import table
from imu.codecs.movella_dot import DotCodec
from imu.codecs.protocol import Codec
from imu.emulators.table import FAMILIES as EMULATED
from imu.emulators.table import make_emulator
from imu.errors import CallError
from imu.frames import Advertisement

OWN = ["movella-dot", "movesense", "polar-verity"]


class Working(DotCodec):
    name = "other-maker"
    model = "Other Maker"

    def recognises(self, advertisement: Advertisement) -> bool:
        return advertisement.name == "Other"


class Clashing(DotCodec):
    name = "movesense"


class Rateless(Working):
    rates_hz = ()


class Nameless(Working):
    name = None


class Raising(Working):
    name = "raising"

    def recognises(self, advertisement: Advertisement) -> bool:
        raise ZeroDivisionError(advertisement.name)


@pytest.fixture
def plugin(monkeypatch):
    """A module as somebody else would install it, and our families that need no others."""
    module = types.ModuleType("somebodys_plugin")
    module.WORKING, module.CLASHING, module.RATELESS = Working(), Clashing(), Rateless()
    module.NAMELESS, module.RAISING, module.SOMETHING = Nameless(), Raising(), object()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    own = {name: table.FAMILIES[name] for name in OWN}
    monkeypatch.setattr(table, "FAMILIES", own)


def entry(attribute: str, module: str = "somebodys_plugin") -> EntryPoint:
    return EntryPoint(attribute.lower(), f"{module}:{attribute}", table.PLUGINS)


def test_both_ends_know_the_same_families():
    assert list(table.FAMILIES) == list(EMULATED)
    assert [module for module, _ in EMULATED.values()] == list(table.FAMILIES.values())


@pytest.mark.usefixtures("plugin")
def test_a_working_plugin_is_one_of_the_families():
    codecs, complaints = table.load_codecs([entry("WORKING")])
    assert complaints == []
    assert list(codecs) == [*OWN, "other-maker"]
    assert all(isinstance(codec, Codec) for codec in codecs.values())
    assert table.find_codec(Advertisement("1", "Other"), codecs) is codecs["other-maker"]
    assert table.find_codec(Advertisement("1", "Movella DOT"), codecs) is codecs["movella-dot"]
    assert table.find_codec(Advertisement("1", "JBL Flip"), codecs) is None


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("point", "complaint"),
    [
        (entry("WORKING", "no_such_module"), "ModuleNotFoundError: No module named"),
        (entry("MISSING"), "AttributeError: "),
        (entry("SOMETHING"), "its object is no Codec"),
        (entry("RATELESS"), "no name or no rates"),
        (entry("NAMELESS"), "no name or no rates"),
        (entry("CLASHING"), "there is a family movesense already"),
    ],
)
def test_a_broken_plugin_is_told_in_one_line_and_skipped(point, complaint):
    codecs, complaints = table.load_codecs([point, entry("WORKING")])
    assert list(codecs) == [*OWN, "other-maker"]
    assert codecs["movesense"].model == "Movesense"
    (line,) = complaints
    assert complaint in line
    assert line.startswith(f"plug-in {point.name} ({point.value}): ")
    assert line.endswith("; it is skipped.")
    assert "\n" not in line


@pytest.mark.usefixtures("plugin")
def test_a_plugin_that_raises_on_advertisements_does_not_end_the_scan():
    codecs, _ = table.load_codecs([entry("RAISING"), entry("WORKING")])
    assert table.find_codec(Advertisement("1", "Other"), codecs) is codecs["other-maker"]


@pytest.mark.usefixtures("plugin")
def test_installed_plugins_are_asked_for_by_default(monkeypatch):
    asked = []

    def installed(*, group: str) -> list[EntryPoint]:
        asked.append(group)
        return [entry("WORKING")]

    monkeypatch.setattr("imu.plugins.entry_points", installed)
    codecs, _ = table.load_codecs()
    assert asked == ["hiprot.codecs"]
    assert "other-maker" in codecs


def test_an_unknown_family_cannot_be_simulated():
    with pytest.raises(CallError, match="movella-dot, movesense"):
        make_emulator("abacus", "1")
