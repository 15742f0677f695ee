"""The sections of the HTML report, each from values to markup; every text is escaped here."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Mapping, Sequence
from html import escape

from singcoach.audio.writing import Clip
from singcoach.core.assessment import Assessment, ModelUse
from singcoach.core.scores import (
    DIMENSIONS,
    Dimension,
    DimensionScore,
    Feedback,
    Measure,
    Scores,
    Suggestion,
)
from singcoach.core.take import Take
from singcoach.core.wording import clock
from singcoach.report import wording
from singcoach.report.figures import Moment, PitchRow
from singcoach.report.prose import critique_sentences, exercise_parts, linked_pieces
from singcoach.report.svg import pitch_row_svg, pixels_per_second, radar_svg


def text(value: str) -> str:
    """Escape ``value`` for markup; control characters become visible replacements."""
    return escape(
        "".join(
            "\N{REPLACEMENT CHARACTER}"
            if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"
            else c
            for c in value
        ),
        quote=True,
    )


def hero(assessment: Assessment) -> str:
    """Headline: overall score with its range, the summary, the radar chart."""
    scores, screening = assessment.scores, assessment.screening
    overall = scores.overall
    chart = radar_svg(scores.dimensions)
    if overall.score is None or overall.low is None or overall.high is None:
        top = (
            "<h2>Overall</h2>"
            f'<p class="big words">{text(wording.VERDICTS["insufficient"])}</p>'
            f'<p class="soft">{text(_sentence(overall.reason or ""))}</p>'
        )
    else:
        top = (
            "<h2>Overall</h2>"
            f'<p class="big">{wording.score_text(overall.score)} <small>of 5</small></p>'
            f'<p class="soft">probably {wording.range_text(overall.low, overall.high)}</p>'
        )
    summary = ""
    if assessment.feedback is not None:
        summary = f'<p class="summary">{text(assessment.feedback.summary)}</p>'
    notice = ""
    told = overall.score is None and assessment.feedback is not None  # the summary says why
    if screening.verdict != "pass" and not told:
        reasons = " ".join(_sentence(reason) for reason in screening.reasons)
        notice = (
            f'<p class="notice"><strong>{text(wording.VERDICTS[screening.verdict])}.</strong> '
            f"{text(reasons)}</p>"
        )
    figure = ""
    if chart:
        figure = (
            f'<figure>{chart}<figcaption class="caption soft small">Line: your scores. '
            "Shaded: where they probably lie.</figcaption></figure>"
        )
    kind = "hero" if chart else "hero alone"
    return (
        f'<section class="{kind}" aria-label="Result"><div>{top}{summary}{notice}</div>'
        f"{figure}</section>"
    )


def cards(dimensions: Mapping[Dimension, DimensionScore]) -> str:
    """Four cards, one for each dimension."""
    items = []
    for name in DIMENSIONS:
        score = dimensions[name]
        if score.score is None or score.low is None or score.high is None:
            number = '<p class="number none">Not scored</p>'
            detail = f'<p class="soft small">{text(_sentence(score.reason or ""))}</p>'
        else:
            number = f'<p class="number">{wording.score_text(score.score)} <small>of 5</small></p>'
            detail = _scale(score.score, score.low, score.high) + (
                f'<p class="soft small">probably {wording.range_text(score.low, score.high)}</p>'
            )
        items.append(
            f'<li class="card"><h3>{text(wording.DIMENSION_NAMES[name])}</h3>{number}{detail}'
            f'<p class="small">{text(wording.DIMENSION_GLOSSES[name])}</p></li>'
        )
    return f'<h2 id="scores">Four sides of your singing</h2><ul class="cards">{"".join(items)}</ul>'


def _scale(score: float, low: float, high: float) -> str:
    def x_of(value: float) -> str:
        return f"{8 + (value - 1) * 46:.1f}"

    return (
        '<svg class="scale" viewBox="0 0 200 16" aria-hidden="true">'
        '<line class="track" x1="8" x2="192" y1="8" y2="8"/>'
        f'<line class="range" x1="{x_of(low)}" x2="{x_of(high)}" y1="8" y2="8"/>'
        f'<circle class="own" cx="{x_of(score)}" cy="8" r="6"/></svg>'
    )


def coach(feedback: Feedback, marks: Sequence[Moment]) -> str:
    """The critique, its times linked to the moments they speak of."""
    if not feedback.critique:
        return ""
    lines = "".join(f"<p>{_linked(s, marks)}</p>" for s in critique_sentences(feedback))
    return f'<h2 id="coach">What your coach hears</h2><div class="coach">{lines}</div>'


def tasks(
    suggestions: Sequence[Suggestion], marks: Sequence[Moment], *, heading: str = wording.PRACTISE
) -> str:
    """At most three things to practise, each with its exercise."""
    if not suggestions:
        return ""
    items = []
    for suggestion in suggestions:
        heard = [m for m in marks if m.evidence.id in suggestion.evidence]
        links = ", ".join(_moment_link(m, clock(m.evidence.start_s)) for m in heard)
        listen = f'<p class="small soft">Listen: {links}</p>' if links else ""
        items.append(
            f"<li><p>{_linked(suggestion.text, marks)}</p>{listen}"
            f"{_exercise(suggestion.exercise)}</li>"
        )
    return f'<h2 id="practise">{text(heading)}</h2><ol class="tasks">{"".join(items)}</ol>'


def _exercise(exercise: str) -> str:
    if not exercise.strip():
        return ""
    parts = exercise_parts(exercise)
    title = f'<p class="title">{text(parts.title)}</p>' if parts.title else ""
    rest = "".join(f"<p>{text(line)}</p>" for line in parts.paragraphs)
    steps = "".join(f"<li>{text(step)}</li>" for step in parts.steps)
    steps = f"<ol>{steps}</ol>" if steps else ""
    care = "".join(f'<p class="care">{text(line)}</p>' for line in parts.cautions)
    return f'<div class="exercise">{title}{rest}{steps}{care}</div>'


_LEGEND = (
    ('<path class="f0" d="M1 11C7 2 12 14 18 8S26 5 29 7"/>', "your pitch"),
    ('<rect class="note tuned" x="2" y="4" width="26" height="8" rx="2.5"/>', "note in tune"),
    (
        '<rect class="note flat" x="2" y="1" width="26" height="8" rx="2.5"/>'
        '<path class="arrow flat" d="M11 10H19L15 16Z"/>',
        "too low",
    ),
    (
        '<rect class="note sharp" x="2" y="7" width="26" height="8" rx="2.5"/>'
        '<path class="arrow sharp" d="M11 6H19L15 0Z"/>',
        "too high",
    ),
    ('<path class="phrase" d="M2 12V6H28v6"/>', "one phrase"),
)
_LEGEND_SONG = (
    '<rect class="target" x="2" y="3" width="26" height="10" rx="3"/>',
    "written note (in your octave)",
)


def pitch(rows: Sequence[PitchRow]) -> str:
    """The pitch line in rows that scroll sideways on narrow screens."""
    if not rows:
        return ""
    entries = [*_LEGEND]
    if any(row.song_notes for row in rows):
        entries.append(_LEGEND_SONG)
    legend = "".join(
        f'<li><svg class="pitch" viewBox="0 0 30 16" aria-hidden="true">{shape}</svg>{words}</li>'
        for shape, words in entries
    )
    scale = pixels_per_second(rows)
    lines = "".join(
        f'<div class="row" tabindex="0" role="region" aria-label="Pitch from '
        f'{clock(row.start_s)} to {clock(row.end_s)}">'
        f"{pitch_row_svg(row, scale=scale, number=number)}</div>"
        for number, row in enumerate(rows, start=1)
    )
    return (
        '<h2 id="pitch">Your pitch over time</h2>'
        f'<ul class="legend">{legend}</ul>{lines}'
        '<p class="small soft">Numbered marks lead to the moments below. '
        "Stretches without singing are left out.</p>"
    )


def moment_list(marks: Sequence[Moment], clips: Mapping[int, Clip]) -> str:
    """The moments that moved the scores, with sound where a clip was made."""
    if not marks:
        return ""
    items = []
    for moment in marks:
        item = moment.evidence
        up = item.effect >= 0
        kind, sign, words = ("up", "▲", "raised") if up else ("down", "▼", "lowered")
        span = f"{clock(item.start_s)}–{clock(item.end_s)}"
        dimension = wording.DIMENSION_NAMES[moment.dimension]
        player = ""
        clip = clips.get(moment.number)
        if clip is not None:
            data = base64.b64encode(clip.content).decode("ascii")
            player = (
                f'<audio controls preload="none" aria-label="Moment {moment.number}, {span}" '
                f'src="data:{text(clip.mime)};base64,{data}"></audio>'
            )
        items.append(
            f'<li class="moment" id="moment-{moment.number}"><header>'
            f'<span class="no {kind}">{moment.number}</span><strong>{span}</strong>'
            f'<span class="soft">{text(dimension)}</span>'
            f'<span class="effect {kind}">{sign} {words} it</span></header>'
            f"<p>{text(item.text)}</p>{player}</li>"
        )
    return (
        f'<h2 id="moments">Moments behind the scores</h2><ul class="moments">{"".join(items)}</ul>'
    )


def recording(assessment: Assessment, take: Take) -> str:
    """Screening: what was heard, how good the recording is."""
    screening = assessment.screening
    facts = [
        ("Verdict", wording.VERDICTS[screening.verdict]),
        ("Recording", wording.KINDS[assessment.input.kind]),
        ("Sound of the recording", wording.quality_text(screening.recording_quality)),
        ("Sung tone", wording.duration_text(screening.voiced_s)),
        ("Key", "no clear key" if screening.key is None else screening.key.name),
        ("Pitch in order", wording.share_text(screening.pitch_accuracy, screening.pitch_reference)),
        (
            "Rhythm in order",
            wording.share_text(screening.rhythm_accuracy, screening.rhythm_reference),
        ),
        ("Notes and phrases", f"{len(take.notes)} notes, {len(take.phrases)} phrases"),
    ]
    rows = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in facts)
    warnings = "".join(
        f"<li>{text(_sentence(warning))}</li>"
        for warning in dict.fromkeys(assessment.warnings)
        if warning not in assessment.scores.warnings  # those stand beside the scores
    )
    warnings = f'<ul class="small soft">{warnings}</ul>' if warnings else ""
    return f'<h2 id="recording">The recording</h2><dl class="facts">{rows}</dl>{warnings}'


def sure(scores: Scores) -> str:
    """How far the numbers can be trusted, and the exact numbers."""
    lines = (*wording.HONESTY, *dict.fromkeys(scores.warnings))
    items = "".join(f"<li>{text(_sentence(line))}</li>" for line in lines)
    rows = "".join(
        _score_row(wording.DIMENSION_NAMES[name], scores.dimensions[name]) for name in DIMENSIONS
    ) + _score_row("Overall", scores.overall)
    return (
        f'<h2 id="sure">How sure are we?</h2><ul class="sure">{items}</ul>'
        "<details><summary>Exact scores and where they come from</summary><div><table>"
        '<thead><tr><th scope="col">Score</th><th scope="col" class="num">Value</th>'
        '<th scope="col" class="num">80 % range</th><th scope="col">From</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _score_row(name: str, score: DimensionScore) -> str:
    source = " + ".join(part for part in (score.head, score.encoder) if part)
    if score.score is None or score.low is None or score.high is None:
        value, interval = "–", "–"
    else:
        value, interval = f"{score.score:.2f}", f"{score.low:.2f}–{score.high:.2f}"
    return (
        f'<tr><th scope="row">{text(name)}</th><td class="num">{value}</td>'
        f'<td class="num">{interval}</td><td><code>{text(source)}</code></td></tr>'
    )


def measures(found: Mapping[str, Measure]) -> str:
    """All measures with plain explanations, folded away."""
    if not found:
        return ""
    rows = []
    for name, measure in sorted(found.items()):
        meaning = wording.explanation(name)
        meaning = f'<br><span class="soft">{text(meaning)}</span>' if meaning else ""
        rank = "–" if measure.percentile is None else f"{measure.percentile:.0f}"
        rows.append(
            f'<tr><th scope="row">{text(wording.label(name))}{meaning}</th>'
            f'<td class="num">{text(wording.quantity_text(measure.value, measure.unit))}</td>'
            f'<td class="num">{rank}</td></tr>'
        )
    return (
        f"<details><summary>All {len(found)} measures</summary><div><table>"
        '<thead><tr><th scope="col">Measure</th><th scope="col" class="num">Value</th>'
        '<th scope="col" class="num">Percentile</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def machinery(assessment: Assessment) -> str:
    """Models with licences, timings, the hash of the file; folded away."""
    rows = "".join(_model_row(model) for model in assessment.models)
    timings = "".join(
        f'<tr><th scope="row">{text(wording.label(name))}</th>'
        f'<td class="num">{value:.2f} s</td></tr>'
        for name, value in assessment.timings.items()
        if name.endswith("_s")
    )
    table = (
        '<table><thead><tr><th scope="col">Model</th><th scope="col">Part</th>'
        '<th scope="col">Licence</th><th scope="col">Runs on</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        if rows
        else ""
    )
    file = assessment.input
    return (
        "<details><summary>Models, licences and timings</summary><div>"
        f'<p class="small soft"><bdi>{text(file.file)}</bdi>: {file.sample_rate} Hz, '
        f"{file.channels} {'channel' if file.channels == 1 else 'channels'}, "
        f"SHA-256 <code>{text(file.sha256)}</code>. Peak memory "
        f"{assessment.peak_memory_mb:.0f} MB.</p>{table}"
        f"<table><tbody>{timings}</tbody></table></div></details>"
    )


def _model_row(model: ModelUse) -> str:
    return (
        f'<tr><th scope="row">{text(model.id)} {text(model.version)}</th>'
        f"<td>{text(model.role.replace('_', ' '))}</td><td>{text(model.licence)}</td>"
        f"<td>{text(model.provider)}</td></tr>"
    )


def try_again() -> str:
    """What helps when a take could not be judged."""
    items = "".join(f"<li>{text(line)}</li>" for line in wording.TAKE_AGAIN)
    return f'<h2>{text(wording.NEXT_TAKE)}</h2><ul class="sure">{items}</ul>'


def _linked(sentence: str, marks: Sequence[Moment]) -> str:
    return "".join(
        text(piece.text) if piece.moment is None else _moment_link(piece.moment, piece.text)
        for piece in linked_pieces(sentence, marks)
    )


def _moment_link(moment: Moment, words: str) -> str:
    return f'<a href="#moment-{moment.number}">{text(words)}</a>'


def _sentence(words: str) -> str:
    words = words.strip()
    if not words:
        return ""
    return words[:1].upper() + words[1:] + ("" if words[-1] in ".!?" else ".")
