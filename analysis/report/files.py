"""Analysis -> the four files of a report, as text by name."""

from __future__ import annotations

from analysis.pipeline import Analysis
from analysis.report.document import report_document, report_json
from analysis.report.html import report_html
from analysis.report.tables import angles_csv, reps_csv


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
