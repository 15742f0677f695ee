"""Every word of the report that is not data, in one place, and how numbers are written.

Scores are shown in half points and their ranges widened to half points: the intervals are wider
than that, and a second digit would promise what nobody measured. The exact numbers stand in the
JSON document and in the report's table.
"""

from __future__ import annotations

import math
from typing import Final

from singcoach.core.scores import Dimension

LANGUAGE: Final = "en"

DIMENSION_NAMES: Final[dict[Dimension, str]] = {
    "breath": "Breath control",
    "timbre": "Timbre quality",
    "emotion": "Emotional expression",
    "technique": "Vocal technique",
}

DIMENSION_GLOSSES: Final[dict[Dimension, str]] = {
    "breath": "How evenly the air carries your phrases.",
    "timbre": "How clear and resonant the voice sounds.",
    "emotion": "How you shape loudness, colour and vibrato.",
    "technique": "How securely you place and hold notes.",
}

VERDICTS: Final = {
    "pass": "Good to judge",
    "weak": "Judged with reservations",
    "insufficient": "Not enough to judge",
}

KINDS: Final = {"solo": "voice alone", "mixture": "voice with music"}

REFERENCES: Final = {
    "song": "against the written song",
    "backing": "against the music",
    "self": "against your own scale",
}

UNITS: Final = {
    "cents": "cents",
    "hz": "Hz",
    "Hz": "Hz",
    "db": "dB",
    "dB": "dB",
    "s": "s",
    "ms": "ms",
    "share": "",
    "ratio": "",
    "": "",
    "1": "",
    "count": "",
    "percent": "%",
    "midi": "MIDI",
    "semitones": "semitones",
    "octaves": "octaves",
    "dB/s": "dB a second",
}

MEASURES: Final = {
    "scale_deviation": ("Distance from the scale", "How far notes lie from the song's own scale."),
    "tuning_concentration": (
        "Steadiness of tuning",
        "How closely the notes agree on one tuning; 1 would be complete agreement.",
    ),
    "backing_key_deviation": (
        "Distance from the music's key",
        "How far notes lie from the scale of the music.",
    ),
    "note_drift": ("Drift of notes", "How far the pitch moves from start to end of a note."),
    "pitch_unsteadiness": (
        "Unsteady pitch",
        "How much the pitch wavers inside notes, vibrato left out.",
    ),
    "pitch_wander": (
        "Wandering pitch",
        "How far the pitch moves while one note is sung, vibrato left out.",
    ),
    "scoop_depth": ("Depth of scoops", "How far below a note you begin before you reach it."),
    "vibrato_share": ("Use of vibrato", "Share of long notes that are sung with vibrato."),
    "vibrato_regularity": ("Evenness of vibrato", "How alike the swings of the vibrato are."),
    "vibrato_rate": ("Speed of vibrato", "Swings a second; many singers lie near 5 to 7."),
    "vibrato_extent": ("Width of vibrato", "How far the pitch swings to each side."),
    "level_wobble": ("Wavering loudness", "How much the loudness wavers inside held notes."),
    "level_movement": (
        "Moving loudness",
        "How fast the loudness moves up or down while a note is held.",
    ),
    "phrase_end_fall": ("Fall at phrase ends", "How much softer phrases get towards their end."),
    "phrase_end_sag": ("Sinking phrase ends", "How far the pitch sinks at the end of phrases."),
    "phrase_length": ("Length of phrases", "How long you sing from one rest to the next."),
    "phrase_breaks": ("Breaks in phrases", "How often the tone breaks off inside a phrase."),
    "audible_breath": ("Audible breaths", "How loud breaths are beside the singing."),
    "harmonicity": (
        "Clarity of overtones",
        "How far the overtones stand above the sound between them; higher is clearer.",
    ),
    "harmonics_to_noise": (
        "Harmonics to noise",
        "How far the periodic part of the sound stands above the rest; it describes, not grades.",
    ),
    "clarity_shortfall": (
        "Missing clarity",
        "How far the tone falls short of a clear one; light voices are clear enough.",
    ),
    "cpp_low": (
        "Clarity in weak moments",
        "How clearly the voice vibrates where it is weakest (cepstral peak).",
    ),
    "singing_power_ratio": (
        "Ring",
        "Strength of the overtones at 2 to 4 kHz, which let a voice carry.",
    ),
    "alpha_ratio": (
        "Carrying overtones",
        "Strength of the sound from 1 kHz up against the sound below.",
    ),
    "spectral_tilt": (
        "Tilt of the sound",
        "How fast overtones get weaker; it describes, not grades.",
    ),
    "brightness": ("Brightness", "Centre of the sound's spectrum; it describes, not grades."),
    "roughness": (
        "Roughness",
        "How far the overtones fail to stand out of the sound between them; breathy is not rough.",
    ),
    "dullness": (
        "Dullness",
        "How far the sound lies below that of an open tone; brighter than that earns nothing.",
    ),
    "tone_evenness": (
        "Evenness of tone",
        "How much the colour of the voice changes in held notes.",
    ),
    "dynamics_range": ("Range of loudness", "From your soft to your loud singing."),
    "dynamics_in_phrases": ("Shape of phrases", "How much loudness grows and eases in a phrase."),
    "phrase_arch": (
        "Arch of phrases",
        "How much louder the middle of a phrase is than its ends; it describes, not grades.",
    ),
    "phrase_peak": (
        "Peak of phrases",
        "Where phrases are loudest: 0 at their start, 1 at their end; it describes, not grades.",
    ),
    "dynamics_with_melody": (
        "Loudness with the melody",
        "Whether higher notes are sung louder; 1 would be always.",
    ),
    "phrase_contrast": ("Contrast of phrases", "How much phrases differ in loudness."),
    "pitch_range": ("Range of pitch", "From low to high notes of this take."),
    "melodic_variety": ("Variety of melody", "How many different steps the melody takes."),
    "timing_variety": ("Variety of note lengths", "How much short and long notes differ."),
    "beat_deviation": (
        "Scatter around the beat",
        "How far note starts scatter around their place in the beat of the music.",
    ),
    "pitch_accuracy": ("Pitch accuracy", "Share of the singing whose pitch is in order."),
    "rhythm_accuracy": ("Rhythm accuracy", "Share of the note starts that are on time."),
}
"""Label and plain explanation of each measure."""

