"""From one clause to the claims it may make; a clause that fits no pattern makes none and falls."""

# ruff: noqa: E501 - a pattern reads best on one line

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from singcoach.coaching.english.phrases import PHRASES, Phrases
from singcoach.coaching.english.tokens import normal
from singcoach.coaching.languages import catalogue_of

Kind = Literal[
    "score", "range", "moment", "relative", "note", "drift", "amount", "work", "effect",
    "accuracy", "extreme", "judgement", "unscored", "unsure", "no_moment", "duration", "reason", "exercise",
    "listen", "neutral", "subject",
]  # fmt: skip

_COP: Final = (
    "(?:is|are|was|were|sounds?|sounded|stays?|stayed|remains?|remained|becomes?|became|gets?|got"
    "|comes out|came out|seems?|seemed|turns?|turned)"
)
_WELL: Final = "(?:nicely |quite |fairly |pleasantly |reasonably |rather |well )?"
_BIT: Final = "(?:a little |a bit |a touch |slightly |somewhat |rather |quite |fairly )?"
_NOT: Final = (
    "not (?:quite |so |as |yet |fully |entirely |particularly |that |all that |yet quite )?"
)
_YET: Final = "(?: yet| enough| yet enough)?"
_THERE: Final = (
    "(?:there is|there's|there was|you have|you had|you show|you showed|you keep|you kept|you sing "
    "with|you sang with|we hear|we heard|i hear|i heard|you can hear|you hear|listen to|listen for|"
    "hear|notice|this is|it shows|it has|(?:the|this|that) (?:moment|spot|passage|phrase|note|place|"
    "part)(?: C)? (?:shows|has|brings|showed|had)|C (?:shows|has|brings)|with|this shows)"
)
_THANKS: Final = "(?:thanks to|helped by|supported by|lifted by)(?: the| your)?"
_DESPITE: Final = "(?:held back by|lowered by|with some)(?: the| your)?"
_HEARD: Final = "(?: (?:comes|came) (?:through|across)| can be heard| is heard)?(?: well| nicely)?"
_TAKE: Final = "(?:this|the|your) take"
_REST: Final = (
    rf"(?:than (?:in |for |during )?(?:the |most of the )?rest(?: of {_TAKE})?"
    rf"|than elsewhere(?: in {_TAKE})?)"
)
_BETTER: Final = (
    "(?:better|stronger|steadier|clearer|cleaner|quieter|more (?:even|secure|steady|clear|stable))"
)
_WORSE: Final = (
    "(?:weaker|worse|louder|(?:less|more) (?:secure|even|steady|clear|stable|uneven|unsteady))"
)
_FLAT: Final = (
    "(?:flat|too low|low|below (?:the )?(?:pitch|note)|under (?:the )?pitch|on the low side)"
)
_SHARP: Final = "(?:sharp|too high|high|above (?:the )?(?:pitch|note)|on the high side)"
_VERB: Final = (
    "(?:is|was|comes|came|lands?|landed|sits|stands|scores?|scored|reaches|reach|reached|gets?|got|"
    "earns?|earned|receives?|rates?|are|come|have)"
)
_TO: Final = "(?: out)?(?: at| to| in at| around)?(?: an?)?(?: score of)?"
_OVER: Final = (
    "(?:overall|as a whole|all in all|on the whole|taken together|put together|in total|altogether)"
)
_WHO: Final = f"(?:you|it|that|this|{_TAKE}|the whole take|that makes|this makes|the result)"
_SIDE: Final = "(?: scoring| scored| rated)?(?: side| area| dimension| point| part| aspect| score)?"
_REF: Final = "(?P<ref>the written song|the music|your own scale)"
_ACC: Final = rf"(?:your |the )?(?P<acc>pitch|rhythm) accuracy (?:is|was|{_VERB}|lies){_TO} P"
_WORK_LEAD: Final = (
    "(?:next up |your next step |the next step |a good next step |the first thing |one thing |"
    "what |your main task |the next goal |a next goal )?"
    "(?:is to |would be to |could be to |is |would be |could be |to )?"
    "(?:i suggest |i would |let's |let us |you could |you might |you may |you can |it (?:may|might|could|"
    "would|can|will) help to |it is worth |it's worth |it would be worth |for (?:the|your) next take |"
    "try to |keep |please )*"
    "(?:work(?:ing)? on|to work on(?: next)? is|practise|practice|practising|practicing|"
    "focus(?:ing)?(?: your practice)? on|concentrat(?:e|ing) on|pay(?:ing)? attention to|"
    "spend(?:ing)? (?:a little|some|a few minutes|a few minutes of|some time|a little time|time) on|"
    "giv(?:e|ing) (?:a few minutes|some time|some attention|your attention|attention) to|"
    "put(?:ting)? (?:some |a little )?(?:practice|work|time|attention) into|aim(?:ing)? for|"
    "turn(?:ing)? to|return(?:ing)? to|use|next|the next step is|your next step is|try)"
)
_NEXT: Final = (
    "(?:,? (?:next|first|for now|this week|today|in your next take|in the next take|"
    "before (?:your|the) next take|for a few minutes|in your practice|a little more|most))*"
)
_ADVICE_LEAD: Final = (
    "(?:try to |remember to |you can |you could |you might |it (?:may|might|could|can) help to |"
    "see if you can |aim to |make sure to |make sure you |let's |next time |just |and )*"
)
_AMOUNT: Final = (
    "(?:,? ?(?:by|off by|of|within|over|moving by|wavering by|drifting by|sinking by|falling by|"
    "with a (?:drop|fall|range|swing) of|and is off by|a difference of)? ?(?P<amount>A|U))?"
)
_LISTEN: Final = (
    "(?:please |then |so )?(?:listen(?: again| back| once more)?(?: to)?|go back to|play|replay|"
    "return to|have a listen to)"
    "(?: (?:this|that|the) (?:moment|spot|passage|phrase|note|part|place))?(?: C)?"
    "(?: again| once more| with fresh ears)*"
)
_NEUTRAL: Final = (
    "that says nothing about how well you sing",
    "record (?:one|another|a new)(?: more)? take(?: and compare(?: (?:it|them|the two))?)?",
    "(?:record one more take and )?we will listen together",
    "enjoy (?:the next take|it|singing|your singing|the music)",
    "have fun",
    "keep (?:going|singing|practising|practicing)",
    "take your time",
    "be patient with yourself",
    "one step at a time",
    "small steps are enough",
    "(?:a )?few minutes (?:a day )?(?:is|are) enough",
    "thank you for (?:singing|this take|your take)",
    "take this as a first impression",
    "take (?:it|this) (?:as a hint|with care)",
    "trust your (?:own )?ears(?: too)?",
    "choose what you enjoy(?: for your next practice)?",
    "(?:please )?record (?:one more|another|the next) take(?: in a quiet room)?",
    "a little longer",
    "in a quiet room",
    "record the song again so that there is enough of your voice to hear",
    "one take (?:does not settle it|says only so much|is only one take)",
)

