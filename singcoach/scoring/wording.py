"""Sentences for evidence: when, what was measured, how much, in words a singer knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrasing:
    """Clauses about one measure; ``{value}`` is its size with the unit, ``{way}`` its direction."""

    low: str
    high: str
    decimals: int = 0
    ways: tuple[str, str] = ("", "")


_HELD = "of this held note"

PHRASINGS: Mapping[str, Phrasing] = {
    "scale_deviation": Phrasing(
        low="the note sat within {value} of the song's own scale",
        high="the note lay {value} away from the song's own scale",
    ),
    "tuning_concentration": Phrasing(
        low="the note sat within {value} of the take's own tuning",
        high="the note lay {value} off the take's own tuning",
    ),
    "backing_key_deviation": Phrasing(
        low="the note sat within {value} of the scale of the music",
        high="the note lay {value} away from the scale of the music",
    ),
    "note_drift": Phrasing(
        low="the note kept its pitch, drifting only {value} {way}",
        high="the note drifted {value} {way}",
        ways=("flat", "sharp"),
    ),
    "pitch_unsteadiness": Phrasing(
        low="the pitch of the note was steady, moving {value} apart from vibrato",
        high="the pitch of the note wavered by {value} apart from vibrato",
    ),
    "vibrato_share": Phrasing(
        low="the long note was held without vibrato",
        high="the long note was carried by vibrato",
        decimals=2,
    ),
    "vibrato_regularity": Phrasing(
        low="the vibrato was uneven, with a regularity of {value}",
        high="the vibrato was even, with a regularity of {value}",
        decimals=2,
    ),
    "level_wobble": Phrasing(
        low=f"the loudness {_HELD} stayed within {{value}}",
        high=f"the loudness {_HELD} wavered by {{value}}",
        decimals=1,
    ),
    "phrase_end_fall": Phrasing(
        low="the end of the phrase was carried, its level falling by {value}",
        high="the level fell by {value} towards the end of the phrase",
        decimals=1,
    ),
    "phrase_end_sag": Phrasing(
        low="the pitch held up at the end of the phrase, sinking by {value}",
        high="the pitch sank by {value} at the end of the phrase",
    ),
    "phrase_length": Phrasing(
        low="the phrase lasted only {value}",
        high="the phrase was carried for {value}",
        decimals=1,
    ),
    "phrase_breaks": Phrasing(
        low="the phrase was sung without a break of the tone",
        high="the tone broke off for {value} inside the phrase",
        decimals=2,
    ),
    "harmonicity": Phrasing(
        low="the tone was veiled, its harmonics standing {value} above the sound between them",
        high="the tone was clear, its harmonics standing {value} above the sound between them",
    ),
    "cpp_low": Phrasing(
        low="the weakest parts of the tone were unclear, with a cepstral peak of {value}",
        high="even the weakest parts of the tone were clear, with a cepstral peak of {value}",
        decimals=1,
    ),
    "singing_power_ratio": Phrasing(
        low="the voice had little ring at 2 to 4 kHz, {value} against the low part",
        high="the voice had ring at 2 to 4 kHz, {value} against the low part",
    ),
    "dynamics_range": Phrasing(
        low="the loudness stayed within {value}",
        high="the loudness ranged over {value}",
        decimals=1,
    ),
    "dynamics_in_phrases": Phrasing(
        low="the phrase was sung at one level, within {value}",
        high="the phrase swelled and eased over {value}",
        decimals=1,
    ),
    "phrase_contrast": Phrasing(
        low="the phrase kept near the level of the others, {value} {way} than the middle one",
        high="the phrase was {value} {way} than the middle of the take",
        decimals=1,
        ways=("softer", "louder"),
    ),
    "pitch_range": Phrasing(
        low="the melody stayed near its middle, {value} {way} it",
        high="the melody reached {value} {way} its middle",
        ways=("below", "above"),
    ),
}
"""One pair of clauses for each measure that a head may use and that has items."""

SHOWN_UNITS: Mapping[str, str] = {"tuning_concentration": "cents", "phrase_breaks": "s"}
"""Units of the single items where they differ from the unit of the measure."""

_WORDS = {"ratio": ""}


def clock(seconds: float) -> str:
    """Return ``"0:42"`` for 42.7 s."""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


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
        False when the value is on the other side of what the sign of the effect suggests (a good
        take's weakest moment, a weak take's best one): the sentence then says only that.
    """
    phrasing = PHRASINGS[measure]
    decimals = phrasing.decimals
    size = f"{abs(value):.{decimals}f}" if any(phrasing.ways) else f"{value:.{decimals}f}"
    word = _WORDS.get(unit, unit)
    if size.lstrip("-") == "1" and word in ("semitones", "cents"):
        word = word[:-1]
    clause = (phrasing.high if (helped == rising) == plain else phrasing.low).format(
        value=f"{size} {word}".strip(), way=phrasing.ways[int(value >= 0.0)]
    )
    if plain:
        return f"At {clock(start_s)} {clause}."
    kind = "better" if helped else "weaker"
    return f"At {clock(start_s)} {clause}; this is one of the {kind} moments of the take."
