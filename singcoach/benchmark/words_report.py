"""The section of ``docs/words.md`` that the comparison writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from singcoach.benchmark.words_figures import Told, WordFigures

BEGIN: Final = "<!-- Made by `python -m singcoach.benchmark.words`; do not edit. -->\n"
END: Final = "<!-- End of what was made. -->\n"
_DASH: Final = "A dash: the template stands, for the model said the same or neither try passed."
_EXAMPLES: Final = 12
_STEP: Final = 7


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _of_texts(show: Callable[[WordFigures], str]) -> Callable[[WordFigures], str]:
    return lambda figures: show(figures) if figures.n_texts else "-"


_ROWS: Final[tuple[tuple[str, Callable[[WordFigures], str]], ...]] = (
    ("plans", lambda f: str(f.n_plans)),
    ("sentences asked for", _of_texts(lambda f: str(f.n_asked))),
    ("texts written, second tries included", _of_texts(lambda f: str(f.n_texts))),
    ("unsupported, before the check", _of_texts(lambda f: _percent(f.unsupported_before))),
    ("number not of the plan, before", _of_texts(lambda f: _percent(f.wrong_numbers_before))),
    ("unsupported, after the check", lambda f: str(f.unsupported_after)),
    ("number not of the plan, after", lambda f: str(f.wrong_numbers_after)),
    ("sentences kept", _of_texts(lambda f: _percent(f.kept))),
    ("in other words than the template's", _of_texts(lambda f: _percent(f.new))),
    ("planned facts spoken of", lambda f: _percent(f.covered)),
    ("planned facts in other words", _of_texts(lambda f: _percent(f.covered_own))),
    ("supported, but poor English, before", _of_texts(lambda f: _percent(f.ill_said))),
    ("begins like another sentence of its feedback", lambda f: _percent(f.repetition)),
    ("distinct sentences", lambda f: _percent(f.distinct)),
    ("distinct pairs of words", lambda f: _percent(f.distinct_pairs)),
    ("reading grade", lambda f: f"{f.grade:.1f}"),
    ("seconds for a feedback, median", lambda f: f"{f.seconds:.1f}"),
    ("seconds for a feedback, longest", lambda f: f"{f.slowest_s:.1f}"),
)


def document(
    figures: Mapping[str, WordFigures],
    told: Mapping[str, Sequence[Told]],
    everywhere: Mapping[str, WordFigures],
) -> str:
    """Return the figures as tables, and examples side by side.

    ``everywhere`` is of all plans, for those who need no time.
    """
    lines = [*_table(figures), ""] if figures else []
    lines += ["### On every plan, without a model", "", *_table(everywhere)]
    lines += ["", "### Examples", "", _DASH, ""]
    models = [t for t in told if t in figures and figures[t].n_texts and figures[t].seconds]
    lines += [f"| templates | {' | '.join(models)} |", f"| --- |{' --- |' * len(models)}"]
    lines += [f"| {' | '.join(row)} |" for row in _examples(told, models)]
    return "\n".join(lines) + "\n"


def _table(figures: Mapping[str, WordFigures]) -> list[str]:
    lines = [f"| | {' | '.join(figures)} |", f"| --- |{' --- |' * len(figures)}"]
    return lines + [
        f"| {name} | {' | '.join(show(one) for one in figures.values())} |" for name, show in _ROWS
    ]


def with_section(before: str, section: str) -> str:
    """Return a document with what was made put in its place, at the end where there is none."""
    head, begin, rest = before.partition(BEGIN)
    tail = rest.partition(END)[2] if begin else ""
    return f"{head}{BEGIN}{section}{END}{tail}"


def _examples(told: Mapping[str, Sequence[Told]], models: Sequence[str]) -> list[list[str]]:
    rows = []
    for number, first in enumerate(told[models[0]] if models else ()):
        asked = [
            place
            for place, text in enumerate(first.template)
            if any(told[m][number].said[place] != text for m in models)
        ]
        for place in asked[number % _STEP : number % _STEP + 1]:
            template = first.template[place]
            said = [told[m][number].said[place] for m in models]
            rows.append([template, *("-" if s == template else s for s in said)])
    return rows[:_EXAMPLES]