_PLAIN: Final[tuple[tuple[Kind, str], ...]] = (
    ("score", rf"D {_VERB}{_TO} S"),
    ("score", rf"(?:for|in|on|as for|regarding|with) D,? {_WHO} {_VERB}{_TO} S"),
    ("score", rf"{_WHO} {_VERB}{_TO} S (?:for|in|on) D"),
    ("score", rf"(?:your|the) score (?:for|in) D {_VERB}{_TO} S"),
    ("score", r"D,? S"),
    ("score", r"S (?:for|in|on) D"),
    ("score", r"D,? (?:rated|scored|with)(?: a score of| at)? S"),
    ("score", rf"(?P<overall>{_OVER}),? (?:{_WHO} )?(?:{_VERB}{_TO} )?S"),
    ("score", rf"{_WHO} {_VERB}{_TO} S (?P<overall>{_OVER})"),
    ("score", rf"S (?P<overall>{_OVER})"),
    (
        "score",
        rf"(?P<overall>{_TAKE}|(?:your|the) overall (?:score|result)|the whole take) {_VERB}{_TO} S",
    ),
    ("score", rf"(?:that|this|it|you) {_VERB}{_TO} S"),
    ("score", r"S"),
    (
        "range",
        r"(?:(?:it|the (?:true )?value|the score) (?:is |lies )?)?"
        r"(?:most likely |very likely |probably |likely |possibly )?"
        r"(?:it is |it lies |lies |is )?R(?: is possible)?",
    ),
    (
        "range",
        rf"(?:most likely |probably )?(?P<overall>{_TAKE}|(?:your|the) overall (?:score|result)) "
        r"(?:is|lies) (?:most likely |probably )?R",
    ),
    ("range", rf"(?P<overall>{_OVER}),? {_WHO} (?:{_VERB}|lie|lies)(?: most likely| probably)? R"),
    ("range", r"(?:most likely |probably )?D (?:is|lies) (?:most likely |probably )?R"),
    ("range", r"(?:the|your) (?:likely )?range for (?:D|the (?P<overall>overall) score) is R"),
    ("range", r"(?:with )?(?:a|the)(?: likely| probable)? range (?:of |is )?R"),
    (
        "relative",
        rf"(?:this|it|that|C) is (?P<rel>one of the (?P<good>better|stronger)) moments (?:of|in) {_TAKE}",
    ),
    (
        "relative",
        rf"(?:this|it|that|C) is (?P<rel>one of the (?P<bad>weaker)) moments (?:of|in) {_TAKE}",
    ),
    (
        "note",
        rf"(?:there is )?(?:one|a|the|this|your|one of (?:your|the)) notes? (?:there |that )?(?:is|lies|sits|was|lands|lay|sat|sounds|comes out) (?:A |a little |a bit |slightly )?(?:(?P<flat>{_FLAT})|(?P<sharp>{_SHARP}))(?: by A)?",
    ),
    (
        "note",
        rf"(?:it|that note|this note) (?:is|lies|sits|was|lands) (?:A |a little |a bit |slightly )?(?:(?P<flat>{_FLAT})|(?P<sharp>{_SHARP}))(?: by A)?",
    ),
    (
        "note",
        rf"you (?:sing|sang|are|were|land|come in|go|went) (?:one note |a note )?(?:A |a little |a bit |slightly )?(?:(?P<flat>{_FLAT})|(?P<sharp>{_SHARP}))(?: on one note| on a note)?(?: by A)?",
    ),
    ("note", rf"(?:A )(?:(?P<flat>{_FLAT})|(?P<sharp>{_SHARP}))(?: on one note)?"),
    (
        "note",
        rf"with one note (?:A |a little |a bit |slightly )?(?:(?P<flat>{_FLAT})|(?P<sharp>{_SHARP}))(?: by A)?",
    ),
    (
        "drift",
        r"(?:your|the|this) (?:held |long )?(?:note|pitch) (?:drifts|drifted|moves|moved|slides|slid|creeps|crept|sinks|sank|rises|rose)(?: A)? (?:(?P<flat>flat|down|downwards?|lower)|(?P<sharp>sharp|up|upwards?|higher))(?: by A)?",
    ),
    (
        "drift",
        r"(?:your|the|this) (?:held |long )?(?:note|pitch) (?:(?P<flat>sags|sagged|sinks|sank|drops|dropped|slips|slipped)|(?P<sharp>rises|rose|climbs|climbed))(?: a little| a bit| slightly)?(?: by A)?",
    ),
    (
        "amount",
        r"(?:(?:it|this|that|the pitch|the notes?|your notes?|the level|the loudness) )?(?:is |are |was |were |lies |moves |moved |drifts |sinks |wavers |falls |drops )?(?:off |away )?(?:by )?(?:A|U)(?: off)?",
    ),
    (
        "effect",
        r"(?:(?:which|that|this|it|this moment|the moment|C) )?(?P<good>helps?|helped|lifts?|lifted|raises?|raised|supports?|supported|adds to) (?:D|(?:your|the)(?P<overall> overall)? score)",
    ),
    (
        "effect",
        r"(?:(?:which|that|this|it|this moment|the moment|C) )?(?P<bad>lowers?|lowered|costs?|hurts?|pulls? down|pulled down|weighs on|brings? down) (?:D|(?:your|the)(?P<overall> overall)? score)(?: a little| a bit| somewhat)?",
    ),
    ("accuracy", _ACC),
    ("accuracy", rf"(?:measured |compared )?(?:against|with) {_REF},? {_ACC}"),
    (
        "accuracy",
        rf"(?:your |the )?(?P<acc>pitch|rhythm) accuracy (?:measured )?(?:against|with) {_REF} (?:is|{_VERB}){_TO} P",
    ),
    ("accuracy", rf"{_ACC},? (?:measured |compared )?(?:against|with) {_REF}"),
    (
        "extreme",
        rf"(?:your|the) (?:(?P<best>strongest|best|highest)|(?P<worst>weakest|lowest)){_SIDE} (?:is|was|comes from|is for|lies in|belongs to) (?:in |for )?D(?:,? (?:at|with)(?: a score of)? S)?",
    ),
    (
        "extreme",
        rf"D (?:is|was|gets|has|received) (?:your|the) (?:(?P<best>strongest|best|highest)|(?P<worst>weakest|lowest)){_SIDE}(?:,? (?:at|with)(?: a score of)? S)?",
    ),
    (
        "extreme",
        rf"(?:which is |this is )?(?:your|the) (?:(?P<best>strongest|best|highest)|(?P<worst>weakest|lowest)){_SIDE}",
    ),
    (
        "judgement",
        rf"D (?:is|was|looks) (?:{_WELL})(?P<good>strong|good|solid)(?:,? (?:at|with)(?: a score of)? S)?",
    ),
    ("judgement", r"D (?:is|was) (?P<good>a strength)(?: of yours)?"),
    (
        "judgement",
        rf"D (?:is|was|looks) (?:{_BIT})(?P<bad>weak|poor)(?:,? (?:at|with)(?: a score of)? S)?",
    ),
    ("judgement", r"D (?:is|was) (?P<bad>a weakness)"),
    (
        "unscored",
        r"D (?:could not|cannot|can't|couldn't) be (?:scored|judged|measured)(?: yet| in this take| here)?",
    ),
    ("unscored", r"(?:there is|there's) no score for D"),
    (
        "unscored",
        r"(?P<overall>this take) (?:could not|cannot|can't) be (?:scored|judged)(?: yet)?",
    ),
    (
        "unsure",
        r"(?P<overall>this take) is not enough for an overall score(?: that you could rely on)?",
    ),
    ("unsure", r"this take is not enough for a score(?: that you could rely on)?"),
    ("no_moment", r"(?:(?:for|in) D,? )?no (?:single )?moment stands out(?: (?:for|in) D)?"),
    ("duration", r"(?P<sung>you) (?:sing|sang)(?: for)? U"),
    ("duration", r"(?P<sung>there (?:is|are)) U of singing"),
    ("duration", rf"(?P<long>{_TAKE}) (?:lasts|is|runs)(?: for)? U(?: long)?"),
    ("reason", r"Q"),
    (
        "exercise",
        r"(?:please )?(?:try|use|practise|practice|the exercise) (?:the exercise )?(?:called )?E(?: (?:can|may|might|could) help)?(?: (?:helps|for this))?",
    ),
    ("listen", _LISTEN),
    *(("neutral", words) for words in _NEUTRAL),
    ("subject", r"(?:for |in |on |as for |regarding )?D"),
    ("subject", rf"(?P<overall>{_OVER})"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a clause says, as far as its words go; numbers stay in the clause's tokens."""

    kind: Kind
    topic: str = ""
    sign: Literal["", "good", "bad", "flat", "sharp"] = ""
    extreme: Literal["", "best", "worst"] = ""
    overall: bool = False
    reference: str = ""
    subject: str = ""
    pronoun: bool = False
    """Whether "it" or "they" stands for the topic of a clause before."""


def claims_of(residue: str) -> Iterator[Claim]:
    """Yield every reading of a clause whose numbers have been replaced by their bare letters."""
    for kind, pattern in _plain_patterns():
        match = pattern.fullmatch(residue)
        if match is not None:
            yield _claim(kind, match)
    for topic, sign, kind, pattern in _topic_patterns():
        match = pattern.fullmatch(residue)
        if match is not None:
            pronoun = bool(match.groupdict().get("it"))
            yield Claim(kind=kind, topic=topic, sign=sign, pronoun=pronoun)


def _claim(kind: Kind, match: re.Match[str]) -> Claim:
    found = {name for name, value in match.groupdict().items() if value}
    sign = next((s for s in ("good", "bad", "flat", "sharp") if s in found), "")
    extreme = next((e for e in ("best", "worst") if e in found), "")
    groups = match.groupdict()
    return Claim(
        kind=kind,
        sign=sign,  # type: ignore[arg-type]
        extreme=extreme,  # type: ignore[arg-type]
        overall="overall" in found,
        reference=groups.get("ref") or "",
        subject=groups.get("acc") or next((s for s in ("sung", "long") if s in found), ""),
    )


@cache
def _plain_patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(words)) for kind, words in _PLAIN)


