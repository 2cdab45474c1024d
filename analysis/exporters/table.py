"""All export formats by name, those of plug-ins included."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint

from analysis.settings import Settings
from imu.plugins import load_plugins
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

    def take(name: str, exporter: object) -> str:
        if name in exporters:
            return "there is a format of that name already"
        if not callable(exporter):
            return "its object cannot be called"
        exporters[name] = exporter
        return ""

    return exporters, load_plugins(PLUGINS, plugins, take)
