"""Making a corpus of controlled singing, group by group."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.audio.writing import write_flac
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.core.music import Note
from singcoach.errors import InputError, OutputError
from singcoach.files import make_folder, write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.f0 import PitchSession
from singcoach.training.corpus import (
    MANIFEST_NAME,
    ORIGINAL,
    Manifest,
    Row,
    read_manifest,
    rows_from,
    write_labels,
    write_manifest,
)
from singcoach.training.edits.apply import apply_edit, is_applicable
from singcoach.training.edits.kinds import EditKind, Fault
from singcoach.training.edits.voice import Singing
from singcoach.training.edits.world import load_world, synthesise
from singcoach.training.made.bases import analyse, moved, read_recording
from singcoach.training.made.plan import SEVERITIES, Group, make_plan
from singcoach.training.made.sing import make_singing
from singcoach.training.made.voices import Voice, VoiceSource, read_voice

PEAK = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was done: takes in all, those that lay there already, and seconds of sound."""

    takes: int
    kept: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """The original of a group, its parameters, and what is known of it."""

    audio: FloatArray
    singing: Singing
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One take of a group; ``spans_s`` is where its fault may be, None for everywhere."""

    name: str
    edit: EditKind
    severity: float
    spans_s: tuple[tuple[float, float], ...] | None = None
    group: str = ""


def build_corpus(
    data: Path,
    out: Path,
    *,
    session: PitchSession,
    seed: int = 0,
    takes: int = 600,
    others: Sequence[Path] = (),
    job: Job = NO_JOB,
) -> Built:
    """Make a corpus, or go on with one that was begun with the same options.

    Parameters
    ----------
    data
        The folder with vocalset_1s, vocobox and vocadito.
    out
        The corpus' folder; made when missing.
    session
        The pitch network.
    others
        More folders of solo singing; then the corpus is marked as not for shipping.

    Returns
    -------
    Built

    Raises
    ------
    InputError
        Nothing to begin with, or ``out`` holds another corpus.
    OutputError
        It cannot be written.
    ModelError
        pyworld is not installed.
    Cancelled
        Whole takes stay, and the next run goes on after them.

    Notes
    -----
    Memory: one voice (30 MB) and one group (250 MB for a take of two and a half minutes). Cost:
    about 0.04 of the length of the sound on one core, and two minutes for the voices.
    """
    load_world()
    plan = make_plan(data, seed=seed, takes=takes, others=others)
    manifest = Manifest(seed=seed, takes=takes, shippable=plan.shippable, sources=plan.sources)
    _begin(out, manifest)
    done: list[dict[str, Any]] = []
    kept = 0
    maker = _Maker(out, session)
    for number, group in enumerate(plan.groups):
        part = job.part(number / len(plan.groups), (number + 1) / len(plan.groups))
        part.report(0.0, f"take {number + 1} of {len(plan.groups)}")
        document = maker.find(group)
        if document is not None:
            kept += len(document["rows"])
        else:
            document = maker.make(group, part)
        done.append(document)
        write_labels(out, rows_from(done))
    job.report(1.0, "corpus")
    write_manifest(out, replace(manifest, finished=True))
    return Built(
        takes=sum(len(document["rows"]) for document in done),
        kept=kept,
        seconds=sum(float(document["seconds"]) for document in done),
    )


def _begin(out: Path, manifest: Manifest) -> None:
    if (out / MANIFEST_NAME).exists():
        if replace(read_manifest(out), finished=False) != manifest:
            raise InputError(
                f"{out} holds a corpus that was made with other options or from other recordings",
                hint="Choose another folder, or the same options",
            )
    elif out.is_dir() and any(out.iterdir()):
        raise OutputError(f"{out} is not empty", hint="Choose a new folder")
    make_folder(out / "audio")
    make_folder(out / "truth")
    write_manifest(out, manifest)


class _Maker:
    """Makes groups, keeping the voice that was read last."""

    def __init__(self, out: Path, session: PitchSession) -> None:
        self._out = out
        self._session = session
        self._voice: tuple[VoiceSource, Voice] | None = None

    def find(self, group: Group) -> dict[str, Any] | None:
        """Return what an earlier run wrote about a group, None unless it is whole."""
        try:
            text = self._truth_path(group).read_text(encoding="utf-8")
            document: dict[str, Any] = json.loads(text)
            whole = all((self._out / row["file"]).is_file() for row in document["rows"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return document if whole else None

    def make(self, group: Group, job: Job) -> dict[str, Any]:
        """Make the takes of a group that are not there, and its truth."""
        base = self._base(group, job.part(0.0, 0.3))
        edits = [e for e in group.edits if is_applicable(base.singing, e)][: group.count]
        gain = PEAK / max(1e-6, float(np.abs(base.audio).max()))
        original = f"audio/{group.name}.flac"
        self._write(original, base.audio, gain)
        rows = [_row(group, _Item(name=group.name, edit="neutral", severity=0.0), ORIGINAL)]
        truth: dict[str, Any] = {group.name: _truth(base.singing, ())}
        items = list(_items(group, edits, base.singing))
        for index, item in enumerate(items):
            part = job.part(0.3 + 0.7 * index / len(items), 0.3 + 0.7 * (index + 1) / len(items))
            part.report(0.0, f"{group.name} {item.edit}")
            edited, faults = self._edited(group, base, item, part)
            if not (self._out / f"audio/{item.name}.flac").is_file():
                self._write(f"audio/{item.name}.flac", synthesise(edited, part), gain)
            rows.append(_row(group, item, item.edit))
            truth[item.name] = _truth(edited, faults)
        places = {item.group for item in items if item.group}
        rows += [_row(group, _original(name), ORIGINAL, file=original) for name in places]
        document = {
            "group": group.name,
            "seconds": len(base.audio) / ANALYSIS_RATE * (1 + len(items)),
            "about": dict(base.about),
            "rows": [asdict(row) for row in rows],
            "items": truth,
        }
        write_whole(self._truth_path(group), json.dumps(document, indent=1) + "\n")
        return document

    def _truth_path(self, group: Group) -> Path:
        return self._out / "truth" / f"{group.name}.json"

    def _write(self, file: str, audio: FloatArray, gain: float) -> None:
        loud = audio * np.float32(gain)
        peak = float(np.abs(loud).max()) if loud.size else 0.0
        write_flac(
            self._out / file,
            loud / np.float32(max(1.0, peak / 0.98)),
            sample_rate=ANALYSIS_RATE,
        )

    def _edited(
        self, group: Group, base: _Base, item: _Item, job: Job
    ) -> tuple[Singing, tuple[Fault, ...]]:
        if item.edit == "neutral":
            # Heard anew: what resynthesis does to a recording it must do to made singing too.
            return analyse(base.audio, session=self._session, job=job.part(0.0, 0.7)), ()
        return apply_edit(
            base.singing,
            item.edit,
            severity=item.severity,
            seed=group.seed,
            spans_s=item.spans_s,
        )

    def _base(self, group: Group, job: Job) -> _Base:
        if group.recording is not None:
            audio = read_recording(group.recording)
            singing = analyse(audio, session=self._session, job=job)
            if group.semitones or group.throat != 1.0:
                singing = moved(singing, semitones=group.semitones, throat=group.throat)
                audio = synthesise(singing, job)
            about: dict[str, Any] = {
                "made": False,
                "source": group.recording.path.name,
                "semitones": group.semitones,
                "throat": group.throat,
            }
            return _Base(audio=audio, singing=singing, about=about)
        if group.voice is None:
            raise ValueError("a group needs a voice or a recording")
        take = make_singing(
            self._voice_of(group.voice, job),
            seconds=group.seconds,
            with_vibrato=group.wants_vibrato,
            generator=np.random.default_rng([group.seed, 2]),
        )
        about = {
            "made": True,
            "sources": list(take.sources),
            "tonic": take.melody.tonic,
            "mode": take.melody.mode,
            "tempo_bpm": take.melody.tempo_bpm,
            "style": asdict(take.style),
        }
        return _Base(audio=synthesise(take.singing, job), singing=take.singing, about=about)

    def _voice_of(self, source: VoiceSource, job: Job) -> Voice:
        if self._voice is None or self._voice[0] != source:
            self._voice = (source, read_voice(source, session=self._session, job=job))
        return self._voice[1]


def _items(group: Group, edits: Sequence[EditKind], singing: Singing) -> Iterator[_Item]:
    # The analysis of minutes at once would take longer than a wish to stop may wait.
    if group.seconds < 60.0 or group.recording is not None:
        yield _Item(name=f"{group.name}-neutral", edit="neutral", severity=0.0)
    for edit in edits:
        for step, severity in enumerate(SEVERITIES, start=1):
            yield _Item(name=f"{group.name}-{edit}-{step}", edit=edit, severity=severity)
    if group.places and edits and len(singing.phrases) >= 3:
        phrases = [(p.start_s - 0.1, p.end_s + 0.1) for p in singing.phrases]
        total_s = sum(end - start for start, end in phrases)
        order = np.random.default_rng([group.seed, 3]).permutation(len(phrases))
        for count in (1, 2):
            spans = tuple(phrases[i] for i in sorted(order[:count]))
            yield _Item(
                name=f"{group.name}-places-{count}",
                edit=edits[0],
                severity=sum(end - start for start, end in spans) / total_s,
                spans_s=spans,
                group=f"{group.name}-places",
            )


def _original(places: str) -> _Item:
    return _Item(name=f"{places}-0", edit="neutral", severity=0.0, group=places)


def _row(group: Group, item: _Item, edit: str, *, file: str = "") -> Row:
    return Row(
        item=item.name,
        file=file or f"audio/{item.name}.flac",
        corpus=group.corpus,
        singer=group.singer,
        song=group.song,
        group=item.group or group.name,
        edit=edit,
        severity=round(item.severity, 4),
        split=group.split,
    )


def _truth(singing: Singing, faults: tuple[Fault, ...]) -> dict[str, Any]:
    """Notes as they are meant, where phrases are, and what was done to them."""
    return {
        "notes": [_note(note) for note in singing.notes],
        "phrases": [[round(p.start_s, 4), round(p.end_s, 4)] for p in singing.phrases],
        "faults": [_rounded(asdict(fault)) for fault in faults],
    }


def _note(note: Note) -> dict[str, Any]:
    return _rounded(
        {
            "onset_s": note.onset_s,
            "offset_s": note.offset_s,
            "midi": note.midi,
            "cents_deviation": note.cents_deviation,
            "vibrato": None if note.vibrato is None else _rounded(asdict(note.vibrato)),
        }
    )


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
