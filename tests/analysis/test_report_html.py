"""The page: well formed, self-contained, readable by eye and by ear, small; text stays text."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from analysis.report import html as html_module
from analysis.report.curves import evenly, side_curves
from analysis.report.document import report_document
from analysis.report.figures import draw_panels
from analysis.report.html import report_html
from imu.recording import Event, SensorInfo
from tests.analysis.examples import make_analysis, make_pair, make_set, make_turns
from tests.analysis.examples import named_examples as examples

VOID = {"meta", "br", "link", "img", "input", "hr"}
NAMES = sorted(set(examples()) - {"long"})
EVIL = "<script>alert('x')</script>\"'&{{ 7*7 }}$x^2$"


class Page(HTMLParser):
    """Checks the nesting of tags and gathers what the tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def words(self):
        return " ".join(" ".join(self.text).split())


def page_of(analysis):
    return report_html(analysis, report_document(analysis))


@pytest.fixture(scope="module")
def pages():
    return {name: page_of(analysis) for name, analysis in examples().items()}


@pytest.mark.parametrize("name", NAMES)
def test_page_is_well_formed_and_needs_nothing_else(pages, name):
    page = Page(pages[name])
    assert len(page.ids) == len(set(page.ids))
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "img")
        assert not any(key.startswith("on") for key in attrs)
        for key in ("href", "src", "xlink:href"):
            assert attrs.get(key, "#").startswith("#")
            assert attrs.get(key, "#")[1:] in {*page.ids, ""}
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", pages[name])
    assert "default-src 'none'" in pages[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_itself(pages, name):
    page = Page(pages[name])
    figures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(figures) == len(draw_panels(examples()[name]))
    for attrs in figures:
        assert attrs["role"] == "img"
        assert set(attrs["aria-labelledby"].split()) <= set(page.ids)
    for svg in re.findall(r"<svg.*?</svg>", pages[name], re.DOTALL):
        description = re.search(r"<desc[^>]*>(.+?)</desc>", svg, re.DOTALL)
        assert re.search(r"\d|no counted", description[1])


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_sound_xml_without_fixed_black_or_white(pages, name):
    for svg in re.findall(r"<svg.*?</svg>", pages[name], re.DOTALL):
        named = svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)
        ET.fromstring(named)
        assert not re.search(r"#(000000|ffffff)\b|(fill|stroke): (black|white)", svg)


def test_every_table_has_a_caption_and_scoped_heads(pages):
    page = Page(pages["markers"])
    tables = [tag for tag, _ in page.tags].count("table")
    assert tables == [tag for tag, _ in page.tags].count("caption") >= 5
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("matched", "= matched Range: right 34.1°, left 33.3°. These two sets differ by 0.8°"),
        ("different", "≠ different Range: right 34.7°, left 22.6°. In these two sets the"),
        ("inconclusive", "? inconclusive Range: right 33.1°, left 26.7°. In these two sets"),
        ("one_sided", "Right side only: range 33.3° ± 1.1° over 8 counted repetitions."),
        ("one_rep", "? inconclusive Range: right 32.3°, left 32.1°. Inconclusive: fewer than 3"),
        ("no_rep", "? inconclusive Range: right 32.2°, left –. Inconclusive: fewer than 3"),  # noqa: RUF001
    ],
)  # fmt: skip
def test_the_verdict_comes_first_in_words(pages, name, starts):
    words = Page(pages[name]).words()
    body = words[words.index("2026-11-22-P01 ") :].removeprefix("2026-11-22-P01 ")
    assert body.startswith(starts)


def test_the_head_says_how_many_were_clean_and_what_was_assumed(pages):
    words = Page(pages["different"]).words()
    head = words[: words.index("What to work on")]
    assert "Clean repetitions: right 8 of 8, left 3 of 8." in head
    assert "Assumed: the first turn was inward; the pelvis sensor sits straight." in head


def test_raw_speeds_stay_in_the_table_and_are_not_judged(pages):
    text = pages["different"]
    (row,) = re.findall(r"<tr><th scope=.row.>Mean speed inward, °/s.*?</tr>", text)
    assert "not judged" in row
    assert 'class="state' not in row


def test_a_poor_recording_is_said_at_the_top(pages):
    words = Page(pages["poor"]).words()
    assert words.index("The recording of the left side is poor") < words.index("What to work on")


def test_only_one_line_says_it_is_no_medical_device(pages):
    assert Page(pages["matched"]).words().count("Not a medical device") == 1
    assert "40 %" in pages["matched"]


