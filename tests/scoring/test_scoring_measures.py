"""Measures against voices whose faults are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_takes import RATE, Tone, delayed, melody, sing, with_gain

from singcoach.core.music import Key
from singcoach.core.take import Backing, Take
from singcoach.jobs import NO_JOB
from singcoach.scoring.contour import note_contours, smooth
from singcoach.scoring.measure_table import SOURCES, describe, rewrite_table
from singcoach.scoring.measures import UNITS, read_measures
from singcoach.scoring.measures.pitch import distinct_pitch_classes
from singcoach.scoring.reading import histogram_span, weighted_mean, weighted_spread
from singcoach.scoring.specs import load_heads


def measure(take: Take, name: str) -> float:
    return read_measures(take)[name].value()


@pytest.mark.parametrize("gain_db", [-70.0, -40.0, 20.0])
def test_no_floor_hears_how_loud_a_recording_is(gain_db: float) -> None:
    take = sing(melody(wobble_db=2.0), noise_db=-45.0, tilt=2.2)
    plain = read_measures(take)
    found = read_measures(with_gain(take, 10.0 ** (gain_db / 20.0)))
    norms = load_heads().norms
    for name, reading in plain.items():
        scale = norms[name].scale if name in norms else 1.0
        expected = pytest.approx(reading.value(), abs=2e-3 * scale, nan_ok=True)
        assert found[name].value() == expected, name


def test_a_perfect_scale_has_no_deviation_whatever_its_tuning() -> None:
    for tuning in (0.0, 37.0, -45.0):
        readings = read_measures(sing(melody(), tuning_cents=tuning))
        # Bins are 10 cents wide.
        assert readings["scale_deviation"].value() <= 5.0
        assert readings["tuning_concentration"].value() > 0.95


def test_notes_off_the_scale_are_measured_in_cents() -> None:
    # Every second note 40 cents sharp: the tuning settles between, 20 cents from each.
    phrases = [
        [replace(tone, midi=tone.midi + 0.4 * (i % 2)) for i, tone in enumerate(tones)]
        for tones in melody()
    ]
    assert measure(sing(phrases), "scale_deviation") == pytest.approx(20.0, abs=6.0)


def test_a_slow_drift_of_the_whole_song_costs_nothing() -> None:
    phrases = melody(80, length_s=0.6)
    drifting = [
        [replace(tone, midi=tone.midi - 0.8 * i / len(phrases)) for tone in tones]
        for i, tones in enumerate(phrases)
    ]
    steady, moved = (measure(sing(p), "scale_deviation") for p in (phrases, drifting))
    assert moved < steady + 15.0


def test_another_octave_changes_no_intonation_and_little_tone() -> None:
    high = read_measures(sing(melody()))
    low = read_measures(
        sing([[replace(tone, midi=tone.midi - 12.0) for tone in tones] for tones in melody()])
    )
    for name in ("scale_deviation", "tuning_concentration", "note_drift", "pitch_range"):
        assert low[name].value() == pytest.approx(high[name].value(), abs=0.5), name
    assert low["harmonicity"].value() == pytest.approx(high["harmonicity"].value(), abs=6.0)


def test_distance_from_the_key_of_the_music() -> None:
    take = sing(melody(), tuning_cents=20.0)

    def against(tonic: int, tuning_cents: float) -> float:
        key = Key(tonic=tonic, mode="major", tuning_cents=tuning_cents, strength=0.8)
        backing = Backing(
            chroma=np.zeros((1, 12), dtype=np.float32), frame_s=0.1, beats_s=np.zeros(0), key=key
        )
        return measure(replace(take, backing=backing), "backing_key_deviation")

    assert against(0, 20.0) <= 5.0
    assert against(0, -20.0) == pytest.approx(40.0, abs=6.0)
    # F# major shares two notes with C major.
    assert against(6, 20.0) > 40.0


def test_drift_is_signed_for_people_and_sized_for_the_measure() -> None:
    flat = read_measures(sing(melody(drift_cents=-60.0)))["note_drift"]
    assert flat.value() == pytest.approx(50.0, abs=12.0)
    assert (flat.shown < -30.0).all()
    assert measure(sing(melody()), "note_drift") < 3.0


@pytest.mark.parametrize("extent_cents", [30.0, 60.0, 90.0])
def test_vibrato_is_neither_drift_nor_unsteadiness(extent_cents: float) -> None:
    readings = read_measures(sing(melody(length_s=1.0, vibrato_cents=extent_cents)))
    straight = read_measures(sing(melody(length_s=1.0)))
    assert readings["pitch_unsteadiness"].value() < straight["pitch_unsteadiness"].value() + 5.0
    assert readings["note_drift"].value() < 12.0
    assert readings["scale_deviation"].value() < 8.0
    assert readings["vibrato_share"].value() == 1.0
    assert straight["vibrato_share"].value() == 0.0


def test_a_wavering_pitch_is_unsteady() -> None:
    assert measure(sing(melody(length_s=1.0, wobble_cents=30.0)), "pitch_unsteadiness") > 12.0


@pytest.mark.parametrize("drift_cents", [40.0, -80.0, 120.0])
def test_a_sliding_note_wanders_by_its_slide(drift_cents: float) -> None:
    # 90 % of what lies between the edges of 50 ms; the smoothing narrows at the ends.
    expected = 0.9 * abs(drift_cents) * (0.68 - 0.1) / 0.7
    found = measure(sing(melody(drift_cents=drift_cents)), "pitch_wander")
    assert found == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("extent_cents", [30.0, 60.0, 90.0])
def test_vibrato_is_no_wandering(extent_cents: float) -> None:
    straight, swinging = (
        measure(sing(melody(length_s=1.0, vibrato_cents=cents)), "pitch_wander")
        for cents in (0.0, extent_cents)
    )
    assert straight < 1.0
    assert swinging < 0.2 * extent_cents


def test_a_note_that_swells_steadily_moves_by_its_slope() -> None:
    # A sine of 2.5 Hz and 3 dB moves by 4 * 3 dB * 2.5 a second; smoothing takes a part.
    still = measure(sing(melody(length_s=1.2)), "level_movement")
    wavering = measure(sing(melody(length_s=1.2, wobble_db=3.0)), "level_movement")
    assert still < 1.0
    assert 15.0 < wavering < 30.0


def test_a_wavering_level_is_measured_in_db() -> None:
    steady = measure(sing(melody(length_s=1.2)), "level_wobble")
    wavering = measure(sing(melody(length_s=1.2, wobble_db=3.0)), "level_wobble")
    assert steady < 0.3
    # A sine of 3 dB has a spread of 2.1 dB; smoothing takes some of it.
    assert 0.8 < wavering < 2.2


def test_noise_lowers_the_clarity_of_the_tone() -> None:
    clean = read_measures(sing(melody(), noise_db=-60.0))
    noisy = read_measures(sing(melody(), noise_db=-15.0))
    assert noisy["harmonicity"].value() < clean["harmonicity"].value() - 5.0
    assert noisy["cpp_low"].value() < clean["cpp_low"].value()


def test_a_flatter_spectrum_rings_and_is_brighter() -> None:
    dull, bright = (read_measures(sing(melody(), tilt=tilt)) for tilt in (2.2, 1.0))
    assert bright["singing_power_ratio"].value() > dull["singing_power_ratio"].value() + 8.0
    assert bright["spectral_tilt"].value() > dull["spectral_tilt"].value() + 3.0
    assert bright["brightness"].value() > dull["brightness"].value()


def test_a_clear_tone_lacks_no_clarity_and_a_noisy_one_does() -> None:
    clean, noisy, noisier = (
        measure(sing(melody(), noise_db=db), "clarity_shortfall") for db in (-60.0, -12.0, -3.0)
    )
    assert clean < 0.1
    assert clean < noisy < noisier


def test_a_noisy_tone_is_rough_and_a_clean_one_is_not() -> None:
    clean, noisy = (measure(sing(melody(), noise_db=db), "roughness") for db in (-60.0, -3.0))
    assert clean == 0.0
    assert noisy > 0.5


def test_dullness_counts_only_what_lies_below_an_open_tone() -> None:
    bright, open_tone, dull = (
        measure(sing(melody(), tilt=tilt), "dullness") for tilt in (0.6, 1.0, 3.0)
    )
    assert bright == open_tone == 0.0
    assert dull > 0.2


def test_the_alpha_ratio_follows_the_slope_of_the_harmonics() -> None:
    # One octave of slope less for every harmonic above 1 kHz than for those below.
    ratios = [measure(sing(melody(), tilt=tilt), "alpha_ratio") for tilt in (2.2, 1.6, 1.0)]
    assert np.diff(ratios) == pytest.approx(9.0, abs=5.0)


@pytest.mark.parametrize("noise_db", [-30.0, -20.0, -10.0])
def test_harmonics_to_noise_is_the_ratio_of_tone_and_noise(noise_db: float) -> None:
    take = sing(melody(), noise_db=noise_db, rest_s=0.6)
    quiet = sing(melody(), noise_db=-90.0, rest_s=0.6)
    noise_power = float(np.mean(np.square(take.vocal - quiet.vocal)))
    voiced = np.repeat(np.isfinite(quiet.pitch.f0_hz), round(0.016 * RATE))[: len(quiet.vocal)]
    tone_power = float(np.mean(np.square(quiet.vocal[: len(voiced)][voiced])))
    expected = 10.0 * np.log10(tone_power / noise_power)
    assert measure(take, "harmonics_to_noise") == pytest.approx(expected, abs=2.0)


def with_levels(gains_db: tuple[float, ...], midis: tuple[int, ...]) -> Take:
    """Six phrases of notes of 0.6 s with these levels and heights."""
    tones = [
        Tone(midi=midi, length_s=0.6, gain_db=gain)
        for midi, gain in zip(midis, gains_db, strict=True)
    ]
    return sing([tones] * 6)


def test_the_arch_and_the_peak_of_a_phrase() -> None:
    level = (60,) * 5
    arched = read_measures(with_levels((-8.0, -3.0, 0.0, -3.0, -8.0), level))
    sagging = read_measures(with_levels((0.0, -5.0, -8.0, -5.0, 0.0), level))
    growing = read_measures(with_levels((-8.0, -6.0, -4.0, -2.0, 0.0), level))
    assert arched["phrase_arch"].value() > 4.0
    assert sagging["phrase_arch"].value() < -4.0
    assert arched["phrase_peak"].value() == pytest.approx(0.5, abs=0.15)
    assert growing["phrase_peak"].value() > 0.75
    assert growing["phrase_arch"].value() == pytest.approx(0.0, abs=1.5)


def test_loudness_that_goes_with_the_melody() -> None:
    midis = (60, 64, 67, 64, 60)
    louder = (-8.0, -4.0, 0.0, -4.0, -8.0)
    softer = tuple(-8.0 - gain for gain in louder)
    name = "dynamics_with_melody"
    assert measure(with_levels(louder, midis), name) > 0.9
    assert measure(with_levels(softer, midis), name) < -0.9
    assert np.isnan(measure(with_levels(louder, (60,) * 5), name))


def test_onsets_against_the_beat() -> None:
    beats = np.arange(0.3, 40.0, 0.35)
    backing = Backing(
        chroma=np.zeros((1, 12), dtype=np.float32), frame_s=0.1, beats_s=beats, key=None
    )
    exact = replace(sing(melody(32, length_s=0.7), rest_s=0.7), backing=backing)
    slips_s = np.random.default_rng(5).normal(0.0, 0.06, len(exact.notes))
    slipped = [
        replace(note, onset_s=note.onset_s + float(slip_s))
        for note, slip_s in zip(exact.notes, slips_s, strict=True)
    ]
    found = measure(exact, "beat_deviation")
    assert found < 20.0
    assert measure(replace(exact, notes=tuple(slipped)), "beat_deviation") > found + 30.0
    assert np.isnan(measure(replace(exact, backing=None), "beat_deviation"))


def test_dynamics_of_known_size() -> None:
    phrases = melody(length_s=1.0)
    loud_and_soft = [
        [replace(tone, gain_db=-12.0 * (i % 2)) for tone in tones]
        for i, tones in enumerate(phrases)
    ]
    readings = read_measures(sing(loud_and_soft))
    assert readings["phrase_contrast"].value() == pytest.approx(6.0, abs=1.0)
    assert readings["dynamics_range"].value() == pytest.approx(12.0, abs=3.0)
    assert readings["dynamics_in_phrases"].value() < 4.0
    assert measure(sing(phrases), "phrase_contrast") < 1.0


def test_range_of_the_melody_in_semitones() -> None:
    assert measure(sing(melody()), "pitch_range") == pytest.approx(12.0, abs=1.5)


def test_a_break_of_the_tone_is_counted_in_seconds() -> None:
    take = sing(melody(8, length_s=0.6), rest_s=0.25)
    whole = replace(
        take,
        phrases=(replace(take.phrases[0], end_s=take.phrases[-1].end_s),),
    )
    breaks = read_measures(whole)["phrase_breaks"]
    assert breaks.shown[0] == pytest.approx(0.27, abs=0.05)
    assert measure(take, "phrase_breaks") == 0.0


def test_phrase_length_is_weighted_by_time() -> None:
    phrases = [[Tone(midi=60, length_s=4.0)], [Tone(midi=62, length_s=1.0)]]
    assert measure(sing(phrases), "phrase_length") == pytest.approx(17.0 / 5.0, abs=0.05)


@pytest.mark.parametrize("gain", [0.05, 0.1, 3.0])
def test_gain_changes_no_measure(gain: float) -> None:
    take = sing(melody(wobble_db=1.0), noise_db=-40.0)
    loud, changed = read_measures(take), read_measures(with_gain(take, gain))
    for name, reading in loud.items():
        assert changed[name].value() == pytest.approx(
            reading.value(), rel=1e-3, abs=1e-3, nan_ok=True
        ), name


def test_silence_before_the_song_changes_no_measure() -> None:
    take = sing(melody(), noise_db=-40.0)
    later = read_measures(delayed(take, 65))
    for name, reading in read_measures(take).items():
        if name != "audible_breath":
            assert later[name].value() == pytest.approx(
                reading.value(), rel=1e-3, abs=2e-2, nan_ok=True
            ), name


def test_empty_and_tiny_takes_measure_nothing_and_do_not_fail() -> None:
    take = sing(melody(4))
    nothing = replace(take, notes=(), phrases=())
    assert all(np.isnan(r.value()) for r in read_measures(nothing).values())
    short = np.zeros(1, dtype=np.float32)
    track = replace(
        take.pitch,
        times_s=take.pitch.times_s[:1],
        f0_hz=np.array([np.nan]),
        confidence=np.zeros(1),
    )
    tiny = replace(nothing, vocal=short, vocal_raw=short, pitch=track)
    assert set(read_measures(tiny)) <= set(UNITS)


def test_silent_audio_under_the_notes_gives_finite_or_missing_numbers() -> None:
    take = sing(melody(8))
    silent = np.zeros_like(take.vocal)
    for reading in read_measures(replace(take, vocal=silent, vocal_raw=silent)).values():
        assert np.isfinite(reading.stats).all(), reading.name


def test_the_document_of_the_measures_says_what_the_code_and_the_heads_say() -> None:
    document = (Path(__file__).parents[2] / "docs" / "measures.md").read_text(encoding="utf-8")
    assert rewrite_table(document, load_heads()) == document
    assert list(SOURCES) == list(UNITS)
    for name in UNITS:
        assert document.count(f"| `{name}` |") == 1
        assert len(describe(name)) > 20


def test_different_notes_are_counted_without_octaves() -> None:
    take = sing([[Tone(midi=m, length_s=0.8) for m in (60, 72, 48, 64)]])
    assert distinct_pitch_classes(note_contours(take.pitch, take.notes, NO_JOB)) == 2
    assert distinct_pitch_classes(()) == 0


def test_smoothing_leaves_a_straight_line_and_the_length_alone() -> None:
    line = np.linspace(0.0, 10.0, 50)
    assert np.allclose(smooth(line, 9)[8:-8], line[8:-8])
    assert len(smooth(line[:3], 13)) == 3
    assert np.array_equal(smooth(line, 1), line)


@given(st.lists(st.tuples(st.floats(0.1, 10.0), st.floats(-50.0, 50.0)), min_size=1, max_size=20))
@settings(deadline=None, max_examples=60)
def test_sums_give_the_weighted_mean_and_spread(items: list[tuple[float, float]]) -> None:
    w, x = np.array(items).T
    sums = np.array([[w.sum(), (w * x).sum(), (w * x * x).sum(), len(w)]])
    mean = np.average(x, weights=w)
    assert weighted_mean(sums)[0] == pytest.approx(mean, abs=1e-6)
    spread = weighted_spread(sums)[0]
    if len(items) < 3:
        assert np.isnan(spread)
    else:
        assert spread == pytest.approx(np.sqrt(np.average((x - mean) ** 2, weights=w)), abs=1e-4)


def test_span_of_a_histogram() -> None:
    flat = np.ones((1, 100))
    assert histogram_span(flat, low=0.1, high=0.9, bin_width=0.5, least=1.0)[0] == pytest.approx(40)
    assert np.isnan(histogram_span(np.zeros((1, 4)), low=0, high=1, bin_width=1.0, least=0.5)[0])
