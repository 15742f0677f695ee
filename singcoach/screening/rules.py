"""The verdict: pass, weak, or insufficient, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.core.music import Note, PitchTrack, Region, Song
from singcoach.core.take import Backing, Screening, Verdict
from singcoach.jobs import NO_JOB, Job
from singcoach.regions.detector import EventTrack
from singcoach.screening.pitch_accuracy import (
    ScaleFit,
    fit_to_backing,
    fit_to_self,
    spread_semitones,
    steady_semitones,
    sung_frames,
)
from singcoach.screening.quality import (
    QualitySession,
    RecordingFaults,
    find_faults,
    recording_quality,
)
from singcoach.screening.rhythm_accuracy import RhythmFit, rhythm_to_backing, rhythm_to_song
from singcoach.screening.song_fit import SongFit, fit_to_song
from singcoach.screening.voice_signs import (
    SpeechSigns,
    local_spread_semitones,
    speech_signs,
    tone_change_db,
)

LEAST_SINGING_S = 10.0
"""Scores of less than this say nothing about a singer."""
LONGEST_REST_S = 3.0
"""A rest up to this long belongs to the singing around it (a bar of 80 bpm lasts 3 s)."""
LEAST_VOICED_S = 3.0
LEAST_VOICE_S = 1.0
ONE_NOTE_SEMITONES = 1.0
"""Of the shared singing of 10 s and more the narrowest spans 2.0, a wander of 6 s and more removed;
one note that sinks by a tone while it wobbles 0.2."""

SPEECH_LEAN = 0.4
SPEECH_STEADY = 0.4
"""A take is speech when both say so. Over whole takes 52 recordings of speech (16 voices in 13
languages, and speech synthesis) lean by 0.7 and more and are steady for at most 0.35 of the voiced
time; the takes of singing lean by at most 0.05 (all but one by less than -0.5). Runs of less than a
second are never called speech by themselves, so single words with pauses are only found here."""

LEAST_TONE_CHANGE_DB = 2.8
"""Singing with words changes by 4.3 dB and more, notes on one vowel by 3.4, hummed melodies, a
flute and a cello by 1.2 to 2.6."""
COLOUR_SNR_DB = 20.0
COLOUR_QUALITY = 2.0
"""Below either, noise may hide that the colour changes: white noise at 10 dB leaves 2.6 dB of a
voice that changes by 4.3."""

CLIPPED_BADLY = 0.05
CLIPPED = 0.005
VERY_NOISY_DB = 3.0
NOISY_DB = 12.0
POOR_QUALITY = 1.6

WEAK_PITCH = 0.25
"""On nycu_first three clips of 51 fall below it, rated 1.15 to 1.65 of 4 by 20 listeners."""

WEAK_RHYTHM = 0.25
LEAST_COVERAGE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    """What was measured, for the rules to look at."""

    singing_s: float
    speech_s: float
    voiced_s: float
    one_note: bool
    speech: SpeechSigns | None
    tone_change_db: float
    faults: RecordingFaults
    quality: float | None
    pitch_accuracy: float | None
    rhythm: RhythmFit | None
    song: SongFit | None


def screen(
    vocal_raw: FloatArray,
    *,
    sample_rate: int,
    pitch: PitchTrack,
    notes: Sequence[Note],
    regions: Sequence[Region],
    song: Song | None = None,
    backing: Backing | None = None,
    events: EventTrack | None = None,
    quality_session: QualitySession | None = None,
    job: Job = NO_JOB,
) -> Screening:
    """Say whether there is enough to judge, and whether pitch and rhythm are in order.

    Pitch is compared with the song where there is one, else with the accompaniment, else with the
    take's own scale; rhythm with the song, else with the accompaniment, else not at all.

    Parameters
    ----------
    vocal_raw
        The voice before dereverb, 16 kHz mono: room, noise and clipping are heard here.
    pitch, notes, regions
        Of the same take after dereverb.
    events
        What the detector heard in the same take; without it, speech in single words is not told
        from singing.
    quality_session
        DNSMOS; None leaves the recording quality out.

    Returns
    -------
    Screening
        ``insufficient``: nothing can be scored, the first reason says why. ``weak``: it can, but
        pitch, rhythm or the share of the song that was sung is low. Faults of the recording that
        do not prevent scoring appear among the reasons of any verdict.
    """
    job.report(0.0, "screening")
    sung = sung_frames(pitch, regions)
    heights = steady_semitones(pitch)[sung]
    quality = None
    if quality_session is not None:
        quality = recording_quality(vocal_raw, session=quality_session, job=job.part(0.0, 0.6))
    own = fit_to_self(pitch, regions=regions)
    against = fit_to_backing(pitch, regions=regions, backing=backing) if backing else None
    job.report(0.7, "screening")
    song_fit = fit_to_song(pitch, regions=regions, song=song) if song else None
    job.report(0.8, "screening")
    rhythm = _rhythm(notes, song, song_fit, backing)
    accuracy, scale = _pitch_accuracy(song_fit, against, own)
    findings = _Findings(
        singing_s=singing_span_s(regions),
        speech_s=sum(r.end_s - r.start_s for r in regions if r.kind == "speech"),
        voiced_s=float(sung.sum() * pitch.hop_s),
        one_note=_is_one_note(pitch.times_s[sung], heights),
        speech=speech_signs(pitch, regions=regions, events=events) if events else None,
        tone_change_db=tone_change_db(vocal_raw, times_s=pitch.times_s[sung]),
        faults=find_faults(vocal_raw, sample_rate=sample_rate, regions=regions),
        quality=quality,
        pitch_accuracy=accuracy,
        rhythm=rhythm,
        song=song_fit,
    )
    verdict, reasons = _judged(findings)
    job.report(1.0, "screening")
    return Screening(
        verdict=verdict,
        pitch_accuracy=accuracy,
        rhythm_accuracy=rhythm.accuracy if rhythm else None,
        pitch_reference="song" if song_fit else scale.reference if scale else None,
        rhythm_reference=rhythm.reference if rhythm else None,
        key=scale.key if scale else None,
        tuning_cents=scale.tuning_cents if scale else None,
        voiced_s=findings.voiced_s,
        recording_quality=quality,
        reasons=reasons,
        clipped_share=findings.faults.clipped_share,
    )


def singing_span_s(regions: Sequence[Region]) -> float:
    """Return the seconds of singing, rests of up to 3 s between two regions of it included."""
    total_s, rest_s = 0.0, float("inf")
    for region in regions:
        length_s = region.end_s - region.start_s
        if region.kind == "singing":
            total_s += length_s + (rest_s if rest_s <= LONGEST_REST_S else 0.0)
            rest_s = 0.0
        elif region.kind == "silence":
            rest_s += length_s
        else:
            rest_s = float("inf")
    return total_s


def _is_one_note(times_s: RealArray, heights: RealArray) -> bool:
    if heights.size == 0:
        return False
    return (
        min(spread_semitones(heights), local_spread_semitones(times_s, heights))
        < ONE_NOTE_SEMITONES
    )


def _rhythm(
    notes: Sequence[Note], song: Song | None, fit: SongFit | None, backing: Backing | None
) -> RhythmFit | None:
    if song is not None and fit is not None:
        against_song = rhythm_to_song(notes, song=song, latency_s=fit.latency_s)
        if against_song is not None:
            return against_song
    return rhythm_to_backing(notes, backing=backing) if backing is not None else None


def _pitch_accuracy(
    song: SongFit | None, against: ScaleFit | None, own: ScaleFit | None
) -> tuple[float | None, ScaleFit | None]:
    scale = against or own
    if song is not None:
        return song.accuracy, scale
    return (scale.accuracy if scale else None), scale


def _judged(found: _Findings) -> tuple[Verdict, tuple[str, ...]]:
    blocking = _blocking_reasons(found)
    if blocking:
        return "insufficient", tuple(blocking)
    weak = _weak_reasons(found)
    verdict: Verdict = "weak" if weak else "pass"
    return verdict, tuple(weak + _remarks(found))


def _blocking_reasons(found: _Findings) -> list[str]:
    if found.singing_s + found.speech_s < LEAST_VOICE_S:
        return ["no voice was found"]
    if found.speech_s > found.singing_s or _is_speech(found.speech):
        return ["this sounds like speech, not singing"]
    reasons = []
    if found.singing_s < LEAST_SINGING_S:
        reasons.append(f"less than {LEAST_SINGING_S:.0f} s of singing")
    elif found.voiced_s < LEAST_VOICED_S:
        reasons.append(f"less than {LEAST_VOICED_S:.0f} s of the singing has a pitch")
    elif found.one_note:
        reasons.append("only one note was sung")
    elif found.tone_change_db < LEAST_TONE_CHANGE_DB and _colour_is_heard(found):
        reasons.append("this sounds like humming or an instrument, not like words")
    if found.faults.clipped_share >= CLIPPED_BADLY:
        reasons.append("the recording is badly clipped")
    if found.faults.snr_db is not None and found.faults.snr_db < VERY_NOISY_DB:
        reasons.append("the recording is very noisy")
    return reasons


def _colour_is_heard(found: _Findings) -> bool:
    """Whether noise leaves the colour of the voice alone; it fills the bands and hides changes."""
    snr_db, quality = found.faults.snr_db, found.quality
    clean = snr_db is None or snr_db >= COLOUR_SNR_DB
    return clean and (quality is None or quality >= COLOUR_QUALITY)


def _is_speech(signs: SpeechSigns | None) -> bool:
    return signs is not None and signs.lean >= SPEECH_LEAN and signs.steady_share <= SPEECH_STEADY


def _weak_reasons(found: _Findings) -> list[str]:
    reasons = []
    if found.pitch_accuracy is not None and found.pitch_accuracy < WEAK_PITCH:
        reasons.append("the pitch is often off")
    rhythm = found.rhythm
    if rhythm is not None and rhythm.reference == "song" and rhythm.accuracy < WEAK_RHYTHM:
        reasons.append("the rhythm is often off")
    if found.song is not None and found.song.coverage < LEAST_COVERAGE:
        reasons.append(f"only {100.0 * found.song.coverage:.0f} % of the song was sung")
    return reasons


def _remarks(found: _Findings) -> list[str]:
    remarks = []
    if found.faults.clipped_share >= CLIPPED:
        remarks.append("the recording is clipped")
    if found.faults.snr_db is not None and found.faults.snr_db < NOISY_DB:
        remarks.append("the recording is noisy")
    if found.quality is not None and found.quality < POOR_QUALITY:
        remarks.append("the recording quality is poor")
    return remarks
