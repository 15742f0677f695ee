from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from regions_voices import RATE, Voice

from singcoach.core.arrays import RealArray
from singcoach.core.music import Phrase, Region
from singcoach.regions.detector import HOP_S
from singcoach.regions.phrases import LONGEST_PHRASE_S, find_phrases, split_run
from singcoach.regions.regions import find_regions


def _regions(voice: Voice, *, gain: float = 1.0) -> tuple[Region, ...]:
    return find_regions(
        voice.audio * np.float32(gain), sample_rate=RATE, pitch=voice.pitch, events=voice.events
    )


def _phrases(voice: Voice) -> tuple[Phrase, ...]:
    return find_phrases(voice.audio, sample_rate=RATE, pitch=voice.pitch, regions=_regions(voice))


def test_regions_lie_where_the_voice_sounds() -> None:
    found = _regions(Voice([(1.0, 3.0), (4.0, 7.0)], 8.0))
    assert [region.kind for region in found] == [
        "silence",
        "singing",
        "silence",
        "singing",
        "silence",
    ]
    edges = [region.start_s for region in found] + [found[-1].end_s]
    np.testing.assert_allclose(edges, [0.0, 1.0, 3.0, 4.0, 7.0, 8.0], atol=0.03)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.05, 3.0), min_size=1, max_size=9))
def test_regions_tile_the_take(lengths_s: list[float]) -> None:
    edges = np.cumsum(lengths_s)
    spans = [(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    voice = Voice(spans, float(edges[-1]))
    found = _regions(voice)
    assert found[0].start_s == 0.0
    assert found[-1].end_s == pytest.approx(voice.audio.size / RATE)
    for before, after in itertools.pairwise(found):
        assert before.end_s == after.start_s
    for phrase in _phrases(voice):
        assert 0.39 <= phrase.duration_s <= LONGEST_PHRASE_S + 0.02


@pytest.mark.parametrize("gain", [0.001, 0.1, 3.0])
def test_level_moves_no_region(gain: float) -> None:
    voice = Voice([(0.5, 2.0)], 3.0)
    assert _regions(voice, gain=gain) == _regions(voice)


def test_leading_silence_moves_regions_and_phrases_with_the_voice() -> None:
    early, late = Voice([(0.48, 2.48)], 3.0), Voice([(2.08, 4.08)], 4.6)
    for find in (_regions, _phrases):
        first = [item for item in find(early) if getattr(item, "kind", "singing") == "singing"]
        second = [item for item in find(late) if getattr(item, "kind", "singing") == "singing"]
        assert second[0].start_s - first[0].start_s == pytest.approx(1.6, abs=0.02)
        assert second[0].end_s - first[0].end_s == pytest.approx(1.6, abs=0.02)


def test_gliding_speech_is_speech_and_steady_parlando_is_not() -> None:
    heard = (0.9, 0.1, 0.0)
    speech = Voice([(0.5, 4.0)], 5.0, probabilities=heard, glide_cents_per_s=1200.0)
    parlando = Voice([(0.5, 4.0)], 5.0, probabilities=heard)
    assert [region.kind for region in _regions(speech)] == ["silence", "speech", "silence"]
    assert [region.kind for region in _regions(parlando)] == ["silence", "singing", "silence"]
    assert _phrases(speech) == ()


def test_pitch_without_a_voice_is_no_singing() -> None:
    bleed = Voice([(0.5, 4.0)], 5.0, probabilities=(0.0, 0.05, 0.99))
    assert [region.kind for region in _regions(bleed)] == ["silence"]


def test_nothing_and_silence() -> None:
    assert _regions(Voice([], 0.0)) == ()
    assert _phrases(Voice([], 0.0)) == ()
    silence = Voice([], 2.0)
    assert _regions(silence) == (Region(start_s=0.0, end_s=2.0, kind="silence"),)
    assert _phrases(silence) == ()


def test_breaths_part_phrases_and_consonants_do_not() -> None:
    voice = Voice([(0.5, 2.0), (2.15, 4.0), (4.5, 6.0)], 7.0)
    found = _phrases(voice)
    assert len(found) == 2
    spans = [(phrase.start_s, phrase.end_s) for phrase in found]
    np.testing.assert_allclose(spans, [(0.5, 4.0), (4.5, 6.0)], atol=0.03)


def test_a_scrap_joins_its_neighbour_or_goes() -> None:
    near = _phrases(Voice([(0.5, 2.0), (2.4, 2.6)], 6.0))
    assert [(round(p.start_s, 1), round(p.end_s, 1)) for p in near] == [(0.5, 2.6)]
    far = _phrases(Voice([(0.5, 2.0), (4.0, 4.2)], 6.0))
    assert [(round(p.start_s, 1), round(p.end_s, 1)) for p in far] == [(0.5, 2.0)]


def test_a_long_run_is_split_at_its_deepest_dip() -> None:
    voice = Voice([(0.5, 20.5)], 21.0)
    dip = slice(round(8.0 * RATE), round(8.2 * RATE))
    voice.audio[dip] *= 0.1
    found = _phrases(voice)
    assert len(found) == 2
    assert found[0].end_s == pytest.approx(8.1, abs=0.1)
    assert found[0].end_s == found[1].start_s


def _runs(level_db: RealArray) -> list[tuple[int, int]]:
    """Pieces of one run that sounds with these levels throughout, one for each 10 ms."""
    return split_run((0, level_db.size), level_db)


def _lengths_s(pieces: list[tuple[int, int]], n_frames: int) -> RealArray:
    edges = [pieces[0][0], *(end for _, end in pieces)]
    assert edges[0] == 0
    assert edges[-1] == n_frames
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
    return np.diff(edges) * HOP_S


@pytest.mark.parametrize(
    "slope_db_per_s", [0.0, 0.005, -0.005, 0.5, -0.5], ids=lambda s: f"{s} dB a second"
)
@pytest.mark.parametrize("duration_s", [15.1, 40.0, 2400.0])
def test_a_run_without_dips_is_split_into_about_equal_parts(
    duration_s: float, slope_db_per_s: float
) -> None:
    level_db = slope_db_per_s * np.arange(round(duration_s / HOP_S)) * HOP_S
    lengths_s = _lengths_s(_runs(level_db), level_db.size)
    assert (lengths_s <= LONGEST_PHRASE_S).all()
    assert (lengths_s >= LONGEST_PHRASE_S / 2 - 0.1).all()
    assert np.ptp(lengths_s) <= 0.1


def test_a_crescendo_is_not_cut_into_crumbs_at_its_soft_beginning() -> None:
    voice = Voice([(0.5, 24.5)], 25.0)
    voice.audio *= np.linspace(0.05, 1.0, voice.audio.size, dtype=np.float32)
    lengths_s = [phrase.duration_s for phrase in _phrases(voice)]
    assert len(lengths_s) == 2
    np.testing.assert_allclose(lengths_s, 12.0, atol=0.3)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1501, 9000),
    st.floats(0.0, 12.0),
    st.floats(-1.0, 1.0),
    st.integers(0, 2**32 - 1),
)
def test_pieces_of_any_long_run_are_phrases(
    n_frames: int, spread_db: float, slope_db_per_s: float, seed: int
) -> None:
    wander = np.random.default_rng(seed).normal(0.0, spread_db, n_frames)
    level_db = slope_db_per_s * np.arange(n_frames) * HOP_S + wander
    lengths_s = _lengths_s(_runs(level_db), n_frames)
    assert (lengths_s <= LONGEST_PHRASE_S).all()
    assert (lengths_s >= 2.99).all()


