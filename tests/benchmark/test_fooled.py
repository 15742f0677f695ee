"""The tricks do what they say, and the rules judge as they are written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from singcoach.benchmark import fooled, fooled_sounds
from singcoach.benchmark.fooled import RULES, Row, table
from singcoach.benchmark.fooled_effects import (
    EFFECTS,
    EXPANSION,
    TELEPHONE_HZ,
    expanded,
    more_treble,
    telephone,
    with_offset,
)
from singcoach.benchmark.fooled_rules import Outcome, is_right
from singcoach.benchmark.fooled_tricks import SAMPLE_TRICKS, VOICE_TRICKS
from singcoach.core.arrays import FloatArray
from singcoach.core.music import Note, PitchTrack
from singcoach.core.take import TakeKind
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
        ("other sound", _outcome(3.05), True),
        ("other sound", _outcome(2.0), True),
        ("other sound", _outcome(3.0, timbre=3.2), False),
        ("other sound", _outcome(None, reasons=("speech",)), False),
        ("other sound", _outcome(3.0, breath=None), False),
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
    assert set(VOICE_TRICKS) | set(SAMPLE_TRICKS) | set(EFFECTS) <= set(RULES)


def _gain_db(effect: Callable[[FloatArray], FloatArray], hz: float) -> float:
    times_s = np.arange(4 * RATE) / RATE
    tone = (0.1 * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)
    inner = slice(RATE, 3 * RATE)
    return 20.0 * float(np.log10(np.std(effect(tone)[inner]) / np.std(tone[inner])))


def test_the_equaliser_lifts_the_treble_alone() -> None:
    assert _gain_db(more_treble, 100.0) == pytest.approx(0.0, abs=0.2)
    assert _gain_db(more_treble, 1200.0) == pytest.approx(6.0, abs=0.3)
    assert _gain_db(more_treble, 6000.0) == pytest.approx(12.0, abs=0.7)


def test_the_telephone_leaves_its_band() -> None:
    assert _gain_db(telephone, 1000.0) == pytest.approx(0.0, abs=0.2)
    for edge in TELEPHONE_HZ:
        assert _gain_db(telephone, edge) == pytest.approx(-3.0, abs=0.3)
    assert _gain_db(telephone, 150.0) < -30.0
    assert _gain_db(telephone, 6800.0) < -30.0


def test_the_expander_widens_the_distance_of_soft_and_loud() -> None:
    times_s = np.arange(4 * RATE) / RATE
    loudness = np.where(times_s < 2.0, 0.2, 0.02)  # 20 dB
    audio = (loudness * np.sin(2 * np.pi * 440.0 * times_s)).astype(np.float32)
    found = expanded(audio)
    loud, soft = np.std(found[RATE : 2 * RATE - 2000]), np.std(found[3 * RATE :])
    assert 20.0 * np.log10(loud / soft) == pytest.approx(20.0 * (1.0 + EXPANSION), abs=0.3)
    assert loud == pytest.approx(np.std(audio[RATE : 2 * RATE - 2000]), rel=0.02)


def test_an_offset_adds_no_sound() -> None:
    audio = np.random.default_rng(2).uniform(-0.9, 0.9, RATE).astype(np.float32)
    found = with_offset(audio)
    assert np.abs(found).max() <= np.abs(audio).max() + 1e-6
    assert found.mean() == pytest.approx(0.09, abs=0.02)
    assert np.std(found) == pytest.approx(0.9 * np.std(audio), rel=1e-4)


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_effects_keep_length_and_take_silence(name: str) -> None:
    for size in (0, 3, RATE):
        found = EFFECTS[name](np.zeros(size, dtype=np.float32))
        assert found.dtype == np.float32
        assert found.size == size
        assert not found.any()


@dataclasses.dataclass
class _Scripted(fooled._Bench):
    """A bench that hears nothing: it writes down how long each take was."""

    lengths_s: list[float] = dataclasses.field(default_factory=list)

    def outcome(self, audio: FloatArray, kind: TakeKind | None) -> Outcome:
        self.lengths_s.append(audio.size / RATE)
        return _outcome(3.0, half=1.0 if len(self.lengths_s) == 1 else 1.3)


def test_a_third_of_a_long_take_is_judged_beside_the_whole() -> None:
    bench = _Scripted()
    rows = list(bench._third_of_long("take", np.ones(60 * RATE, dtype=np.float32)))
    assert bench.lengths_s == [60.0, 20.0]
    assert [(row.trick, row.rule) for row in rows] == [
        ("untouched, long", None), (fooled.THIRD_OF_LONG, "part"),
    ]  # fmt: skip
    assert rows[1].right


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
