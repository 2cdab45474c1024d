"""The folder on disk, which is the database: ``PERSON/SESSION/`` with the session's files.

Nothing is kept beside it: a folder that is deleted is gone, and one that another program put there
appears. What a list shows of a session is read from its ``report/report.json``, made when the
session was last analysed; the files themselves are only read when it is opened.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.pipeline import Analysis, analyse
from analysis.reasons import worst_grade
from analysis.report.files import report_files, trend_files
from analysis.settings import Settings
from analysis.trend import trend_of
from analysis.visits import Visit, visit_of
from imu.errors import CallError, HiprotError, RecordingError
from imu.recording import Session, SessionInfo
from imu.storage.files import list_folder, reporting, write_files
from imu.storage.journal import read_info, update_info
from imu.storage.session import fingerprint, is_session, read_session

NAME = re.compile(r"[\w][\w .()+-]{0,63}")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MOST_KEPT = 16  # analyses in memory
MAX_REPORT = 16 * 2**20
REPORT = "report"


def checked_name(name: str) -> str:
    """Check a name that is to become a folder's.

    Raises
    ------
    CallError
        It is no such name: a path, a name that Windows reserves, or too long.

    Examples
    --------
    >>> checked_name(" P01 ")
    'P01'
    """
    name = name.strip()
    if not NAME.fullmatch(name) or name.endswith((".", " ")) or RESERVED.fullmatch(name):
        remedy = "Letters, digits, blanks and . - ( ) +, at most 64."
        raise CallError(f"{name[:40]!r} cannot name a folder. {remedy}")
    return name


class Library:
    """People and their sessions below one folder.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    settings : Settings
        Limits of verdicts and flags.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self._made: dict[Path, tuple[str, Analysis]] = {}
        self._lock = threading.Lock()

    # --- people

    def people(self) -> dict[str, Any]:
        """List people, the one seen last first, and what could not be read."""
        broken: list[dict[str, str]] = []
        people: list[dict[str, Any]] = []
        for path in self._folders(self.folder):
            try:
                sessions = self._sessions(path)
            except HiprotError as error:
                broken.append({"path": path.name, "why": str(error)})
                continue
            broken += [
                {"path": f"{path.name}/{one['name']}", "why": one["broken"]}
                for one in sessions
                if one["broken"]
            ]
            people.append(
                {
                    "name": path.name,
                    "sessions": len(sessions),
                    "last": _last(sessions),
                    "trend": [one["difference"] for one in reversed(sessions)],
                }
            )
        people.sort(key=lambda one: (one["last"] or {}).get("started") or "", reverse=True)
        return {"people": people, "broken": broken}

    def add_person(self, name: str) -> str:
        """Make a person's folder.

        Raises
        ------
        CallError
            The name cannot be used, or is given.
        MachineError
            It cannot be made.
        """
        name = checked_name(name)
        if any(one.name.casefold() == name.casefold() for one in self._folders(self.folder)):
            raise CallError(f"{name} is there already. Choose another code.")
        _make(self.folder / name)
        return name

    def person(self, name: str) -> dict[str, Any]:
        """Tell of one person, the newest session first."""
        sessions = self._sessions(self.person_folder(name))
        usable = sum(one["headline"] is not None for one in sessions)
        return {"name": name, "sessions": sessions, "trend": usable > 1}

    def add_session(self, person: str, context: str | None = None) -> str:
        """Make a session's folder, named by the time, with what is known already."""
        folder = self.person_folder(person)
        started = datetime.now().astimezone()
        stem = started.strftime("%Y-%m-%d %H%M")
        taken = {one.name for one in self._folders(folder)}
        names = (stem if n == 1 else f"{stem} ({n})" for n in range(1, len(taken) + 2))
        name = next(one for one in names if one not in taken)
        _make(folder / name)
        info = SessionInfo(
            subject=person, started=started.isoformat(timespec="seconds"), context=context or None
        )
        update_info(folder / name, info)
        return name

    # --- places

    def person_folder(self, person: str) -> Path:
        """Find a person's folder; no path out of the library is one.

        Raises
        ------
        CallError
            There is none.
        """
        return self._inside(self.folder, person, "person")

    def session_folder(self, person: str, session: str) -> Path:
        """Find a session's folder.

        Raises
        ------
        CallError
            There is none.
        """
        return self._inside(self.person_folder(person), session, "session")

    def _inside(self, parent: Path, name: str, what: str) -> Path:
        # Compared with the names that are there, never joined from what was asked for.
        for path in self._folders(parent):
            if path.name == name:
                return path
        raise CallError(f"there is no {what} {name[:60]!r} here.")

    @staticmethod
    def _folders(parent: Path) -> list[Path]:
        """List folders, without hidden ones and links: those may lead anywhere."""
        if not parent.is_dir():
            return []
        paths = [parent / name for name in list_folder(parent) if not name.startswith(".")]
        return [path for path in paths if path.is_dir() and not path.is_symlink()]

    # --- sessions

    def _sessions(self, folder: Path) -> list[dict[str, Any]]:
        found = [_listed(path) for path in self._folders(folder) if path.name != "trend"]
        found.sort(key=lambda one: one["started"] or "", reverse=True)
        return found

    def analysis(self, folder: Path) -> Analysis:
        """Analyse a session, unless that was done and nothing has changed.

        Raises
        ------
        RecordingError, MachineError
            It cannot be used.
        """
        mark = fingerprint(folder)
        known = self._made.get(folder)
        if known is not None and known[0] == mark:
            return known[1]
        found = analyse(read_session(folder), self.settings)
        self._made[folder] = (mark, found)
        while len(self._made) > MOST_KEPT:
            self._made.pop(next(iter(self._made)))
        return found

    def report(self, folder: Path) -> str:
        """Bring a session's report up to date, and return its page."""
        with self._lock:  # matplotlib draws one page at a time
            found = self.analysis(folder)
            path = folder / REPORT / "report.html"
            if not _is_of(folder, found):
                files = report_files(found)
                write_files({folder / REPORT / name: text for name, text in files.items()})
                return files["report.html"]
            return path.read_text(encoding="utf-8")

    def trend(self, person: str) -> str:
        """Hold a person's sessions against each other, and return the page."""
        visits: list[Visit] = []
        refused: dict[str, str] = {}
        for path in self._folders(self.person_folder(person)):
            if not is_session(list_folder(path)):
                continue
            try:
                visits.append(visit_of(self.analysis(path)))
            except RecordingError as error:
                refused[path.name] = str(error)
        with self._lock:
            return trend_files(trend_of(visits, self.settings, None), refused)["trend.html"]

    def recorded(self, folder: Path) -> Session | None:
        """Read a session; None while it has no set."""
        has_set = any(name.startswith(("left", "right")) for name in list_folder(folder))
        return read_session(folder) if has_set else None

    def info(self, folder: Path) -> SessionInfo:
        """Read a session's ``session.json``."""
        return read_info(folder)

    def earlier(self, person: str, session: str) -> Iterator[Path]:
        """Yield a person's other sessions, the newest first."""
        folder = self.person_folder(person)
        for one in self._sessions(folder):
            if one["name"] != session:
                yield folder / one["name"]


