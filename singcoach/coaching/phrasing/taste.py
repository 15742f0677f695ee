"""Whether a true sentence is also English that a coach would say.

The phrases of the claim check forgive missing articles and ill-fitting forms, because they are read
and not spoken. What a model is offered, and what it is taught, shall be spoken.
"""

from __future__ import annotations

import re
from typing import Final

_ARTICLE: Final = r"(?:a|an|the|your|this|each|every|these|some|one|any|no|its|their)"
_COUNTED: Final = (
    "tone|voice|sound|leap|jump|line|phrase|note|start|onset|beginning|end|ending|break|scoop|drift|"
    "fade|wobble|breath|pitch|range|play|wavering|melody"
)
_FAULTS: Final = tuple(
    re.compile(fault, re.IGNORECASE)
    for fault in (
        r"\ba [aeio]",
        r"\ban [^aeiou]",
        rf"\b(?:there is|have|hear|on|practise|to) (?:(?!{_ARTICLE}\b)[\w-]+,? ){{0,3}}"
        rf"(?<!of )(?:{_COUNTED})\b",
        rf"\b(?:holding|keeping|letting|carrying|bringing) (?:{_COUNTED})s?\b",
        rf"^(?!.*\bbreaths? out\b)(?:[^,]*,? )?(?:at|around|near) \d+:\d\d,? (?:{_COUNTED})\b",
        r"\b(?:each|every|this|one) \w+s to\b|\bof (?:each|every|this) \w*(?:notes|phrases)\b",
        r"\b(?:each|every) (?:notes|phrases|breaths)\b|\bthese (?:note|phrase|breath)\b",
        r"\bphrases (?:\w+ )?to its\b|\bphrase (?:\w+ )?to (?:their|its ends)\b|\bto the ends\b",
        r"\bhear (?:that|how) (?:we|you) hear\b|\b(?:start|land)(?:ed)? in on\b",
        r"\bonly (?:not|hardly)\b|\bmore \w+er\b|\bloudness with\b|\bdirect starts?$",
        r"\bby [AU]\b|\b[B-HJ-Z]\b",
        r"\bthere is (?:your|the)\b|\bhow (?:we|there|a|loud|soft|vibrato)\b",
        r"; .* (?:at|near|around)\b",
        r"\b(?:an?|the) (?:nice|nicely) (?:even|regular|smooth)ly\b|\bnicely (?:clean|pure) \w+$",
        r"\byour nicely\b|\bkeeps? (?:steady|stable)\b|\byour \w+ in your voice\b",
        r"\b(?:notes|phrases|breaths|leaps|tones|onsets|starts) (?:is|sounds|stays|remains)\b",
        r"\b(?:this|that|one|each|every) (?:\w+ )?(?:notes|phrases|breaths|tones)\b",
        r"\byour (?:\w+ ){1,2}of your\b|\bon (?:your|the) (?:end|start|beginning|clarity)[.,]?$",
        r"\bshaped? the loudness follow\b|\bmore (?:smooth|even|regular|steady)\b",
        r"\b(\w{4,}?)(?:ness|ity)?\b.* (?:is|sounds|stays|remains)(?: not)? \1\b",
        r"\bnext,? .* (?:next|in your next take|today|this week)\.$",
    )
)


def is_well_said(text: str) -> bool:
    """Whether nothing in the sentence hurts a reader."""
    return not any(fault.search(text) for fault in _FAULTS)
