"""The same singing scores the same, however it was recorded: gain, silence, rate, length."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soxr
from scoring_takes import RATE

from singcoach import resources
from singcoach.audio.chunks import Chunk
from singcoach.audio.reading import read_audio
from singcoach.audio.resampling import Converter
from singcoach.core.arrays import FloatArray
from singcoach.core.scores import Scores
from singcoach.core.take import Take
from singcoach.dsp.anchors import Anchor, find_anchor
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import open_session
from singcoach.pitch import f0 as f0_module
from singcoach.regions import detector as detector_module
from singcoach.regions import levels as levels_module
from singcoach.regions import phrases as phrases_module
from singcoach.regions.detector import SingingDetector
from singcoach.scoring import score_take
from singcoach.scoring.norms import make_take
from singcoach.scoring.specs import Heads, load_heads

LENGTH_S = 24.0


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A take and what it scored."""

    take: Take
    scores: Scores

    @property
    def numbers(self) -> dict[str, float]:
        """Scores that are not null, by dimension and ``overall``."""
        parts = {**self.scores.dimensions, "overall": self.scores.overall}
        return {name: part.score for name, part in parts.items() if part.score is not None}

    @property
    def measures(self) -> dict[str, float]:
        """Measures that were measured, by name."""
        found = {name: measure.value for name, measure in self.scores.measures.items()}
        return {name: value for name, value in found.items() if value is not None}


Judge = Callable[[FloatArray], Judged]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    catalogue = Catalogue.default()
    session = open_session(catalogue.require("pitch"))
    with SingingDetector(catalogue.require("singing_detector")) as detector:

        def run(voice: FloatArray) -> Judged:
            voice = np.ascontiguousarray(voice, dtype=np.float32)
            take = make_take(voice, backing=None, session=session, detector=detector)
            return Judged(take=take, scores=score_take(take))

        yield run


@pytest.fixture(scope="module")
def heads() -> Heads:
    return load_heads()


@pytest.fixture(scope="module", params=["shipped", "made", "home", "a cappella", "karaoke"])
def voice(request: pytest.FixtureRequest) -> FloatArray:
    """At most 24 s of one voice, 16 kHz."""
    if request.param == "shipped":
        return _read(resources.assets_dir() / "vocadito_14.flac")
    if request.param == "made":
        return resynthesised(_read(resources.assets_dir() / "vocadito_14.flac"), octave=-1)
    data = request.getfixturevalue("shared_data")
    if request.param == "home":
        return _read(data / "vocadito" / "Audio" / "vocadito_1.wav")
    if request.param == "karaoke":
        return _read(sorted((data / "nycu_first" / "vocal").glob("*.flac"))[8])
    parts = sorted((data / "pesnq_edelweiss" / "audio" / "AONG").glob("*.flac"))
    return np.concatenate([_read(part) for part in parts[:3]])[: int(LENGTH_S * RATE)]


@pytest.fixture(scope="module")
def plain(judge: Judge, voice: FloatArray) -> Judged:
    found = judge(voice)
    assert found.numbers, found.scores.overall.reason
    return found


def resynthesised(voice: FloatArray, *, octave: int) -> FloatArray:
    """Return the voice made anew by WORLD, moved by octaves; skips where pyworld is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        world = pytest.importorskip("pyworld", reason="pyworld makes the synthetic voice")
    audio = voice.astype(np.float64)
    f0, times = world.harvest(audio, RATE)
    envelope = world.cheaptrick(audio, f0, times, RATE)
    noise = world.d4c(audio, f0, times, RATE)
    made = world.synthesize(f0 * 2.0**octave, envelope, noise, RATE)
    return np.asarray(made[: voice.size], dtype=np.float32)


def _read(path: Path) -> FloatArray:
    return read_audio(path, sample_rate=RATE, channels=1)[0][: int(LENGTH_S * RATE)]


def _silence(n_samples: int) -> FloatArray:
    return np.zeros(n_samples, dtype=np.float32)


def _assert_scores(found: Judged, expected: Judged, *, within: float) -> None:
    assert found.numbers.keys() == expected.numbers.keys()
    for name, score in expected.numbers.items():
        assert found.numbers[name] == pytest.approx(score, abs=within), name


def _assert_measures(found: Judged, expected: Judged, heads: Heads, *, within: float) -> None:
    """Compare in units of each measure's norm."""
    assert found.measures.keys() == expected.measures.keys()
    for name, value in expected.measures.items():
        scale = heads.norms[name].scale
        assert found.measures[name] == pytest.approx(value, abs=within * scale), name


@pytest.mark.parametrize("lead_samples", [117, RATE, RATE + 3])
def test_silence_in_front_changes_nothing(
    lead_samples: int, judge: Judge, voice: FloatArray, plain: Judged, heads: Heads
) -> None:
    later = judge(np.concatenate([_silence(lead_samples), voice]))
    lead_s = lead_samples / RATE
    assert len(later.take.notes) == len(plain.take.notes)
    for note, before in zip(later.take.notes, plain.take.notes, strict=True):
        assert note.onset_s == pytest.approx(before.onset_s + lead_s, abs=1e-9)
        assert note.offset_s == pytest.approx(before.offset_s + lead_s, abs=1e-9)
        assert note.midi == before.midi
        assert note.cents_deviation == pytest.approx(before.cents_deviation, abs=1e-6)
    for phrase, earlier in zip(later.take.phrases, plain.take.phrases, strict=True):
        assert phrase.start_s == pytest.approx(earlier.start_s + lead_s, abs=1e-9)
        assert phrase.end_s == pytest.approx(earlier.end_s + lead_s, abs=1e-9)
    _assert_scores(later, plain, within=1e-6)
    _assert_measures(later, plain, heads, within=1e-6)