def test_text_from_outside_stays_text():
    analysis = make_pair(
        make_turns(), make_turns(),
        events=[Event("left", 4.0, "pain", 6.0, EVIL), Event(EVIL, 4.0, "note", None, EVIL)],
        subject=EVIL, notes=EVIL, started=EVIL,
        sensors={EVIL: SensorInfo(EVIL, EVIL, EVIL, 60.0, 50.0)},
    )  # fmt: skip
    text = page_of(replace(analysis, name=EVIL))
    page = Page(text)
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.words().count(EVIL) >= 8


def test_markers_are_shown_in_the_arc_and_in_words(pages):
    text = pages["markers"]
    right = re.search(r'aria-labelledby="curves-right-t.*?</svg>', text, re.DOTALL)[0]
    assert ">pain</text>" in right
    assert "pain at 30.9° in repetition 2" in right
    assert ">pinch</text>" not in right
    words = Page(text).words()
    assert "repetition 2, while turning in" in words
    assert "shoes on" in words


def test_sides_differ_by_colour_dash_and_letter(pages):
    text = pages["matched"]
    assert "--right: #0072B2; --left: #D55E00" in text
    for side, letter, dashed in (("right", "R", False), ("left", "L", True)):
        svg = re.search(rf'aria-labelledby="curves-{side}-t.*?</svg>', text, re.DOTALL)[0]
        mean = re.search(r'<path [^>]*style="([^"]*stroke-width: 2[;"][^>]*)', svg, re.DOTALL)[1]
        assert f"var(--{side})" in mean
        assert ("stroke-dasharray" in mean) == dashed
        assert f">{letter}</text>" in svg


def test_states_are_said_by_icon_and_word(pages):
    for state in re.findall(r'<span class="state [a-z_]*">(.*?)</span> ([a-z ]+)</span>',
                            pages["different"]):  # fmt: skip
        assert "aria-hidden" in state[0]
        assert state[1] in ("different", "matched", "inconclusive", "clean", "compensated", "good")


def test_method_names_versions_and_input(pages):
    words = Page(pages["matched"]).words()
    assert "hiprot 0." in words
    assert "matplotlib" in words
    assert "ab" * 32 in words
    assert "LSI = 100 · worse / better" in words


def test_the_same_analysis_gives_the_same_page():
    analysis = examples()["markers"]
    assert page_of(analysis) == page_of(analysis)


@pytest.mark.parametrize(("reps", "sets"), [(200, 1), (120, 5), (2, 60)])
def test_the_page_stays_below_a_megabyte(reps, sets):
    many = [
        make_set(side, make_turns(reps, seed=i), name=side if i == 0 else f"{side}-{i + 1}")
        for side in ("left", "right")
        for i in range(sets)
    ]
    events = [Event("left", 4.0, "note", None, "x" * 5000)] * 500
    text = page_of(make_analysis(many, events=events, notes="y" * 10**6))
    assert len(text.encode()) < 1_000_000
    Page(text)


def test_a_cut_table_says_so(monkeypatch):
    monkeypatch.setattr(html_module, "MAX_ROWS", 6)
    words = Page(page_of(make_pair(make_turns(8), make_turns(8)))).words()
    assert "The first 3 of 8; all are in reps.csv." in words


def test_curves_end_where_they_began_and_peak_at_the_range():
    one = make_set("right", make_turns(5, return_error_deg=0.0, spread=0.0, rom_deg=30.0))
    curves = side_curves([one], "right")
    assert curves.ir_deg.shape == (5, 101)
    assert curves.mean()[0].max() == pytest.approx(30.0, abs=0.05)
    assert abs(curves.ir_deg[:, [0, -1]]).max() < 0.1
    assert curves.spread_deg().max() < 0.05
    # Minimum jerk: the peak speed is 1.875 times the mean one.
    assert curves.speed_deg_s.max() == pytest.approx(1.875 * 30 / 2.0, rel=0.02)


def test_curves_leave_out_what_does_not_count():
    turns = make_turns(4)
    turns[1] = replace(turns[1], verdict="not_counted")
    assert len(side_curves([make_set("left", turns)], "left").ir_deg) == 3
    assert len(side_curves([make_set("left", turns)], "right").ir_deg) == 0


def test_evenly_keeps_first_and_last():
    assert list(evenly(5, 9)) == [0, 1, 2, 3, 4]
    chosen = evenly(1000, 40)
    assert (chosen[0], chosen[-1], len(chosen)) == (0, 999, 40)
