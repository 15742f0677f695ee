"""The claim check: a sentence passes only when measured facts stand behind all of it.

It is strict on purpose. A sentence is cut into clauses; every word of every clause has to belong
to a known phrase, and everything a clause claims at once (time, dimension, topic, good or bad,
flat or sharp, amount) has to be matched by one fact. What is not understood is not shown to be
true and falls, however likely it sounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from singcoach.coaching.english import evaluate
from singcoach.coaching.english.clauses import claims_of
from singcoach.coaching.english.evaluate import Clause, Context
from singcoach.coaching.english.tokens import Tokens, tokens_of
from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import Fact
from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.proof import Proof
from singcoach.core.wording import split_sentences

_JOINT: Final = re.compile(
    r"\s*[;:]\s+(?:(?:and|but|so|yet) )?"
    r"|\s+-\s+"
    r"|,\s+(?:(?:and|but|while|whereas|where|although|though|yet|so|then) )?"
    r"|\s+(?:and|but|while|whereas|where|although|though|yet|so|then)\s+"
    r"|,?\s+(?=(?:which|with|because|since|thanks to|(?:helped|supported|held back|lowered) by) )"
    r"|\s*\(|\)\s*"
)
_LEAD: Final = re.compile(
    r"(?:next time,? |and |but |so |also |then |yet |well |next,? |first,? |second,? |third,? |"
    r"finally,? |"
    r"(?:for|in) (?:the|your) next take,? |in your practice,? |this week,? |today,? |"
    r"in addition,? |in contrast,? |by contrast,? |on the other hand,? |at the same time,? |"
    r"meanwhile,? |(?:i|we|you) (?:can |could )?(?:hear|heard|notice|noticed|see) (?:that |how )|"
    r"(?:the |our )?measurements? (?:show|shows|say|says|tell|indicate) (?:that )?|"
    r"it (?:seems|sounds|looks|appears) (?:that |as if |like )|"
    r"(?:listen to |notice )how (?=your|the|you)|"
    r"notice that |note that |in one moment,? (?=T)|also,? )+"
)
_EXISTS: Final = re.compile(r"(?:in|at) (?:one moment|one place|one spot|places|one point)")
_THERE: Final = re.compile(r"^(?:there|here),? (?!is |are |was |were )|,? (?:there|here)$")
_ALLOWED: Final = re.compile(r"[a-zA-Z0-9 ,;:'\"()/%.-]*")
_MOST_JOINTS = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """One sentence that passed, with the ids of the facts behind it."""

    text: str
    facts: tuple[str, ...]


class ClaimChecker:
    """Checks English sentences against the facts of one take and counts what it saw.

    Parameters
    ----------
    facts
        Everything that was measured.
    proof
        Sentences that are known to be true because they were written from the facts; these pass
        without being read.
    """

    def __init__(self, facts: Sequence[Fact], *, proof: Proof | None = None) -> None:
        self._facts = tuple(facts)
        self._proof = proof
        self._quotes = [(f.id, f.reason) for f in facts if f.kind == "reason"]
        self._titles = {
            words.title.lower(): name
            for name, words in catalogue_of("en").exercises.items()
            if name in load_library().exercises
        }
        self.checked = 0
        self.rejected = 0

    def keep(self, text: str) -> list[Checked]:
        """Return the sentences of a running text that measured facts stand behind."""
        kept = []
        for sentence in split_sentences(text):
            self.checked += 1
            facts = self.support(sentence)
            if facts is None:
                self.rejected += 1
            else:
                kept.append(Checked(sentence, facts))
        return kept

    def accepts(self, sentence: str) -> bool:
        """Whether everything in ``sentence`` is matched by facts or claims nothing."""
        return self.support(sentence) is not None

    def support(self, sentence: str) -> tuple[str, ...] | None:
        """Ids of the facts behind a sentence; None when it is not shown to be true."""
        if self._proof is not None:
            known = self._proof.support(sentence)
            if known is not None:
                return known
        return self._read(sentence)

    def _read(self, sentence: str) -> tuple[str, ...] | None:
        if "?" in sentence or len(sentence) > 400:
            return None
        tokens = tokens_of(sentence, quotes=self._quotes, titles=self._titles)
        if not tokens.text or not _ALLOWED.fullmatch(tokens.text):
            return None
        joints = list(_JOINT.finditer(tokens.text))
        if len(joints) > _MOST_JOINTS:
            return None
        cuts = [(0, 0), *((j.start(), j.end()) for j in joints)]
        ends = [len(tokens.text), len(tokens.text)]
        found = self._follow(tokens, cuts, 0, ends[0], Context())
        if found is None or found[1].waiting or not (found[0] or found[1].neutral):
            return None
        return tuple(dict.fromkeys(found[0]))

    def _follow(
        self,
        tokens: Tokens,
        cuts: Sequence[tuple[int, int]],
        index: int,
        end: int,
        context: Context,
    ) -> tuple[tuple[str, ...], Context] | None:
        """Read on from a cut: the longest clause first, then shorter ones."""
        for stop in range(len(cuts), index, -1):
            begin = cuts[index][1]
            finish = end if stop == len(cuts) else cuts[stop][0]
            for ids, after in self._clause(tokens, tokens.text[begin:finish], context):
                if stop == len(cuts):
                    return ids, after
                rest = self._follow(tokens, cuts, stop, end, after)
                if rest is not None:
                    return (*ids, *rest[0]), rest[1]
        return None

    def _clause(
        self, tokens: Tokens, text: str, context: Context
    ) -> Iterator[tuple[tuple[str, ...], Context]]:
        """Every reading of a clause that facts stand behind."""
        if not text.strip(" ,"):
            yield (), context
            return
        text = text.strip(" ,")
        if text.startswith(("because ", "since ")):
            if not context.explained:
                return
            text = text.partition(" ")[2]
            context = replace(context, because=bool(context.topic))
        clause = Clause.of(tokens, _lead(text))
        residue, exists = _EXISTS.subn(" ", clause.residue)
        residue, n_there = _THERE.subn(" ", " ".join(residue.split()).strip(" ,"))
        if n_there and not (clause.times or context.times):
            return
        residue = residue.strip(" ,")
        clause = replace(clause, residue=residue, exists=bool(exists))
        if not residue:
            first = context == Context()
            if first and not exists and evaluate.timed(self._facts, clause.times):
                yield (), replace(context, times=clause.times, waiting=True)
            elif first and exists:
                yield (), replace(context, exists=True, waiting=True)
            return
        for claim in claims_of(residue):
            found = evaluate.judge(claim, clause, context, self._facts)
            if found is not None:
                yield found


def _lead(text: str) -> str:
    return _LEAD.sub("", text.strip(" ,"), count=1) if _LEAD.match(text.strip(" ,")) else text
