"""Curves come back as they were kept; damaged and hostile files are refused."""

from __future__ import annotations

import contextlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.core.music import Key, Note, Phrase, SongNote, Vibrato
from singcoach.errors import InputError
from singcoach.library.curves import (
    PEAKS_PER_S,
    TakeCurves,
    curves_of,
    load_curves,
    save_curves,
    waveform_peaks,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "scoring"))
from scoring_takes import melody, sing


def _curves() -> TakeCurves:
    return TakeCurves(
        duration_s=2.0,
        kind="mixture",
        times_s=np.arange(5) * 0.016,
        f0_hz=np.array([np.nan, 220.0, 221.0, np.nan, 440.0]),
        confidence=np.array([0.0, 0.5, 1.0, 0.25, 0.75]),
        peaks=np.array([[-0.5, 0.25], [-1.0, 1.0]], np.float32),
        notes=(
            Note(onset_s=0.1, offset_s=0.5, midi=57, cents_deviation=-12.5),
            Note(
                onset_s=0.6,
                offset_s=1.5,
                midi=69,
                cents_deviation=3.0,
                vibrato=Vibrato(rate_hz=5.5, extent_cents=40.0, regularity=0.9, presence=0.8),
            ),
        ),
        phrases=(Phrase(start_s=0.1, end_s=1.5),),
        song=(SongNote(onset_s=0.0, offset_s=1.0, midi=57, syllable="é日", kind="golden", line=2),),
        beats_s=np.array([0.0, 0.5]),
        backing_key=Key(tonic=9, mode="minor", tuning_cents=4.0, strength=0.8),
        tuning_cents=-7.5,
    )


def _same(one: TakeCurves, other: TakeCurves) -> None:
    for name in ("times_s", "f0_hz", "confidence", "peaks", "beats_s"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert not getattr(other, name).flags.writeable
    for name in ("notes", "phrases", "song", "backing_key", "sung_key", "tuning_cents", "kind"):
        assert getattr(one, name) == getattr(other, name)
    assert one.duration_s == other.duration_s


def test_curves_come_back_as_they_were(tmp_path: Path) -> None:
    save_curves(tmp_path / "curves.npz", _curves())
    _same(_curves(), load_curves(tmp_path / "curves.npz"))


def test_curves_of_a_sung_take_hold_what_was_sung(tmp_path: Path) -> None:
    take = sing(melody(8))
    curves = curves_of(take)
    save_curves(tmp_path / "curves.npz", curves)
    found = load_curves(tmp_path / "curves.npz")
    assert found.notes == take.notes
    assert found.phrases == take.phrases
    np.testing.assert_array_equal(found.f0_hz, take.pitch.f0_hz)
    assert found.peaks.shape == (int(np.ceil(len(take.vocal) * PEAKS_PER_S / 16_000)), 2)
    assert found.peaks.max() == pytest.approx(take.vocal.max())


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 5000), rate=st.sampled_from([8000, 11_025, 16_000, 44_100]), seed=st.integers()
)
def test_peaks_hold_every_sample_whatever_the_rate(n: int, rate: int, seed: int) -> None:
    audio = np.random.default_rng(abs(seed)).uniform(-1, 1, n).astype(np.float32)
    peaks = waveform_peaks(audio, sample_rate=rate)
    assert peaks.shape == (-(-n * PEAKS_PER_S // rate), 2)
    assert peaks[:, 0].min() == audio.min()
    assert peaks[:, 1].max() == audio.max()
    np.testing.assert_array_equal(peaks, waveform_peaks(audio[None], sample_rate=rate))


def test_peaks_of_nothing_and_of_no_numbers() -> None:
    assert waveform_peaks(np.zeros(0, np.float32), sample_rate=8000).shape == (0, 2)
    broken = waveform_peaks(np.array([np.nan, 0.5], np.float32), sample_rate=8000)
    assert broken.tolist() == [[0.0, 0.5]]


def test_a_click_is_drawn_where_it_sounds() -> None:
    audio = np.zeros(44_100 * 3, np.float32)
    audio[round(2.5 * 44_100)] = 1.0
    peaks = waveform_peaks(audio, sample_rate=44_100)
    assert int(peaks[:, 1].argmax()) == round(2.5 * PEAKS_PER_S)


def test_missing_curves_are_told() -> None:
    with pytest.raises(InputError, match="no curves yet"):
        load_curves(Path("nowhere.npz"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_curves_are_an_input_error_or_still_curves(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "curves.npz"
        save_curves(path, _curves())
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
        with contextlib.suppress(InputError):
            assert isinstance(load_curves(path), TakeCurves)


def _with(path: Path, **changes: np.ndarray) -> Path:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays.update(changes)
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"times_s": np.array(["a", "b"])},
        {"times_s": np.zeros(3)},
        {"times_s": np.full(5, np.inf)},
        {"peaks": np.zeros((4, 3), np.float32)},
        {"notes": np.zeros((2, 7))},
        {"song": np.array([[0.0, 1.0, 57.0, 99.0, 0.0]])},
        {"words": np.frombuffer(b'{"format": 2}', np.uint8)},
        {"words": np.frombuffer(b"[" * 100_000, np.uint8)},
        {"words": np.frombuffer(b"\xff\xfe", np.uint8)},
    ],
)
def test_foreign_arrays_are_refused(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
    save_curves(tmp_path / "curves.npz", _curves())
    with pytest.raises(InputError, match="damaged"):
        load_curves(_with(tmp_path / "curves.npz", **changes))


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    save_curves(tmp_path / "curves.npz", _curves())
    objects = np.array([{"a": 1}, {"b": 2}], dtype=object)
    with pytest.raises(InputError, match="damaged"):
        load_curves(_with(tmp_path / "curves.npz", times_s=objects))


def test_a_header_that_promises_terabytes_is_not_believed(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    )
    path = tmp_path / "curves.npz"
    save_curves(path, _curves())
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    members["times_s.npy"] = header.getvalue()
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    with pytest.raises(InputError, match="damaged"):
        load_curves(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "curves.npz"
    save_curves(path, _curves())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", b"\0" * (300 << 20))
    with pytest.raises(InputError) as refusal:
        load_curves(path)
    assert "larger than any take" in refusal.value.detail
