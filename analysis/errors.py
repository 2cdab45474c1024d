"""Errors of the analysis, under the common base."""

from __future__ import annotations

from imu.errors import RecordingError


class AnalysisError(RecordingError):
    """The samples are sound, yet the drill cannot be measured from them."""
