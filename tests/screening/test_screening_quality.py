from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from screening_takes import RATE, Sung

from singcoach.audio.reading import read_audio
from singcoach.core.music import Region
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.models.sessions import Session
from singcoach.screening.quality import MOS_WINDOW_SAMPLES, find_faults, recording_quality

ALL_SUNG = (Region(start_s=0.0, end_s=100.0, kind="singing"),)


class CountingSession:
    """Stands in for the network and counts its runs."""

    input_names = ("input_1",)

    def __init__(self) -> None:
        self.peaks: list[float] = []

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        (audio,) = inputs.values()
        assert audio.shape == (1, MOS_WINDOW_SAMPLES)
        assert audio.dtype == np.float32
        self.peaks.append(float(np.abs(audio).max()))
        return [np.array([[3.0, 3.0, 3.0]], dtype=np.float32)]


@pytest.fixture(scope="module")
def take(shared_data: Path) -> np.ndarray:
    path = shared_data / "vocadito" / "Audio" / "vocadito_10.wav"
    return read_audio(path, sample_rate=RATE, channels=1)[0]


@pytest.mark.parametrize(
    ("seconds", "runs"), [(0.1, 1), (9.0, 1), (15.0, 1), (19.0, 2), (60.0, 3), (600.0, 3)]
)
def test_long_takes_cost_no_more_than_three_windows(seconds: float, runs: int) -> None:
    session = CountingSession()
    tone = np.sin(np.arange(round(seconds * RATE)) * 0.1).astype(np.float32)
    assert recording_quality(tone, session=session) == pytest.approx(2.78, abs=0.01)
    assert len(session.peaks) == runs
    assert max(session.peaks) <= 1.0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-45, 1e-40, 1e-33])
def test_the_smallest_floats_are_silence(size: float) -> None:
    session = CountingSession()
    assert recording_quality(np.full(RATE, size, dtype=np.float32), session=session) is None
    assert session.peaks == []
    tone = (1e-25 * np.sin(np.arange(RATE) * 0.1)).astype(np.float32)
    assert recording_quality(tone, session=session) == pytest.approx(2.78, abs=0.01)
    assert 0.05 < session.peaks[0] <= 1.0


class HearingSession(CountingSession):
    """Keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[np.ndarray] = []

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.heard += [audio.copy() for audio in inputs.values()]
        return super().run(inputs)


@pytest.mark.parametrize("seconds", [4.0, 12.0, 31.0])
def test_silence_around_a_take_does_not_change_what_is_heard_of_it(seconds: float) -> None:
    noise = np.random.default_rng(9).standard_normal(round(seconds * RATE)).astype(np.float32)
    before, after = np.zeros(16_411, np.float32), np.zeros(7_000, np.float32)
    plain, later = HearingSession(), HearingSession()
    recording_quality(noise, session=plain)
    recording_quality(np.concatenate([before, noise, after]), session=later)
    np.testing.assert_array_equal(np.stack(plain.heard), np.stack(later.heard))


def test_nothing_has_no_quality() -> None:
    session = CountingSession()
    assert recording_quality(np.zeros(0, dtype=np.float32), session=session) is None
    assert recording_quality(np.zeros(RATE, dtype=np.float32), session=session) is None
    assert session.peaks == []


def test_noise_lowers_the_quality_and_level_does_not(
    take: np.ndarray, quality_session: Session
) -> None:
    noise = np.random.default_rng(0).standard_normal(take.size).astype(np.float32)
    clean = recording_quality(take, session=quality_session)
    quiet = recording_quality(take * np.float32(0.1), session=quality_session)
    noisy = recording_quality(take + noise * np.float32(np.std(take)), session=quality_session)
    assert clean is not None
    assert noisy is not None
    assert clean > 2.8
    assert quiet == pytest.approx(clean, abs=0.02)
    assert noisy < clean - 1.0
    assert recording_quality(take, session=quality_session) == clean


def test_cancelling_stops_before_a_window() -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        recording_quality(np.ones(RATE, dtype=np.float32), session=CountingSession(), job=job)


@pytest.mark.parametrize("gain", [0.1, 1.0])
@pytest.mark.parametrize("limit", [0.2, 0.3, 0.4])
def test_flat_tops_are_clipping_at_any_level(take: np.ndarray, gain: float, limit: float) -> None:
    top = limit * float(np.abs(take).max())
    clipped = np.clip(take, -top, top) * np.float32(gain)
    true_share = float(np.mean(np.abs(take[take != 0]) >= top))
    found = find_faults(clipped, sample_rate=RATE, regions=ALL_SUNG).clipped_share
    assert found == pytest.approx(true_share, rel=0.5, abs=0.005)
    assert found > 0.0


def test_what_is_not_clipped_is_not_called_so(take: np.ndarray) -> None:
    sine = np.sin(np.arange(5 * RATE) * 0.05).astype(np.float32)
    for audio in (take, sine, np.zeros(RATE, dtype=np.float32), np.zeros(0, dtype=np.float32)):
        assert find_faults(audio, sample_rate=RATE, regions=ALL_SUNG).clipped_share == 0.0


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_noise_in_the_rests_gives_the_ratio(snr_db: float) -> None:
    sung = Sung([60.0] * 8 + [float("nan")] * 8 + [62.0] * 8)
    first, second = sung.notes[7].offset_s, sung.notes[8].onset_s
    regions = (
        Region(start_s=0.5, end_s=first, kind="singing"),
        Region(start_s=first, end_s=second, kind="silence"),
        Region(start_s=second, end_s=sung.notes[-1].offset_s, kind="singing"),
    )
    level = np.sqrt(np.mean(np.square(sung.audio[round(0.55 * RATE) : round(0.9 * RATE)])))
    random = np.random.default_rng(0).standard_normal(sung.audio.size)
    noisy = (sung.audio + level * 10 ** (-snr_db / 20) * random).astype(np.float32)
    found = find_faults(noisy, sample_rate=RATE, regions=regions).snr_db
    # The singing is measured with the noise in it.
    assert found == pytest.approx(10 * np.log10(1 + 10 ** (snr_db / 10)), abs=0.7)


def test_an_offset_is_no_noise() -> None:
    sung = Sung([60.0] * 8 + [float("nan")] * 8 + [62.0] * 8)
    first, second = sung.notes[7].offset_s, sung.notes[8].onset_s
    regions = (
        Region(start_s=0.5, end_s=first, kind="singing"),
        Region(start_s=first, end_s=second, kind="silence"),
        Region(start_s=second, end_s=sung.notes[-1].offset_s, kind="singing"),
    )
    plain = find_faults(sung.audio, sample_rate=RATE, regions=regions).snr_db
    offset = (sung.audio + np.float32(0.03)).astype(np.float32)
    assert find_faults(offset, sample_rate=RATE, regions=regions).snr_db == plain == 80.0


def test_no_rests_no_ratio_and_digital_silence_the_best() -> None:
    sung = Sung()
    without = find_faults(sung.audio, sample_rate=RATE, regions=ALL_SUNG)
    assert without.snr_db is None
    regions = (
        Region(start_s=0.5, end_s=16.0, kind="singing"),
        Region(start_s=16.45, end_s=17.5, kind="silence"),
    )
    assert find_faults(sung.audio, sample_rate=RATE, regions=regions).snr_db == 80.0
