"""The tricks do what they say, and the rules judge as they are written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from singcoach.benchmark import fooled_sounds
from singcoach.benchmark.fooled import RULES, Row, table
from singcoach.benchmark.fooled_rules import Outcome, is_right
from singcoach.benchmark.fooled_tricks import SAMPLE_TRICKS, VOICE_TRICKS
from singcoach.core.arrays import FloatArray
from singcoach.core.music import Note, PitchTrack
from singcoach.training.edits.voice import Singing
from singcoach.training.edits.world import analyse_voice, is_installed

RATE = 16_000
NAMES = ("breath", "timbre", "emotion", "technique", "overall")
HEIGHTS = (57, 60, 62, 64, 60, 57, 62, 64)


def _outcome(
    score: float | None, *, half: float = 1.0, reasons: tuple[str, ...] = (), **others: float | None
) -> Outcome:
    scores: Mapping[str, float | None] = {name: others.get(name, score) for name in NAMES}
    return Outcome(
        kind="solo",
        verdict="insufficient" if score is None else "pass",
        reasons=reasons,
        scores=scores,
        lows={n: None if s is None else s - half for n, s in scores.items()},
        highs={n: None if s is None else s + half for n, s in scores.items()},
    )


WHOLE = _outcome(3.0)


@pytest.mark.parametrize(
    ("rule", "found", "right"),
    [
        ("null", _outcome(None, reasons=("no voice was found",)), True),
        ("null", _outcome(None), False),
        ("null", _outcome(1.0, reasons=("weak",)), False),
        ("null", _outcome(None, reasons=("x",), timbre=2.0), False),
        ("same", _outcome(3.9), True),
        ("same", _outcome(3.0, breath=4.1), False),
        ("same", _outcome(3.0, technique=None), False),
        ("part", _outcome(3.9, half=1.2), True),
        ("part", _outcome(4.1, half=1.2), False),
        ("part", _outcome(3.0, half=0.8), False),
        ("part", _outcome(None, reasons=("less than 10 s of singing",)), True),
        ("no gain", _outcome(3.05), True),
        ("no gain", _outcome(3.3), False),
        ("below", _outcome(2.9), True),
        ("below", _outcome(3.0), False),
        ("two notes", _outcome(3.0, technique=None, emotion=None), True),
        ("two notes", _outcome(3.0, technique=None), False),
    ],
)
def test_rules(rule: str, found: Outcome, right: bool) -> None:
    verdict, why = is_right(rule, found, WHOLE)
    assert verdict is right
    assert bool(why) is not right


def test_a_rule_without_what_it_compares_with_is_refused() -> None:
    with pytest.raises(ValueError, match="untouched"):
        is_right("same", WHOLE, None)
    with pytest.raises(ValueError, match="no rule"):
        is_right("anything", WHOLE, WHOLE)


def test_every_trick_has_a_rule() -> None:
    assert set(VOICE_TRICKS) | set(SAMPLE_TRICKS) <= set(RULES)


@pytest.mark.parametrize("name", sorted(fooled_sounds.MADE_SOUNDS))
def test_made_sounds_are_loud_enough_finite_and_repeat(name: str) -> None:
    make = fooled_sounds.MADE_SOUNDS[name]
    audio = make()
    assert audio.dtype == np.float32
    assert audio.size == round(fooled_sounds.LENGTH_S * RATE)
    assert np.isfinite(audio).all()
    rms = float(np.sqrt(np.mean(audio.astype(float) ** 2)))
    assert rms == pytest.approx(0.0 if name == "silence" else 0.1, rel=0.1)
    np.testing.assert_array_equal(audio, make())


@pytest.fixture(scope="module")
def singing() -> Singing:
    if not is_installed():
        pytest.skip("pyworld is not installed; it comes with the extra training")
    hop_s = 0.016
    times_s = np.arange(round(4.5 / hop_s)) * hop_s
    f0_hz = np.full(times_s.size, np.nan)
    notes = []
    for index, midi in enumerate(HEIGHTS):
        onset_s = 0.2 + 0.5 * index
        f0_hz[(times_s >= onset_s) & (times_s < onset_s + 0.45)] = 440.0 * 2 ** ((midi - 69) / 12)
        notes.append(Note(onset_s=onset_s, offset_s=onset_s + 0.45, midi=midi, cents_deviation=0.0))
    samples = np.nan_to_num(
        f0_hz[np.minimum((np.arange(72_000) / RATE / hop_s).astype(int), f0_hz.size - 1)]
    )
    phase = 2 * np.pi * np.cumsum(samples) / RATE
    tone = sum((np.sin(k * phase) / k for k in range(1, 16)), np.zeros(phase.size))
    audio: FloatArray = (0.1 * tone * (samples > 0)).astype(np.float32)
    pitch = PitchTrack(
        times_s=times_s, f0_hz=f0_hz, confidence=np.where(np.isnan(f0_hz), 0.0, 0.9), hop_s=hop_s
    )
    return analyse_voice(audio, sample_rate=RATE, pitch=pitch, notes=tuple(notes))


def _peak_hz(audio: FloatArray, start_s: float) -> float:
    piece = audio[round(start_s * RATE) : round((start_s + 0.3) * RATE)].astype(float)
    power = np.abs(np.fft.rfft(piece * np.hanning(piece.size), 1 << 17)) ** 2
    # The fundamental: where the harmonics coincide.
    product = power[:5000] * power[: 2 * 5000 : 2] * power[: 3 * 5000 : 3]
    low = round(70.0 / RATE * (1 << 17))
    return float((low + np.argmax(product[low:])) * RATE / (1 << 17))


def test_lower_slower_and_held_tricks(singing: Singing) -> None:
    lower = VOICE_TRICKS["octave lower"](singing)
    slow = VOICE_TRICKS["half speed"](singing)
    same = VOICE_TRICKS["resynthesised"](singing)
    held = VOICE_TRICKS["one note hummed"](singing)
    first_hz = 220.0
    assert _peak_hz(same, 0.27) == pytest.approx(first_hz, rel=0.01)
    assert _peak_hz(lower, 0.27) == pytest.approx(first_hz / 2.0, rel=0.01)
    assert slow.size == 2 * same.size
    assert _peak_hz(slow, 0.6) == pytest.approx(first_hz, rel=0.01)
    heights = [_peak_hz(held, 0.27 + 0.5 * i) for i in range(len(HEIGHTS))]
    assert 1200.0 * np.log2(max(heights) / min(heights)) < 100.0


def test_a_whisper_has_no_pitch_and_a_shout_no_dynamics(singing: Singing) -> None:
    def periodicity(audio: FloatArray) -> float:
        piece = audio[round(0.3 * RATE) : round(0.6 * RATE)].astype(float)
        lagged = np.correlate(piece, piece, mode="full")[piece.size - 1 :]
        return float(lagged[40:250].max() / lagged[0])

    assert periodicity(VOICE_TRICKS["resynthesised"](singing)) > 0.8
    assert periodicity(VOICE_TRICKS["whispered"](singing)) < 0.5
    assert float(np.abs(VOICE_TRICKS["shouted"](singing)).max()) <= 0.6


def test_tricks_on_samples() -> None:
    audio = np.sin(2 * np.pi * 200.0 * np.arange(9 * RATE) / RATE).astype(np.float32)
    slow = SAMPLE_TRICKS["tape at half speed"](audio)
    assert slow.size == pytest.approx(2 * audio.size, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(slow))) * RATE / slow.size == pytest.approx(100.0, abs=0.5)
    np.testing.assert_allclose(SAMPLE_TRICKS["20 dB quieter"](audio), 0.1 * audio, atol=1e-7)
    assert SAMPLE_TRICKS["stopped after a third"](audio).size == 3 * RATE
    looped = SAMPLE_TRICKS["one phrase looped"](audio)
    np.testing.assert_array_equal(looped[: 4 * RATE], looped[4 * RATE : 8 * RATE])


def test_the_table_names_what_is_wrong() -> None:
    rows = [
        Row(take="a", trick="untouched", rule=None, outcome=WHOLE, right=True, why=""),
        Row(take="a", trick="siren", rule="below", outcome=WHOLE, right=False, why="not below"),
        Row(take="b", trick="noise", rule="null", outcome=_outcome(None), right=True, why=""),
    ]
    text = table(rows)
    assert "| a | siren | 3.0 | 3.0 | 3.0 | 3.0 | 3.0 (2.0-4.0) | pass | NO: not below |" in text
    assert "| b | noise | - | - | - | - | - | insufficient | yes |" in text
    assert text.endswith("1 of 2 are right.")
