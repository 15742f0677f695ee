"""The report as one self-contained HTML page.

The page loads nothing from anywhere: style, script, figures and sound are inside, and a content
security policy with hashes forbids the rest. It works without JavaScript; the script only lights
up a moment while it plays.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np

from singcoach import __version__
from singcoach.audio.writing import Clip, encode_clip
from singcoach.core.arrays import FloatArray
from singcoach.core.assessment import Assessment
from singcoach.core.take import Take
from singcoach.files import write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.report import sections
from singcoach.report.document import clean_text
from singcoach.report.figures import Moment, moments, pitch_rows
from singcoach.report.wording import ReportWords, words_of

LONGEST_CLIP_S = 6.0
CLIP_MARGIN_S = 0.5
MOST_CLIP_BYTES = 1_200_000


def write_html(
    path: Path,
    assessment: Assessment,
    take: Take,
    *,
    title: str = "",
    language: str | None = None,
    job: Job = NO_JOB,
) -> None:
    """Write the report of one take to ``path``, whole or not at all.

    Parameters
    ----------
    assessment
        What was judged.
    take
        The analysed take: its pitch line is drawn, its voice is cut into short clips.
    title
        Headline; the file name when empty.
    language
        What the report speaks; None for the language of the feedback, or English without one.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    page = render_html(assessment, take, title=title, language=language, job=job)
    write_whole(path, page.encode("utf-8"))


def render_html(
    assessment: Assessment,
    take: Take,
    *,
    title: str = "",
    language: str | None = None,
    encode: Callable[[FloatArray, int], Clip] | None = None,
    job: Job = NO_JOB,
) -> str:
    """Return the report as HTML text; ``encode(audio, sample_rate)`` replaces the clip encoder."""
    words = words_of(language or language_of(assessment))
    marks = moments(assessment.scores, assessment.feedback)
    rows = pitch_rows(take, marks)
    clips = _clips(take, marks, encode or _encode, job)
    insufficient = assessment.screening.verdict == "insufficient"
    feedback = assessment.feedback
    parts = [sections.hero(assessment, words)]
    if not insufficient or any(s.score is not None for s in assessment.scores.dimensions.values()):
        parts.append(sections.cards(assessment.scores.dimensions, words))
    if feedback is not None:
        parts.append(sections.coach(feedback, marks, words))
        heading = "next_take" if insufficient else "practise"
        parts.append(sections.tasks(feedback.suggestions, marks, words, heading=heading))
    elif insufficient:
        parts.append(sections.try_again(words))
    job.report(0.9, "report")
    parts.append(sections.pitch(rows, words))
    job.report(0.95, "report")
    parts.append(sections.moment_list(marks, clips, words))
    parts.append(sections.recording(assessment, take, words))
    parts.append(sections.sure(assessment.scores, words))
    parts.append(sections.measures(assessment.scores.measures, words))
    parts.append(sections.machinery(assessment, words))
    job.report(1.0, "report")
    style, script = _part("page.css"), _part("page.js")
    return Template(_part("page.html")).substitute(
        lang=words.language,
        title=sections.text(clean_text(title or assessment.input.file)),
        meta=sections.text(meta_line(assessment, words)),
        version=sections.text(__version__),
        skip=sections.text(words.say("skip")),
        footer=sections.text(words.say("footer", version=__version__)),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        body="\n".join(part for part in parts if part),
    )


def language_of(assessment: Assessment) -> str:
    """Return the language of the feedback, English without one."""
    return "en" if assessment.feedback is None else assessment.feedback.language


def meta_line(assessment: Assessment, words: ReportWords) -> str:
    """Length, kind and key of the take."""
    file, key = assessment.input, assessment.screening.key
    parts = [words.duration(file.duration_s), words.say(f"kind_{file.kind}")]
    return " · ".join(parts if key is None else [*parts, words.key(key)])


def _clips(
    take: Take,
    marks: Sequence[Moment],
    encode: Callable[[FloatArray, int], Clip],
    job: Job,
) -> dict[int, Clip]:
    """Cut and encode a clip for each moment, the strongest first, within the size limit."""
    clips: dict[int, Clip] = {}
    total_bytes = 0
    n_samples = take.vocal.shape[0]
    by_effect = sorted(marks, key=lambda m: (-abs(m.evidence.effect), m.number))
    for done, moment in enumerate(by_effect):
        job.report(0.9 * done / len(by_effect), "report")
        start_s = max(0.0, moment.evidence.start_s - CLIP_MARGIN_S)
        end_s = min(moment.evidence.end_s + CLIP_MARGIN_S, start_s + LONGEST_CLIP_S)
        first = int(start_s * take.sample_rate)
        last = min(n_samples, int(end_s * take.sample_rate))
        if last - first < take.sample_rate // 10:
            continue
        clip = encode(_faded(take.vocal[first:last], take.sample_rate), take.sample_rate)
        if total_bytes + len(clip.content) > MOST_CLIP_BYTES:
            break
        total_bytes += len(clip.content)
        clips[moment.number] = clip
    return clips


def _faded(audio: FloatArray, sample_rate: int) -> FloatArray:
    """Copy with 20 ms fades and the peak at -1 dB (a quiet singer is heard too, up to +12 dB)."""
    out = np.array(audio, dtype=np.float32)
    n_fade = min(out.shape[0] // 2, sample_rate // 50)
    ramp = np.linspace(0, 1, n_fade, dtype=np.float32)
    out[:n_fade] *= ramp
    out[out.shape[0] - n_fade :] *= ramp[::-1]
    peak = float(np.max(np.abs(out), initial=0.0))
    if peak > 0:
        out *= np.float32(min(4.0, 0.89 / peak))
    return out


def _encode(audio: FloatArray, sample_rate: int) -> Clip:
    return encode_clip(audio, sample_rate=sample_rate)


@cache
def _part(name: str) -> str:
    return files("singcoach.report").joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
