"""Examples: what is taken from a take, and that keeping loses nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scoring_takes import delayed, melody, sing

from singcoach.core.features import SingingFeatures
from singcoach.core.take import Take
from singcoach.errors import InputError
from singcoach.scoring.sequences import ROW_S, read_sequences
from singcoach.training.examples import MEASURE_NAMES, load_examples, make_example, save_examples


def heard(take: Take, *, seed: int = 3) -> Take:
    """The take with encoder rows whose means over half a second are known."""
    n = int(take.duration_s * 50)
    rng = np.random.default_rng(seed)
    rows = (rng.standard_normal((n, 8)) + np.arange(n)[:, None] // 25).astype(np.float16)
    singing = SingingFeatures(
        whisper=rows[:, ::-1].copy(),
        f0_bin=np.full(n, 9, dtype=np.uint8),
        f0_voiced=np.ones(n, dtype=np.bool_),
    )
    return replace(take, features=rows, singing=singing)


def test_rows_are_means_over_the_sung_half_seconds() -> None:
    take = heard(sing(melody()))
    rows = read_sequences(take)
    assert rows.general is not None
    assert rows.singing is not None
    assert take.features is not None
    assert rows.general.shape == (len(rows.starts_s), 8)
    assert rows.singing.shape == (len(rows.starts_s), 11)
    whole = [
        i for i, start in enumerate(rows.starts_s)
        if any(r.start_s <= start and start + ROW_S <= r.end_s for r in take.regions)
    ]  # fmt: skip
    assert len(whole) > 10
    frames_s = np.arange(len(take.features)) / 50
    for i in whole:
        inside = (frames_s >= rows.starts_s[i] - 1e-9) & (
            frames_s < rows.starts_s[i] + ROW_S - 1e-9
        )
        expected = take.features[inside].astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(rows.general[i], expected, atol=2e-3)
    sung = np.mean(
        [any(r.start_s <= s + 0.25 <= r.end_s for r in take.regions) for s in rows.starts_s]
    )
    assert sung > 0.9  # rests bring no rows


def test_another_octave_or_a_second_of_silence_changes_no_row() -> None:
    take = sing(melody(8))
    high = replace(take.pitch, f0_hz=take.pitch.f0_hz * 2.0)
    first = read_sequences(heard(take))
    octave = read_sequences(heard(replace(take, pitch=high)))
    assert first.singing is not None
    assert octave.singing is not None
    np.testing.assert_allclose(first.singing, octave.singing, atol=1e-6)
    assert first.singing[:, -1].max() > 0.01
    later = delayed(take, 62)
    regions = tuple(
        replace(r, start_s=r.start_s + 0.992, end_s=r.end_s + 0.992) for r in take.regions
    )
    second = read_sequences(replace(heard(later), regions=regions))
    assert second.singing is not None
    np.testing.assert_allclose(second.starts_s, first.starts_s + 0.992)
    np.testing.assert_allclose(first.singing[:, -3:], second.singing[:, -3:], atol=1e-6)


def test_a_take_without_singing_has_no_rows() -> None:
    take = heard(replace(sing(melody(4)), regions=()))
    rows = read_sequences(take)
    assert rows.general is not None
    assert rows.general.shape == (0, 8)
    assert read_sequences(replace(take, features=None, singing=None)).general is None


def test_keeping_loses_nothing(tmp_path: Path) -> None:
    take = heard(sing(melody()))
    labels = {"technique": -0.25, "overall": 3.0}
    with_rows = make_example(
        take, item="a", corpus="c", singer="s", song="o", labels=labels, group="g",
        edit="scoops", severity=0.25,
    )  # fmt: skip
    bare = make_example(
        replace(take, features=None, singing=None),
        item="b",
        corpus="",
        singer="",
        song="",
        labels={},
    )
    save_examples(tmp_path / "e.npz", [bare, with_rows, bare])
    found = load_examples(tmp_path / "e.npz")
    assert [e.item for e in found] == ["b", "a", "b"]
    back = found[1]
    assert back.labels == labels
    assert (back.group, back.edit, back.severity) == ("g", "scoops", 0.25)
    np.testing.assert_array_equal(back.measures, with_rows.measures)
    assert np.isnan(back.measures[MEASURE_NAMES.index("backing_key_deviation")])
    for name in ("general", "singing"):
        np.testing.assert_array_equal(back.sequences[name], with_rows.sequences[name])
        assert back.sequences[name].dtype == np.float32
    assert found[0].sequences == {}


def test_no_examples_can_be_kept(tmp_path: Path) -> None:
    save_examples(tmp_path / "none.npz", [])
    assert load_examples(tmp_path / "none.npz") == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", b"\x80\x04K\x01."])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        load_examples(path)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "pickled.npz"
    np.savez(path, about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        load_examples(path)
