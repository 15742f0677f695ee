"""The takes of the experiments: which files, how they are heard, who sings what, and the labels."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from singcoach.core.take import TakeKind
from singcoach.errors import InputError
from singcoach.scoring.ranking import Rated, read_rated_a_cappella, read_rated_karaoke

Hearing = Literal["voice", "voice and backing", "mixture"]
"""A voice alone; a voice with its backing as a file; both summed and separated by the chain."""

KARAOKE, A_CAPPELLA = "nycu_first", "pesnq_edelweiss"
TECHNIQUES, INTENSITIES, SONGS = "gtsinger", "ravdess_song", "songs"

_SONG_FILES = (
    "on_the_run/audio.ogg",
    "lets_go_fishin/Karissa_Hobbs_-_Lets_Go_Fishin.hq.ogg",
    "fantasma/mp3/*.mp3",
)
CALM = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One take of an experiment.

    Attributes
    ----------
    name
        Unique within its corpus and way of hearing.
    parts
        Files of the voice (of the whole song for a mixture), sung one after another.
    backing
        The accompaniment's file, of the same length.
    span_s
        Start and length of the stretch that is heard; None for all.
    labels
        Mean human ratings by name, on 1..5; empty where nobody rated.
    change, severity
        What was done on purpose (a technique, an intensity, an edit) and how much in 0..1; empty
        and 0 for the plain take.
    language
        In which was sung; empty where not known.
    short
        A phrase of some seconds, which is refused in use and compared with its like only.
    """

    name: str
    corpus: str
    parts: tuple[Path, ...]
    hearing: Hearing = "voice"
    backing: Path | None = None
    span_s: tuple[float, float] | None = None
    singer: str = ""
    song: str = ""
    group: str = ""
    change: str = ""
    language: str = ""
    labels: Mapping[str, float] = field(default_factory=dict)
    severity: float = 0.0
    short: bool = False
    encoded: bool = True

    @property
    def kind(self) -> TakeKind:
        """What the file that the chain is given holds."""
        return "mixture" if self.hearing == "mixture" else "solo"


def karaoke(data: Path, *, hearing: Hearing) -> list[Item]:
    """The clips of nycu_first, heard in one of the three ways; none where the set is absent."""
    return [
        Item(
            name=rated.recording.name,
            corpus=KARAOKE,
            parts=rated.recording.voice,
            hearing=hearing,
            backing=None if hearing == "voice" else rated.recording.backing,
            labels=rated.ratings,
        )
        for rated in karaoke_judges(data)
    ]


def karaoke_judges(data: Path) -> list[Rated]:
    """The clips of nycu_first with each judge's rating; none where the set is absent."""
    return read_rated_karaoke(data) if _is_there(data, KARAOKE) else []


def a_cappella_judges(data: Path) -> list[Rated]:
    """The performances of pesnq_edelweiss with each judge's rating; none where it is absent."""
    return read_rated_a_cappella(data) if _is_there(data, A_CAPPELLA) else []


def a_cappella(data: Path) -> list[Item]:
    """The ten rated performances of pesnq_edelweiss; none where the set is absent."""
    return [
        Item(
            name=rated.recording.name,
            corpus=A_CAPPELLA,
            parts=rated.recording.voice,
            singer=rated.recording.name,
            song="Edelweiss",
            labels=rated.ratings,
        )
        for rated in a_cappella_judges(data)
    ]


def techniques(data: Path) -> list[Item]:
    """The phrases of gtsinger, in groups of one phrase by one singer."""
    return [
        Item(
            name=Path(row["file"]).stem,
            corpus=TECHNIQUES,
            parts=(data / TECHNIQUES / row["file"],),
            group=row["group"],
            change="" if row["technique"] == "Control" else row["technique"],
            language=row["language"],
            short=True,
        )
        for row in _rows(data / TECHNIQUES / "manifest.csv")
    ]


def intensities(data: Path) -> list[Item]:
    """The acted sentences of ravdess_song, in groups of one actor, emotion, sentence."""
    return [
        Item(
            name=Path(row["file"]).stem,
            corpus=INTENSITIES,
            parts=(data / INTENSITIES / row["file"],),
            singer=row["actor"],
            group=" ".join(row[key] for key in ("actor", "emotion", "statement", "repetition")),
            change="" if row["intensity"] == CALM else row["intensity"],
            short=True,
        )
        for row in _rows(data / INTENSITIES / "manifest.csv")
    ]


def songs(data: Path) -> list[Item]:
    """The complete songs, to be separated."""
    found = [path for name in _SONG_FILES for path in sorted((data / SONGS).glob(name))]
    return [
        Item(
            name=path.relative_to(data / SONGS).parts[0],
            corpus=SONGS,
            parts=(path,),
            hearing="mixture",
            encoded=False,
        )
        for path in found
    ]


def crops_of(item: Item, spans_s: Sequence[tuple[float, float]]) -> list[Item]:
    """Stretches of an item, without the encoders, scored even where use would refuse them."""
    return [
        replace(item, name=f"{item.name} {number}", span_s=span, encoded=False, short=True)
        for number, span in enumerate(spans_s)
    ]


def require(data: Path) -> None:
    """Refuse a folder that holds none of the sets.

    Raises
    ------
    InputError
        When there is nothing to experiment with.
    """
    names = (KARAOKE, A_CAPPELLA, TECHNIQUES, INTENSITIES, SONGS, "mast_melody")
    if not any((data / name).is_dir() for name in names):
        raise InputError(
            f"There are no recordings to experiment with in {data}",
            hint=f"Give the folder that holds {', '.join(names)}",
        )


def _is_there(data: Path, name: str) -> bool:
    return (data / name / "ratings.csv").is_file()


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
