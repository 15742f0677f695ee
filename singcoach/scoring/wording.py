"""Sentences for evidence: when, what was measured, how much, in words a singer knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from singcoach.core.wording import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrasing:
    """Clauses about one measure; ``{value}`` is its size with the unit, ``{way}`` its direction.

    Attributes
    ----------
    low, high
        Where the value is clearly little or much, which also says why the score moved.
    between
        The bare fact, for values that are neither or that speak against how the score moved.
    nothing
        Instead of all three when the value rounds to 0; empty where 0 is a number like any other.
    ways
        Words for values under 0 and from 0 on; values are then told without their sign.
    limit
        Size at which the measure is clipped: from there on the text says "at least".
    """

    low: str
    high: str
    between: str
    nothing: str = ""
    decimals: int = 0
    ways: tuple[str, str] = ("", "")
    limit: float = math.inf


_HELD = "of this held note"
_HARMONICS = "its harmonics standing {value} above the sound between them"
_RING = "the part of the voice at 2 to 4 kHz"

PHRASINGS: Mapping[str, Phrasing] = {
    "scale_deviation": Phrasing(
        low="the note sat within {value} of the song's own scale",
        high="the note lay {value} away from the song's own scale",
        between="the note lay {value} from the song's own scale",
        nothing="the note sat right on the song's own scale",
    ),
    "tuning_concentration": Phrasing(
        low="the note sat within {value} of the take's own tuning",
        high="the note lay {value} off the take's own tuning",
        between="the note lay {value} from the take's own tuning",
        nothing="the note sat right on the take's own tuning",
    ),
    "backing_key_deviation": Phrasing(
        low="the note sat within {value} of the scale of the music",
        high="the note lay {value} away from the scale of the music",
        between="the note lay {value} from the scale of the music",
        nothing="the note sat right on the scale of the music",
    ),
    "note_drift": Phrasing(
        low="the note kept its pitch, drifting only {value} {way}",
        high="the note drifted {value} {way}",
        between="the note moved {value} {way}",
        nothing="the note kept its pitch",
        ways=("flat", "sharp"),
        limit=100.0,
    ),
    "pitch_unsteadiness": Phrasing(
        low="the pitch of the note was steady, moving {value} apart from vibrato",
        high="the pitch of the note wavered by {value} apart from vibrato",
        between="the pitch of the note moved by {value} apart from vibrato",
        nothing="the pitch of the note was steady",
        limit=60.0,
    ),
    "pitch_wander": Phrasing(
        low="the note was sung as one pitch, moving {value} apart from vibrato",
        high="the pitch wandered over {value} within the note",
        between="the pitch of the note covered {value} apart from vibrato",
        nothing="the note was sung as one pitch",
        limit=150.0,
    ),
    "beat_deviation": Phrasing(
        low="the note came in with the beat, {value} {way}",
        high="the note came in {value} {way}",
        between="the note began {value} {way} beside the usual place in the beat",
        nothing="the note came in with the beat",
        ways=("early", "late"),
    ),
    "vibrato_share": Phrasing(
        low="the long note was held without vibrato",
        high="the long note was carried by vibrato",
        between="the long note had vibrato",
        nothing="the long note was held without vibrato",
        decimals=2,
    ),
    "vibrato_regularity": Phrasing(
        low="the vibrato was uneven, with a regularity of {value}",
        high="the vibrato was even, with a regularity of {value}",
        between="the vibrato had a regularity of {value}",
        decimals=2,
    ),
    "level_wobble": Phrasing(
        low=f"the loudness {_HELD} stayed within {{value}}",
        high=f"the loudness {_HELD} wavered by {{value}}",
        between=f"the loudness {_HELD} moved by {{value}}",
        nothing=f"the loudness {_HELD} stayed even",
        decimals=1,
        limit=6.0,
    ),
    "level_movement": Phrasing(
        low="the note was held at an even loudness, moving {value}",
        high="the loudness of the note gave way or pushed by {value}",
        between="the loudness of the note moved by {value}",
        nothing="the note was held at an even loudness",
        decimals=1,
        limit=60.0,
    ),
    "phrase_end_fall": Phrasing(
        low="the end of the phrase was carried, its level {way} by {value}",
        high="the phrase faded, its level {way} by {value} towards the end",
        between="the phrase ended with its level {way} by {value}",
        nothing="the end of the phrase was carried at full level",
        decimals=1,
        ways=("rising", "falling"),
        limit=30.0,
    ),
    "phrase_end_sag": Phrasing(
        low="the pitch held up at the end of the phrase, sinking by only {value}",
        high="the pitch sank by {value} at the end of the phrase",
        between="the pitch moved down by {value} at the end of the phrase",
        nothing="the pitch held up at the end of the phrase",
        limit=100.0,
    ),
    "phrase_length": Phrasing(
        low="the phrase lasted only {value}",
        high="the phrase was carried for {value}",
        between="the phrase lasted {value}",
        decimals=1,
        limit=12.0,
    ),
    "phrase_breaks": Phrasing(
        low="the phrase was sung almost without a break of the tone",
        high="the tone broke off for {value} inside the phrase",
        between="the tone paused for {value} inside the phrase",
        nothing="the phrase was sung without a break of the tone",
        decimals=2,
    ),
    "harmonicity": Phrasing(
        low=f"the tone was veiled, {_HARMONICS}",
        high=f"the tone was clear, {_HARMONICS}",
        between="the harmonics of the tone stood {value} above the sound between them",
    ),
    "cpp_low": Phrasing(
        low="the weakest parts of the tone were unclear, with a cepstral peak of {value}",
        high="even the weakest parts of the tone were clear, with a cepstral peak of {value}",
        between="the weakest parts of the tone had a cepstral peak of {value}",
        decimals=1,
    ),
    "clarity_shortfall": Phrasing(
        low="the tone was clear, falling only {value} short of a full cepstral peak",
        high="the tone was unclear, falling {value} short of a full cepstral peak",
        between="the tone fell {value} short of a full cepstral peak",
        nothing="the tone was clear throughout",
        decimals=1,
    ),
    "roughness": Phrasing(
        low="the tone was smooth, its harmonics falling only {value} short of standing clear",
        high="the tone was rough, its harmonics falling {value} short of standing clear",
        between="the harmonics of the tone fell {value} short of standing out",
        nothing="the tone was smooth throughout",
        decimals=1,
    ),
    "dullness": Phrasing(
        low="the tone was open, only {value} below an open sound",
        high="the tone was dull, {value} below an open sound",
        between="the tone lay {value} below an open sound",
        nothing="the tone was open",
        decimals=2,
    ),
    "singing_power_ratio": Phrasing(
        low=f"the voice had little ring, {_RING} lying {{value}} {{way}} the low part",
        high=f"the voice had ring, {_RING} lying {{value}} {{way}} the low part",
        between=f"{_RING}, its ring, lay {{value}} {{way}} the low part",
        nothing=f"the voice had ring, {_RING} being as strong as the low part",
        ways=("below", "above"),
    ),
    "alpha_ratio": Phrasing(
        low="the voice carried little, its upper part lying {value} {way} the lower part",
        high="the voice carried, its upper part lying {value} {way} the lower part",
        between="the upper part of the voice lay {value} {way} the lower part",
        nothing="the voice carried, its upper part being as strong as the lower part",
        ways=("below", "above"),
    ),
    "dynamics_range": Phrasing(
        low="the loudness stayed within {value}",
        high="the loudness ranged over {value}",
        between="the loudness of the phrase moved over {value}",
        nothing="the loudness of the phrase did not change",
        decimals=1,
    ),
    "dynamics_in_phrases": Phrasing(
        low="the phrase was sung at one level, within {value}",
        high="the phrase swelled and eased over {value}",
        between="the loudness inside the phrase moved over {value}",
        nothing="the phrase was sung at one level",
        decimals=1,
        limit=25.0,
    ),
    "dynamics_with_melody": Phrasing(
        low="the loudness did not go with the melody, with a correlation of {value}",
        high="the loudness grew and eased with the melody, with a correlation of {value}",
        between="loudness and melody had a correlation of {value}",
        decimals=2,
    ),
    "phrase_contrast": Phrasing(
        low="the phrase kept near the level of the others, {value} {way} than the middle one",
        high="the phrase stood out, {value} {way} than the middle of the take",
        between="the phrase was {value} {way} than the middle of the take",
        nothing="the phrase was just as loud as the middle of the take",
        decimals=1,
        ways=("softer", "louder"),
        limit=20.0,
    ),
    "pitch_range": Phrasing(
        low="the melody stayed near its middle, {value} {way} it",
        high="the melody reached {value} {way} its middle",
        between="the melody lay {value} {way} its middle",
        nothing="the melody stayed at its middle",
        ways=("below", "above"),
    ),
}
"""Clauses for each measure that a head may use and that has items."""

SHOWN_UNITS: Mapping[str, str] = {"tuning_concentration": "cents", "phrase_breaks": "s"}
"""Units of the single items where they differ from the unit of the measure."""

_WORDS = {"ratio": ""}


def sentence(
    measure: str,
    *,
    start_s: float,
    value: float,
    unit: str,
    helped: bool,
    rising: bool,
    plain: bool,
) -> str:
    """One English sentence about one moment.

    Parameters
    ----------
    helped
        Whether the moment raised the score.
    rising
        Whether more of the measure raises the score.
    plain
        Whether the value lies on the side that the effect suggests. When it does not (a good
        take's weakest moment, a weak take's best one, a value in between), the sentence tells the
        value without judging it, and that the moment stands out in this take.
    """
    phrasing = PHRASINGS[measure]
    size = f"{abs(value) if any(phrasing.ways) else value:.{phrasing.decimals}f}"
    word = _WORDS.get(unit, unit)
    if size.lstrip("-") == "1" and word in ("semitones", "cents", "octaves"):
        word = word[:-1]
    judged = phrasing.high if helped == rising else phrasing.low
    clause = judged if plain else phrasing.between
    if phrasing.nothing and float(size) == 0.0:
        clause = phrasing.nothing
    least = "at least " if abs(value) >= phrasing.limit else ""
    clause = clause.format(
        value=f"{least}{size} {word}".strip(), way=phrasing.ways[int(value >= 0.0)]
    )
    if plain:
        return f"At {clock(start_s)} {clause}."
    kind = "better" if helped else "weaker"
    return f"At {clock(start_s)} {clause}; this is one of the {kind} moments of the take."
