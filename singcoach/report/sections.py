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
from singcoach.report.figures import Moment, PitchRow
from singcoach.report.prose import critique_sentences, exercise_parts, linked_pieces
from singcoach.report.svg import pitch_row_svg, pixels_per_second, radar_svg, row_title
from singcoach.report.wording import DASH, ReportWords, joined


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


def hero(assessment: Assessment, words: ReportWords) -> str:
    """Headline: overall score with its range, the summary, the radar chart."""
    scores, screening = assessment.scores, assessment.screening
    overall = scores.overall
    chart = radar_svg(scores.dimensions, words)
    head = f"<h2>{text(words.say('overall'))}</h2>"
    if overall.score is None or overall.low is None or overall.high is None:
        top = (
            f'{head}<p class="big words">{text(words.say("verdict_insufficient"))}</p>'
            f'<p class="soft">{text(words.told(overall.reason or ""))}</p>'
        )
    else:
        top = (
            f'{head}<p class="big">{_points(overall.score, words)}</p>'
            f'<p class="soft">{_probably(overall.low, overall.high, words)}</p>'
        )
    summary = ""
    if assessment.feedback is not None:
        summary = f'<p class="summary">{text(assessment.feedback.summary)}</p>'
    notice = ""
    told = overall.score is None and assessment.feedback is not None  # the summary says why
    if screening.verdict != "pass" and not told:
        reasons = joined(map(words.told, screening.reasons), words)
        verdict = words.say(f"verdict_{screening.verdict}")
        notice = f'<p class="notice"><strong>{text(verdict)}</strong><br>{text(reasons)}</p>'
    figure = ""
    if chart:
        caption = text(words.say("radar_caption"))
        figure = (
            f'<figure>{chart}<figcaption class="caption soft small">{caption}</figcaption></figure>'
        )
    kind = "hero" if chart else "hero alone"
    return (
        f'<section class="{kind}" aria-label="{text(words.say("result"))}">'
        f"<div>{top}{summary}{notice}</div>{figure}</section>"
    )


def _points(score: float, words: ReportWords) -> str:
    return f"{text(words.score(score))} <small>{text(words.say('out_of'))}</small>"


def _probably(low: float, high: float, words: ReportWords) -> str:
    return text(words.say("probably", range=words.range(low, high)))


def cards(dimensions: Mapping[Dimension, DimensionScore], words: ReportWords) -> str:
    """Four cards, one for each dimension."""
    items = []
    for name in DIMENSIONS:
        score = dimensions[name]
        if score.score is None or score.low is None or score.high is None:
            number = f'<p class="number none">{text(words.say("not_scored"))}</p>'
            detail = f'<p class="soft small">{text(words.told(score.reason or ""))}</p>'
        else:
            number = f'<p class="number">{_points(score.score, words)}</p>'
            detail = _scale(score.score, score.low, score.high) + (
                f'<p class="soft small">{_probably(score.low, score.high, words)}</p>'
            )
        items.append(
            f'<li class="card"><h3>{text(words.dimension(name))}</h3>{number}{detail}'
            f'<p class="small">{text(words.glosses[name])}</p></li>'
        )
    return f'{_head("scores", "cards", words)}<ul class="cards">{"".join(items)}</ul>'


def _head(anchor: str, key: str, words: ReportWords) -> str:
    return f'<h2 id="{anchor}">{text(words.say(key))}</h2>'


def _scale(score: float, low: float, high: float) -> str:
    def x_of(value: float) -> str:
        return f"{8 + (value - 1) * 46:.1f}"

    return (
        '<svg class="scale" viewBox="0 0 200 16" aria-hidden="true">'
        '<line class="track" x1="8" x2="192" y1="8" y2="8"/>'
        f'<line class="range" x1="{x_of(low)}" x2="{x_of(high)}" y1="8" y2="8"/>'
        f'<circle class="own" cx="{x_of(score)}" cy="8" r="6"/></svg>'
    )


def coach(feedback: Feedback, marks: Sequence[Moment], words: ReportWords) -> str:
    """The critique, its times linked to the moments they speak of."""
    if not feedback.critique:
        return ""
    lines = "".join(f"<p>{_linked(s, marks)}</p>" for s in critique_sentences(feedback))
    return f'{_head("coach", "coach", words)}<div class="coach">{lines}</div>'