def test_low_noise_in_front_changes_nearly_nothing(
    judge: Judge, voice: FloatArray, plain: Judged
) -> None:
    noise = np.random.default_rng(1).standard_normal(RATE + 37).astype(np.float32)
    lead = noise * np.float32(1e-4) * np.abs(voice).max()
    _assert_scores(judge(np.concatenate([lead, voice])), plain, within=0.05)


def test_silence_at_the_end_changes_nothing(
    judge: Judge, voice: FloatArray, plain: Judged, heads: Heads
) -> None:
    longer = judge(np.concatenate([voice, _silence(5 * RATE + 11)]))
    _assert_scores(longer, plain, within=0.01)
    _assert_measures(longer, plain, heads, within=0.03)


@pytest.mark.parametrize("gain_db", [-20.0, 6.0])
def test_the_gain_changes_nothing(
    gain_db: float, judge: Judge, voice: FloatArray, plain: Judged, heads: Heads
) -> None:
    scaled = judge(voice * np.float32(10.0 ** (gain_db / 20.0)))
    _assert_scores(scaled, plain, within=0.02)
    _assert_measures(scaled, plain, heads, within=0.05)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_another_sample_rate_of_the_file_changes_little(
    sample_rate: int, judge: Judge, voice: FloatArray, plain: Judged
) -> None:
    fast = soxr.resample(voice, RATE, sample_rate, quality="VHQ").astype(np.float32)
    converter = Converter(sample_rate=RATE, channels=1)
    chunk = Chunk(audio=fast[np.newaxis], sample_rate=sample_rate, layout=())
    pieces = [*converter.push(chunk), *converter.finish()]
    again = judge(np.concatenate([piece[0] for piece in pieces]))
    _assert_scores(again, plain, within=0.2)
    assert again.numbers["overall"] == pytest.approx(plain.numbers["overall"], abs=0.08)


def test_the_first_half_alone_has_the_notes_it_has_in_the_whole(
    judge: Judge, voice: FloatArray, plain: Judged
) -> None:
    half = judge(voice[: voice.size // 2])
    end_s = voice.size / 2 / RATE - 0.5
    whole = [note.onset_s for note in plain.take.notes if note.onset_s < end_s]
    alone = [note.onset_s for note in half.take.notes if note.onset_s < end_s]
    assert len(whole) >= 5
    same = sum(any(abs(a - b) < 0.02 for b in alone) for a in whole)
    assert same >= 0.9 * len(whole)
    assert abs(len(alone) - len(whole)) <= 0.1 * len(whole)


def test_the_place_of_the_frames_changes_little(
    judge: Judge, voice: FloatArray, plain: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real files begin anywhere: seven other places of every grid of frames.

    Measured on twelve takes before the heads had limits: median 0.012, 95 of 100 changes below
    0.10. Limits shrink the spread, so scores move by up to a fifth more.
    """
    changes = []
    for offset in (23, 67, 101, 128, 160, 203, 241):

        def moved(audio: FloatArray, offset: int = offset) -> Anchor:
            anchor = find_anchor(audio)
            return dataclasses.replace(anchor, first_sound=anchor.first_sound + offset)

        for module in (f0_module, detector_module, levels_module, phrases_module):
            monkeypatch.setattr(module, "find_anchor", moved)
        found = judge(voice)
        assert found.numbers.keys() == plain.numbers.keys()
        changes.append([abs(found.numbers[name] - score) for name, score in plain.numbers.items()])
    assert np.median(changes) < 0.08
    assert np.max(changes) < 0.5
    # The grids were moved indeed.
    assert np.max(changes) > 0.0


def test_a_voice_made_an_octave_lower_sings_the_same_melody(judge: Judge) -> None:
    """Both made by WORLD, so that only the octave differs."""
    voice = _read(resources.assets_dir() / "vocadito_14.flac")
    high, low = (judge(resynthesised(voice, octave=octave)) for octave in (0, -1))
    matched = 0
    for note in high.take.notes:
        near = [other for other in low.take.notes if abs(other.onset_s - note.onset_s) < 0.05]
        matched += any(abs(other.midi + 12 - note.midi) <= 1 for other in near)
    assert len(high.take.notes) >= 10
    assert matched >= 0.8 * len(high.take.notes)
    assert low.numbers["technique"] == pytest.approx(high.numbers["technique"], abs=0.4)


def test_an_octave_lower_keeps_what_the_melody_and_the_timing_say(
    judge: Judge, voice: FloatArray, plain: Judged, heads: Heads
) -> None:
    """The pitch track halved: nothing about notes may depend on the register."""
    take = plain.take
    lower = dataclasses.replace(
        take,
        pitch=dataclasses.replace(take.pitch, f0_hz=take.pitch.f0_hz / 2.0),
        notes=tuple(dataclasses.replace(note, midi=note.midi - 12) for note in take.notes),
    )
    found = Judged(take=lower, scores=score_take(lower))
    for name in (
        "scale_deviation",
        "tuning_concentration",
        "note_drift",
        "pitch_unsteadiness",
        "scoop_depth",
        "vibrato_share",
        "pitch_range",
        "melodic_variety",
        "timing_variety",
        "phrase_length",
    ):
        if name in plain.measures:
            scale = heads.norms[name].scale
            expected = pytest.approx(plain.measures[name], abs=1e-3 * scale)
            assert found.measures[name] == expected, name
