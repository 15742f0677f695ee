"""Every word the coach says, in one place.

A translation replaces this module (and the exercises): the code around it only chooses and fills
in. Each ``{name}`` is a fact; a sentence without facts stands in :data:`NEUTRAL`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from singcoach.core.scores import Dimension

DIMENSION_NAMES: Final[dict[Dimension, str]] = {
    "breath": "breath control",
    "timbre": "timbre quality",
    "emotion": "emotional expression",
    "technique": "vocal technique",
}

DIMENSION_PATTERNS: Final[dict[Dimension, str]] = {
    "breath": r"breath(?:ing)? control",
    "timbre": r"timbre(?: quality)?",
    "emotion": r"emotion(?:al expression)?|expression",
    "technique": r"(?:vocal )?technique",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One thing a singer can hear and practise.

    ``measures`` belong to it; of measures that no topic names, ``words`` are looked for in the
    name. ``pattern`` (a regular expression) finds the topic in a sentence. ``good`` and ``bad``
    are clauses that follow "at 0:12" and say no more than the measure does. ``focus`` completes
    "work on ...".
    """

    id: str
    measures: tuple[str, ...]
    words: tuple[str, ...]
    pattern: str
    noun: str
    good: tuple[str, ...]
    bad: tuple[str, ...]
    focus: str
    gloss: str
    exercises: tuple[str, ...]
    advice: bool = True
    """Whether a singer should work on it; what the song decides is described, not corrected."""


