"""The report as an A4 document."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from singcoach import __version__
from singcoach.core.assessment import Assessment
from singcoach.core.scores import DIMENSIONS, DimensionScore
from singcoach.core.take import Take
from singcoach.core.wording import clock
from singcoach.files import write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.report.document import clean_text
from singcoach.report.figures import Moment, PitchRow, moments, pitch_rows
from singcoach.report.html import language_of, meta_line
from singcoach.report.pdf_fonts import REGULAR, markup, register_own_fonts
from singcoach.report.prose import critique_sentences, exercise_parts
from singcoach.report.sections import recording_facts, warnings_of
from singcoach.report.wording import DASH, ReportWords, joined, words_of

_MARGIN = 48.0
_PADDING = 6.0  # what reportlab's frames keep free inside the margins
_WIDTH = 595.27 - 2 * _MARGIN


def write_pdf(
    path: Path,
    assessment: Assessment,
    take: Take,
    *,
    title: str = "",
    language: str | None = None,
    job: Job = NO_JOB,
) -> None:
    """Write the report of one take to ``path``, whole or not at all.

    The same assessment gives the same bytes (no date inside). ``title`` is the headline, the file
    name when empty; ``language`` is that of the feedback when None, or English without one.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    content = render_pdf(assessment, take, title=title, language=language, job=job)
    write_whole(path, content)


def render_pdf(
    assessment: Assessment,
    take: Take,
    *,
    title: str = "",
    language: str | None = None,
    job: Job = NO_JOB,
) -> bytes:
    """Return the report as PDF bytes."""
    from reportlab.platypus import SimpleDocTemplate

    register_own_fonts()
    words = words_of(language or language_of(assessment))
    title = clean_text(title or assessment.input.file)
    marks = moments(assessment.scores, assessment.feedback)
    job.report(0.0, "report")
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=(595.27, 841.89),
        leftMargin=_MARGIN - _PADDING,
        rightMargin=_MARGIN - _PADDING,
        topMargin=46,
        bottomMargin=48,
        title=title,
        author="SingCoach",
        subject=words.say("subject"),
        lang=words.language,
        creator=f"SingCoach {__version__}",
        invariant=1,
    )
    story = _story(assessment, take, title, marks, _Styles(words))
    frame = partial(_page_foot, title=title, words=words)
    job.report(0.3, "report")
    document.build(story, onFirstPage=frame, onLaterPages=partial(_later_page, frame, job))
    job.report(1.0, "report")
    return target.getvalue()


def _later_page(frame: Any, job: Job, canvas: Any, document: Any) -> None:
    job.report(0.6, "report")
    frame(canvas, document)


def _page_foot(canvas: Any, document: Any, *, title: str, words: ReportWords) -> None:
    from singcoach.report.pdf_figures import SOFT, draw_text

    short = title if len(title) <= 70 else f"{title[:69]}…"
    foot = f"SingCoach · {short}"
    draw_text(canvas, _MARGIN, 28, foot, size=7, color=SOFT, language=words.language)
    right = _MARGIN + _WIDTH
    draw_text(canvas, right, 28, str(document.page), size=7, color=SOFT, align="right")


class _Styles:
    """How paragraphs look and what language they are in."""

    def __init__(self, words: ReportWords) -> None:
        from reportlab.lib.styles import ParagraphStyle

        from singcoach.report.pdf_figures import ACCENT, INK, SOFT

        self.words = words
        # Japanese and Chinese break between any two characters.
        wrap = None if words.coach.between_sentences else "CJK"
        base = {"fontName": REGULAR, "textColor": INK, "wordWrap": wrap, "splitLongWords": 1}
        base["bulletFontName"] = REGULAR

        def style(name: str, **changes: Any) -> Any:
            return ParagraphStyle(name, **{**base, **changes})

        self.brand = style("brand", fontSize=9, leading=12, textColor=ACCENT)
        self.title = style("title", fontSize=18, leading=22)
        self.meta = style("meta", fontSize=9, leading=13, textColor=SOFT, spaceAfter=8)
        self.head = style("head", fontSize=12.5, leading=16, spaceBefore=14, spaceAfter=5)
        self.body = style("body", fontSize=9.2, leading=13.6, spaceAfter=4)
        self.lead = style("lead", fontSize=10.2, leading=15, spaceAfter=6)
        self.small = style("small", fontSize=7.6, leading=10.6, textColor=SOFT)
        self.step = style("step", fontSize=8.6, leading=12.2, leftIndent=12, bulletIndent=0)
        self.big = style("big", fontSize=30, leading=36)
        self.card = style("card", fontSize=8.6, leading=11.5)
        self.number = style("number", fontSize=17, leading=22)
        self.cell = style("cell", fontSize=7.8, leading=10.4)
        self.notice = style(
            "notice", fontSize=9, leading=13, borderPadding=5, backColor="#fbe9de", spaceBefore=8
        )

    def markup(self, text: str, *, bold: bool = False) -> str:
        """Escape a text, with the fonts that it needs."""
        return markup(text, bold=bold, language=self.words.language)

    def paragraph(self, text: str, style: Any, *, bold: bool = False, **options: Any) -> Any:
        """Set a text as a paragraph."""
        from reportlab.platypus import Paragraph

        return Paragraph(self.markup(text, bold=bold), style, **options)


