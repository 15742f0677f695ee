"""Evidence: the seconds that moved a score, checked by taking them out."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scoring_takes import change_one, melody, sing, without_seconds

from singcoach.core.scores import Evidence, Scores
from singcoach.core.take import Take
from singcoach.scoring import score_take
from singcoach.scoring.evidence import find_evidence
from singcoach.scoring.judges import make_judges
from singcoach.scoring.measures import UNITS, read_measures
from singcoach.scoring.moments import LONGEST_S, moment_starts, values_without
from singcoach.scoring.specs import Heads, load_heads
from singcoach.scoring.wording import PHRASINGS, SHOWN_UNITS, clock, sentence


@pytest.fixture(scope="module")
def drifting() -> Take:
    """Steady singing with one note that drifts 80 cents flat, at 9.4 s."""
    phrases = melody(32, length_s=0.8, vibrato_cents=20.0, wobble_cents=10.0)
    return sing(change_one(phrases, 2, 2, lambda t: replace(t, drift_cents=-80.0)), noise_db=-40.0)


@pytest.fixture(scope="module")
def scores(drifting: Take) -> Scores:
    return score_take(drifting)


def all_evidence(scores: Scores) -> list[Evidence]:
    return [e for d in scores.dimensions.values() for e in d.evidence]


def test_the_bad_note_is_found_and_told_with_its_value(scores: Scores) -> None:
    worst = min(scores.dimensions["technique"].evidence, key=lambda e: e.effect)
    assert worst.effect < 0.0
    assert worst.start_s == pytest.approx(9.5, abs=0.3)
    # Of a drift of 80 cents, what lies between the 5th and 95th percentile without the edges.
    assert worst.measure == "pitch_wander"
    assert worst.value == pytest.approx(56.0, abs=12.0)
    assert re.fullmatch(r"At 0:09 the pitch wandered over \d+ cents within the note\.", worst.text)


def test_ids_order_and_bounds(scores: Scores, drifting: Take) -> None:
    for dimension, part in scores.dimensions.items():
        assert len(part.evidence) <= 6
        assert [e.id for e in part.evidence] == [
            f"{dimension}-{i}" for i in range(1, len(part.evidence) + 1)
        ]
        sizes = [abs(e.effect) for e in part.evidence]
        assert sizes == sorted(sizes, reverse=True)
        for e in part.evidence:
            assert 0.0 <= e.start_s < e.end_s <= drifting.duration_s
            assert 0.0 < abs(e.effect) <= 1.0
            assert e.text.startswith(f"At {clock(e.start_s)} ")
    assert len(all_evidence(scores)) >= 4


def test_every_number_in_a_text_is_the_value(scores: Scores) -> None:
    for e in all_evidence(scores):
        told = re.sub(r"^At \d+:\d\d ", "", e.text).replace("2 to 4 kHz", "")
        for number in re.findall(r"-?\d+(?:\.\d+)?", told):
            decimals = PHRASINGS[e.measure].decimals
            assert abs(abs(float(number)) - abs(e.value)) <= 0.51 * 10.0**-decimals


def test_without_the_worst_seconds_the_score_is_higher(scores: Scores, drifting: Take) -> None:
    technique = scores.dimensions["technique"]
    worst = min(technique.evidence, key=lambda e: e.effect)
    better = score_take(without_seconds(drifting, worst.start_s, worst.end_s))
    assert better.dimensions["technique"].score > technique.score  # type: ignore[operator]


def test_leaving_items_out_equals_measuring_the_rest() -> None:
    phrases = melody(24, length_s=0.8, drift_cents=15.0)
    take = sing(change_one(phrases, 1, 1, lambda t: replace(t, midi=t.midi + 0.5)))
    readings = read_measures(take)
    out = take.phrases[1]
    left = values_without(readings, np.array([out.start_s]), np.array([out.end_s]))
    rest = read_measures(without_seconds(take, out.start_s, out.end_s))
    for name in ("note_drift", "harmonicity", "dynamics_in_phrases", "phrase_length"):
        assert left[name][0] == pytest.approx(rest[name].value(), rel=0.02), name


def test_moments_cover_the_phrases_in_pieces_of_a_few_seconds() -> None:
    take = sing([[t for tones in melody(24, length_s=0.8) for t in tones]])
    starts = moment_starts(take)
    assert starts[0] == take.phrases[0].start_s
    pieces = np.diff(np.append(starts, take.phrases[0].end_s))
    assert (pieces > 1.0).all()
    assert (pieces < LONGEST_S + 2.0).all()


@pytest.mark.parametrize("measure", sorted(PHRASINGS))
@pytest.mark.parametrize("helped", [True, False])
@pytest.mark.parametrize("rising", [True, False])
def test_every_sentence_is_plain_english(measure: str, helped: bool, rising: bool) -> None:
    text = sentence(
        measure,
        start_s=62.3,
        value=-1.0,
        unit=SHOWN_UNITS.get(measure, "cents"),
        helped=helped,
        rising=rising,
        plain=True,
    )
    assert text.startswith("At 1:02 ")
    assert text.endswith(".")
    assert "{" not in text
    assert "1 cents" not in text


def tell(measure: str, value: float, *, helped: bool, rising: bool, plain: bool) -> str:
    return sentence(
        measure,
        start_s=1.0,
        value=value,
        unit=SHOWN_UNITS.get(measure, UNITS[measure]),
        helped=helped,
        rising=rising,
        plain=plain,
    )


JUDGING = re.compile(
    r"veiled|unclear|\bclear|uneven|\beven\b|little ring|had ring|near|reached|kept|held up|"
    r"carried|only|wavered|faded|stood out|steady|sat|away|drifted|sank|one level|swelled"
)


@pytest.mark.parametrize("measure", sorted(set(PHRASINGS) - {"vibrato_share"}))
@pytest.mark.parametrize("helped", [True, False])
@pytest.mark.parametrize("rising", [True, False])
def test_a_value_that_does_not_say_why_is_told_without_judging_it(
    measure: str, helped: bool, rising: bool
) -> None:
    text = tell(measure, 2.0, helped=helped, rising=rising, plain=False)
    clause, tail = text.split("; ")
    assert not JUDGING.search(clause), clause
    assert tail == f"this is one of the {'better' if helped else 'weaker'} moments of the take."
    assert "2" in clause


@pytest.mark.parametrize("measure", sorted(PHRASINGS))
@pytest.mark.parametrize("value", [-0.004, 0.0, 0.004])
@pytest.mark.parametrize("plain", [True, False])
def test_nothing_is_told_as_a_zero(measure: str, value: float, plain: bool) -> None:
    text = tell(measure, value, helped=True, rising=False, plain=plain)
    if PHRASINGS[measure].nothing:
        assert not re.search(r"\b0(\.0+)? ", text), text


def test_a_pitch_that_holds_is_told_without_its_size() -> None:
    held = tell("phrase_end_sag", 0.3, helped=True, rising=False, plain=True)
    assert held == "At 0:01 the pitch held up at the end of the phrase."


def test_a_level_that_rises_does_not_fall_by_less_than_nothing() -> None:
    text = tell("phrase_end_fall", -2.0, helped=True, rising=False, plain=True)
    assert text == "At 0:01 the end of the phrase was carried, its level rising by 2.0 dB."


def test_clipped_values_are_told_as_at_least() -> None:
    assert "drifted at least 100 cents flat" in tell(
        "note_drift", -100.0, helped=False, rising=False, plain=True
    )
    assert "drifted 99 cents flat" in tell(
        "note_drift", -99.0, helped=False, rising=False, plain=True
    )


def told_values(measure: str, dimension: str, take: Take, values: list[float]) -> list[Evidence]:
    """Evidence of one measure after its items were given other values to show."""
    readings = read_measures(take)
    reading = readings[measure]
    shown = np.resize(np.asarray(values), len(reading.shown))
    readings[measure] = replace(reading, shown=shown)
    heads, starts = _grading(measure, dimension), moment_starts(take)
    judges, _ = make_judges(take, readings, starts, heads, {})
    found = find_evidence(
        dimension,  # type: ignore[arg-type]
        readings=readings,
        moments_s=starts,
        heads=heads,
        judge=judges[dimension],  # type: ignore[index]
    )
    return [e for e in found if e.measure == measure]


def _grading(measure: str, dimension: str) -> Heads:
    """The shipped heads, with one measure alone to judge a dimension."""
    heads = load_heads()
    head = heads.heads[dimension]  # type: ignore[index]
    alone = replace(head, weights={measure: 1.0})
    return replace(heads, heads={**heads.heads, dimension: alone})  # type: ignore[dict-item]


@pytest.fixture(scope="module")
def wide() -> Take:
    """A melody whose middle notes are many and whose outer ones are far away."""
    phrases = melody(32, length_s=0.8)
    return sing(change_one(phrases, 2, 2, lambda t: replace(t, midi=t.midi - 9.0)))


def test_the_edge_of_the_range_is_reached_and_not_near_the_middle(wide: Take) -> None:
    found = told_values("pitch_range", "emotion", wide, [-4.6])
    assert found
    for e in found:
        assert e.effect > 0.0
        assert "the melody reached 5 semitones below its middle." in e.text


def test_a_note_in_between_is_told_as_it_is(wide: Take) -> None:
    found = told_values("pitch_range", "emotion", wide, [3.0])
    assert found
    for e in found:
        kind = "better" if e.effect > 0.0 else "weaker"
        assert e.text.endswith(
            f"the melody lay 3 semitones above its middle; this is one of the {kind} moments of "
            "the take."
        )


@pytest.mark.parametrize(
    ("measure", "dimension", "possible", "absurd"),
    [
        ("singing_power_ratio", "timbre", -30.0, -68.0),
        ("harmonicity", "timbre", 30.0, -12.0),
        ("cpp_low", "timbre", 18.0, 0.5),
        ("pitch_range", "emotion", -6.0, -24.0),
    ],
)
def test_what_no_voice_has_is_no_evidence(
    wide: Take, measure: str, dimension: str, possible: float, absurd: float
) -> None:
    soft = [
        [replace(t, gain_db=-3.0 * j, midi=t.midi - 14) for j, t in enumerate(p)]
        for p in melody(16)
    ]
    take = wide if dimension == "emotion" else sing([*soft, *melody(16)], noise_db=-30.0)
    assert told_values(measure, dimension, take, [possible])
    assert told_values(measure, dimension, take, [absurd]) == []


def test_good_and_bad_are_told_apart() -> None:
    def drift(*, helped: bool, plain: bool, value: float) -> str:
        return sentence(
            "note_drift",
            start_s=42.9,
            value=value,
            unit="cents",
            helped=helped,
            rising=False,
            plain=plain,
        )

    assert drift(helped=False, plain=True, value=-38.2) == "At 0:42 the note drifted 38 cents flat."
    assert "only 3 cents sharp" in drift(helped=True, plain=True, value=3.0)
    assert "weaker moments" in drift(helped=False, plain=False, value=3.0)
    assert "better moments" in drift(helped=True, plain=False, value=50.0)
