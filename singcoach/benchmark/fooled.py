"""What tricks score, beside the singing that they were made from, and whether that is right.

    python -m singcoach.benchmark.fooled --data DIR [--sounds DIR] [--takes N]
        [--profile fast|balanced] [--json FILE]

DIR of ``--data`` is laid out as the shared development data; of ``--sounds`` it holds recordings
that are no singing, in the folders ``speech``, ``whisper``, ``instruments`` (see
``docs/not-fooled.md``). Every line goes through the whole chain as a file. Needs pyworld.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from singcoach.audio.writing import write_wav
from singcoach.benchmark.fooled_effects import EFFECTS
from singcoach.benchmark.fooled_rules import Outcome, is_right
from singcoach.benchmark.fooled_sounds import MADE_SOUNDS
from singcoach.benchmark.fooled_tricks import SAMPLE_TRICKS, VOICE_TRICKS, first_third
from singcoach.benchmark.material import read_mono
from singcoach.chain.assess import assess
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Profile, Settings
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.core.scores import DimensionScore
from singcoach.core.take import TakeKind
from singcoach.errors import InputError
from singcoach.files import write_whole
from singcoach.models.sessions import Session
from singcoach.pitch.f0 import track_pitch
from singcoach.pitch.notes import find_notes
from singcoach.training.edits.world import analyse_voice

LONGEST_S = 24.0
LONG_S = 90.0
"""Takes of which a third is enough to judge are cut here for that trick."""
LEAST_THIRD_S = 15.0
THIRD_OF_LONG = "stopped after a third of a long take"
Rule = Literal["null", "same", "part", "no gain", "other sound", "below", "two notes"]

RULES: dict[str, Rule] = {
    "resynthesised": "same",
    "20 dB quieter": "same",
    "octave lower": "same",
    "dc": "same",
    "treble": "other sound",
    "telephone": "other sound",
    "expander": "other sound",
    "stopped after a third": "part",
    THIRD_OF_LONG: "part",
    "one phrase looped": "part",
    "half speed": "no gain",
    "tape at half speed": "no gain",
    "shouted melody": "no gain",
    "melody hummed": "no gain",
    "two notes": "two notes",
    "shouted": "below",
    "siren": "below",
    "spoken": "below",
    "whispered": "null",
    "one note hummed": "null",
    "one note, badly held": "null",
    "speech over music": "null",
}
"""What is right for each trick; everything else must be null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trick on one take: what it scored, the rule that it is judged by, and the judgement."""

    take: str
    trick: str
    rule: Rule | None
    outcome: Outcome
    right: bool
    why: str


def run(
    data: Path, *, sounds: Path | None, n_takes: int, engine: Engine, profile: Profile = "balanced"
) -> Iterator[Row]:
    """Yield one row for every trick, the untouched takes among them.

    Raises
    ------
    InputError
        There is no singing in the folder.
    ModelError
        pyworld or a model is missing.
    """
    with tempfile.TemporaryDirectory(prefix="singcoach-fooled-") as place:
        bench = _Bench(engine, profile, Path(place))
        for name, make in MADE_SOUNDS.items():
            yield bench.standing("made", name, make())
        for folder, name, path in _recordings(sounds):
            yield bench.standing(folder, name, _at_least(read_mono(path)))
        for name, music in _instrumentals(data):
            yield bench.standing("instrumental", name, music)
            for _, speaker, path in [r for r in _recordings(sounds) if r[0] == "speech"][:2]:
                yield bench.standing(
                    "speech over music",
                    f"{speaker} / {name}",
                    _over(read_mono(path), music),
                    "mixture",
                )
        takes = singing(data)[:n_takes]
        if not takes:
            raise InputError(
                f"There is no singing in {data}",
                hint="Give the folder that holds vocadito, pesnq_edelweiss, gtsinger or nycu_first",
            )
        for name, parts in takes:
            yield from bench.tricks(name, np.concatenate([read_mono(path) for path in parts]))


def singing(data: Path) -> list[tuple[str, tuple[Path, ...]]]:
    """Return real takes of ten seconds and more, one source after the other."""
    sources: list[list[tuple[str, tuple[Path, ...]]]] = [
        [("vocadito_1", (data / "vocadito" / "Audio" / "vocadito_1.wav",))],
        [
            (f"a cappella {singer.name}", tuple(sorted(singer.glob("*.flac"))))
            for singer in sorted((data / "pesnq_edelweiss" / "audio").glob("*"))
        ],
        [
            (f"karaoke {path.stem}", (path,))
            for path in sorted((data / "nycu_first" / "vocal").glob("*.flac"))[1::7]
        ],
        [
            (f"professional {path.stem.split('-')[0]}", (path,))
            for name in ("it03_Mixed", "ru03_Control", "zh04_Control", "jp02_Control")
            for path in sorted((data / "gtsinger" / "audio").glob(f"{name}*.flac"))
        ],
    ]
    longest = max(len(source) for source in sources)
    turns = [s[i] for i in range(longest) for s in sources if i < len(s)]
    return [(name, parts) for name, parts in turns if parts and all(p.is_file() for p in parts)]


class _Bench:
    def __init__(self, engine: Engine, profile: Profile, place: Path) -> None:
        self._engine = engine
        self._profile: Profile = profile
        self._place = place
        self._count = 0

    def outcome(self, audio: FloatArray, kind: TakeKind | None) -> Outcome:
        """Assess samples as a file of 16 bit, as a user would have them."""
        self._count += 1
        path = self._place / f"{self._count}.wav"
        write_wav(path, audio, sample_rate=ANALYSIS_RATE)
        try:
            settings = Settings(kind=kind, profile=self._profile, feedback=False)
            done = assess(path, settings=settings, engine=self._engine).assessment
        finally:
            path.unlink()
        judged: dict[str, DimensionScore] = {"overall": done.scores.overall}
        judged.update({str(name): one for name, one in done.scores.dimensions.items()})
        return Outcome(
            kind=done.input.kind,
            verdict=done.screening.verdict,
            reasons=done.screening.reasons,
            scores={name: one.score for name, one in judged.items()},
            lows={name: one.low for name, one in judged.items()},
            highs={name: one.high for name, one in judged.items()},
        )

    def standing(
        self, trick: str, name: str, audio: FloatArray, kind: TakeKind | None = None
    ) -> Row:
        """Judge a sound that is no singing."""
        outcome = self.outcome(audio, kind)
        right, why = is_right("null", outcome, None)
        return Row(take=name, trick=trick, rule="null", outcome=outcome, right=right, why=why)

    def tricks(self, name: str, audio: FloatArray) -> Iterator[Row]:
        """Judge a take and everything made from it."""
        if audio.size >= round(3.0 * LEAST_THIRD_S * ANALYSIS_RATE):
            yield from self._third_of_long(name, audio[: round(LONG_S * ANALYSIS_RATE)])
        audio = audio[: round(LONGEST_S * ANALYSIS_RATE)]
        whole = self.outcome(audio, "solo")
        yield Row(take=name, trick="untouched", rule=None, outcome=whole, right=True, why="")
        session = self._engine.session("pitch")
        if not isinstance(session, Session):
            raise TypeError("the pitch network has no session of its own")
        pitch = track_pitch(audio, session=session)
        voice = analyse_voice(
            audio,
            sample_rate=ANALYSIS_RATE,
            pitch=pitch,
            notes=tuple(find_notes(pitch, audio, sample_rate=ANALYSIS_RATE)),
        )
        for trick in RULES:
            if trick in VOICE_TRICKS:
                changed = VOICE_TRICKS[trick](voice)
            elif trick in SAMPLE_TRICKS:
                changed = SAMPLE_TRICKS[trick](audio)
            elif trick in EFFECTS:
                changed = EFFECTS[trick](audio)
            else:
                continue
            outcome = self.outcome(changed, "solo")
            right, why = is_right(RULES[trick], outcome, whole)
            yield Row(
                take=name, trick=trick, rule=RULES[trick], outcome=outcome, right=right, why=why
            )

    def _third_of_long(self, name: str, audio: FloatArray) -> Iterator[Row]:
        """Judge the first third of a take that is long enough for it to be scored."""
        whole = self.outcome(audio, "solo")
        yield Row(take=name, trick="untouched, long", rule=None, outcome=whole, right=True, why="")
        outcome = self.outcome(first_third(audio), "solo")
        rule = RULES[THIRD_OF_LONG]
        right, why = is_right(rule, outcome, whole)
        yield Row(take=name, trick=THIRD_OF_LONG, rule=rule, outcome=outcome, right=right, why=why)


def _recordings(sounds: Path | None) -> Iterator[tuple[str, str, Path]]:
    for folder in ("speech", "whisper", "instruments"):
        if sounds is not None:
            for path in sorted((sounds / folder).glob("*.*")):
                yield folder, path.stem, path


def _instrumentals(data: Path) -> Iterator[tuple[str, FloatArray]]:
    for path in sorted((data / "nycu_first" / "music").glob("*.flac"))[1::17]:
        yield f"backing {path.stem}", read_mono(path)
    stems = data / "stems_falcon69"
    if stems.is_dir():
        parts = [read_mono(stems / f"{name}.flac") for name in ("bass", "drums", "other")]
        yield "band without its singer", _at_least(np.sum(parts, axis=0, dtype=np.float32))


def _at_least(audio: FloatArray, length_s: float = 14.0) -> FloatArray:
    """Repeat what is too short to be refused for its length alone."""
    needed = round(length_s * ANALYSIS_RATE)
    if audio.size >= needed:
        return audio[: round(LONGEST_S * ANALYSIS_RATE)]
    return np.asarray(np.resize(audio, needed), dtype=np.float32)


def _over(speech: FloatArray, music: FloatArray) -> FloatArray:
    length = min(speech.size, music.size)
    return np.asarray(speech[:length] + 0.3 * music[:length], dtype=np.float32)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| take | trick | breath | timbre | emotion | technique "
        "| overall (80 %) | verdict | right |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        found = row.outcome
        cells = [_cell(found.scores[n]) for n in ("breath", "timbre", "emotion", "technique")]
        overall = _cell(found.scores["overall"])
        if found.scores["overall"] is not None:
            overall += f" ({_cell(found.lows['overall'])}-{_cell(found.highs['overall'])})"
        verdict = f"{found.verdict}: {found.reasons[0]}" if found.reasons else found.verdict
        right = "" if row.rule is None else "yes" if row.right else f"NO: {row.why}"
        lines.append(
            "| " + " | ".join([row.take, row.trick, *cells, overall, verdict, right]) + " |"
        )
    judged = [row for row in rows if row.rule is not None]
    right_count = sum(row.right for row in judged)
    lines.append(f"\n{right_count} of {len(judged)} are right.")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def main() -> None:
    """Read the arguments, run every trick and print the table."""
    parser = argparse.ArgumentParser(prog="python -m singcoach.benchmark.fooled")
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--sounds", type=Path, help="folder of speech, whisper and instruments")
    parser.add_argument(
        "--takes", type=int, default=8, metavar="N", help="real takes to trick with"
    )
    parser.add_argument("--profile", choices=("fast", "balanced"), default="balanced")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here too")
    arguments = parser.parse_args()
    rows = []
    for row in run(
        arguments.data,
        sounds=arguments.sounds,
        n_takes=arguments.takes,
        engine=Engine(profile=arguments.profile),
        profile=arguments.profile,
    ):
        rows.append(row)
        sys.stderr.write(f"{row.take}: {row.trick}\n")
    sys.stdout.write(table(rows) + "\n")
    if arguments.json is not None:
        write_whole(arguments.json, json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
