"""All families, those of plug-ins included, and which of them a device belongs to."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from imu.codecs.protocol import Codec
from imu.frames import Advertisement

FAMILIES = {
    "movella-dot": "movella_dot",
    "movesense": "movesense",
    "witmotion": "witmotion",
    "metamotion": "metamotion",
    "thingy52": "thingy52",
    "polar-verity": "polar",
}
PLUGINS = "hiprot.codecs"


def load_codecs(plugins: Iterable[EntryPoint] | None = None) -> tuple[dict[str, Codec], list[str]]:
    """Load every family.

    Parameters
    ----------
    plugins : iterable of EntryPoint, optional
        Third parties' families; those installed by default.

    Returns
    -------
    codecs : dict of str to Codec
        By name, our own first.
    complaints : list of str
        One line for every plug-in that could not be used and was skipped.
    """
    codecs: dict[str, Codec] = {}
    for name, module in FAMILIES.items():
        codecs[name] = importlib.import_module(f"imu.codecs.{module}").CODEC
    complaints = []
    for point in entry_points(group=PLUGINS) if plugins is None else plugins:
        complaint = _load_plugin(point, codecs)
        if complaint:
            complaints.append(f"plug-in {point.name} ({point.value}): {complaint}; it is skipped.")
    return codecs, complaints


def _load_plugin(point: EntryPoint, codecs: dict[str, Codec]) -> str:
    """Add a plug-in's family; empty, or why it cannot be used."""
    try:
        codec = point.load()
        if not isinstance(codec, Codec):
            return "its object is no Codec"
        if not isinstance(codec.name, str) or not codec.rates_hz:
            return "its Codec has no name or no rates"
    except Exception as error:  # whatever foreign code raises
        return f"{type(error).__name__}: {error}"
    if codec.name in codecs:
        return f"there is a family {codec.name} already"
    codecs[codec.name] = codec
    return ""


def find_codec(advertisement: Advertisement, codecs: Mapping[str, Codec]) -> Codec | None:
    """Find the family a device in a scan belongs to; the first that recognises it."""
    for codec in codecs.values():
        try:
            if codec.recognises(advertisement):
                return codec
        except Exception:  # a foreign family must not end the scan
            continue
    return None