def _make(folder: Path) -> None:
    with reporting(folder, "made"):
        folder.mkdir(parents=True)


def _listed(folder: Path) -> dict[str, Any]:
    """Tell of a session what a list shows; why, where it cannot be read."""
    shown: dict[str, Any] = {
        "name": folder.name,
        "started": None,
        "context": None,
        "headline": None,
        "grade": None,
        "difference": None,
        "sides": [],
        "broken": None,
    }
    try:
        names = list_folder(folder)
        shown["sides"] = [one for one in ("left", "right") if any(n.startswith(one) for n in names)]
        info = read_info(folder)
        shown |= {"started": info.started, "context": info.context}
        report = _report_of(folder)
        if report is not None:
            shown |= _headline(report)
    except HiprotError as error:
        shown["broken"] = str(error)
    return shown


def _report_of(folder: Path) -> Mapping[str, Any] | None:
    """Read ``report/report.json``; None where there is none that is ours."""
    path = folder / REPORT / "report.json"
    try:
        if path.stat().st_size > MAX_REPORT:
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    ours = isinstance(document, dict) and str(document.get("schema", "")).startswith("hiprot.")
    return document if ours else None


def _headline(report: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a report what a list shows; nothing where it is built otherwise."""
    try:
        sides = report["sides"]
        grades = [sides[one]["quality"]["grade"] for one in sides]
        rom = report.get("symmetry", {}).get("range", {}).get("rom_deg")
        means = {one: sides[one]["summary"]["measures"]["rom_deg"]["mean"] for one in sides}
        said = ", ".join(f"{one} {mean:.0f}°" for one, mean in means.items() if mean is not None)
        verdict = f": {rom['verdict'].replace('_', ' ')}" if rom else ""
        return {
            "headline": f"{said.capitalize()}{verdict}",
            "grade": worst_grade(grades),
            "difference": rom["difference"] if rom else None,
        }
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}


def _is_of(folder: Path, found: Analysis) -> bool:
    """Whether the report on disk is of these very files."""
    report = _report_of(folder)
    session = (report or {}).get("session", {})
    same = isinstance(session, dict) and session.get("sha256") == found.sha256
    return same and (folder / REPORT / "report.html").is_file()


def _last(sessions: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not sessions:
        return None
    one = sessions[0]
    return {"session": one["name"], **{key: one[key] for key in ("started", "headline", "grade")}}
