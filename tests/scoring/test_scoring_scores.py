"""Whole scores: what moves them, what must not, and what gives none."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from scoring_takes import Tone, change_one, delayed, make_take, melody, sing, with_gain

from singcoach.core.music import Key
from singcoach.core.scores import DIMENSIONS, DimensionScore, Scores
from singcoach.core.take import Backing, Take
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.scoring import score_take
from singcoach.scoring.measures import UNITS


@pytest.fixture(scope="module")
def take() -> Take:
    return sing(
        [
            [
                replace(
                    tone,
                    drift_cents=12.0 * (-1) ** i,
                    gain_db=-3.0 * (j % 3),
                    wobble_db=0.5 * (i % 2),
                    vibrato_cents=35.0 * (j % 2),
                )
                for i, tone in enumerate(tones)
            ]
            for j, tones in enumerate(melody(32, length_s=0.8))
        ],
        noise_db=-35.0,
    )


@pytest.fixture(scope="module")
def scores(take: Take) -> Scores:
    return score_take(take)


def all_of(scores: Scores) -> dict[str, DimensionScore]:
    return {**scores.dimensions, "overall": scores.overall}


def score_of(take: Take, name: str) -> float:
    score = all_of(score_take(take))[name].score
    assert score is not None
    return score


def test_every_part_of_the_result_is_there(take: Take, scores: Scores) -> None:
    assert set(scores.dimensions) == set(DIMENSIONS)
    assert set(scores.measures) == set(UNITS)
    assert len(scores.phrases) == len(take.phrases)
    for name, part in all_of(scores).items():
        assert part.score is not None, name
        assert part.low is not None
        assert part.high is not None
        assert 1.0 <= part.low <= part.score <= part.high <= 5.0
        assert part.high - part.low > 0.5, "no score here is known that well"
        assert part.reason is None
        assert part.encoder is None
    for measure in scores.measures.values():
        assert (measure.value is None) == (measure.percentile is None) or measure.value is not None
        assert measure.percentile is None or 0.0 <= measure.percentile <= 100.0
    assert any("breath" in w.lower() for w in scores.warnings)
    assert any("emotion" in w.lower() for w in scores.warnings)


def test_the_same_take_gives_the_same_numbers(take: Take, scores: Scores) -> None:
    assert score_take(take) == scores


@pytest.mark.parametrize("gain", [0.1, 4.0])
def test_louder_is_not_better(take: Take, scores: Scores, gain: float) -> None:
    changed = all_of(score_take(with_gain(take, gain)))
    for name, part in all_of(scores).items():
        assert changed[name].score == pytest.approx(part.score, abs=0.02), name


def test_a_second_of_silence_before_the_song_changes_nothing(take: Take, scores: Scores) -> None:
    later = all_of(score_take(delayed(take, 63)))
    for name, part in all_of(scores).items():
        assert later[name].score == pytest.approx(part.score, abs=0.02), name
        # Repeated notes tie, so only the strongest moment is certain.
        assert [e.measure for e in later[name].evidence[:1]] == [
            e.measure for e in part.evidence[:1]
        ]


def test_an_octave_lower_is_no_worse_technique(take: Take) -> None:
    phrases = melody(24, length_s=0.8, drift_cents=10.0)
    low = [[replace(tone, midi=tone.midi - 12) for tone in tones] for tones in phrases]
    for name in ("technique", "emotion"):
        assert score_of(sing(low), name) == pytest.approx(score_of(sing(phrases), name), abs=0.15)


def test_singing_the_song_twice_changes_no_score_but_narrows_nothing_much(take: Take) -> None:
    once = melody(24, length_s=0.8, drift_cents=20.0)
    one, two = score_take(sing(once)), score_take(sing([*once, *once]))
    for name in ("technique", "timbre", "breath"):
        a, b = all_of(one)[name], all_of(two)[name]
        assert b.score == pytest.approx(a.score, abs=0.15)
        assert b.high - b.low <= a.high - a.low + 0.05


def test_out_of_tune_lowers_technique_and_overall() -> None:
    rough = [
        [replace(t, midi=t.midi + 0.45 * np.sin(3.7 * i + 1.3 * j)) for i, t in enumerate(tones)]
        for j, tones in enumerate(melody())
    ]
    for name in ("technique", "overall"):
        assert score_of(sing(rough), name) < score_of(sing(melody()), name) - 0.5


def test_expressive_singing_is_not_punished_as_instability() -> None:
    straight = sing(melody(length_s=1.0))
    expressive = sing(melody(length_s=1.0, vibrato_cents=60.0))
    assert score_of(expressive, "technique") > score_of(straight, "technique")
    assert score_of(expressive, "emotion") > score_of(straight, "emotion")


def test_wider_vibrato_is_not_rewarded_beyond_presence() -> None:
    small, wide = (sing(melody(length_s=1.0, vibrato_cents=c)) for c in (30.0, 90.0))
    assert score_of(wide, "technique") <= score_of(small, "technique") + 0.1


def test_unsteady_air_lowers_breath() -> None:
    steady, wavering = (sing(melody(length_s=1.2, wobble_db=db)) for db in (0.0, 3.0))
    assert score_of(wavering, "breath") < score_of(steady, "breath") - 0.3


def test_dynamics_raise_emotion_whether_louder_or_softer() -> None:
    flat = melody(length_s=1.0)
    for sign in (-1.0, 1.0):
        shaped = [
            [replace(t, gain_db=sign * 4.0 * i) for i, t in enumerate(tones)] for tones in flat
        ]
        assert score_of(sing(shaped), "emotion") > score_of(sing(flat), "emotion") + 0.2


def test_stopping_early_is_not_rewarded(take: Take, scores: Scores) -> None:
    third = take.phrases[2].end_s + 0.1
    stopped = replace(
        take,
        duration_s=third,
        vocal=take.vocal[: round(third * take.sample_rate)],
        vocal_raw=take.vocal_raw[: round(third * take.sample_rate)],
        notes=tuple(n for n in take.notes if n.offset_s <= third),
        phrases=take.phrases[:3],
        screening=replace(take.screening, voiced_s=take.screening.voiced_s * 3 / 8),
    )
    early = all_of(score_take(stopped))
    for name, whole in all_of(scores).items():
        part = early[name]
        assert part.score is not None
        assert whole.low is not None
        assert whole.high is not None
        assert part.low is not None
        assert part.high is not None
        assert whole.low <= part.score <= whole.high, name
    technique = early["technique"]
    assert technique.high - technique.low > (  # type: ignore[operator]
        scores.dimensions["technique"].high - scores.dimensions["technique"].low  # type: ignore[operator]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"recording_quality": 1.5},
        {"verdict": "weak"},
    ],
)
def test_doubtful_takes_get_wider_intervals(
    take: Take, scores: Scores, change: dict[str, object]
) -> None:
    doubtful = score_take(replace(take, screening=replace(take.screening, **change)))
    mixture = score_take(replace(take, kind="mixture"))
    for name, part in all_of(scores).items():
        for other in (all_of(doubtful)[name], all_of(mixture)[name]):
            assert other.score == part.score
            # An end of the scale may be reached already.
            assert other.low < part.low or other.low == 1.0  # type: ignore[operator]
            assert other.high > part.high or other.high == 5.0  # type: ignore[operator]


def test_too_little_singing_gives_null_with_the_first_reason_of_the_screening() -> None:
    scores = score_take(sing(melody(4, length_s=0.5)))
    for part in all_of(scores).values():
        assert part.score is None
        assert part.low is None
        assert part.high is None
        assert part.reason == "less than 10 s of singing"
        assert part.evidence == ()
    assert scores.warnings == ()


def test_notes_outside_of_any_singing_give_null_and_no_phrases(take: Take) -> None:
    for verdict in ("insufficient", "weak"):
        heard = replace(take.screening, verdict=verdict, reasons=("no singing",))
        scores = score_take(replace(take, regions=(), phrases=(), screening=heard))
        assert scores.phrases == ()
        for part in all_of(scores).values():
            assert part.score is None
            assert part.reason


def test_humming_one_note_has_no_technique_and_no_emotion() -> None:
    hum = sing([[Tone(midi=57, length_s=2.5)] for _ in range(8)])
    scores = score_take(hum)
    for name in ("technique", "emotion", "overall"):
        part = all_of(scores)[name]
        assert part.score is None
        assert part.reason == "Fewer than three different notes were sung"


@pytest.mark.parametrize("loudness", [0.0, 0.1])
def test_silence_and_noise_give_no_score(loudness: float) -> None:
    silent = sing(melody(4))
    noise = np.random.default_rng(1).standard_normal(16_000 * 20).astype(np.float32)
    times = np.arange(1250) * 0.016
    track = replace(
        silent.pitch, times_s=times, f0_hz=np.full(1250, np.nan), confidence=np.zeros(1250)
    )
    take = make_take(np.float32(loudness) * noise, track, (), ())
    for verdict in ("insufficient", "pass"):
        screened = replace(take, screening=replace(take.screening, verdict=verdict, reasons=()))
        for part in all_of(score_take(screened)).values():
            assert part.score is None
            assert part.reason


def test_fit_to_the_music_counts_when_there_is_music(take: Take) -> None:
    def over(tonic: int) -> float:
        key = Key(tonic=tonic, mode="major", tuning_cents=0.0, strength=0.8)
        backing = Backing(
            chroma=np.zeros((1, 12), dtype=np.float32), frame_s=0.1, beats_s=np.zeros(0), key=key
        )
        return score_of(replace(take, backing=backing), "technique")

    assert over(0) > over(6) + 0.5


@pytest.mark.parametrize("reference", ["song", "backing"])
def test_pitch_accuracy_of_the_screening_counts_with_a_reference(
    take: Take, reference: str
) -> None:
    def with_accuracy(value: float, against: str) -> Scores:
        return score_take(
            replace(
                take,
                screening=replace(take.screening, pitch_accuracy=value, pitch_reference=against),
            )
        )

    good, bad = with_accuracy(0.95, reference), with_accuracy(0.2, reference)
    assert good.dimensions["technique"].score > bad.dimensions["technique"].score  # type: ignore[operator]
    assert good.measures["pitch_accuracy"].value == 0.95
    # Against the take's own scale it says nothing new and is left out.
    assert with_accuracy(0.2, "self") == with_accuracy(0.95, "self")


def test_phrases_carry_their_own_measures() -> None:
    phrases = change_one(melody(length_s=0.9), 2, 1, lambda tone: replace(tone, drift_cents=-90.0))
    drifts = [p.values["note_drift"] for p in score_take(sing(phrases)).phrases]
    assert int(np.argmax(drifts)) == 2


def score_again_and_again(take: Take, job: Job) -> None:
    for _ in range(50):
        score_take(take, job)


def test_cancel_acts_within_a_second() -> None:
    long = sing(melody(400, length_s=0.6))
    job = Job()
    threading.Timer(0.15, job.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        score_again_and_again(long, job)
    assert time.monotonic() - started < 0.15 + 1.0


def test_progress_rises_to_one(take: Take) -> None:
    seen: list[float] = []
    score_take(take, Job(lambda fraction, stage: seen.append(fraction)))
    assert seen[-1] == 1.0
    assert len(seen) > len(take.phrases)
    assert seen == sorted(seen)
