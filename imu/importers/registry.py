"""All formats, those of plug-ins included, and which of them a file is of."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint

from imu.errors import RecordingError
from imu.importers.values import Importer
from imu.plugins import load_plugins

MODULES = (
    "sensor_logger",
    "phyphox",
    "movella",
    "metabase",
    "witmotion",
    "movesense",
    "mt_manager",
    "shimmer",
    "apdm",
)
PLUGINS = "hiprot.importers"
HEAD = 65536  # bytes of a file that a format is told by


def load_importers(
    plugins: Iterable[EntryPoint] | None = None,
) -> tuple[dict[str, Importer], list[str]]:
    """Load every format.

    Parameters
    ----------
    plugins : iterable of EntryPoint, optional
        Third parties' formats; those installed by default.

    Returns
    -------
    importers : dict of str to Importer
        By name, our own first.
    complaints : list of str
        One line for every plug-in that could not be used and was skipped.
    """
    importers: dict[str, Importer] = {}
    for module in MODULES:
        for one in importlib.import_module(f"imu.importers.{module}").IMPORTERS:
            importers[one.name] = one

    def take(_: str, one: object) -> str:
        if not isinstance(one, Importer) or not isinstance(one.name, str):
            return "its object is no Importer"
        if one.name in importers or one.name in ("frames", "table"):
            return f"there is a format {one.name} already"
        importers[one.name] = one
        return ""

    return importers, load_plugins(PLUGINS, plugins, take)


def find_importer(name: str, data: bytes, importers: Mapping[str, Importer]) -> Importer | None:
    """Find the format a file is of, by its content; None where no format knows it.

    Raises
    ------
    RecordingError
        Several formats claim it.
    """
    head = data[:HEAD]
    claims = []
    for one in importers.values():
        try:
            claimed = one.sniff(name, head)
        except Exception:  # a foreign format must not keep others from their files
            continue
        if claimed:
            claims.append(one)
    if len(claims) > 1:
        names = " and ".join(one.name for one in claims)
        raise RecordingError(name, f"it could be {names}", "Say which with --format.")
    return claims[0] if claims else None
