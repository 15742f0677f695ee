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
}

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

TAKE_AGAIN: Final = (
    "Sing at least one verse (twenty seconds or more of voice).",
    "Keep the microphone a hand's width or two from your mouth, in a quiet room.",
    "Wear headphones so that the music does not reach the microphone.",
)


def clock(time_s: float) -> str:
    """Write a time as ``m:ss`` (``h:mm:ss`` from one hour), the second it falls in."""
    whole = max(0, math.floor(time_s + 1e-6))
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


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
    """Turn the name of a measure into words: ``"note_drift_cents"`` -> ``"Note drift"``."""
    words = measure.split("_")
    if len(words) > 1 and words[-1] in {"cents", "hz", "db", "s", "ms", "share", "ratio"}:
        words = words[:-1]
    text = " ".join("f0" if word == "f0" else word for word in words)
    for short, spelt in (("hnr", "HNR"), ("cpp", "CPP"), ("spr", "SPR")):
        text = " ".join(spelt if word == short else word for word in text.split(" "))
    return text[:1].upper() + text[1:]


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


# Plain explanations of measures by the words in their names, most specific first.
EXPLANATIONS: Final = (
    (("vibrato", "rate"), "How many times a second the vibrato swings."),
    (("vibrato", "extent"), "How far the vibrato swings to each side of the note."),
    (("vibrato",), "How much and how evenly the pitch swings on held notes."),
    (("scoop",), "How far below the note you start before you reach it."),
    (("drift",), "How far the pitch slides while a note is held."),
    (("key", "fit"), "How well the sung notes fit the key of the music."),
    (("scale",), "How far the sung pitches lie from the nearest note of your own scale."),
    (
        ("tuning",),
        "Where your scale lies beside the standard A at 440 Hz, and how steady it stays.",
    ),
    (("wobble",), "How much the loudness wavers inside held notes."),
    (("decay",), "How fast the loudness falls at the ends of phrases."),
    (("breath", "noise"), "How audible breath is between and inside the sounds."),
    (("breath",), "How and when you take air."),
    (("phrase",), "How long you sing on one breath, and how whole the phrases stay."),
    (
        ("cpp",),
        "How clearly the voice vibrates (cepstral peak): low values sound breathy or rough.",
    ),
    (("hnr",), "How much tone there is beside noise in the voice."),
    (("harmonic",), "How clearly the overtones stand above the noise between them."),
    (("tilt",), "How fast the overtones get weaker: less tilt sounds brighter."),
    (("spr",), "How much ring (energy at 2 to 4 kHz) the voice has."),
    (("power", "ratio"), "How much ring (energy at 2 to 4 kHz) the voice has."),
    (("bright",), "How much of the sound lies in the high overtones."),
    (("dynamic",), "How far your loud and soft passages lie apart."),
    (("level",), "Loudness and how it changes."),
    (("rhythm",), "How well note starts meet the beat or the written song."),
    (("onset",), "When notes start, beside the beat or the written song."),
    (("timing",), "When notes start, beside the beat or the written song."),
    (("range",), "How wide a stretch of pitches you sang."),
    (("jitter",), "Tiny unevenness of the pitch from cycle to cycle."),
    (("shimmer",), "Tiny unevenness of the loudness from cycle to cycle."),
    (("deviation",), "How far the sung pitch lies from the middle of the note."),
    (("pitch",), "Where and how steadily the pitch sits."),
    (("voiced",), "How much of the take is sung tone."),
    (("note",), "What the single notes are like."),
)


def explanation(measure: str) -> str:
    """One plain sentence on what a measure means; empty for a name without known words."""
    for needed, sentence in EXPLANATIONS:
        if all(word in measure for word in needed):
            return sentence
    return ""