def _story(
    assessment: Assessment, take: Take, title: str, marks: Sequence[Moment], styles: _Styles
) -> list[Any]:
    from reportlab.platypus import KeepTogether, Spacer

    words = styles.words
    story: list[Any] = [
        styles.paragraph("SingCoach", styles.brand, bold=True),
        styles.paragraph(title, styles.title, bold=True),
        styles.paragraph(meta_line(assessment, words), styles.meta),
        _hero(assessment, styles),
        Spacer(1, 10),
    ]
    scored = any(s.score is not None for s in assessment.scores.dimensions.values())
    if scored:
        story.append(_cards(assessment, styles))
    feedback = assessment.feedback
    if feedback is not None:
        if feedback.critique:
            story += _head("coach", styles)
            story += [styles.paragraph(s, styles.body) for s in critique_sentences(feedback)]
        insufficient = assessment.screening.verdict == "insufficient"
        head = _head("next_take" if insufficient else "practise", styles)[1:]
        for number, suggestion in enumerate(feedback.suggestions, start=1):
            text = f"{number}. {suggestion.text}"
            block = head if number == 1 else []  # the heading stays with what it is about
            block += [styles.paragraph(text, styles.body, bold=True)]
            block += _exercise(suggestion.exercise, styles)
            story.append(KeepTogether([*block, Spacer(1, 6)]))
    rows = pitch_rows(take, marks)
    if rows:
        story += _pitch(rows, styles)
    if marks:
        story += _head("moments", styles)
        story.append(_moment_table(marks, styles))
    story += _recording(assessment, take, styles)
    story += _sure(assessment, styles)
    story += _tables(assessment, styles)
    return story


def _head(key: str, styles: _Styles) -> list[Any]:
    """Heading that does not stand alone at the foot of a page."""
    from reportlab.platypus import CondPageBreak

    return [CondPageBreak(90), styles.paragraph(styles.words.say(key), styles.head, bold=True)]


def _hero(assessment: Assessment, styles: _Styles) -> Any:
    from reportlab.platypus import Paragraph, Table

    from singcoach.report.pdf_figures import RadarFigure

    overall, screening, words = assessment.scores.overall, assessment.screening, styles.words
    left: list[Any] = [styles.paragraph(words.say("overall"), styles.meta)]
    if overall.score is None or overall.low is None or overall.high is None:
        left.append(styles.paragraph(words.say("verdict_insufficient"), styles.title, bold=True))
        left.append(styles.paragraph(words.told(overall.reason or ""), styles.meta))
    else:
        left.append(Paragraph(_points(overall.score, styles, size=12), styles.big))
        left.append(styles.paragraph(_probably(overall.low, overall.high, words), styles.meta))
    if assessment.feedback is not None:
        left.append(styles.paragraph(assessment.feedback.summary, styles.lead))
    told = overall.score is None and assessment.feedback is not None  # the summary says why
    if screening.verdict != "pass" and not told:
        reasons = joined(map(words.told, screening.reasons), words)
        verdict = styles.markup(words.say(f"verdict_{screening.verdict}"), bold=True)
        left.append(Paragraph(f"{verdict}<br/>{styles.markup(reasons)}", styles.notice))
    if all(score.score is None for score in assessment.scores.dimensions.values()):
        return Table([[left]], colWidths=[_WIDTH], style=_plain_table())
    right = RadarFigure(assessment.scores.dimensions, words)
    return Table([[left, right]], colWidths=[_WIDTH - 245, 245], style=_plain_table())


def _points(score: float, styles: _Styles, *, size: int) -> str:
    number = styles.markup(styles.words.score(score), bold=True)
    return f'{number} <font size="{size}">{styles.markup(styles.words.say("out_of"))}</font>'


def _probably(low: float, high: float, words: ReportWords) -> str:
    return words.say("probably", range=words.range(low, high))


def _plain_table() -> list[tuple[Any, ...]]:
    return [
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]


def _cards(assessment: Assessment, styles: _Styles) -> Any:
    from reportlab.platypus import Table

    from singcoach.report.pdf_figures import LINE

    width = _WIDTH / 4
    cells = [
        _card(styles.words.dimension(name), assessment.scores.dimensions[name], width, styles)
        for name in DIMENSIONS
    ]
    style = [("BOX", (index, 0), (index, 0), 0.6, LINE) for index in range(4)] + [
        ("VALIGN", (0, 0), (-1, -1), "TOP")
    ]
    return Table([cells], colWidths=[width] * 4, style=style)


def _card(name: str, score: DimensionScore, width: float, styles: _Styles) -> list[Any]:
    from reportlab.platypus import Paragraph

    from singcoach.report.pdf_figures import ScaleFigure

    words = styles.words
    parts = [styles.paragraph(name, styles.card, bold=True)]
    if score.score is None or score.low is None or score.high is None:
        parts.append(styles.paragraph(words.say("not_scored"), styles.card))
        parts.append(styles.paragraph(words.told(score.reason or ""), styles.small))
        return parts
    parts.append(Paragraph(_points(score.score, styles, size=9), styles.number))
    parts.append(ScaleFigure(score.score, score.low, score.high, width=width - 14))
    parts.append(styles.paragraph(_probably(score.low, score.high, words), styles.small))
    return parts


