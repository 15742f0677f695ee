"""The table of exercises for the documents: ``python -m singcoach.coaching.exercise_table``.

Rewrites what lies between the two marks of ``docs/coaching.md`` (or ``--out``).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from singcoach.coaching.exercises import load_library
from singcoach.coaching.languages import catalogue_of
from singcoach.files import write_whole

BEGIN = "<!-- Made by `python -m singcoach.coaching.exercise_table`; do not edit. -->\n"
END = "<!-- End of the table. -->\n"


def table() -> str:
    """Return the exercises as a Markdown table, with the publications below it."""
    library, words = load_library(), catalogue_of("en")
    lines = [
        "| exercise | minutes | level | helps with | after |",
        "| --- | --- | --- | --- | --- |",
    ]
    numbers = {name: number for number, name in enumerate(library.sources, start=1)}
    for name, exercise in library.exercises.items():
        topics = ", ".join(exercise.topics).replace("_", " ") or "recording again"
        after = ", ".join(str(numbers[source]) for source in exercise.sources)
        lines.append(
            f"| {words.exercises[name].title} | {exercise.minutes} | {exercise.level} | {topics} "
            f"| {after} |"
        )
    lines += ["", *(f"{numbers[name]}. {text}" for name, text in library.sources.items())]
    return "\n".join(lines) + "\n"


def with_table(document: str) -> str:
    """Return a document with its table written anew."""
    before, _, rest = document.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the document has no place for the table")
    return f"{before}{BEGIN}{table()}{END}{after}"


def main(arguments: list[str] | None = None) -> None:
    """Rewrite the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/coaching.md"))
    path: Path = parser.parse_args(arguments).out
    write_whole(path, with_table(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