# In the order in which names of unknown measures are matched: the more specific first.
TOPICS: Final = (
    Topic(
        id="vibrato",
        measures=("vibrato_regularity", "vibrato_rate", "vibrato_extent"),
        words=("vibrato",),
        pattern=r"(?<!little )vibrato (?:is|swings)|even vibrato",
        noun="your vibrato",
        good=("your vibrato is even", "your vibrato swings evenly"),
        bad=("your vibrato is not even yet", "your vibrato is still uneven"),
        focus="a relaxed, even vibrato",
        gloss="vibrato is the gentle swing of a held note",
        exercises=("pulses", "long_tone"),
    ),
    Topic(
        id="vibrato_use",
        measures=("vibrato_share",),
        words=(),
        pattern=r"little vibrato|vibrato carries|letting long notes swing|vibrato of the long note",
        noun="the vibrato of the long note",
        good=("vibrato carries the long note well",),
        bad=("there is little vibrato on the long note",),
        focus="letting long notes swing",
        gloss="vibrato is the gentle swing of a held note, and straight notes are a choice too",
        exercises=("pulses", "lip_trill"),
    ),
    Topic(
        id="scoop",
        measures=("scoop_depth",),
        words=("scoop", "landing"),
        pattern=r"start of the note|clean starts of notes",
        noun="the start of the note",
        good=("the start of the note is clean",),
        bad=("the start of the note comes from below and is not clean yet",),
        focus="clean starts of notes",
        gloss="aim at the pitch before you sound it",
        exercises=("siren_landing", "gentle_onset"),
    ),
    Topic(
        id="drift",
        measures=("note_drift", "pitch_unsteadiness", "pitch_wander"),
        words=("drift", "slide", "steadiness"),
        pattern=r"held note (?:stays in place|keeps steady|moves)|steady held notes|"
        r"pitch of the held note",
        noun="the pitch of the held note",
        good=("your held note stays in place", "your held note keeps steady"),
        bad=("your held note moves away from its pitch", "the pitch of the held note is unsteady"),
        focus="steady held notes",
        gloss="keep the air moving until the note is over",
        exercises=("long_tone", "straw"),
    ),
    Topic(
        id="timing",
        measures=("rhythm_accuracy", "beat_deviation"),
        words=("timing", "rhythm", "beat", "onset", "tempo"),
        pattern=r"timing|on time|beat",
        noun="your timing",
        good=("your timing is secure", "your notes start on time"),
        bad=("your timing is loose", "your notes do not start on time"),
        focus="secure timing",
        gloss="the vowel belongs on the beat, the consonant just before it",
        exercises=("speak_rhythm", "count_in"),
    ),
    Topic(
        id="leaps",
        measures=(),
        words=("interval", "leap", "jump"),
        pattern=r"leaps?",
        noun="your leap",
        good=("your leap is secure",),
        bad=("your leap is not secure yet",),
        focus="secure leaps between notes",
        gloss="hear the second note before you leave the first",
        exercises=("leap_ladder", "drone"),
    ),
    Topic(
        id="phrase_end_pitch",
        measures=("phrase_end_sag",),
        words=("sag",),
        pattern=r"pitch (?:holds|sinks|to the end|at the end)",
        noun="the pitch at the end of the phrase",
        good=("the pitch holds well to the end of the phrase",),
        bad=("the pitch sinks at the end of the phrase",),
        focus="holding the pitch to the end of the phrase",
        gloss="the last note needs as much air as the first",
        exercises=("two_beats_more", "long_tone"),
    ),
    Topic(
        id="phrase_end",
        measures=("phrase_end_fall",),
        words=("decay", "phrase_end", "release", "fade"),
        pattern=r"phrase to its end|ending of the phrase",
        noun="the ending of the phrase",
        good=("you carry the phrase to its end", "the ending of the phrase stays strong"),
        bad=("the ending of the phrase fades early", "the ending of the phrase loses strength"),
        focus="carrying each phrase to its end",
        gloss="save a little air for the last word",
        exercises=("two_beats_more", "hiss"),
    ),
    Topic(
        id="breath_noise",
        measures=("audible_breath",),
        words=("breath_noise", "inhal", "breath_level"),
        pattern=r"quiet breaths|your breaths? (?:is|are)",
        noun="your breath",
        good=("your breaths are quiet",),
        bad=("your breaths are loud",),
        focus="quiet breaths",
        gloss="an open throat lets the air in without a sound",
        exercises=("quiet_breath", "hiss"),
    ),
    Topic(
        id="phrase_breaks",
        measures=("phrase_breaks",),
        words=("break",),
        pattern=r"(?:tone|phrase) (?:breaks|holds together)|unbroken phrases|line of the phrase",
        noun="the line of the phrase",
        good=("the phrase holds together well",),
        bad=("the line of the phrase breaks",),
        focus="unbroken phrases",
        gloss="join the syllables as if they were one long vowel",
        exercises=("breath_marks", "vowel_ladder"),
    ),
    Topic(
        id="phrase_length",
        measures=("phrase_length",),
        words=("phrase_length", "longest"),
        pattern=r"long(?:er)? phrases?|phrase stays short|length of the phrase",
        noun="the length of the phrase",
        good=("you carry a long phrase well",),
        bad=("the phrase stays short",),
        focus="longer phrases",
        gloss="choose your breathing places before you sing",
        exercises=("hiss", "breath_marks"),
        advice=False,
    ),
    Topic(
        id="steadiness",
        measures=("level_wobble", "level_movement"),
        words=("wobble", "tremor", "shimmer"),
        pattern=r"(?:even|steady) in loudness|loudness of the held note|even loudness",
        noun="the loudness of the held note",
        good=("your held note stays even in loudness",),
        bad=("the loudness of the held note wavers",),
        focus="even loudness on held notes",
        gloss="it comes from an even flow of air",
        exercises=("lip_trill", "hiss"),
    ),
    Topic(
        id="clarity",
        measures=("harmonicity", "cpp_low", "clarity_shortfall"),
        words=("hnr", "cpp", "harmonic", "breathi", "clarity", "noise", "rough"),
        pattern=r"the tone is|(?:clear|clearer|airy|rough) tone",
        noun="the tone",
        good=("the tone is clear", "the tone is clean"),
        bad=("the tone is not so clear", "the tone is less clear"),
        focus="a clearer tone",
        gloss="clear means more voice and less air noise",
        exercises=("straw", "gentle_onset"),
    ),
    Topic(
        id="ring",
        measures=("singing_power_ratio", "alpha_ratio", "dullness"),
        words=("spr", "power_ratio", "tilt", "bright", "centroid", "formant", "resonan"),
        pattern=r"resonance|voice rings",
        noun="the resonance",
        good=("the resonance is strong", "the voice rings well"),
        bad=("the resonance is weak",),
        focus="more resonance",
        gloss="resonance is what lets a voice carry without pushing",
        exercises=("hum_to_vowel", "vowel_ladder"),
    ),
    Topic(
        id="dynamics",
        measures=(
            "dynamics_range",
            "dynamics_in_phrases",
            "dynamics_with_melody",
            "phrase_contrast",
        ),
        words=("dynamic", "loudness", "swell", "crescendo"),
        pattern=r"loud and soft|soft and loud",
        noun="the play of loud and soft",
        good=("you shape loud and soft well", "the contrast of loud and soft is strong"),
        bad=("the contrast of loud and soft is small", "loud and soft stay alike"),
        focus="more contrast of loud and soft",
        gloss="let the meaning decide how far to grow",
        exercises=("swell", "three_colours"),
    ),
    Topic(
        id="range",
        measures=("pitch_range",),
        words=("range", "span", "ambitus"),
        pattern=r"\brange\b",
        noun="your range",
        good=("you use your range well",),
        bad=("your range stays small",),
        focus="an easy, wider range",
        gloss="range is the distance from your lowest to your highest note",
        exercises=("siren_landing", "lip_trill"),
        advice=False,
    ),
    Topic(
        id="intonation",
        measures=(
            "scale_deviation",
            "tuning_concentration",
            "backing_key_deviation",
            "pitch_accuracy",
        ),
        words=("scale", "deviation", "tuning", "tune", "pitch", "key", "inton"),
        pattern=r"\btune\b|tuning|intonation",
        noun="your tuning",
        good=("your notes are well in tune", "your tuning is secure"),
        bad=("your notes are not quite in tune", "your tuning is not secure yet"),
        focus="tuning",
        gloss="good tuning means singing the middle of each note",
        exercises=("drone", "listen_back"),
    ),
)