def _exercise(text: str, styles: _Styles) -> list[Any]:
    if not text.strip():
        return []
    parts = exercise_parts(text)
    story = []
    if parts.title:
        story.append(styles.paragraph(parts.title, styles.card, bold=True))
    story += [styles.paragraph(line, styles.card) for line in parts.paragraphs]
    story += [
        styles.paragraph(step, styles.step, bulletText=f"{number}.")
        for number, step in enumerate(parts.steps, start=1)
    ]
    story += [styles.paragraph(line, styles.small) for line in parts.cautions]
    return story


def _pitch(rows: Sequence[PitchRow], styles: _Styles) -> list[Any]:
    from reportlab.platypus import KeepTogether, Spacer

    from singcoach.report.pdf_figures import PitchFigure

    words = styles.words
    seconds = max(10.0, *(row.duration_s for row in rows))
    legend = [words.say("pitch_key")]
    if any(row.song_notes for row in rows):
        legend.append(words.say("pitch_key_song"))
    figures = [PitchFigure(row, width=_WIDTH, seconds=seconds) for row in rows]
    first = KeepTogether(
        [
            *_head("pitch", styles)[1:],
            styles.paragraph(joined(legend, words), styles.small),
            figures[0],
        ]
    )
    story: list[Any] = [first]
    for figure in figures[1:]:
        story += [Spacer(1, 6), figure]
    return story


def _moment_table(marks: Sequence[Moment], styles: _Styles) -> Any:
    words, rows = styles.words, []
    for moment in marks:
        item = moment.evidence
        effect = "raised_name" if item.effect >= 0 else "lowered_name"
        rows.append(
            (
                str(moment.number),
                f"{clock(item.start_s)}–{clock(item.end_s)}",
                words.say(effect, name=words.dimension(moment.dimension)),
                words.evidence(item),
            )
        )
    head = ("", "col_time", "col_effect", "col_measured")
    return _table(head, rows, (20, 62, 145, 272), styles)


def _recording(assessment: Assessment, take: Take, styles: _Styles) -> list[Any]:
    words = styles.words
    rows = list(recording_facts(assessment, take, words))
    rows += [(words.say("note"), warning) for warning in warnings_of(assessment, words)]
    return [*_head("recording", styles), _table((), rows, (150, 349), styles)]


def _sure(assessment: Assessment, styles: _Styles) -> list[Any]:
    words, scores, rows = styles.words, assessment.scores, []
    lines = (*words.honesty, *map(words.told, dict.fromkeys(scores.warnings)))
    named = [(words.dimension(name), scores.dimensions[name]) for name in DIMENSIONS]
    for name, score in (*named, (words.say("overall"), scores.overall)):
        source = " + ".join(part for part in (score.head, score.encoder) if part)
        if score.score is None or score.low is None or score.high is None:
            rows.append((name, DASH, DASH, source))
        else:
            interval = f"{words.exact(score.low)}–{words.exact(score.high)}"
            rows.append((name, words.exact(score.score), interval, source))
    head = ("col_score", "col_value", "col_range", "col_from")
    return [
        *_head("sure", styles),
        *(styles.paragraph(line, styles.body) for line in lines),
        _table(head, rows, (140, 60, 80, 219), styles),
    ]


def _tables(assessment: Assessment, styles: _Styles) -> list[Any]:
    words = styles.words
    story: list[Any] = []
    if assessment.scores.measures:
        rows = [
            (
                words.label(name),
                words.quantity(measure.value, measure.unit),
                DASH if measure.percentile is None else f"{measure.percentile:.0f}",
                words.explanation(name),
            )
            for name, measure in sorted(assessment.scores.measures.items())
        ]
        head = ("col_measure", "col_value", "col_percentile", "col_meaning")
        story += [*_head("measures", styles), _table(head, rows, (140, 75, 55, 229), styles)]
    if assessment.models:
        rows = [
            (f"{m.id} {m.version}", words.role(m.role), m.licence, m.provider)
            for m in assessment.models
        ]
        head = ("col_model", "col_part", "col_licence", "col_runs_on")
        story += [*_head("models", styles), _table(head, rows, (180, 110, 90, 119), styles)]
    return story


def _table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    styles: _Styles,
) -> Any:
    """A table; ``head`` are the keys of its titles, an empty one for no title."""
    from reportlab.platypus import Table

    from singcoach.report.pdf_figures import LINE

    titles = [styles.words.say(key) if key else "" for key in head]
    cells = [[styles.paragraph(title, styles.small, bold=True) for title in titles]] if head else []
    cells += [[styles.paragraph(word, styles.cell) for word in row] for row in rows]
    style = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    return Table(cells, colWidths=list(widths), repeatRows=1 if head else 0, style=style)
