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

    ``words`` are looked for in the names of measures, ``pattern`` (a regular expression) in
    sentences. ``good`` and ``bad`` are clauses that follow "at 0:12"; they say no more than that
    the measure raised or lowered a score. ``focus`` completes "work on ...".
    """

    id: str
    words: tuple[str, ...]
    pattern: str
    good: tuple[str, ...]
    bad: tuple[str, ...]
    focus: str
    gloss: str
    exercises: tuple[str, ...]


# In the order in which measure names are matched: the more specific first.
TOPICS: Final = (
    Topic(
        id="vibrato",
        words=("vibrato",),
        pattern=r"vibrato",
        good=("your vibrato is even", "your vibrato swings evenly"),
        bad=("your vibrato is not settled yet", "your vibrato is still uneven"),
        focus="a relaxed, even vibrato",
        gloss="vibrato is the gentle swing of a held note",
        exercises=("pulses", "long_tone"),
    ),
    Topic(
        id="scoop",
        words=("scoop", "landing", "attack_pitch"),
        pattern=r"starts? of (?:the |your )?notes?|land(?:s|ing)? on (?:the |your )?notes?",
        good=("you land on the note cleanly", "the start of the note is clean"),
        bad=("the start of the note is not clean yet", "landing on the note is not secure yet"),
        focus="clean landing on notes",
        gloss="aim at the pitch before you sound it",
        exercises=("siren_landing", "gentle_onset"),
    ),
    Topic(
        id="drift",
        words=("drift", "slide", "glide"),
        pattern=r"held notes? (?:stay|stays|staying|keep|keeps|slide|slides)|steady held notes",
        good=("your held notes stay in place", "your held notes keep steady"),
        bad=("your held notes slide away", "your held notes slide from where they began"),
        focus="steady held notes",
        gloss="keep the air moving until the note is over",
        exercises=("long_tone", "straw"),
    ),
    Topic(
        id="timing",
        words=("timing", "rhythm", "beat", "onset", "tempo", "late"),
        pattern=r"timing|on time|beat",
        good=("your timing is secure", "your notes start on time"),
        bad=("your timing is loose", "your notes do not start on time"),
        focus="secure timing",
        gloss="the vowel belongs on the beat, the consonant just before it",
        exercises=("speak_rhythm", "count_in"),
    ),
    Topic(
        id="leaps",
        words=("interval", "leap", "jump"),
        pattern=r"leaps?",
        good=("your leaps are secure",),
        bad=("your leaps are not secure yet",),
        focus="secure leaps between notes",
        gloss="hear the second note before you leave the first",
        exercises=("leap_ladder", "drone"),
    ),
    Topic(
        id="phrase_end",
        words=("decay", "phrase_end", "release", "fade"),
        pattern=r"phrases? to (?:its|their) ends?|ends? of (?:the |your )?phrases?",
        good=("you carry the phrase to its end", "the end of the phrase stays supported"),
        bad=("the end of the phrase fades early", "the end of the phrase loses support"),
        focus="carrying each phrase to its end",
        gloss="save a little air for the last word",
        exercises=("two_beats_more", "hiss"),
    ),
    Topic(
        id="breath_noise",
        words=("breath_noise", "inhal", "breath_level", "audible_breath", "breaths"),
        pattern=r"(?:quiet|quieter|loud) breaths|breaths are (?:quiet|loud)|intake of air",
        good=("your breaths are quiet",),
        bad=("your breaths are loud",),
        focus="quiet breaths",
        gloss="an open throat lets the air in without a sound",
        exercises=("quiet_breath", "hiss"),
    ),
    Topic(
        id="phrase_length",
        words=("phrase_length", "phrase_break", "break", "breath_group", "longest", "per_breath"),
        pattern=r"phrases? (?:on|in) one breath|planning your breaths",
        good=("you hold the phrase on one breath",),
        bad=("you do not hold the phrase on one breath",),
        focus="planning your breaths",
        gloss="choose where to breathe before you sing",
        exercises=("breath_marks", "hiss"),
    ),
    Topic(
        id="steadiness",
        words=("wobble", "steadi", "stability", "tremor", "shimmer", "jitter", "level_std", "even"),
        pattern=r"flow of (?:the )?air|air flows?|even flow|loudness of (?:your )?(?:held )?notes",
        good=("the flow of air is even", "the air flows evenly"),
        bad=("the flow of air is uneven", "the flow of air wavers"),
        focus="an even flow of air",
        gloss="the ribs close slowly, the throat stays out of it",
        exercises=("lip_trill", "hiss", "straw"),
    ),
    Topic(
        id="clarity",
        words=("hnr", "cpp", "harmonic", "breathi", "clarity", "noise", "rough"),
        pattern=r"\btone\b",
        good=("the tone is clear", "the tone is clean"),
        bad=("the tone is not so clear", "the tone is less clear"),
        focus="a clearer tone",
        gloss="clear means more voice and less air noise",
        exercises=("straw", "gentle_onset"),
    ),
    Topic(
        id="ring",
        words=("spr", "power_ratio", "ring", "tilt", "bright", "centroid", "formant", "resonan"),
        pattern=r"resonance|ring(?:s|ing)?",
        good=("the resonance is strong", "the voice rings well"),
        bad=("the resonance is weak", "the resonance is thin"),
        focus="more resonance",
        gloss="resonance is what lets a voice carry without pushing",
        exercises=("hum_to_vowel", "vowel_ladder"),
    ),
    Topic(
        id="dynamics",
        words=("dynamic", "loudness", "swell", "accent", "crescendo", "level"),
        pattern=r"loud and soft|soft and loud|contrast|loudness",
        good=("you shape loud and soft well", "the contrast of loud and soft is strong"),
        bad=("the contrast of loud and soft is small", "loud and soft stay too alike"),
        focus="more contrast of loud and soft",
        gloss="let the words decide where to grow",
        exercises=("swell", "three_colours"),
    ),
    Topic(
        id="colour",
        words=("colour", "color", "contrast", "variation", "variety", "variab", "express"),
        pattern=r"colours?(?: of the voice)?",
        good=("you vary the colour of the voice well",),
        bad=("the colour of the voice stays too alike",),
        focus="more colour in the voice",
        gloss="colour is the difference between a sigh and a call",
        exercises=("speak_lyrics", "three_colours"),
    ),
    Topic(
        id="range",
        words=("range", "span", "ambitus"),
        pattern=r"(?:pitch )?range|stretch of pitches",
        good=("you use your range well",),
        bad=("your range stays small",),
        focus="an easy, wider range",
        gloss="range is the distance from your lowest to your highest note",
        exercises=("siren_landing", "lip_trill"),
    ),
    Topic(
        id="intonation",
        words=("scale", "deviation", "tuning", "tune", "pitch", "key", "cents", "note", "inton"),
        pattern=r"\btune\b|tuning|intonation",
        good=("your notes are well in tune", "your tuning is secure"),
        bad=("your notes are not quite in tune", "your tuning is not secure yet"),
        focus="tuning",
        gloss="good tuning means singing the middle of each note",
        exercises=("drone", "listen_back"),
    ),
)

GENERAL: Final = Topic(
    id="general",
    words=(),
    pattern=r"this (?:part|moment)",
    good=("this moment helps your score",),
    bad=("this moment costs you a little",),
    focus="this moment",
    gloss="listen to it again with fresh ears",
    exercises=("listen_back",),
)

# Placeholders: name (dimension), score, low, high, about ("roughly" or "about").
OVERALL: Final = (
    "Overall this take comes to {about} {score} out of 5, most likely between {low} and {high}.",
    "{About} {score} out of 5 overall, and most likely between {low} and {high}.",
    "Overall you land at {about} {score} out of 5; most likely it is between {low} and {high}.",
)
TOGETHER: Final = (
    "Taken together, that makes {about} {score} out of 5 overall.",
    "As one number, that is {about} {score} out of 5 overall.",
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

TASK: Final = (
    "Work on {focus}. At {clock} {bad}{amount}; {gloss}.",
    "Give a few minutes to {focus}. At {clock} {bad}{amount}; {gloss}.",
    "Practise {focus}. At {clock} {bad}{amount}; {gloss}.",
)
TASK_WITHOUT_MOMENT: Final = ("Work on {focus}; {gloss}.",)

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
    r"even(?:ly)?|secure|clean(?:ly)?|clear|strong|well|supported|steady|stay(?:s)? in place|"
    r"quiet|on time|helps|good|in tune|on one breath|rings|carry|carries|accurate|vary|helps"
)
BAD_WORDS: Final = (
    r"uneven(?:ly)?|wavers?|slides?|fades?|loses?|loose|weak|thin|small|alike|loud breaths?|"
    r"breaths are loud|costs?|out of tune|off|flat|sharp|too low|too high|unsteady|shaky|poor|"
    r"insecure|rough|airy|breathy|late|rush(?:ed|es)?|drags?|bad|breaks?"
)

NEGATIONS: Final = r"not|no|less|hardly|without|isn't|aren't|don't|doesn't"

DIRECTIVES: Final = (
    r"^(?:next, )?(?:work on|practise|give (?:a few minutes|your attention) to)\b|"
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
