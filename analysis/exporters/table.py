"""All export formats by name, those of plug-ins included."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from analysis.settings import Settings
from imu.recording import Session

Exporter = Callable[[Session, Settings], Mapping[str, str | bytes]]

FORMATS = {"motion-bids": "motion_bids", "opensense": "opensense", "tidy": "tidy"}
PLUGINS = "hiprot.exporters"


def load_exporters(
    plugins: Iterable[EntryPoint] | None = None,
) -> tuple[dict[str, Exporter], list[str]]:
    """Load every exporter.

    Parameters
    ----------
    plugins : iterable of EntryPoint, optional
        Third parties' formats; those installed by default.

    Returns
    -------
    exporters : dict of str to Exporter
        By name, our own first.
    complaints : list of str
        One line for every plug-in that could not be used and was skipped.
    """
    exporters: dict[str, Exporter] = {
        name: importlib.import_module(f"analysis.exporters.{module}").export
        for name, module in FORMATS.items()
    }
    complaints = []
    for point in entry_points(group=PLUGINS) if plugins is None else plugins:
        complaint = _load_plugin(point, exporters)
        if complaint:
            complaints.append(f"plug-in {point.name} ({point.value}): {complaint}; it is skipped.")
    return exporters, complaints


def _load_plugin(point: EntryPoint, exporters: dict[str, Exporter]) -> str:
    """Add a plug-in's format; empty, or why it cannot be used."""
    if point.name in exporters:
        return "there is a format of that name already"
    try:
        exporter = point.load()
    except Exception as error:  # whatever foreign code raises
        return f"{type(error).__name__}: {error}"
    if not callable(exporter):
        return "its object cannot be called"
    exporters[point.name] = exporter
    return ""
