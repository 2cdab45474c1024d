"""Analysis, trend, reliability -> their files, as text by name."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.pipeline import Analysis
from analysis.reliability import Reliability
from analysis.report.document import report_document, report_json
from analysis.report.html import report_html
from analysis.report.reliability_document import limits_toml, reliability_document
from analysis.report.reliability_page import reliability_html
from analysis.report.tables import angles_csv, reps_csv
from analysis.report.trend_document import trend_csv, trend_document
from analysis.report.trend_page import trend_html
from analysis.trend import Trend


def report_files(analysis: Analysis, html: bool = True) -> dict[str, str]:
    """Make the contents of ``report.html``, ``report.json``, ``reps.csv``, ``angles.csv``.

    `imu.storage.write_files` writes them, all or none.

    Parameters
    ----------
    analysis : Analysis
        What is shown.
    html : bool
        Whether the page is made; its figures take longer than all the rest.
    """
    document = report_document(analysis)
    page = {"report.html": report_html(analysis, document)} if html else {}
    return {
        **page,
        "report.json": report_json(document),
        "reps.csv": reps_csv(analysis.sets),
        "angles.csv": angles_csv(analysis.sets),
    }


def trend_files(trend: Trend, refused: Mapping[str, str]) -> dict[str, str]:
    """Make the contents of ``trend.html``, ``trend.json`` and ``trend.csv``.

    Parameters
    ----------
    trend : Trend
        One person's sessions.
    refused : Mapping of str to str
        Sessions that could not be analysed, and why.
    """
    document = trend_document(trend, refused)
    return {
        "trend.html": trend_html(trend, document, refused),
        "trend.json": report_json(document),
        "trend.csv": trend_csv(trend),
    }


def reliability_files(found: Reliability, refused: Mapping[str, str]) -> dict[str, str]:
    """Make the contents of ``reliability.html``, ``reliability.json`` and ``limits.toml``."""
    document = reliability_document(found, refused)
    return {
        "reliability.html": reliability_html(found, document, refused),
        "reliability.json": report_json(document),
        "limits.toml": limits_toml(found),
    }