@cache
def _topic_patterns() -> tuple[tuple[str, Literal["", "good", "bad"], Kind, re.Pattern[str]], ...]:
    found: list[tuple[str, Literal["", "good", "bad"], Kind, re.Pattern[str]]] = []
    for topic, phrases in PHRASES.items():
        for sign, words in (("good", _good(phrases)), ("bad", _bad(phrases))):
            pattern = _compiled(rf"(?:{'|'.join(words)}){_AMOUNT}" if words else "(?!)")
            found.append((topic, sign, "moment", pattern))  # type: ignore[arg-type]
        nouns = _nouns(phrases)
        does = _any(phrases.does_good) if phrases.does_good else "(?!)"
        for sign, words_, much in (("good", _BETTER, "better"), ("bad", _WORSE, "less")):
            pattern = _compiled(rf"{nouns} (?:{_COP} {_BIT}{words_}|{does} {_BIT}{much}) {_REST}")
            found.append((topic, sign, "relative", pattern))  # type: ignore[arg-type]
        work = []
        if phrases.focus:
            work.append(rf"{_WORK_LEAD} {_any(phrases.focus)}{_NEXT}")
            work.append(
                rf"{_ADVICE_LEAD}giv(?:e|ing) {_any(phrases.focus)} (?:some|a little|your|a bit of) "
                "(?:more )?(?:attention|time|practice|care)"
            )
        gloss = normal(catalogue_of("en").messages[f"topic.{topic}.gloss"][0])
        work.append(re.escape(gloss))
        if phrases.advice:
            work.append(rf"{_ADVICE_LEAD}{_any(phrases.advice)}(?: there)?")
        if phrases.focus:
            work.append(
                rf"{_any(phrases.focus)} (?:is|would be|could be) (?:your |the |a good )?"
                "(?:next step|next goal|thing to work on|what to work on)(?: next)?"
            )
        found.append((topic, "", "work", re.compile("|".join(work))))
    return tuple(found)