def test_dips_within_a_swell_are_found() -> None:
    level_db = np.linspace(-30.0, 0.0, round(33.0 / HOP_S))
    for dip_s in (11.0, 20.0):
        at = round(dip_s / HOP_S)
        level_db[at - 10 : at + 10] -= 8.0
    cuts_s = [end * HOP_S for _, end in _runs(level_db)[:-1]]
    np.testing.assert_allclose(cuts_s, [11.0, 20.0], atol=0.15)


def test_of_dips_alike_the_one_nearest_the_middle_is_cut() -> None:
    level_db = np.zeros(round(25.0 / HOP_S))
    for dip_s, depth_db in ((4.0, 10.5), (11.5, 10.0), (21.0, 10.2)):
        at = round(dip_s / HOP_S)
        level_db[at - 10 : at + 10] -= depth_db
    assert [round(end * HOP_S, 1) for _, end in _runs(level_db)] == [11.5, 25.0]


def test_other_sample_rates_are_refused() -> None:
    voice = Voice([(0.5, 1.5)], 2.0)
    with pytest.raises(ValueError, match="16000"):
        find_regions(voice.audio, sample_rate=44_100, pitch=voice.pitch, events=voice.events)
    with pytest.raises(ValueError, match="16000"):
        find_phrases(voice.audio, sample_rate=44_100, pitch=voice.pitch, regions=())