NOTE_NAMES: Final = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")

HONESTY: Final = (
    "The four scores come from measured properties of the voice. They were set on controlled and "
    "small public recordings, not on the ears of many listeners; each model card says which.",
    "The range beside a score is meant to hold the true value about four times out of five. Two "
    "takes whose ranges overlap are not clearly different.",
    "A percentile tells whether a value is more or less than in the recordings used for "
    "comparison. More is not always better.",
    "Singing softly, in another octave or with a style of your own is not a fault.",
)

PRACTISE: Final = "What to practise next"
NEXT_TAKE: Final = "For the next take"

TAKE_AGAIN: Final = (
    "Sing at least one verse (twenty seconds or more of voice).",
    "Keep the microphone a hand's width or two from your mouth, in a quiet room.",
    "Wear headphones so that the music does not reach the microphone.",
)


def note_name(midi: float) -> str:
    """Name of the nearest note, such as ``"F♯4"`` (60 = C4)."""
    nearest = round(midi)
    return f"{NOTE_NAMES[nearest % 12]}{nearest // 12 - 1}"


def score_text(score: float) -> str:
    """Write a score in half points: ``"3.5"``, ``"4"``."""
    return f"{math.floor(score * 2 + 0.5) / 2:g}"


def range_text(low: float, high: float) -> str:
    """Write an interval widened to half points: ``"2.5 to 4"``."""
    return f"{math.floor(low * 2 + 1e-9) / 2:g} to {math.ceil(high * 2 - 1e-9) / 2:g}"


def duration_text(duration_s: float) -> str:
    """Write a duration for people: ``"12 s"``, ``"4 min 08 s"``."""
    whole = round(duration_s)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"


def quantity_text(value: float | None, unit: str) -> str:
    """Write a measured value with its unit in three significant digits; a dash for none."""
    if value is None:
        return "–"
    magnitude = abs(value)
    digits = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text.replace("-", "−")
    word = UNITS.get(unit, unit)
    return f"{text} {word}".rstrip()


def label(measure: str) -> str:
    """Name of a measure in words; an unknown one, ``"new_thing"``, becomes "New thing"."""
    known = MEASURES.get(measure)
    if known is not None:
        return known[0]
    text = " ".join(measure.split("_"))
    return text[:1].upper() + text[1:]


def explanation(measure: str) -> str:
    """One plain sentence on what a measure means; empty for an unknown one."""
    known = MEASURES.get(measure)
    return "" if known is None else known[1]


def share_text(value: float | None, reference: str | None) -> str:
    """Put an accuracy 0..1 into words, in steps of five percent."""
    if value is None:
        return "nothing to compare with"
    return f"about {round(value * 20) * 5} % {REFERENCES.get(reference or '', '')}".rstrip()


def quality_text(quality: float | None) -> str:
    """Put a mean opinion score (1..5) of the recording into words."""
    if quality is None:
        return "not measured"
    for least, words in ((3.6, "clean"), (3.0, "good"), (2.4, "fair"), (1.8, "poor")):
        if quality >= least:
            return words
    return "very poor"
