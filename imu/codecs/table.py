"""All families, those of plug-ins included, and which of them a device belongs to."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint

from imu.codecs.protocol import Codec
from imu.frames import Advertisement
from imu.plugins import load_plugins

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

    def take(_: str, codec: object) -> str:
        if not isinstance(codec, Codec):
            return "its object is no Codec"
        if not isinstance(codec.name, str) or not codec.rates_hz:
            return "its Codec has no name or no rates"
        if codec.name in codecs:
            return f"there is a family {codec.name} already"
        codecs[codec.name] = codec
        return ""

    return codecs, load_plugins(PLUGINS, plugins, take)


def find_codec(advertisement: Advertisement, codecs: Mapping[str, Codec]) -> Codec | None:
    """Find the family a device in a scan belongs to; the first that recognises it."""
    for codec in codecs.values():
        try:
            if codec.recognises(advertisement):
                return codec
        except Exception:  # a foreign family must not end the scan
            continue
    return None
