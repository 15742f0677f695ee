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
from singcoach.report import wording
from singcoach.report.document import clean_text
from singcoach.report.figures import Moment, PitchRow, moments, pitch_rows
from singcoach.report.pdf_fonts import REGULAR, markup, register_own_fonts
from singcoach.report.prose import critique_sentences, exercise_parts

_MARGIN = 48.0
_PADDING = 6.0  # what reportlab's frames keep free inside the margins
_WIDTH = 595.27 - 2 * _MARGIN


def write_pdf(
    path: Path, assessment: Assessment, take: Take, *, title: str = "", job: Job = NO_JOB
) -> None:
    """Write the report of one take to ``path``, whole or not at all.

    The same assessment gives the same bytes (no date inside). ``title`` is the headline, the file
    name when empty.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    write_whole(path, render_pdf(assessment, take, title=title, job=job))


def render_pdf(assessment: Assessment, take: Take, *, title: str = "", job: Job = NO_JOB) -> bytes:
    """Return the report as PDF bytes."""
    from reportlab.platypus import SimpleDocTemplate

    register_own_fonts()
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
        subject="Assessment of one take",
        creator=f"SingCoach {__version__}",
        invariant=1,
    )
    story = _story(assessment, take, title, marks)
    frame = partial(_page_foot, title=title)
    job.report(0.3, "report")
    document.build(story, onFirstPage=frame, onLaterPages=partial(_later_page, frame, job))
    job.report(1.0, "report")
    return target.getvalue()


def _later_page(frame: Any, job: Job, canvas: Any, document: Any) -> None:
    job.report(0.6, "report")
    frame(canvas, document)


def _page_foot(canvas: Any, document: Any, *, title: str) -> None:
    from singcoach.report.pdf_figures import SOFT, draw_text

    short = title if len(title) <= 70 else f"{title[:69]}…"
    draw_text(canvas, _MARGIN, 28, f"SingCoach · {short}", size=7, color=SOFT)
    right = _MARGIN + _WIDTH
    draw_text(canvas, right, 28, str(document.page), size=7, color=SOFT, align="right")


class _Styles:
    def __init__(self) -> None:
        from reportlab.lib.styles import ParagraphStyle

        from singcoach.report.pdf_figures import ACCENT, INK, SOFT

        base = {"fontName": REGULAR, "textColor": INK, "wordWrap": None, "splitLongWords": 1}

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


def _story(assessment: Assessment, take: Take, title: str, marks: Sequence[Moment]) -> list[Any]:
    from reportlab.platypus import KeepTogether, Paragraph, Spacer

    styles = _Styles()
    file = assessment.input
    meta = [wording.duration_text(file.duration_s), wording.KINDS[file.kind]]
    if assessment.screening.key is not None:
        meta.append(assessment.screening.key.name)
    story: list[Any] = [
        Paragraph(markup("SingCoach", bold=True), styles.brand),
        Paragraph(markup(title, bold=True), styles.title),
        Paragraph(markup(" · ".join(meta)), styles.meta),
        _hero(assessment, styles),
        Spacer(1, 10),
    ]
    scored = any(s.score is not None for s in assessment.scores.dimensions.values())
    if scored:
        story.append(_cards(assessment, styles))
    feedback = assessment.feedback
    if feedback is not None:
        if feedback.critique:
            story += _head("What your coach hears", styles)
            story += [Paragraph(markup(s), styles.body) for s in critique_sentences(feedback)]
        if feedback.suggestions:
            insufficient = assessment.screening.verdict == "insufficient"
            story += _head(wording.NEXT_TAKE if insufficient else wording.PRACTISE, styles)
        for number, suggestion in enumerate(feedback.suggestions, start=1):
            text = f"{number}. {suggestion.text}"
            block = [Paragraph(markup(text, bold=True), styles.body)]
            block += _exercise(suggestion.exercise, styles)
            story.append(KeepTogether([*block, Spacer(1, 6)]))
    rows = pitch_rows(take, marks)
    if rows:
        story += _pitch(rows, styles)
    if marks:
        story += _head("Moments behind the scores", styles)
        story.append(_moment_table(marks, styles))
    story += _recording(assessment, take, styles)
    story += _sure(assessment, styles)
    story += _tables(assessment, styles)
    return story


def _head(words: str, styles: _Styles) -> list[Any]:
    """Heading that does not stand alone at the foot of a page."""
    from reportlab.platypus import CondPageBreak, Paragraph

    return [CondPageBreak(90), Paragraph(markup(words, bold=True), styles.head)]


def _hero(assessment: Assessment, styles: _Styles) -> Any:
    from reportlab.platypus import Paragraph, Table

    from singcoach.report.pdf_figures import RadarFigure

    overall, screening = assessment.scores.overall, assessment.screening
    left: list[Any] = [Paragraph(markup("Overall"), styles.meta)]
    if overall.score is None or overall.low is None or overall.high is None:
        left.append(Paragraph(markup(wording.VERDICTS["insufficient"], bold=True), styles.title))
        left.append(Paragraph(markup(overall.reason or ""), styles.meta))
    else:
        score = markup(wording.score_text(overall.score), bold=True)
        left.append(Paragraph(f'{score} <font size="12">of 5</font>', styles.big))
        words = f"probably {wording.range_text(overall.low, overall.high)}"
        left.append(Paragraph(markup(words), styles.meta))
    if assessment.feedback is not None:
        left.append(Paragraph(markup(assessment.feedback.summary), styles.lead))
    told = overall.score is None and assessment.feedback is not None  # the summary says why
    if screening.verdict != "pass" and not told:
        reasons = " ".join(f"{r[:1].upper()}{r[1:].rstrip('.')}." for r in screening.reasons)
        verdict = markup(f"{wording.VERDICTS[screening.verdict]}.", bold=True)
        left.append(Paragraph(f"{verdict} {markup(reasons)}", styles.notice))
    if all(score.score is None for score in assessment.scores.dimensions.values()):
        return Table([[left]], colWidths=[_WIDTH], style=_plain_table())
    right = RadarFigure(assessment.scores.dimensions)
    return Table([[left, right]], colWidths=[_WIDTH - 245, 245], style=_plain_table())


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
        _card(wording.DIMENSION_NAMES[name], assessment.scores.dimensions[name], width, styles)
        for name in DIMENSIONS
    ]
    style = [("BOX", (index, 0), (index, 0), 0.6, LINE) for index in range(4)] + [
        ("VALIGN", (0, 0), (-1, -1), "TOP")
    ]
    return Table([cells], colWidths=[width] * 4, style=style)


def _card(name: str, score: DimensionScore, width: float, styles: _Styles) -> list[Any]:
    from reportlab.platypus import Paragraph

    from singcoach.report.pdf_figures import ScaleFigure

    parts = [Paragraph(markup(name, bold=True), styles.card)]
    if score.score is None or score.low is None or score.high is None:
        parts.append(Paragraph(markup("Not scored"), styles.card))
        parts.append(Paragraph(markup(score.reason or ""), styles.small))
        return parts
    number = markup(wording.score_text(score.score), bold=True)
    parts.append(Paragraph(f'{number} <font size="9">of 5</font>', styles.number))
    parts.append(ScaleFigure(score.score, score.low, score.high, width=width - 14))
    words = f"probably {wording.range_text(score.low, score.high)}"
    parts.append(Paragraph(markup(words), styles.small))
    return parts


def _exercise(text: str, styles: _Styles) -> list[Any]:
    from reportlab.platypus import Paragraph

    if not text.strip():
        return []
    parts = exercise_parts(text)
    story = []
    if parts.title:
        story.append(Paragraph(markup(parts.title, bold=True), styles.card))
    story += [Paragraph(markup(line), styles.card) for line in parts.paragraphs]
    story += [
        Paragraph(markup(step), styles.step, bulletText=f"{number}.")
        for number, step in enumerate(parts.steps, start=1)
    ]
    story += [Paragraph(markup(line), styles.small) for line in parts.cautions]
    return story


def _pitch(rows: Sequence[PitchRow], styles: _Styles) -> list[Any]:
    from reportlab.platypus import KeepTogether, Paragraph, Spacer

    from singcoach.report.pdf_figures import PitchFigure

    seconds = max(10.0, *(row.duration_s for row in rows))
    legend = (
        "Line: your pitch. Bars: notes, blue in tune, orange with an arrow down too low, "
        "purple with an arrow up too high. Brackets: phrases. Numbers: moments below."
    )
    if any(row.song_notes for row in rows):
        legend += " Dashed: written notes, in your octave."
    figures = [PitchFigure(row, width=_WIDTH, seconds=seconds) for row in rows]
    first = KeepTogether(
        [
            *_head("Your pitch over time", styles)[1:],
            Paragraph(markup(legend), styles.small),
            figures[0],
        ]
    )
    story: list[Any] = [first]
    for figure in figures[1:]:
        story += [Spacer(1, 6), figure]
    return story


def _moment_table(marks: Sequence[Moment], styles: _Styles) -> Any:
    rows = []
    for moment in marks:
        item = moment.evidence
        effect = "raised" if item.effect >= 0 else "lowered"
        rows.append(
            (
                str(moment.number),
                f"{clock(item.start_s)}–{clock(item.end_s)}",
                f"{effect} {wording.DIMENSION_NAMES[moment.dimension].lower()}",
                item.text,
            )
        )
    return _table(("", "Time", "Effect", "What was measured"), rows, (20, 62, 125, 292), styles)


def _recording(assessment: Assessment, take: Take, styles: _Styles) -> list[Any]:
    screening = assessment.screening
    rows = [
        ("Verdict", wording.VERDICTS[screening.verdict]),
        ("Sound of the recording", wording.quality_text(screening.recording_quality)),
        ("Sung tone", wording.duration_text(screening.voiced_s)),
        ("Pitch in order", wording.share_text(screening.pitch_accuracy, screening.pitch_reference)),
        (
            "Rhythm in order",
            wording.share_text(screening.rhythm_accuracy, screening.rhythm_reference),
        ),
        ("Notes and phrases", f"{len(take.notes)} notes, {len(take.phrases)} phrases"),
    ]
    beside = assessment.scores.warnings  # those stand beside the scores
    rows += [("Note", w) for w in dict.fromkeys(assessment.warnings) if w not in beside]
    return [*_head("The recording", styles), _table((), rows, (150, 349), styles)]


def _sure(assessment: Assessment, styles: _Styles) -> list[Any]:
    from reportlab.platypus import Paragraph

    rows = []
    scores = assessment.scores
    lines = (*wording.HONESTY, *(f"{w.rstrip('.')}." for w in dict.fromkeys(scores.warnings)))
    named = [(wording.DIMENSION_NAMES[name], scores.dimensions[name]) for name in DIMENSIONS]
    for name, score in (*named, ("Overall", scores.overall)):
        source = " + ".join(part for part in (score.head, score.encoder) if part)
        if score.score is None or score.low is None or score.high is None:
            rows.append((name, "–", "–", source))
        else:
            interval = f"{score.low:.2f}–{score.high:.2f}"
            rows.append((name, f"{score.score:.2f}", interval, source))
    return [
        *_head("How sure are we?", styles),
        *(Paragraph(markup(line), styles.body) for line in lines),
        _table(("Score", "Value", "80 % range", "From"), rows, (140, 60, 80, 219), styles),
    ]


def _tables(assessment: Assessment, styles: _Styles) -> list[Any]:
    story: list[Any] = []
    if assessment.scores.measures:
        rows = [
            (
                wording.label(name),
                wording.quantity_text(measure.value, measure.unit),
                "–" if measure.percentile is None else f"{measure.percentile:.0f}",
                wording.explanation(name),
            )
            for name, measure in sorted(assessment.scores.measures.items())
        ]
        head = ("Measure", "Value", "Percentile", "What it tells")
        story += [*_head("Measures", styles), _table(head, rows, (140, 75, 55, 229), styles)]
    if assessment.models:
        rows = [
            (f"{m.id} {m.version}", m.role.replace("_", " "), m.licence, m.provider)
            for m in assessment.models
        ]
        head = ("Model", "Part", "Licence", "Runs on")
        story += [*_head("Models", styles), _table(head, rows, (180, 110, 90, 119), styles)]
    return story


def _table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    styles: _Styles,
) -> Any:
    from reportlab.platypus import Paragraph, Table

    from singcoach.report.pdf_figures import LINE

    cells = [[Paragraph(markup(word, bold=True), styles.small) for word in head]] if head else []
    cells += [[Paragraph(markup(word), styles.cell) for word in row] for row in rows]
    style = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    return Table(cells, colWidths=list(widths), repeatRows=1 if head else 0, style=style)
