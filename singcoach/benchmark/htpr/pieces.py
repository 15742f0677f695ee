"""Recordings made for the benchmark: parts joined to one performance, and crops."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from singcoach.audio.reading import open_audio
from singcoach.audio.writing import WavWriter
from singcoach.jobs import NO_JOB, Job

CROP_S = 30.0
"""Length of a crop: what systems that cannot hear a whole song listen to."""


def join_parts(parts: Sequence[Path], target: Path, job: Job = NO_JOB) -> None:
    """Write recordings one after another into a 24-bit wav at the first one's rate.

    The same parts give the same bytes, so that results in the cache are found again.

    Raises
    ------
    InputError, OutputError
        A part cannot be read, or the result not written.
    """
    with open_audio(parts[0]) as first:
        rate, channels = first.info.sample_rate, min(first.info.channels, 2)
    # Not FLOAT: libsndfile writes the time of day into float files.
    with WavWriter(target, sample_rate=rate, channels=channels, subtype="PCM_24") as writer:
        for index, part in enumerate(parts):
            share = job.part(index / len(parts), (index + 1) / len(parts))
            with open_audio(part) as file:
                for block in file.blocks(sample_rate=rate, channels=channels, job=share):
                    writer.write(block)


def cut(source: Path, target: Path, *, start_s: float, length_s: float, job: Job = NO_JOB) -> None:
    """Write a stretch of a recording into a 24-bit wav at its own rate.

    Raises
    ------
    InputError, OutputError
        The recording cannot be read, or the result not written.
    """
    with open_audio(source) as file:
        rate, channels = file.info.sample_rate, min(file.info.channels, 2)
        first, last = round(start_s * rate), round((start_s + length_s) * rate)
        position = 0
        with WavWriter(target, sample_rate=rate, channels=channels, subtype="PCM_24") as writer:
            for block in file.blocks(sample_rate=rate, channels=channels, job=job):
                here = block[:, max(0, first - position) : max(0, last - position)]
                if here.size:
                    writer.write(here)
                position += block.shape[1]
                if position >= last:
                    break


def crop_starts(
    item: str, duration_s: float, *, n_crops: int, seed: int, length_s: float = CROP_S
) -> tuple[float, ...]:
    """Return where the crops of a recording begin, in seconds, ascending; none up to their length.

    One at random in each of ``n_crops`` equal parts of where a crop can begin, to a tenth of a
    second. The same item, duration and seed give the same places.
    """
    room_s = duration_s - length_s
    if room_s <= 0 or n_crops < 1:
        return ()
    generator = np.random.default_rng([seed, zlib.crc32(item.encode("utf-8", "replace"))])
    places = (np.arange(n_crops) + generator.random(n_crops)) / n_crops * room_s
    return tuple(dict.fromkeys(float(place) for place in np.floor(10.0 * places) / 10.0))
