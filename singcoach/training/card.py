"""The model card of trained heads: what they are, what they were trained on, how they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from singcoach.training.accuracy import described

if TYPE_CHECKING:
    from singcoach.training.heads import Figures, Material, Options


def card_text(
    pack_id: str, material: Material, options: Options, figures: Sequence[Figures]
) -> str:
    """Return the card as Markdown."""
    epochs = f", at most {options.epochs} epochs" if options.epochs else ""
    lines = [
        f"# {pack_id}: score heads trained with `singcoach train heads`",
        "",
        f"- Heads: {', '.join(options.dimensions)}; architecture `{options.architecture}` over "
        f"{', '.join(options.inputs)}; loss `{options.loss}`; {options.members} members; "
        f"seed {options.seed}{epochs}",
        f"- Encoders: {', '.join(f'{k} = {v}' for k, v in material.encoders.items())}",
        f"- Labels: {material.described}",
        "- Recordings: "
        + ("licences permit weights that ship" if material.shippable else "**NOT FOR SHIPPING**"),
        *(f"  - {source}" for source in material.sources),
        "",
        "## How well they order",
        "",
        "Share of pairs that may be compared and are ordered rightly, ties half; 0.5 is chance. In "
        "brackets the middle 80 % of 1000 draws of the units. `folds`: by members that never met "
        "the singer, over the examples of training; `held out`: by the whole ensemble over other "
        "singers; `shipped`: the shipped head on the same.",
        "",
        "| head | examples | units | folds | held out | shipped | neutral shift |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in figures:
        out = described(one.held_out) if one.held_out is not None else "none held out"
        rules = described(one.rules) if one.rules is not None else "none held out"
        shift = f"{one.neutral_shift:.2f}" if np.isfinite(one.neutral_shift) else "no pair"
        lines.append(
            f"| {one.dimension} | {one.n_examples} | {one.n_units} {one.unit_kind}s | "
            f"{described(one.folds)} | {out} | {rules} | {shift} |"
        )
    lines += _edits(figures)
    lines += [
        "",
        "Neutral shift: mean distance between an original and its neutral resynthesis, in "
        "deviations of the head over the examples of training.",
        "",
        "## Limits",
        "",
        f"{material.warning}. Ordering the severity of controlled edits says little about ordering "
        "real singers. The heads work with the encoders named above and no others; a take that was "
        "not heard by these is judged by the shipped rules.",
    ]
    return "\n".join(lines) + "\n"


def _edits(figures: Sequence[Figures]) -> list[str]:
    rows = [
        f"| {one.dimension} | {name} | {described(accuracy)} | "
        f"{described(one.rules_by_edit[name])} | {accuracy.n_pairs} |"
        for one in figures
        for name, accuracy in one.by_edit.items()
    ]
    if not rows:
        return []
    return [
        "",
        "| head | edit | held out | shipped | pairs |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
