from __future__ import annotations

import numpy as np
import pytest
from screening_takes import HOP_S, MELODY, RATE, Sung

from singcoach.core.arrays import FloatArray
from singcoach.core.music import Region
from singcoach.core.take import Screening
from singcoach.regions.detector import EventTrack
from singcoach.screening.pitch_accuracy import steady_semitones, sung_frames
from singcoach.screening.rules import LEAST_TONE_CHANGE_DB, screen
from singcoach.screening.voice_signs import (
    local_spread_semitones,
    speech_signs,
    tone_change_db,
)

SPEECH = "this sounds like speech, not singing"
HUMMING = "this sounds like humming or an instrument, not like words"


def _heard(sung: Sung, speech: float, *, until: float = 1.0) -> EventTrack:
    """Return what a detector says that hears speech in the first part of the take."""
    n_frames = sung.audio.size // 160
    probabilities = np.zeros((n_frames, 3), dtype=np.float32)
    n_speech = round(until * n_frames)
    probabilities[:n_speech, 0] = speech
    probabilities[:n_speech, 1] = 1.0 - speech
    probabilities[n_speech:, 1] = 0.95
    return EventTrack(probabilities=probabilities)


def _screened(
    sung: Sung, *, audio: FloatArray | None = None, events: EventTrack | None = None
) -> Screening:
    return screen(
        sung.audio if audio is None else audio,
        sample_rate=RATE,
        pitch=sung.pitch,
        notes=sung.notes,
        regions=sung.regions,
        events=events,
    )


def _gliding() -> Sung:
    """Return words whose pitch falls by three semitones a note, as in speech."""
    sung = Sung()
    falling = -3.0 * ((sung.pitch.times_s - 0.5) % 0.5) / 0.45
    f0_hz = sung.pitch.f0_hz * 2.0 ** (falling / 12.0)
    object.__setattr__(sung.pitch, "f0_hz", f0_hz)
    return sung


def test_speech_in_short_words_is_told_by_detector_and_pitch_together() -> None:
    assert _screened(_gliding(), events=_heard(_gliding(), 0.9)).reasons == (SPEECH,)


def test_one_of_the_two_is_not_enough() -> None:
    assert _screened(Sung(), events=_heard(Sung(), 0.9)).verdict == "pass"
    gliding = _screened(_gliding(), events=_heard(_gliding(), 0.1))
    assert gliding.verdict != "insufficient"


def test_a_spoken_passage_in_a_song_is_judged_with_it() -> None:
    result = _screened(_gliding(), events=_heard(_gliding(), 0.95, until=0.4))
    assert result.verdict != "insufficient"


def test_the_signs_of_speech_by_hand() -> None:
    sung = Sung()
    signs = speech_signs(sung.pitch, regions=sung.regions, events=_heard(sung, 0.8))
    assert signs is not None
    assert signs.lean == pytest.approx(0.6, abs=0.01)
    assert signs.steady_share > 0.7
    gliding = _gliding()
    falling = speech_signs(gliding.pitch, regions=gliding.regions, events=_heard(gliding, 0.8))
    assert falling is not None
    assert falling.steady_share == 0.0
    empty = EventTrack(probabilities=np.zeros((0, 3), dtype=np.float32))
    assert speech_signs(sung.pitch, regions=(), events=_heard(sung, 0.8)) is None
    assert speech_signs(sung.pitch, regions=sung.regions, events=empty) is None


@pytest.mark.parametrize("drift_cents", [0.0, -300.0, 400.0])
def test_one_note_that_wanders_is_one_note(drift_cents: float) -> None:
    sung = Sung([60.0] * 60, drift_cents=drift_cents, vibrato_cents=40.0)
    result = _screened(sung)
    assert result.reasons == ("only one note was sung",)


def test_a_melody_keeps_its_steps_when_the_wander_goes() -> None:
    sung = Sung()
    frames = sung_frames(sung.pitch, sung.regions)
    heights = steady_semitones(sung.pitch)[frames]
    assert local_spread_semitones(sung.pitch.times_s[frames], heights) > 3.0
    assert local_spread_semitones(np.zeros(0), np.zeros(0)) == 0.0


def _one_colour(sung: Sung) -> FloatArray:
    times_s = np.arange(sung.audio.size) / RATE
    index = np.minimum((times_s / HOP_S).astype(int), sung.pitch.f0_hz.size - 1)
    f0_hz = np.nan_to_num(sung.pitch.f0_hz[index])
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    tone = sum(
        (
            np.where(k * f0_hz < 7500.0, np.sin(k * phase + k * k), 0.0) / k**1.5
            for k in range(1, 30)
        ),
        np.zeros(phase.size),
    )
    return np.where(f0_hz > 0.0, 0.1 * tone, 0.0).astype(np.float32)


def test_a_melody_in_one_colour_is_no_singing() -> None:
    assert _screened(Sung(), audio=_one_colour(Sung())).reasons == (HUMMING,)
    assert _screened(Sung()).verdict == "pass"


def test_noise_that_may_hide_the_colour_refuses_nobody() -> None:
    sung = Sung([*MELODY[:12], *[float("nan")] * 8, *MELODY[:12]])
    audio = _one_colour(sung)
    noise = np.random.default_rng(0).standard_normal(audio.size)
    level = float(np.sqrt(np.mean(np.square(audio[audio != 0.0]))))
    last, first = sung.notes[11].offset_s, sung.notes[12].onset_s
    regions = (
        Region(start_s=0.5, end_s=last, kind="singing"),
        Region(start_s=last, end_s=first, kind="silence"),
        Region(start_s=first, end_s=sung.notes[-1].offset_s, kind="singing"),
    )
    object.__setattr__(sung, "regions", regions)
    assert _screened(sung, audio=audio).reasons == (HUMMING,)
    noisy = (audio + 0.3 * level * noise).astype(np.float32)
    assert HUMMING not in _screened(sung, audio=noisy).reasons


@pytest.mark.parametrize("gain", [0.003, 0.1, 3.0])
def test_the_change_of_colour_does_not_depend_on_the_level(gain: float) -> None:
    sung = Sung(MELODY[:16])
    times_s = sung.pitch.times_s[sung_frames(sung.pitch, sung.regions)]
    expected = tone_change_db(sung.audio, times_s=times_s)
    assert expected > 1.3 * LEAST_TONE_CHANGE_DB
    quieter = tone_change_db(sung.audio * np.float32(gain), times_s=times_s)
    assert quieter == pytest.approx(expected, abs=0.01)


def test_no_sound_has_no_colour() -> None:
    silence = np.zeros(RATE, dtype=np.float32)
    assert np.isnan(tone_change_db(silence, times_s=np.linspace(0.1, 0.9, 40)))
    assert np.isnan(tone_change_db(silence[:0], times_s=np.linspace(0.1, 0.9, 40)))
    assert np.isnan(tone_change_db(silence, times_s=np.zeros(0)))
