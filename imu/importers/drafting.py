"""A first mapping of a table that nobody has described: what it cannot know, it asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from imu.formats.csvfile import NUMBER
from imu.importers.mapped import ACC_UNITS, CLOCK_UNIT, GYR_UNITS, SAMPLES_UNIT, TIME_UNITS
from imu.importers.text import decode, separators_of


def draft(data: bytes, source: str) -> str:
    """Draft a mapping of a file.

    Parameters
    ----------
    data : bytes
        The file.
    source : str
        Its name.

    Returns
    -------
    str
        TOML; every line that rests on a guess says so.
    """
    text = decode(data[: 2**20], source)
    at = _header_line(text)
    rest = text.split("\n", at)[-1]
    separator, decimal = separators_of(rest)
    first, _, _ = rest.partition("\n")
    names = [one.strip(' "') for one in first.split(separator)]
    lines = [
        f"# A mapping of {json.dumps(source)} for hiprot import --format table --map THIS.",
        "# Units and signs decide the result: check every line against the maker's manual.",
        f"# Columns: {json.dumps(names, ensure_ascii=False)}",
        f"separator = {json.dumps(separator)}",
        f"decimal = {json.dumps(decimal)}",
        f"header_line = {at + 1}",
        *_draft_time(names),
    ]
    triples = _triples(names)
    acc = [one for one in triples if one[0] == "acc"] or [("acc", ("?", "?", "?"), "?")]
    gyr = [one for one in triples if one[0] == "gyr"] or [("gyr", ("?", "?", "?"), "?")]
    for number in range(max(len(acc), len(gyr))):
        segment = ("pelvis", "thigh", "shank")[min(number, 2)]
        lines += ["", "[[sensor]]", f"name = {json.dumps(segment)}  # a guess"]
        for kind, found in (("acc", acc), ("gyr", gyr)):
            _, columns, unit = found[min(number, len(found) - 1)]
            lines.append(f"{kind} = {json.dumps(list(columns), ensure_ascii=False)}")
            lines.append(f"{kind}_unit = {json.dumps(unit)}  # {_units_known(kind)}")
            lines.append(f"{kind}_sign = [1, 1, 1]")
    return "\n".join(lines) + "\n"


def _units_known(kind: str) -> str:
    return "one of " + ", ".join(ACC_UNITS if kind == "acc" else GYR_UNITS)


def _header_line(text: str) -> int:
    """Find the line before the first rows of numbers."""
    lines = text.split("\n")[:200]
    for number in range(1, len(lines)):
        cells = [one.strip(' "').replace(",", ".") for one in re.split(r"[;\t]", lines[number])]
        if len(cells) == 1:
            cells = [one.strip(' "') for one in lines[number].split(",")]
        if len(cells) > 3 and sum(bool(NUMBER.fullmatch(one)) for one in cells) > len(cells) / 2:
            return number - 1
    return 0


def _draft_time(names: Sequence[str]) -> list[str]:
    column = next((one for one in names if re.search(r"time|epoch|zeit", one, re.I)), "?")
    unit = next(
        (
            unit
            for unit, words in (("ms", r"\bms\b|milli|epoch"), ("us", r"\bus\b|µs|micro|fine"),
                                ("ns", r"\bns\b|nano"))
            if re.search(words, column, re.I)
        ),
        "s",
    )  # fmt: skip
    known = ", ".join((*TIME_UNITS, CLOCK_UNIT, SAMPLES_UNIT))
    return [
        "", "[time]", f"column = {json.dumps(column, ensure_ascii=False)}",
        f"unit = {json.dumps(unit)}  # a guess; one of {known} (then rate_hz, too)",
    ]  # fmt: skip


def _triples(names: Sequence[str]) -> list[tuple[str, tuple[str, str, str], str]]:
    """Find columns that differ in x, y, z alone, and tell acceleration from rate by their words."""
    found = []
    for name in names:
        for match in re.finditer(r"x", name, re.I):
            same = "X" if match[0] == "X" else "x"
            axes = ["XYZ", "xyz"][same == "x"]
            triple = tuple(name[: match.start()] + axis + name[match.end() :] for axis in axes)
            if set(triple) <= set(names):
                kind, unit = _kind(name)
                if kind:
                    found.append((kind, (triple[0], triple[1], triple[2]), unit))
                break
    return found


def _kind(name: str) -> tuple[str, str]:
    """Tell a column's quantity and unit by its words; the unit is ``?`` where it does not say."""
    low = name.lower()
    if re.search(r"free|linear|grav|mag|quat|euler", low):
        return "", ""
    if re.search(r"gyr|angular|rad/s|deg/s|°/s|dps|\bw_?x", low):
        unit = "rad/s" if "rad" in low else "deg/s" if re.search(r"deg|°|dps", low) else "?"
        return "gyr", unit
    if re.search(r"acc|\(g\)|m/s|\[g\]|mg\b", low):
        unit = "mg" if re.search(r"\bmg\b", low) else "g" if re.search(r"[(\[]g[)\]]", low) else ""
        return "acc", unit or ("m/s2" if "m/s" in low else "?")
    return "", ""
