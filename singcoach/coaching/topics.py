"""What a singer can hear and practise: topics, and which measures tell of them.

The words for a topic stand in ``languages``, its exercises in ``library``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One thing a singer can hear and practise.

    Attributes
    ----------
    measures
        Belong to it. Of measures that no topic names, ``words`` are looked for in the name.
    advice
        Whether a singer should work on it; what the song decides is described, not corrected.
    in_semitones
        Whether amounts in cents are told, as parts of a semitone.
    sided
        Whether a single note may be told to be too low or too high.
    """

    id: str
    measures: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    advice: bool = True
    in_semitones: bool = False
    sided: bool = False


# In the order in which names of unknown measures are matched: the more specific first.
TOPICS: Final = (
    Topic(
        id="vibrato",
        measures=("vibrato_regularity", "vibrato_rate", "vibrato_extent"),
        words=("vibrato",),
    ),
    Topic(id="vibrato_use", measures=("vibrato_share",)),
    Topic(id="scoop", measures=("scoop_depth",), words=("scoop", "landing")),
    Topic(
        id="drift",
        measures=("note_drift", "pitch_unsteadiness", "pitch_wander"),
        words=("drift", "slide", "steadiness", "wander"),
        in_semitones=True,
    ),
    Topic(
        id="timing",
        measures=("rhythm_accuracy", "beat_deviation"),
        words=("timing", "rhythm", "beat", "onset", "tempo"),
    ),
    Topic(id="leaps", words=("interval", "leap", "jump"), in_semitones=True),
    Topic(id="phrase_end_pitch", measures=("phrase_end_sag",), words=("sag",), in_semitones=True),
    Topic(
        id="phrase_end",
        measures=("phrase_end_fall",),
        words=("decay", "phrase_end", "release", "fade"),
    ),
    Topic(
        id="breath_noise",
        measures=("audible_breath",),
        words=("breath_noise", "inhal", "breath_level"),
    ),
    Topic(id="phrase_breaks", measures=("phrase_breaks",), words=("break",)),
    Topic(
        id="phrase_length",
        measures=("phrase_length",),
        words=("phrase_length", "longest"),
        advice=False,
    ),
    Topic(
        id="steadiness",
        measures=("level_wobble", "level_movement"),
        words=("wobble", "tremor", "shimmer"),
    ),
    Topic(id="smoothness", measures=("roughness",), words=("rough", "hoarse")),
    Topic(
        id="clarity",
        measures=("harmonicity", "cpp_low", "clarity_shortfall", "harmonics_to_noise"),
        words=("hnr", "cpp", "harmonic", "breathi", "clarity", "noise"),
    ),
    Topic(
        id="ring",
        measures=("singing_power_ratio", "alpha_ratio", "dullness"),
        words=("spr", "power_ratio", "tilt", "bright", "centroid", "formant", "resonan"),
    ),
    Topic(id="melody_dynamics", measures=("dynamics_with_melody",), words=("with_melody",)),
    Topic(
        id="dynamics",
        measures=("dynamics_range", "dynamics_in_phrases", "phrase_contrast"),
        words=("dynamic", "loudness", "swell", "crescendo"),
    ),
    Topic(id="range", measures=("pitch_range",), words=("range", "span", "ambitus"), advice=False),
    Topic(
        id="intonation",
        measures=(
            "scale_deviation",
            "tuning_concentration",
            "backing_key_deviation",
            "pitch_accuracy",
        ),
        words=("scale", "deviation", "tuning", "tune", "pitch", "key", "inton"),
        in_semitones=True,
        sided=True,
    ),
)

GENERAL: Final = Topic(id="general")
"""For moments of measures that fit no topic."""

ALL_TOPICS: Final = (*TOPICS, GENERAL)
_BY_ID: Final = {topic.id: topic for topic in ALL_TOPICS}


def topic_named(topic_id: str) -> Topic:
    """Return the topic with this id."""
    return _BY_ID[topic_id]


@cache
def topic_of(measure: str) -> Topic:
    """Find what a measure is about: by its name, or by the words in a name that is unknown."""
    for topic in TOPICS:
        if measure in topic.measures:
            return topic
    for topic in TOPICS:
        if any(word in measure for word in topic.words):
            return topic
    return GENERAL
