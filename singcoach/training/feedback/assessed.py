"""Facts of real takes, assessed by the whole chain.

Run as ``python -m singcoach.training.feedback.assessed --data DIR --out FILE``.

Only recordings whose licence lets their measures go into the product: the two that ship, vocadito
(CC BY 4.0), single notes of vocobox (MIT) and clips of VocalSet (CC BY 4.0). Notes and clips are
joined to takes of some length, longer recordings are also cut into excerpts. No sound is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from singcoach import resources
from singcoach.audio.reading import open_audio, read_audio
from singcoach.audio.writing import write_wav
from singcoach.coaching.facts import gather_facts
from singcoach.core.arrays import FloatArray
from singcoach.files import write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.training.feedback.real_takes import FORMAT, as_rows

_GAP_S: Final = 0.3
_EXCERPT_S: Final = 14.0
_STEP_S: Final = 7.0
_NOTES_TOGETHER: Final = 15
_SHIPPED: Final = (("vocadito_14.flac", "CC-BY-4.0"), ("slow_motion_dream.mp3", "CC-BY-3.0"))
_HELD_OUT: Final = ("vocadito_10", "vocalset f5", "vocalset m4", "vocobox 4")
"""Recordings (with all their excerpts) that are never learned from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sound:
    name: str
    licence: str
    samples: FloatArray
    sample_rate: int


def assess_all(data: Path, job: Job = NO_JOB) -> dict[str, Any]:
    """Assess every take and return the document that :mod:`real_takes` reads.

    Parameters
    ----------
    data
        Folder with ``vocadito``, ``vocobox`` and ``vocalset_1s``.

    Raises
    ------
    InputError
        When a recording cannot be used.
    ModelError
        When a model is missing.
    """
    from singcoach.chain.assess import assess
    from singcoach.chain.engine import Engine
    from singcoach.chain.settings import Settings

    engine = Engine(threads=1)
    takes = []
    sounds = [*_shipped(), *_vocadito(data / "vocadito"), *_vocobox(data / "vocobox")]
    sounds += _vocalset(data / "vocalset_1s")
    cut = [part for sound in sounds for part in _parts(sound)]
    with tempfile.TemporaryDirectory() as folder:
        for number, sound in enumerate(cut):
            path = Path(folder) / f"take{number}.wav"
            write_wav(path, sound.samples, sample_rate=sound.sample_rate)
            part = job.part(number / len(cut), (number + 1) / len(cut))
            done = assess(path, settings=Settings(feedback=False), engine=engine, job=part)
            path.unlink()
            facts = gather_facts(
                scores=done.assessment.scores,
                screening=done.take.screening,
                duration_s=done.take.duration_s,
                notes=done.take.notes,
            )
            takes.append(
                {
                    "name": sound.name,
                    "licence": sound.licence,
                    "held_out": sound.name.startswith(_HELD_OUT),
                    "facts": as_rows(facts),
                }
            )
    return {"format": FORMAT, "takes": takes}


def _shipped() -> Iterator[_Sound]:
    for name, licence in _SHIPPED:
        yield _read(resources.assets_dir() / name, Path(name).stem, licence)


def _vocadito(folder: Path) -> Iterator[_Sound]:
    for path in sorted(folder.rglob("*.wav")) + sorted(folder.rglob("*.flac")):
        if path.stem != "vocadito_14":  # ships
            yield _read(path, path.stem, "CC-BY-4.0")


def _vocobox(folder: Path) -> Iterator[_Sound]:
    paths = sorted(folder.glob("*.flac"))
    for first in range(0, len(paths), _NOTES_TOGETHER):
        notes = [_read(p, p.stem, "MIT") for p in paths[first : first + _NOTES_TOGETHER]]
        yield _joined(notes, f"vocobox {first // _NOTES_TOGETHER}")


def _vocalset(folder: Path) -> Iterator[_Sound]:
    for singer in sorted(p for p in (folder / "audio").iterdir() if p.is_dir()):
        clips = [_read(p, p.stem, "CC-BY-4.0") for p in sorted(singer.rglob("*.*"))]
        yield _joined(clips, f"vocalset {singer.name}")


def _read(path: Path, name: str, licence: str) -> _Sound:
    with open_audio(path) as file:
        rate, channels = file.info.sample_rate, file.info.channels
    samples = read_audio(path, sample_rate=rate, channels=channels)
    return _Sound(name=name, licence=licence, samples=samples, sample_rate=rate)


def _joined(sounds: Sequence[_Sound], name: str) -> _Sound:
    rate = sounds[0].sample_rate
    gap = np.zeros(round(_GAP_S * rate), np.float32)
    parts = [x for s in sounds for x in (s.samples.mean(axis=0), gap)]
    if any(sound.sample_rate != rate for sound in sounds):
        raise ValueError(f"{name}: clips of different rates")
    return _Sound(
        name=name, licence=sounds[0].licence, samples=np.concatenate(parts)[None], sample_rate=rate
    )


def _parts(sound: _Sound) -> Iterator[_Sound]:
    """The take itself and, of a long one, overlapping excerpts."""
    yield sound
    width, step = (round(s * sound.sample_rate) for s in (_EXCERPT_S, _STEP_S))
    n = sound.samples.shape[1]
    for start in range(0, n - width // 2, step) if n > 1.3 * width else ():
        yield _Sound(
            name=f"{sound.name} from {start / sound.sample_rate:.0f} s",
            licence=sound.licence,
            samples=sound.samples[:, start : start + width],
            sample_rate=sound.sample_rate,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Assess and write the file; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(arguments)
    document = assess_all(args.data)
    rows = ",\n".join(json.dumps(take, separators=(",", ":")) for take in document["takes"])
    write_whole(args.out, f'{{"format":"{FORMAT}","takes":[\n{rows}\n]}}\n')
    sys.stdout.write(f"{len(document['takes'])} takes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