GENERAL: Final = Topic(
    id="general",
    measures=(),
    words=(),
    pattern=r"this moment",
    noun="this moment",
    good=("this moment helps your score",),
    bad=("this moment costs you a little",),
    focus="this moment",
    gloss="listen to it again with fresh ears",
    exercises=("listen_back",),
)

# For moments that stand out only beside the rest of the take.
RELATIVE_GOOD: Final = ("{noun} is a little better than in the rest of this take",)
RELATIVE_BAD: Final = ("{noun} is a little weaker than in the rest of this take",)

# Placeholders: name (dimension), score, low, high, about ("roughly" or "about").
OVERALL: Final = (
    "Overall this take comes to {about} {score} out of 5, most likely between {low} and {high}.",
    "{About} {score} out of 5 overall, and most likely between {low} and {high}.",
    "Overall you land at {about} {score} out of 5; most likely it is between {low} and {high}.",
)
TOGETHER: Final = (
    "Taken together, that makes {about} {score} out of 5 overall.",
    "That comes to {about} {score} out of 5 overall.",
    "Put together, you are at {about} {score} out of 5 overall.",
)
SUMMARY_GOOD: Final = (
    "A strong moment comes at {clock}, where {good}.",
    "Listen to {clock} first: {good}.",
    "At {clock} {good}.",
)
SUMMARY_NEXT: Final = (
    "The next step is {focus}: {gloss}.",
    "What to work on next is {focus}: {gloss}.",
    "Next, give your attention to {focus}: {gloss}.",
)
SUMMARY_NO_NEXT: Final = ("Nothing in the measurements asks for repair; choose what you enjoy.",)

DIMENSION_SCORE: Final = (
    "{Name} is at {about} {score} out of 5",
    "For {name} you reach {about} {score} out of 5",
    "{Name} comes to {about} {score} out of 5",
)
DIMENSION_BOTH: Final = ("{head}: at {clock} {good}, while at {clock2} {bad}{amount}.",)
DIMENSION_GOOD: Final = ("{head}: at {clock} {good}.", "{head}; listen at {clock}, where {good}.")
DIMENSION_BAD: Final = ("{head}: at {clock} {bad}{amount}.",)
DIMENSION_PLAIN: Final = ("{head}; no single moment stands out.",)
DIMENSION_NONE: Final = ("{Name} could not be scored: {reason}.",)

ACCURACY: Final = {
    "pitch": "Measured {reference}, your pitch accuracy is about {percent} %.",
    "rhythm": "Measured {reference}, your rhythm accuracy is about {percent} %.",
}
REFERENCES: Final = {
    "song": "against the written song",
    "backing": "against the music",
    "self": "against your own scale",
}
AMOUNT_SIGNED: Final = " (one note lies {amount} too {direction})"
AMOUNT_CENTS: Final = " (off by {amount})"
AMOUNT_MOVED: Final = " (by {amount})"

TASK: Final = (
    "Work on {focus}. At {clock} {bad}{amount}; {gloss}.",
    "Give a few minutes to {focus}. At {clock} {bad}{amount}; {gloss}.",
    "Put some practice into {focus}. At {clock} {bad}{amount}; {gloss}.",
)

