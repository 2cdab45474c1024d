"""Which track is which segment and side: by what people call their files."""

from __future__ import annotations

import re

WORDS = {
    "pelvis": r"pelvis|sacrum|sacral|lumbar|lower[ _-]?back|becken|kreuzbein|waist|bassin",
    "thigh": r"thigh|femur|upper[ _-]?leg|oberschenkel|cuisse|muslo",
    "shank": r"shank|tibia|lower[ _-]?leg|unterschenkel|calf|shin",
}
SIDE_WORDS = {
    "left": r"left|links|izquierd[ao]|gauche",
    "right": r"right|rechts|derech[ao]|droite",
}
EDGE_BEFORE, EDGE_AFTER = r"(?<![A-Za-z])", r"(?![a-z])"


def segment_of(name: str) -> str:
    """Tell the segment by a file's or sensor's name; empty where it says none, or several.

    Examples
    --------
    >>> segment_of("app_realtime_LFemur_2021.csv"), segment_of("Pelvis 2.csv"), segment_of("a.csv")
    ('thigh', 'pelvis', '')
    """
    found = [segment for segment, words in WORDS.items() if re.search(words, name, re.IGNORECASE)]
    return found[0] if len(found) == 1 else ""


def side_of(name: str) -> str:
    """Tell the side by a file's or sensor's name; empty where it says none, or both.

    Examples
    --------
    >>> side_of("LFemur_2021"), side_of("p01_right_thigh"), side_of("R-shank"), side_of("alright")
    ('left', 'right', 'right', '')
    """
    body = "|".join(WORDS.values())
    found = []
    for side, words in SIDE_WORDS.items():
        letter = side[0].upper()
        spelt = re.search(rf"{EDGE_BEFORE}({words})(?![a-z])", name, re.IGNORECASE)
        joined = re.search(rf"{EDGE_BEFORE}({words})(?={body})", name, re.IGNORECASE)
        short = re.search(
            rf"(?<![A-Za-z]){letter}(?=[ _.-]|(?i:{body}))(?![ _.-]\d*$)|"
            rf"(?<![A-Za-z])(?i:{letter})[ _-](?i:{body})",
            name,
        )
        if spelt or joined or short:
            found.append(side)
    return found[0] if len(found) == 1 else ""
