"""The table of all measures for the documents: ``python -m singcoach.scoring.measure_table``.

Rewrites what lies between the two marks of ``docs/measures.md`` (or ``--out``) from the docstrings
of the measures and the norms and weights of the heads.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from singcoach.core.scores import DIMENSIONS
from singcoach.files import write_whole
from singcoach.scoring.measures import UNITS, breath, emotion, noise, pitch, rhythm, timbre, vibrato
from singcoach.scoring.specs import Heads, load_heads

BEGIN = "<!-- Made by `python -m singcoach.scoring.measure_table`; do not edit. -->\n"
END = "<!-- End of the table. -->\n"

_MODULES = (breath, emotion, noise, pitch, rhythm, timbre, vibrato)

_OF_THE_SCREENING: Mapping[str, str] = {
    "pitch_accuracy": "Share 0..1 of the singing in order against the song, else the music",
    "rhythm_accuracy": "Share 0..1 of the onsets in time with the song, else the music",
}

SOURCES: Mapping[str, str] = {
    "scale_deviation": "Nichols et al. 2012; Nakano et al. 2006",
    "tuning_concentration": "Nichols et al. 2012; Mardia and Jupp 2000 (mean vector)",
    "backing_key_deviation": "Larrouy-Maestri et al. 2013",
    "note_drift": "idea Larrouy-Maestri et al. 2013; measure ours",
    "pitch_unsteadiness": "idea Larrouy-Maestri et al. 2013; measure ours",
    "pitch_wander": "idea Larrouy-Maestri et al. 2013; measure ours",
    "scoop_depth": "Saitou et al. 2005 (preparation)",
    "vibrato_share": "Nakano et al. 2006",
    "vibrato_regularity": "Ekholm et al. 1998; Sundberg 1994",
    "vibrato_rate": "Sundberg 1994",
    "vibrato_extent": "Sundberg 1994",
    "level_wobble": "idea Sundberg 1987, ch. 3; measure ours",
    "level_movement": "idea Sundberg 1987, ch. 3; measure ours",
    "phrase_end_fall": "idea Sundberg 1987, ch. 3; measure ours",
    "phrase_end_sag": "idea Sundberg 1987, ch. 3; measure ours",
    "phrase_length": "Thorpe et al. 2001",
    "phrase_breaks": "ours",
    "audible_breath": "ours",
    "harmonicity": "Yumoto et al. 1982; ours for moving pitch",
    "harmonics_to_noise": "Boersma 1993",
    "cpp_low": "Hillenbrand et al. 1994",
    "clarity_shortfall": "Hillenbrand et al. 1994; limit ours",
    "roughness": "Yumoto et al. 1982; limit ours",
    "singing_power_ratio": "Omori et al. 1996",
    "alpha_ratio": "Frokjaer-Jensen and Prytz 1976",
    "spectral_tilt": "ours",
    "brightness": "Ekholm et al. 1998",
    "dullness": "Ekholm et al. 1998; limit ours",
    "tone_evenness": "ours",
    "dynamics_range": "Juslin and Laukka 2003",
    "dynamics_in_phrases": "Sundberg et al. 1995",
    "phrase_arch": "Todd 1992; Friberg et al. 2006",
    "phrase_peak": "Todd 1992",
    "dynamics_with_melody": "Friberg et al. 2006; Gramming et al. 1988",
    "phrase_contrast": "Juslin and Laukka 2003",
    "pitch_range": "ours",
    "melodic_variety": "ours (entropy)",
    "timing_variety": "ours",
    "beat_deviation": "Mardia and Jupp 2000",
    "pitch_accuracy": "screening",
    "rhythm_accuracy": "screening",
}


def describe(name: str) -> str:
    """Return what a measure is: the first line of its docstring, without the full stop."""
    for module in _MODULES:
        function = getattr(module, name, None)
        if function is not None and function.__doc__:
            return str(function.__doc__).strip().splitlines()[0].rstrip(".")
    return _OF_THE_SCREENING[name]


def make_table(heads: Heads) -> str:
    """Return the table in Markdown, one row for each measure."""
    lines = [
        "| measure | what | unit | median (middle 80 %) | source | counts for |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, unit in UNITS.items():
        norm = heads.norms.get(name)
        spread = (
            f"{norm.median:.4g} ({norm.quantiles[1]:.4g} to {norm.quantiles[-2]:.4g})"
            if norm is not None
            else "none"
        )
        counts = [
            f"{dimension} {heads.heads[dimension].weights[name]:+.4g}"
            for dimension in DIMENSIONS
            if heads.heads[dimension].weights.get(name)
        ]
        lines.append(
            f"| `{name}` | {describe(name)} | {unit} | {spread} | {SOURCES[name]} | "
            f"{', '.join(counts) or 'describes'} |"
        )
    return "\n".join(lines) + "\n"


def rewrite_table(text: str, heads: Heads) -> str:
    """Return a document with the table between its marks made anew."""
    before, rest = text.split(BEGIN, maxsplit=1)
    after = rest.split(END, maxsplit=1)[1]
    return before + BEGIN + "\n" + make_table(heads) + "\n" + END + after


def main() -> None:
    """Read the arguments and rewrite the document."""
    parser = argparse.ArgumentParser(
        prog="python -m singcoach.scoring.measure_table", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=Path("docs/measures.md"))
    out = parser.parse_args().out
    write_whole(out, rewrite_table(out.read_text(encoding="utf-8"), load_heads()))


if __name__ == "__main__":
    main()