def tasks(
    suggestions: Sequence[Suggestion],
    marks: Sequence[Moment],
    words: ReportWords,
    *,
    heading: str = "practise",
) -> str:
    """At most three things to practise, each with its exercise."""
    if not suggestions:
        return ""
    items = []
    for suggestion in suggestions:
        heard = [m for m in marks if m.evidence.id in suggestion.evidence]
        links = ", ".join(_moment_link(m, clock(m.evidence.start_s)) for m in heard)
        # The links are markup already, the words around them are not.
        said = text(words.say("listen", times="\n")).replace("\n", links)
        listen = f'<p class="small soft">{said}</p>' if links else ""
        items.append(
            f"<li><p>{_linked(suggestion.text, marks)}</p>{listen}"
            f"{_exercise(suggestion.exercise)}</li>"
        )
    return f'{_head("practise", heading, words)}<ol class="tasks">{"".join(items)}</ol>'


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
    ('<path class="f0" d="M1 11C7 2 12 14 18 8S26 5 29 7"/>', "legend_pitch"),
    ('<rect class="note tuned" x="2" y="4" width="26" height="8" rx="2.5"/>', "legend_tuned"),
    (
        '<rect class="note flat" x="2" y="1" width="26" height="8" rx="2.5"/>'
        '<path class="arrow flat" d="M11 10H19L15 16Z"/>',
        "legend_flat",
    ),
    (
        '<rect class="note sharp" x="2" y="7" width="26" height="8" rx="2.5"/>'
        '<path class="arrow sharp" d="M11 6H19L15 0Z"/>',
        "legend_sharp",
    ),
    ('<path class="phrase" d="M2 12V6H28v6"/>', "legend_phrase"),
)
_LEGEND_SONG = (
    '<rect class="target" x="2" y="3" width="26" height="10" rx="3"/>',
    "legend_song",
)


def pitch(rows: Sequence[PitchRow], words: ReportWords) -> str:
    """The pitch line in rows that scroll sideways on narrow screens."""
    if not rows:
        return ""
    entries = [*_LEGEND]
    if any(row.song_notes for row in rows):
        entries.append(_LEGEND_SONG)
    legend = "".join(
        f'<li><svg class="pitch" viewBox="0 0 30 16" aria-hidden="true">{shape}</svg>'
        f"{text(words.say(key))}</li>"
        for shape, key in entries
    )
    scale = pixels_per_second(rows)
    lines = "".join(
        f'<div class="row" tabindex="0" role="region" '
        f'aria-label="{text(row_title(row, words))}">'
        f"{pitch_row_svg(row, words, scale=scale, number=number)}</div>"
        for number, row in enumerate(rows, start=1)
    )
    return (
        f'{_head("pitch", "pitch", words)}<ul class="legend">{legend}</ul>{lines}'
        f'<p class="small soft">{text(words.say("pitch_note"))}</p>'
    )


def moment_list(marks: Sequence[Moment], clips: Mapping[int, Clip], words: ReportWords) -> str:
    """The moments that moved the scores, with sound where a clip was made."""
    if not marks:
        return ""
    items = []
    for moment in marks:
        item = moment.evidence
        up = item.effect >= 0
        kind, sign, effect = ("up", "▲", "raised") if up else ("down", "▼", "lowered")
        span = f"{clock(item.start_s)}–{clock(item.end_s)}"
        dimension = words.dimension(moment.dimension)
        player = ""
        clip = clips.get(moment.number)
        if clip is not None:
            data = base64.b64encode(clip.content).decode("ascii")
            player = (
                '<audio controls preload="none" '
                f'aria-label="{text(words.say("moment_span", number=moment.number, span=span))}" '
                f'src="data:{text(clip.mime)};base64,{data}"></audio>'
            )
        items.append(
            f'<li class="moment" id="moment-{moment.number}"><header>'
            f'<span class="no {kind}">{moment.number}</span><strong>{span}</strong>'
            f'<span class="soft">{text(dimension)}</span>'
            f'<span class="effect {kind}">{sign} {text(words.say(effect))}</span></header>'
            f"<p>{text(words.evidence(item))}</p>{player}</li>"
        )
    return f'{_head("moments", "moments", words)}<ul class="moments">{"".join(items)}</ul>'


def recording_facts(
    assessment: Assessment, take: Take, words: ReportWords
) -> tuple[tuple[str, str], ...]:
    """Pairs of a name and what the screening says: what was heard, how good the recording is."""
    screening = assessment.screening
    counts = words.say("counts", notes=len(take.notes), phrases=len(take.phrases))
    return (
        (words.say("fact_verdict"), words.say(f"verdict_{screening.verdict}")),
        (words.say("fact_kind"), words.say(f"kind_{assessment.input.kind}")),
        (words.say("fact_quality"), words.quality(screening.recording_quality)),
        (words.say("fact_voiced"), words.duration(screening.voiced_s)),
        (words.say("fact_key"), words.key(screening.key)),
        (
            words.say("fact_pitch"),
            words.share(screening.pitch_accuracy, screening.pitch_reference),
        ),
        (
            words.say("fact_rhythm"),
            words.share(screening.rhythm_accuracy, screening.rhythm_reference),
        ),
        (words.say("fact_counts"), counts),
    )


def warnings_of(assessment: Assessment, words: ReportWords) -> tuple[str, ...]:
    """Return the warnings that do not stand beside the scores, in the language of the report."""
    beside = assessment.scores.warnings
    found = dict.fromkeys(w for w in assessment.warnings if w not in beside)
    return tuple(dict.fromkeys(map(words.told, found)))