def _compiled(words: str) -> re.Pattern[str]:
    """Compile a pattern in which ``IT`` stands for a pronoun, named once for the whole pattern."""
    return re.compile(rf"(?P<it>(?=it |they ))?(?:{words.replace('IT', '(?:it|they)')})")


def _good(p: Phrases) -> list[str]:
    nouns, words = _nouns(p), list(p.whole_good)
    if p.good:
        adjective = _any(p.good)
        words.append(f"{nouns} {_COP} {_WELL}{adjective}(?: and {adjective})?")
        words.append(f"(?:hear |notice |listen to )?how {adjective} {_any(p.nouns)} {_COP}")
    if p.does_good:
        words.append(f"{nouns} {_any(p.does_good)}")
    if p.has_good:
        words.append(f"(?:{_THERE}|{_THANKS}) {_any(p.has_good)}")
        words.append(f"{_any(p.has_good)}{_HEARD}")
    return words


def _bad(p: Phrases) -> list[str]:
    nouns, words = _nouns(p), list(p.whole_bad)
    if p.bad:
        words.append(f"{nouns} {_COP} {_BIT}{_any(p.bad)}")
    if p.good:
        words.append(f"{nouns} {_COP} {_NOT}{_any(p.good)}{_YET}")
        words.append(f"{nouns} {_COP} not (?:quite |fully )?there(?: yet)?")
        words.append(
            f"{nouns} (?:isn't|aren't|wasn't|weren't) (?:quite |so |yet )?{_any(p.good)}{_YET}"
        )
        words.append(f"{nouns} {_COP} (?:a little |a bit |somewhat )?less {_any(p.good)}")
    if p.does_bad:
        words.append(f"{nouns} {_any(p.does_bad)}")
    if p.has_bad:
        words.append(f"(?:{_THERE}|{_DESPITE}) {_any(p.has_bad)}")
        words.append(f"{_any(p.has_bad)}{_HEARD}")
    return words


def _nouns(p: Phrases) -> str:
    return f"(?:{'|'.join(p.nouns)}|IT)"


def _any(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"