SPOKEN_OVERALL: Final = ("Overall you are at {about} {score_words} out of five.",)
SPOKEN_GOOD: Final = ("In one moment {good}.",)
SPOKEN_NEXT: Final = ("Next, work on {focus}.",)
SPOKEN_EXERCISE: Final = ("Try the exercise called {exercise}.",)

WEAK: Final = "Take this as a first impression, because {reason}."
INSUFFICIENT: Final = "This take cannot be scored yet: {reason}."
SPOKEN_INSUFFICIENT: Final = "This take cannot be scored yet."

RECORD_AGAIN_TEXT: Final = "Record the song again so that there is enough of your voice to hear."

NEUTRAL: Final = frozenset(
    {
        "That says nothing about how well you sing.",
        "Record one more take and we will listen together.",
        "Please record one more take, a little longer and in a quiet room.",
        "Enjoy the next take.",
        RECORD_AGAIN_TEXT,
        SPOKEN_INSUFFICIENT,
        *SUMMARY_NO_NEXT,
    }
)
"""Sentences that claim nothing about the singing."""

NEVER_MEASURED: Final = (
    r"than (?:before|last time|other|average|most|usual)|last time|other singers|average",
    r"always|never|every|all|whole song|nobody|everybody|nothing",
    r"high notes|low notes|chorus|verse|bridge|intro|lyrics|words",
)
"""Claims that no stage measures, made of words that are known: a sentence with one is rejected."""

GOOD_WORDS: Final = (
    r"even(?:ly)?|secure|clean(?:ly)?|clear|strong|well|supported|steady|stays? in place|quiet|"
    r"on time|helps|good|better|holds|in tune|on one breath|rings|carry|carries|accurate|vary"
)
BAD_WORDS: Final = (
    r"uneven(?:ly)?|wavers?|slides?|sinks?|moves away|weaker|worse|short|little vibrato|fades?|"
    r"loses?|loose|weak|thin|small|alike|loud breaths?|breaths are loud|costs?|out of tune|off|"
    r"flat|sharp|too low|too high|unsteady|shaky|poor|insecure|rough|airy|breathy|late|"
    r"rush(?:ed|es)?|drags?|bad|breaks?"
)

NEGATIONS: Final = r"not|no|less|hardly|without|isn't|aren't|don't|doesn't"

DIRECTIVES: Final = (
    r"^(?:next, )?(?:work on|practise|put some practice into)\b|"
    r"^(?:next, )?give (?:a few minutes|your attention) to\b|"
    r"^(?:the next step is|what to work on next is)\b"
)
"""Openings of clauses that tell what to do: their adjectives name the aim, not the take."""

UNSCORED: Final = r"could not be scored|cannot be scored(?: yet)?"
NO_MOMENT: Final = "no single moment stands out"

SEMITONE_PARTS: Final = (
    (15.0, "about a tenth of a semitone"),
    (22.0, "about a fifth of a semitone"),
    (29.0, "about a quarter of a semitone"),
    (41.0, "about a third of a semitone"),
    (58.0, "about half a semitone"),
    (71.0, "about two thirds of a semitone"),
    (87.0, "about three quarters of a semitone"),
    (125.0, "about a semitone"),
    (175.0, "about one and a half semitones"),
    (250.0, "about two semitones"),
)
"""Amounts in words with the upper bound in cents of what they are used for."""
SEMITONE_SMALL: Final = (8.0, "less than a tenth of a semitone")
SEMITONE_LARGE: Final = "more than two semitones"

NUMBER_WORDS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip
AND_A_HALF: Final = "and a half"

PLAIN_WORDS: Final = frozenset(
    """a about after again also although an and another are around as at be because been before
    began best but by can close clearly comes could do does down each first for from further get
    gives goes good have hear heard here highest how if in into is it its just keep keeps last
    least less lies like listen little lot low lowest makes may means measured middle minute
    minutes moment moments more most much near next no not now of off on once one only or other
    out over own part percent point points probably rather roughly same score scores second
    seconds see several shows side sing singing sits so some sound sounds spot still strongest
    such sung take takes that the their then there these they this those through time times to
    together too towards under until up usually very voice was way weak weakest well were what
    when where which while with within yet you your cents semitone semitones decibels hz db voiced
    flat sharp high higher lower uneven late early poor bad loose rough airy breathy steady
    unsteady shaky accurate quiet clear clean even evenly strong supported helps rings
    breaks wavers thin small""".split()  # noqa: SIM905 - words read best as words
)
"""Words that the claim check knows beside those of the sentences above."""
