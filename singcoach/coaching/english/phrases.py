"""How English speaks of each topic: a closed list of phrases, as regular expressions.

Only what stands here can be said about a moment. Strong words (perfect, terrible, always) are
missing on purpose: no measure tells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """Phrases of one topic, each a tuple of alternatives.

    Attributes
    ----------
    nouns
        What the sentence is about.
    good, bad
        Adjectives that follow "is", "stays" or "sounds".
    does_good, does_bad
        Verb phrases that follow the noun.
    has_good, has_bad
        Noun phrases that follow "there is" or "you have".
    whole_good, whole_bad
        Clauses with a subject of their own.
    focus
        What follows "work on".
    advice
        Verb phrases that tell what to do about it.
    """

    nouns: tuple[str, ...]
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    does_good: tuple[str, ...] = ()
    does_bad: tuple[str, ...] = ()
    has_good: tuple[str, ...] = ()
    has_bad: tuple[str, ...] = ()
    whole_good: tuple[str, ...] = ()
    whole_bad: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


_YOUR = "(?:your|the)"
_THIS = "(?:your|the|this|that|each|one)"
_HELD = "(?:held |long |sustained )"

PHRASES: Final[Mapping[str, Phrases]] = {
    "vibrato": Phrases(
        nouns=(f"{_YOUR} vibrato", f"the swing of {_YOUR} vibrato"),
        good=(
            "even",
            "regular",
            "smooth",
            "steady",
            "relaxed and even",
            "well balanced",
            "balanced",
            "consistent",
            "uniform",
        ),
        bad=("uneven", "irregular", "unsteady", "shaky", "inconsistent"),
        does_good=(
            "(?:swings|swung|moves|moved|runs|flows) "
            "(?:nicely and )?(?:evenly|regularly|smoothly|steadily)",
        ),
        does_bad=("(?:swings|swung|moves|moved) (?:unevenly|irregularly)",),
        has_good=(
            "(?:an? |your )?(?:nice(?:ly)? )?(?:even|regular|smooth|steady|consistent) vibrato",
        ),
        has_bad=("(?:an? )?(?:uneven|irregular|unsteady|shaky) vibrato",),
        focus=(
            "(?:an? )?(?:relaxed, |more )?(?:even|regular|steady|smooth|steadier|smoother) vibrato",
            f"(?:the evenness of )?{_YOUR} vibrato",
        ),
        advice=("let (?:your|the) vibrato swing (?:evenly|freely)",),
    ),
    "vibrato_use": Phrases(
        nouns=("the vibrato of the long note", "the vibrato on the long note"),
        does_good=("(?:carries|carried) the (?:long )?note(?: well)?",),
        has_bad=("(?:only )?(?:little|hardly any|not much) vibrato on the (?:long|held) note",),
        whole_good=(
            "vibrato (?:carries|carried) the (?:long |held )?note(?: well| nicely)?",
            "(?:the|your) (?:long|held) note (?:swings|is carried by (?:the |your )?vibrato)",
            "you (?:let|carry) the (?:long|held) note (?:swing|with vibrato)",
        ),
        whole_bad=(
            "(?:the|your) (?:long|held) note (?:has|had) (?:little|hardly any) vibrato",
            "you use (?:little|hardly any) vibrato on the (?:long|held) note",
        ),
        focus=(
            "letting (?:the |your )?long notes swing",
            "(?:using )?(?:more )?vibrato on (?:the |your )?long notes",
        ),
        advice=("let (?:the |your )?long notes swing",),
    ),
    "scoop": Phrases(
        nouns=(
            f"the (?:start|beginning|onset) of {_THIS} note",
            "(?:the|your) note's (?:start|beginning)",
        ),
        good=("clean", "direct", "clear"),
        bad=("unclean", "from below", "low"),
        does_good=("(?:is|was) right on the pitch",),
        does_bad=(
            "(?:comes|came|slides|slid) (?:up )?from below",
            "comes from below and is not clean yet",
        ),
        has_good=("(?:an? )?(?:clean|direct) (?:start|beginning|onset) of the note",),
        has_bad=("(?:an? )?scoop(?: from below)?(?: at the start of the note)?",),
        whole_good=(f"you (?:start|started|begin|began) {_THIS} note (?:cleanly|right on pitch)",),
        whole_bad=(
            f"you (?:scoop|scooped|slide|slid) (?:up )?(?:into|to) {_THIS} note(?: from below)?",
        ),
        focus=(
            "(?:clean|cleaner|direct) (?:starts|beginnings|onsets)(?: of (?:the |your )?notes)?",
            "starting (?:the |your )?notes (?:cleanly|more cleanly)",
        ),
        advice=(
            "aim at the pitch before you (?:sound it|sing)",
            "hear the (?:note|pitch) before you (?:start|sing)(?: it)?",
        ),
    ),
    "drift": Phrases(
        nouns=(
            f"{_THIS} {_HELD}?notes?",
            f"the pitch(?: of {_THIS} {_HELD}?note)?",
            "your pitch",
        ),
        good=("steady", "stable", "in place", "still", "on pitch", "well held", "firm"),
        bad=("unsteady", "unstable", "shaky", "wobbly"),
        does_good=(
            "(?:stays|stayed|keeps|kept|holds|held|remains|remained) (?:in place|steady|stable)",
            "(?:keeps|kept|holds|held) its pitch(?: well| nicely)?",
        ),
        does_bad=(
            "(?:moves|moved|drifts|drifted|slides|slid|wanders|wandered)(?: away| off)?"
            "(?: from its pitch| from the note| a little| a bit| slightly)?",
            "(?:wavers|wavered|wobbles|wobbled)(?: a little| a bit| slightly)?",
            "(?:loses|lost) its pitch(?: a little| a bit| slightly)?",
            "(?:does|did) not (?:quite )?(?:stay|hold) (?:in place|steady)",
        ),
        has_good=(f"(?:an? )?(?:nice )?(?:steady|stable) {_HELD}?(?:note|pitch)",),
        has_bad=(
            f"(?:an? )?(?:unsteady|unstable) {_HELD}?(?:note|pitch)",
            "(?:some |a little |a )?drift (?:in|of) the (?:pitch|note)",
        ),
        whole_good=(
            f"you (?:hold|held|keep|kept) {_THIS} {_HELD}?(?:note|pitch) "
            "(?:steady|steadily|in place|stable|firmly|on pitch)",
        ),
        focus=(
            "(?:steady|steadier|stable) (?:held |long )?notes",
            "(?:your|the) (?:held|long) notes?",
            f"(?:keeping|holding) {_YOUR} (?:held |long )?(?:notes?|pitch) (?:steady|in place)",
            "(?:the )?(?:steadiness|stability) of (?:your|the) (?:held |long )?(?:notes|pitch)",
        ),
        advice=(
            "keep the air moving (?:until|to) the (?:note is over|end of the note)",
            "keep the (?:held |long )?note in place",
        ),
    ),
    "timing": Phrases(
        nouns=(f"{_YOUR} timing", f"{_YOUR} rhythm"),
        good=("secure", "on time", "solid", "steady", "on the beat"),
        bad=("loose", "insecure", "off the beat", "off"),
        has_good=("(?:secure|solid|steady) timing",),
        has_bad=("(?:loose|insecure) timing",),
        whole_good=(
            "(?:your|the) notes (?:start|started|come|came|land|landed) (?:in )?"
            "on (?:time|the beat)",
            "you (?:come|came) in (?:right )?on (?:time|the beat)",
        ),
        whole_bad=("(?:your|the) notes (?:do|did) not (?:quite )?(?:start|come)(?: in)? on time",),
        focus=("(?:secure |more secure |your |the )?timing", "coming in on time"),
        advice=("place the vowel on the beat", "feel the beat before you (?:sing|come in)"),
    ),
    "leaps": Phrases(
        nouns=(f"{_THIS} (?:leap|jump)",),
        good=("secure", "clean"),
        bad=("insecure",),
        has_good=("(?:an? )?(?:secure|clean) (?:leap|jump)",),
        has_bad=("(?:an? )?insecure (?:leap|jump)",),
        whole_good=(f"you (?:land|landed) {_THIS} (?:leap|jump) (?:securely|cleanly)",),
        focus=("(?:secure |your |the )?(?:leaps|jumps)(?: between notes)?",),
        advice=("hear the second note before you leave the first",),
    ),
    "phrase_end_pitch": Phrases(
        nouns=(
            "(?:the|your) pitch at the (?:end|ending) of (?:the|your|this) phrase",
            "the pitch of the last note",
        ),
        good=("secure", "steady"),
        bad=("low", "flat"),
        does_good=("(?:holds|held)(?: well| up)?", "stays(?: in place| up)?"),
        does_bad=("(?:sinks|sank|drops|dropped|sags|sagged|falls|fell)(?: a little| slightly)?",),
        whole_good=(
            "(?:the|your) pitch (?:holds|held|stays|stayed)(?: up| well| steady| in place)? "
            "(?:to|until|at) the end of (?:the|your|this) phrase",
        ),
        whole_bad=(
            "(?:the|your) pitch (?:sinks|sank|drops|dropped|sags|sagged|falls|fell)"
            "(?: a little| a bit| slightly)?(?: by (?:A|U))? "
            "(?:at|towards?) the end of (?:the|your|this) phrase",
            "(?:the|your) pitch (?:sinks|drops|sags|falls)",
            "you (?:finish|end|close) (?:the|your|this) phrase "
            "(?:a little |a bit |slightly )?(?:flat|low|too low)",
            "(?:the|your) (?:end|ending) of (?:the|your|this) phrase (?:is|was|sounds|gets) "
            "(?:a little |a bit |slightly )?(?:low|flat)(?: in pitch)?",
            "(?:the|your) (?:end|ending) of (?:the|your|this) phrase (?:sinks|sags|drops|falls)"
            "(?: a little| a bit| slightly)?(?: in pitch)?",
            "you let the pitch (?:sink|drop|sag|fall)(?: a little| slightly)? "
            "at the end of (?:the|your|this) phrase",
        ),
        focus=(
            "(?:holding|keeping) (?:the |your )?pitch(?: up)? (?:to|until|at) the end of "
            "(?:the|each|your) phrases?",
            "(?:the|your) (?:pitch at the )?(?:ends?|endings?) of (?:the|each|your) phrases?",
        ),
        advice=(
            "give the last note as much air as the first",
            "keep the pitch up (?:to|until) the end of the phrase",
        ),
    ),
    "phrase_end": Phrases(
        nouns=(f"{_YOUR} (?:end|ending)(?: of {_THIS} phrase)?", f"{_YOUR} phrase ending"),
        good=("strong", "well carried", "supported", "well supported", "full"),
        bad=("weak", "soft", "short of air"),
        does_good=("(?:stays|stayed|remains|remained|keeps) strong",),
        does_bad=(
            "(?:fades|faded|dies away|died away)(?: out| away)?(?: too| a little| a bit)?"
            "(?: early| soon)?",
            "(?:loses|lost) (?:some |a little )?(?:strength|energy|level)",
            "(?:gets|got|becomes|became) (?:a little |a bit )?(?:softer|quieter|weak)",
        ),
        has_good=("(?:an? )?(?:strong|well carried) (?:end|ending) of the phrase",),
        has_bad=("(?:an? )?early fade(?: at the end of the phrase)?",),
        whole_good=(
            f"you (?:carry|carried|sing|sang|bring|brought) {_THIS} phrase "
            "(?:(?:well |nicely |strongly )?to|through to) (?:its|the) end",
        ),
        whole_bad=(
            f"{_THIS} phrase (?:fades|faded|weakens|loses strength)(?: out| away)?"
            "(?: too| a little| a bit)? (?:early|soon|towards? (?:its|the) end|at (?:its|the) end)",
            f"{_THIS} phrase (?:ends|ended) (?:weakly|softly|without strength)",
            f"you let {_THIS} phrase fade(?: out| away)?(?: early| at the end| too early)?",
        ),
        focus=(
            "(?:carrying|singing|bringing) (?:each|the|your|every) phrases? to (?:its|their|the) "
            "ends?",
            "(?:strong|stronger|the|your) (?:phrase )?(?:endings?|ends?)"
            "(?: of (?:your|the|each) phrases?)?",
        ),
        advice=(
            "save (?:a little|some) (?:air|breath) for the (?:last word|end)(?: of the phrase)?",
            "carry (?:the|each|every) phrase to its end",
            "keep (?:a little|some) (?:air|breath) for the (?:last word|end)",
        ),
    ),
    "breath_noise": Phrases(
        nouns=("(?:your|the) (?:breath|breaths|intake of breath|breath before the phrase)",),
        good=("quiet", "silent"),
        bad=("loud", "audible", "noisy"),
        has_good=("(?:an? )?(?:quiet|silent) breath",),
        has_bad=("(?:an? )?(?:loud|audible|noisy) breath",),
        whole_good=("you (?:breathe|breathed) (?:in )?(?:quietly|silently)",),
        whole_bad=("you (?:breathe|breathed) (?:in )?(?:loudly|audibly)",),
        focus=("(?:quiet|quieter|silent) breaths?", "breathing (?:in )?(?:quietly|silently)"),
        advice=("open the throat before you breathe in", "breathe in (?:quietly|silently)"),
    ),
    "phrase_breaks": Phrases(
        nouns=(f"the line of {_THIS} phrase", f"{_THIS} phrase", "the line"),
        good=("unbroken", "connected", "whole", "well connected", "continuous"),
        bad=("broken", "interrupted"),
        does_good=(
            "(?:holds|held|stays|stayed|hangs) together(?: well| nicely)?",
            "(?:runs|ran|flows|flowed) without a break",
        ),
        does_bad=("(?:breaks|broke)(?: off| apart)?", "(?:has|had) a break in it"),
        has_good=("(?:an? )?(?:unbroken|connected) (?:phrase|line)",),
        has_bad=("(?:an? )?break in the (?:phrase|line|tone)",),
        whole_good=(
            f"you (?:keep|kept|hold|held) (?:{_THIS} phrase|the line) "
            "(?:together(?: well| nicely)?|unbroken|connected)",
            f"you (?:carry|carried|sing|sang) {_THIS} phrase without a break",
        ),
        whole_bad=(
            "the tone (?:breaks|broke) off(?: inside the phrase)?",
            f"you (?:break|broke) {_THIS} phrase",
        ),
        focus=(
            "(?:unbroken|connected|more connected) (?:phrases|lines)",
            "(?:keeping|holding) (?:the|your) phrases? together",
        ),
        advice=("join the syllables(?: as if they were one long vowel)?",),
    ),
    "phrase_length": Phrases(
        nouns=(f"{_THIS} phrase", f"the length of {_THIS} phrase"),
        bad=("short",),
        whole_good=("you (?:carry|carried|sing|sang) a long phrase(?: well| in one breath)?",),
        focus=("longer phrases",),
        advice=("choose your breathing places before you sing",),
    ),
    "steadiness": Phrases(
        nouns=(f"(?:the|your) (?:loudness|volume)(?: (?:of|on|in) {_THIS} {_HELD}?note)?",),
        good=("even", "steady", "level", "stable", "well controlled"),
        bad=("uneven", "unsteady"),
        does_good=("(?:holds|held) (?:steady|evenly)",),
        does_bad=(
            "(?:wavers|wavered|wobbles|wobbled|fluctuates|fluctuated)"
            "(?: a little| a bit| slightly)?",
        ),
        has_good=(f"(?:an? )?(?:even|steady) loudness on {_THIS} {_HELD}?note",),
        has_bad=("(?:a |some )?(?:wobble|wavering) in (?:the )?loudness",),
        whole_good=(
            f"{_THIS} {_HELD}?note (?:has|had|keeps|kept|shows|showed) (?:an? )?"
            "(?:even|steady|level) (?:loudness|volume)",
            f"{_THIS} {_HELD}?note (?:stays|stayed|is|was|remains|remained|keeps) "
            "(?:nicely |quite )?(?:even|steady|level) in (?:its )?(?:loudness|volume)",
            f"you (?:hold|held|keep|kept) the loudness of {_THIS} {_HELD}?note "
            "(?:even|steady|level)",
            f"you (?:hold|held|keep|kept) {_THIS} {_HELD}?note "
            "(?:(?:at|with) (?:an? )?(?:even|steady) loudness|(?:even|steady) in loudness)",
        ),
        whole_bad=(
            f"{_THIS} {_HELD}?note (?:wavers|wavered|wobbles|wobbled)"
            "(?: a little| a bit| slightly)? in (?:its )?loudness",
        ),
        focus=(
            "(?:even|steady|steadier|more even) loudness"
            "(?: on (?:your |the )?(?:held|long) notes)?",
            f"keeping {_YOUR} loudness (?:even|steady)",
        ),
        advice=(
            "keep the air flowing evenly",
            "keep the flow of air even",
        ),
    ),
    "clarity": Phrases(
        nouns=("(?:the|your) (?:tone|sound|voice)",),
        good=("clear", "clean", "pure"),
        bad=("unclear", "veiled", "airy", "breathy"),
        does_bad=("(?:lacks|lacked) (?:a little |some )?clarity", "(?:loses|lost) clarity"),
        has_good=(
            "(?:an? |your |the )?(?:nice |nicely )?(?:clear|clean|pure) (?:tone|sound|voice)",
        ),
        has_bad=(
            "(?:an? )?(?:less clear|unclear|veiled|airy|breathy) (?:tone|sound|voice)",
            "(?:some |a little )?air in the (?:tone|sound)",
        ),
        whole_good=(
            "you (?:sing|sang) (?:with a )?(?:clear|clean)(?:ly)?(?: (?:tone|sound|voice))?",
        ),
        focus=(
            "(?:an? )?(?:clear|clearer|cleaner) (?:tone|sound|voice)",
            "(?:the )?clarity(?: of (?:your|the) (?:tone|sound|voice))?",
        ),
        advice=("let more voice and less air into the (?:tone|sound)",),
    ),
    "smoothness": Phrases(
        nouns=(
            "(?:the|your) (?:tone|sound|voice)",
            "the smoothness of (?:the|your) (?:tone|sound|voice)",
        ),
        good=("smooth",),
        bad=("rough",),
        has_good=("(?:an? )?smooth (?:tone|sound|voice)",),
        has_bad=(
            "(?:an? )?rough (?:tone|sound|voice)",
            "(?:some |a little )?roughness in the tone",
        ),
        focus=("(?:an? )?(?:smooth|smoother) (?:tone|sound|voice)",),
        advice=("sing with less pressure",),
    ),
    "ring": Phrases(
        nouns=("(?:the|your) (?:resonance|ring)(?: (?:in|of) (?:the|your) voice)?",),
        good=("strong", "good", "rich", "full"),
        bad=("weak", "small", "thin"),
        does_good=("(?:carries|carried)(?: well| nicely)?",),
        has_good=("(?:strong |good )?(?:resonance|ring) in (?:the|your) voice", "strong resonance"),
        has_bad=("(?:little|weak|not much) (?:resonance|ring)(?: in (?:the|your) voice)?",),
        whole_good=(
            "(?:the|your) (?:voice|tone) (?:rings|rang|carries|carried)(?: out)?(?: well| nicely)?",
        ),
        whole_bad=(
            "(?:the|your) (?:voice|tone) (?:has|had|shows) little (?:ring|resonance)",
            "(?:the|your) (?:voice|tone|sound) (?:is|was|sounds|sounded) "
            "(?:a little |a bit |slightly |somewhat |rather )?(?:dull|muffled)",
            "(?:the|your) (?:voice|tone) (?:lacks|lacked) (?:some |a little )?(?:ring|resonance)",
        ),
        focus=(
            "(?:more |the |your )?(?:resonance|ring)(?: (?:in|of) (?:your|the) (?:voice|tone))?",
        ),
        advice=("let the voice ring without pushing",),
    ),
    "dynamics": Phrases(
        nouns=(
            "(?:the |your )?(?:play|contrast) of (?:loud and soft|soft and loud)",
            "(?:the|your) contrast between (?:loud and soft|soft and loud)",
            "(?:the|your) dynamics",
            "(?:the|your) (?:dynamic|loudness) contrast",
        ),
        good=("strong", "rich", "clear"),
        bad=("small", "weak", "flat", "limited", "narrow"),
        has_good=("(?:an? )?(?:clear|strong) contrast (?:of|between) (?:loud and soft)",),
        has_bad=(
            "(?:only )?(?:little|not much) (?:dynamic )?contrast"
            "(?: (?:of|between) (?:loud and soft|soft and loud))?",
        ),
        whole_good=(
            "you (?:shape|shaped) (?:loud and soft|soft and loud|the loudness|the phrase)"
            "(?: well| nicely)",
            "(?:loud and soft|soft and loud) (?:vary|varied) well",
            "(?:the|your) phrase (?:grows|grew|swells|swelled) and (?:eases|eased|fades|falls)"
            "(?: well| nicely)?",
        ),
        whole_bad=(
            "(?:loud and soft|soft and loud) (?:stay|stayed|are|were|remain) "
            "(?:much |rather )?alike",
            "the (?:loudness|phrase) (?:stays|stayed) (?:nearly |almost )?"
            "(?:at one level|the same)",
        ),
        focus=(
            "(?:more |the |your )?(?:contrast|play) (?:of|between) (?:loud and soft|soft and loud)",
            "(?:more |your )?dynamics",
            "shaping (?:loud and soft|soft and loud)",
        ),
        advice=(
            "let the meaning decide how far to grow",
            "let the phrase grow and ease",
        ),
    ),
    "melody_dynamics": Phrases(
        nouns=("(?:your|the) loudness",),
        does_good=("(?:follows|followed|grows with|grew with) the melody(?: well| nicely)?",),
        does_bad=(
            "(?:does|did) not (?:quite )?(?:follow|grow with) the melody(?: yet)?",
            "(?:goes|went|runs|ran) against the melody",
        ),
        whole_good=("you (?:let|shape) the loudness (?:follow|with) the melody",),
        focus=(
            "(?:letting )?(?:the |your )?loudness (?:follow|that follows|with) the melody",
            "letting the loudness follow the melody",
        ),
        advice=("let the loudness follow the melody", "grow with the rising line"),
    ),
    "range": Phrases(
        nouns=("(?:your|the) range", "your use of your range"),
        bad=("small",),
        whole_good=("you (?:use|used) your range(?: well| nicely)",),
        focus=("(?:an? )?(?:easy, |easy )?wider range",),
    ),
    "intonation": Phrases(
        nouns=("(?:your|the|these|this) notes?", "(?:your|the) (?:tuning|intonation|pitch)"),
        good=("in tune", "well in tune", "secure", "accurate", "on pitch", "spot on", "right"),
        bad=("out of tune", "insecure", "off", "off pitch", "inaccurate", "imprecise"),
        does_good=("(?:sits?|lies?|lands?) (?:well )?in tune", "(?:fits?|matches) the scale"),
        does_bad=("(?:misses|missed) the pitch(?: a little| slightly)?",),
        has_good=("(?:secure|good|accurate) (?:tuning|intonation)",),
        has_bad=("(?:insecure|loose) (?:tuning|intonation)",),
        whole_good=(
            "you (?:sing|sang|are|were) (?:well )?(?:in tune|on pitch)",
            "you (?:hit|meet|met) the notes? (?:well|securely|accurately|cleanly|in the middle)",
        ),
        whole_bad=(
            "you (?:sing|sang|are|were) (?:a little |a bit |slightly |somewhat )?"
            "(?:out of tune|off pitch)",
        ),
        focus=(
            "(?:secure |your |the |better )?(?:tuning|intonation)",
            "singing (?:the middle of each note|in tune)",
        ),
        advice=(
            "sing the middle of each note",
            "listen for the middle of (?:each|the) note",
        ),
    ),
    "general": Phrases(
        nouns=("(?:this|the) moment",),
        whole_good=("(?:this|the) moment helps your score", "your singing helps your score"),
        whole_bad=("(?:this|the) moment costs you a little",),
        focus=("this moment",),
        advice=("listen to it again with fresh ears",),
    ),
}
