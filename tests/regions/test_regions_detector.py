from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from singcoach.audio.reading import read_audio
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.regions.detector import HOP_SAMPLES, SingingDetector, detect_kind

RATE = 16_000


def _load(path: Path) -> np.ndarray:
    return read_audio(path, sample_rate=RATE, channels=1)[0]


def _noise(n_samples: int, level: float) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(n_samples) * level).astype(np.float32)


@pytest.mark.parametrize("n_samples", [1, 159, 160, 161, 1600, 16_000, 16_001])
def test_every_hop_has_a_frame(detector: SingingDetector, n_samples: int) -> None:
    track = detector.track(_noise(n_samples, 0.1))
    centres = range(track.phase, n_samples, HOP_SAMPLES)
    assert track.phase < HOP_SAMPLES
    assert track.probabilities.shape == (len(centres), 3)
    assert np.isfinite(track.probabilities).all()


def test_empty_audio_has_no_frames(detector: SingingDetector) -> None:
    assert detector.track(np.zeros(0, dtype=np.float32)).probabilities.shape == (0, 3)


def test_chunks_do_not_show(detector: SingingDetector, shared_data: Path) -> None:
    take = _load(shared_data / "vocadito" / "Audio" / "vocadito_1.wav")
    whole = detector.track(take).probabilities
    # 33 s need two chunks; the part around the border computed alone agrees with them.
    first = 15 * RATE
    alone = detector._piece(take[first : 26 * RATE], np.float32(1.0))
    gain_free = detector._piece(take, np.float32(1.0))[1500:2600]
    np.testing.assert_allclose(alone[250:-250], gain_free[250:-250], atol=1e-6)
    assert abs(whole.shape[0] - take.size / HOP_SAMPLES) < 1.0


@pytest.mark.parametrize("gain", [0.01, 0.1, 3.0])
def test_level_plays_no_part(detector: SingingDetector, shared_data: Path, gain: float) -> None:
    take = _load(shared_data / "vocadito" / "Audio" / "vocadito_14.wav") * np.float32(0.3)
    expected = detector.track(take).probabilities
    found = detector.track(take * np.float32(gain)).probabilities
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_silence_and_noise_are_no_singing(detector: SingingDetector) -> None:
    silence = detect_kind(np.zeros(RATE, dtype=np.float32), detector=detector)
    assert (silence.singing_share, silence.confidence) == (0.0, 0.0)
    assert detect_kind(_noise(10 * RATE, 0.1), detector=detector).singing_share < 0.05


def test_refuses_what_is_not_one_finite_channel(detector: SingingDetector) -> None:
    with pytest.raises(ValueError, match="n_samples"):
        detector.track(np.zeros((2, RATE), dtype=np.float32))
    broken = np.zeros(RATE, dtype=np.float32)
    broken[5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        detect_kind(broken, detector=detector)


def test_cancelling_stops_between_chunks(detector: SingingDetector) -> None:
    seen: list[float] = []
    job = Job(lambda fraction, _: seen.append(fraction) or job.cancel())
    with pytest.raises(Cancelled):
        detector.track(_noise(45 * RATE, 0.1), job)
    assert seen == [0.0]


def test_damaged_model_is_a_model_error() -> None:
    model = Catalogue.default().require("singing_detector")
    with pytest.raises(ModelError, match="singing detector"):
        SingingDetector(VerifiedModel(entry=model.entry, content=b"no bundle" * 100))


def test_closed_detector_refuses() -> None:
    detector = SingingDetector(Catalogue.default().require("singing_detector"))
    detector.close()
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector.track(np.zeros(RATE, dtype=np.float32))


@pytest.mark.parametrize(
    "name",
    [
        "vocadito/Audio/vocadito_10.wav",
        "nycu_first/vocal/01.flac",
        "nycu_first/vocal/36.flac",
        "pesnq_edelweiss/audio/DAVI/DAVI_1.flac",
        "stems_falcon69/vocals.flac",
    ],
)
def test_voices_alone_are_solo(detector: SingingDetector, shared_data: Path, name: str) -> None:
    decision = detect_kind(_load(shared_data / name), detector=detector)
    assert decision.kind == "solo"
    assert decision.singing_share > 0.3


@pytest.mark.parametrize(
    "name", ["stems_falcon69/mixture.flac", "nycu_first/music/01.flac", "nycu_first/music/51.flac"]
)
def test_instruments_make_a_mixture(
    detector: SingingDetector, shared_data: Path, name: str
) -> None:
    decision = detect_kind(_load(shared_data / name), detector=detector)
    assert decision.kind == "mixture"
    assert decision.music_share > 0.9


@pytest.mark.parametrize("music_db", [0.0, -10.0])
def test_voice_over_quieter_music_is_a_mixture(
    detector: SingingDetector, shared_data: Path, music_db: float
) -> None:
    folder = shared_data / "nycu_first"
    vocal, _ = soundfile.read(folder / "vocal" / "09.flac", dtype="float32")
    music, _ = soundfile.read(folder / "music" / "09.flac", dtype="float32")
    gain = np.std(vocal) / np.std(music) * 10.0 ** (music_db / 20.0)
    mixture = (vocal + gain * music[: vocal.size]).astype(np.float32)
    assert detect_kind(mixture, detector=detector).kind == "mixture"