def recording(assessment: Assessment, take: Take, words: ReportWords) -> str:
    """Screening: what was heard, how good the recording is."""
    facts = recording_facts(assessment, take, words)
    rows = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in facts)
    warnings = "".join(f"<li>{text(warning)}</li>" for warning in warnings_of(assessment, words))
    warnings = f'<ul class="small soft">{warnings}</ul>' if warnings else ""
    return f'{_head("recording", "recording", words)}<dl class="facts">{rows}</dl>{warnings}'


def sure(scores: Scores, words: ReportWords) -> str:
    """How far the numbers can be trusted, and the exact numbers."""
    lines = (*words.honesty, *map(words.told, dict.fromkeys(scores.warnings)))
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    rows = "".join(
        _score_row(words.dimension(name), scores.dimensions[name], words) for name in DIMENSIONS
    ) + _score_row(words.say("overall"), scores.overall, words)
    table = _table(("col_score", "col_value", "col_range", "col_from"), rows, words, numbers=(1, 2))
    return (
        f'{_head("sure", "sure", words)}<ul class="sure">{items}</ul>'
        f"{_folded(words.say('exact'), table)}"
    )


def _table(
    heads: Sequence[str], rows: str, words: ReportWords, *, numbers: Sequence[int] = ()
) -> str:
    """A table under the texts of ``heads``; the columns ``numbers`` hold numbers."""
    cells = "".join(
        f'<th scope="col" class="num">{text(words.say(key))}</th>'
        if place in numbers
        else f'<th scope="col">{text(words.say(key))}</th>'
        for place, key in enumerate(heads)
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{text(summary)}</summary><div>{content}</div></details>"


def _score_row(name: str, score: DimensionScore, words: ReportWords) -> str:
    source = " + ".join(part for part in (score.head, score.encoder) if part)
    if score.score is None or score.low is None or score.high is None:
        value, interval = DASH, DASH
    else:
        value = words.exact(score.score)
        interval = f"{words.exact(score.low)}–{words.exact(score.high)}"
    return (
        f'<tr><th scope="row">{text(name)}</th><td class="num">{value}</td>'
        f'<td class="num">{interval}</td><td><code>{text(source)}</code></td></tr>'
    )


def measures(found: Mapping[str, Measure], words: ReportWords) -> str:
    """All measures with plain explanations, folded away."""
    if not found:
        return ""
    rows = []
    for name, measure in sorted(found.items()):
        meaning = words.explanation(name)
        meaning = f'<br><span class="soft">{text(meaning)}</span>' if meaning else ""
        rank = DASH if measure.percentile is None else f"{measure.percentile:.0f}"
        rows.append(
            f'<tr><th scope="row">{text(words.label(name))}{meaning}</th>'
            f'<td class="num">{text(words.quantity(measure.value, measure.unit))}</td>'
            f'<td class="num">{rank}</td></tr>'
        )
    heads = ("col_measure", "col_value", "col_percentile")
    table = _table(heads, "".join(rows), words, numbers=(1, 2))
    return _folded(words.say("measures_all", n=len(found)), table)


def machinery(assessment: Assessment, words: ReportWords) -> str:
    """Models with licences, timings, the hash of the file; folded away."""
    rows = "".join(_model_row(model, words) for model in assessment.models)
    timings = "".join(
        f'<tr><th scope="row">{text(words.stage(name.removesuffix("_s")))}</th>'
        f'<td class="num">{text(words.quantity(round(value, 2), "s"))}</td></tr>'
        for name, value in assessment.timings.items()
        if name.endswith("_s")
    )
    heads = ("col_model", "col_part", "col_licence", "col_runs_on")
    table = _table(heads, rows, words) if rows else ""
    file = assessment.input
    about = text(
        words.say(
            "file_line",
            file="\n",
            rate=file.sample_rate,
            channels=file.channels,
            hash="\t",
            memory=f"{assessment.peak_memory_mb:.0f}",
        )
    )
    # Markup takes the places; the name comes last, for it may hold anything.
    about = about.replace("\t", f"<code>{text(file.sha256)}</code>")
    about = about.replace("\n", f"<bdi>{text(file.file)}</bdi>")
    return _folded(
        words.say("machinery"),
        f'<p class="small soft">{about}</p>{table}<table><tbody>{timings}</tbody></table>',
    )


def _model_row(model: ModelUse, words: ReportWords) -> str:
    return (
        f'<tr><th scope="row">{text(model.id)} {text(model.version)}</th>'
        f"<td>{text(words.role(model.role))}</td><td>{text(model.licence)}</td>"
        f"<td>{text(model.provider)}</td></tr>"
    )


def try_again(words: ReportWords) -> str:
    """What helps when a take could not be judged."""
    items = "".join(f"<li>{text(line)}</li>" for line in words.take_again)
    return f'<h2>{text(words.say("next_take"))}</h2><ul class="sure">{items}</ul>'


def _linked(sentence: str, marks: Sequence[Moment]) -> str:
    return "".join(
        text(piece.text) if piece.moment is None else _moment_link(piece.moment, piece.text)
        for piece in linked_pieces(sentence, marks)
    )


def _moment_link(moment: Moment, words: str) -> str:
    return f'<a href="#moment-{moment.number}">{text(words)}</a>'
