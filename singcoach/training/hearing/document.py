"""What the ear hears, for the documents: ``python -m singcoach.training.hearing.document REPORT``.

Rewrites what lies between the two marks of ``docs/hearing.md`` (or ``--out``).
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from singcoach.coaching.hearing import ISSUES
from singcoach.errors import InputError
from singcoach.files import write_whole
from singcoach.training.hearing.judging import LEAST_SINGERS
from singcoach.training.hearing.run import REPORT_FORMAT

BEGIN: Final = (
    "<!-- Made by `python -m singcoach.training.hearing.document REPORT`; do not edit. -->\n"
)
_LAST_LOSSES: Final = 5
END: Final = "<!-- End of what was made. -->\n"


def read_report(path: Path) -> dict[str, Any]:
    """Read the report of a training.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        report = json.loads(path.read_bytes())
        if report["format"] != REPORT_FORMAT:
            raise ValueError(report["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} is no report of `singcoach train hearing`",
            hint="Give the file hearing.json of its folder",
            detail=str(error),
        ) from error
    found: dict[str, Any] = report
    return found


def table(report: Mapping[str, Any]) -> str:
    """Return what was heard as Markdown."""
    recipe = report["recipe"]
    lines = [
        f"{report['n_takes']} takes of {report['n_singers']} singers "
        f"({'; '.join(report['sources'])}); faults slighter than {recipe['least_severity']:g} of 1 "
        f"are left out. {recipe['folds']} groups of singers; each is judged by "
        f"an ear that was trained on the others. Language model "
        f"`{report['model_sha256'][:12]}`, seed {recipe['seed']}, {recipe['steps']} steps alone "
        f"and {recipe['words_steps']} through the language model.",
        "",
    ]
    for title, name in (
        ("The ear alone", "alone"),
        ("The answers of the language model", "through"),
    ):
        judged = report[name]
        if not judged:
            lines += [f"**{title}** were not judged in this run.", ""]
            continue
        lines += [f"**{title}**", "", *_rows(judged), "", _verdict(judged), ""]
    last = report["losses_through"][-_LAST_LOSSES:]
    if last:
        lines += [
            f"Loss of the answer's first word at the end of the training through the model: "
            f"{sum(last) / len(last):.2f} nats in the mean of the last {len(last)} steps; "
            f"guessing all {len(ISSUES) + 1} answers alike costs {math.log(len(ISSUES) + 1):.2f}.",
            "",
        ]
    return "\n".join(lines)


def with_table(document: str, report: Mapping[str, Any]) -> str:
    """Return a document with its tables written anew."""
    before, _, rest = document.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the document has no place for the table")
    return f"{before}{BEGIN}{table(report)}{END}{after}"


def _rows(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    words = {issue.id: issue.words for issue in ISSUES}
    lines = [
        "| issue | takes with it | singers | AUC (95 %) | pairs (95 %) | better than chance |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in sorted(judged, key=lambda one: -(one["auc"]["value"] or 0.0)):
        verdict = "yes" if _is_heard(one) else "no"
        lines.append(
            f"| {words[one['issue']]} | {one['n_takes']} | {one['n_singers']} "
            f"| {_shown(one['auc'])} | {_shown(one['pairs'])} | {verdict} |"
        )
    return lines


def _verdict(judged: Sequence[Mapping[str, Any]]) -> str:
    words = {issue.id: issue.words for issue in ISSUES}
    heard = [words[one["issue"]] for one in judged if _is_heard(one)]
    others = [words[o["issue"]] for o in judged if words[o["issue"]] not in heard]
    return (
        f"Heard better than chance by both figures: {', '.join(heard) or 'nothing'}. "
        f"Not shown to be heard: {', '.join(others) or 'nothing'}."
    )


def _is_heard(one: Mapping[str, Any]) -> bool:
    enough = one["n_singers"] >= LEAST_SINGERS
    return enough and _above(one["auc"]) and _above(one["pairs"])


def _above(share: Mapping[str, Any]) -> bool:
    return share["low"] is not None and share["low"] > 0.5


def _shown(share: Mapping[str, Any]) -> str:
    if share["value"] is None:
        return "-"
    return f"{share['value']:.2f} ({share['low']:.2f} to {share['high']:.2f})"


def main(arguments: list[str] | None = None) -> None:
    """Rewrite the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/hearing.md"))
    args = parser.parse_args(arguments)
    path: Path = args.out
    document = with_table(path.read_text(encoding="utf-8"), read_report(args.report))
    write_whole(path, document)


if __name__ == "__main__":
    main()
