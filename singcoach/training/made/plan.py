"""What a corpus holds: which voices, which edits, which split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.errors import InputError
from singcoach.training.corpus import Source, Split
from singcoach.training.edits.kinds import FAULT_KINDS, EditKind
from singcoach.training.made.bases import Recording, find_other_recordings, find_recordings
from singcoach.training.made.voices import VoiceSource, find_voices

SEVERITIES = (1.0 / 3.0, 2.0 / 3.0, 1.0)
EDITS_EACH = 4
TAKES_EACH = 2 + EDITS_EACH * len(SEVERITIES)
FEWEST_TAKES = 2 * TAKES_EACH
SECONDS = (17.0, 27.0)
LONG_SECONDS = 150.0
_LONG_FROM_TAKES = 300
_MOVES = ((0.0, 1.0), (2.0, 1.05), (-2.0, 0.95))
_HELD_OUT_EVERY = 3

_SOURCES = {
    "vocalset": (
        "CC BY 4.0",
        "VocalSet: Wilkins, Seetharaman, Wahl and Pardo, ISMIR 2018; 1 s extracts",
    ),
    "vocobox": ("MIT", "Vocobox human voice dataset, Copyright (c) 2014 vocobox"),
    "vocadito": (
        "CC BY 4.0",
        "vocadito: Bittner, Pasalo, Bosch, Meseguer-Brocal and Rubinstein, 2021; parts, changed",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One base and what is made of it.

    Attributes
    ----------
    name
        Unique, and the beginning of the names of its items.
    voice, recording
        Where the base comes from: made singing by a voice, or a recording.
    singer
        Unique over all sets.
    edits
        All fault kinds in the order of preference; the first that the base allows are used.
    count
        How many of them.
    seconds
        Length of made singing.
    semitones, throat
        How a recording is moved (:func:`singcoach.training.made.bases.moved`).
    places
        Whether takes with the fault in one and in two phrases only are made too.
    seed
        Of everything random in the group.
    """

    name: str
    voice: VoiceSource | None
    recording: Recording | None
    corpus: str
    singer: str
    song: str
    split: Split
    edits: tuple[EditKind, ...]
    count: int
    seconds: float
    semitones: float
    throat: float
    places: bool
    seed: int

    @property
    def wants_vibrato(self) -> bool:
        """Whether an edit of vibrato is among the first."""
        return any(name.startswith("vibrato") for name in self.edits[: self.count])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The groups of a corpus in the order in which they are made, and where they come from."""

    groups: tuple[Group, ...]
    sources: tuple[Source, ...]
    shippable: bool


def make_plan(data: Path, *, seed: int, takes: int, others: Sequence[Path] = ()) -> Plan:
    """Lay out a corpus of about ``takes`` takes.

    A group is a base, its neutral resynthesis, and four kinds of edits at three severities. The
    real takes come first, as they are and moved to two other pitches and throats; made singing
    fills up, by all voices alike. Kinds go round separately for the training and for the held-out
    singers (every third of each set), so that both hear all of them.

    Raises
    ------
    InputError
        When there is no voice to begin with, or ``takes`` is too small for one group a split.
    """
    if takes < FEWEST_TAKES:
        raise InputError(
            f"A corpus of {takes} takes is too small", hint=f"Ask for {FEWEST_TAKES} or more"
        )
    voices = find_voices(data)
    recordings = list(find_recordings(data))
    for folder in others:
        recordings += find_other_recordings(folder)
    if not voices:
        raise InputError(
            f"There are no voices to build singing from in {data}",
            hint="Give the folder that holds vocalset_1s, vocobox and vocadito",
        )
    held_out = _held_out([_name(v.corpus, v.singer) for v in voices]) | _held_out(
        sorted({_name(r.corpus, r.singer) for r in recordings if r.corpus != "vocadito"})
    )
    generator = np.random.default_rng([seed, 1])
    kinds = [FAULT_KINDS[i] for i in generator.permutation(len(FAULT_KINDS))]
    turns = {"train": 0, "held-out": 0}
    groups: list[Group] = []

    def add(
        voice: VoiceSource | None,
        recording: Recording | None,
        move: tuple[float, float],
        *,
        count: int = EDITS_EACH,
        seconds: float = 0.0,
        first: Sequence[EditKind] = (),
    ) -> None:
        base = voice if voice is not None else recording
        if base is None:
            raise ValueError("a group needs a voice or a recording")
        number = len(groups)
        singer = _name(base.corpus, base.singer)
        split: Split = "held-out" if singer in held_out else "train"
        turn = turns[split] * EDITS_EACH % len(kinds)
        if not first:
            turns[split] += 1
        made = voice is not None
        name = f"{number:03d}-{'made' if made else base.corpus}-{base.singer}"
        groups.append(
            Group(
                name=name,
                voice=voice,
                recording=recording,
                corpus="made" if made else base.corpus,
                singer=singer,
                song=f"melody-{number:03d}" if recording is None else recording.song,
                split=split,
                edits=tuple(first) or tuple(kinds[turn:] + kinds[:turn]),
                count=count,
                seconds=seconds or float(generator.uniform(*SECONDS)),
                semitones=move[0],
                throat=move[1],
                places=made and number % 3 == 0 and not first,
                seed=seed * 100_003 + number,
            )
        )

    room = takes // TAKES_EACH
    for move in _MOVES:
        for recording in recordings:
            if len(groups) < max(1, room // (3 if not others else 2)):
                add(None, recording, move)
    wanted = room - len(groups)
    for place, voice in enumerate(voices):
        for _ in range(wanted // len(voices) + (place < wanted % len(voices))):
            add(voice, None, (0.0, 1.0))
    if takes >= _LONG_FROM_TAKES:
        long_ones: tuple[tuple[VoiceSource, EditKind], ...] = (
            (voices[0], "flat_dynamics"),
            (voices[-1], "early_decay"),
            (voices[min(3, len(voices) - 1)], "pitch_error"),
        )
        for voice, kind in long_ones:
            add(voice, None, (0.0, 1.0), count=1, seconds=LONG_SECONDS, first=(kind,))
    sources = _sources(voices, recordings)
    return Plan(groups=tuple(groups), sources=sources, shippable=not others)


def _name(corpus: str, singer: str) -> str:
    return singer if singer == corpus else f"{corpus}-{singer}"


def _held_out(singers: Sequence[str]) -> set[str]:
    """Return every third singer of each set, counted in order."""
    found: set[str] = set()
    counts: dict[str, int] = {}
    for singer in dict.fromkeys(singers):
        corpus = singer.split("-")[0]
        counts[corpus] = counts.get(corpus, 0) + 1
        if counts[corpus] % _HELD_OUT_EVERY == 0:
            found.add(singer)
    return found


def _sources(voices: Sequence[VoiceSource], recordings: Sequence[Recording]) -> tuple[Source, ...]:
    files: dict[str, dict[str, None]] = {}
    for voice in voices:
        files.setdefault(voice.corpus, {}).update(dict.fromkeys(p.name for p in voice.files))
    for recording in recordings:
        files.setdefault(recording.corpus, {})[recording.path.name] = None
    unknown = ("not for shipping", "see the folder that it came from")
    return tuple(
        Source(
            name=name,
            licence=_SOURCES.get(name, unknown)[0],
            attribution=_SOURCES.get(name, unknown)[1],
            files=tuple(names),
        )
        for name, names in files.items()
    )
