"""How well the removal of a room works: dry takes in known rooms, beside other methods.

    python -m singcoach.benchmark.rooms --data DIR [--blind] [--json PATH]

DIR holds ``vocadito``, ``gtsinger`` and ``ravdess_song``, or some of them (heard here only). The
rooms come from the image method in full length. Every take is stopped in three places for 0.7 s, so
that the tail of the room can be heard alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from singcoach.audio.reading import open_audio
from singcoach.benchmark import room_measures as measures
from singcoach.benchmark.room_methods import METHODS, Method
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.dsp.rooms import (
    HARD_WALLS,
    SOFT_WALLS,
    Response,
    Room,
    absorption,
    decay_time_s,
    direct_to_reverberant_db,
    image_response,
)
from singcoach.errors import InputError
from singcoach.files import write_whole
from singcoach.jobs import NO_JOB, Job

LONGEST_S = 16.0
EARLY_S = 0.05
STOP_S = 0.7
N_STOPS = 3
NOISE_DB = -65.0
"""Noise of the microphone, relative to the dry take."""
SUNG_IN = ("vocadito_1", "vocadito_10", "vocadito_14")
GROUPS = ("it02", "ru03", "sp03", "zh03", "jp03")
"""These takes and :data:`ROOMS` were looked at while the stage was being set: they develop it."""
BLIND_GROUPS = ("it05", "ru05", "kr05", "sp04", "zh01")
BLIND_ACTORS = ("Actor_01", "Actor_02")
BLIND_ROOMS = 8
BLIND_SEED = 2026
"""Takes and rooms that were first heard when nothing was changed any more. The gate between dry and
wet had met the dry takes of the groups, the prediction had not; nothing had met the actors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One take in one room, through one method; without a room where ``room`` is empty.

    Attributes
    ----------
    si_sdr_db
        To the take in the direct sound alone; without a room, to the input.
    early_si_sdr_db
        To the take in the first 50 ms of the response.
    tail_db, decay_db_per_s
        Level 50 to 350 ms after the voice stops relative to the 200 ms before, and its slope.
    raw_pitch_accuracy
        Share of the frames that are voiced in the dry take and within 50 cents of it.
    flutter_db
        How unsteady the gain of the method is from frame to frame in the tails (musical noise).
    cpu_s
        Processor time of the method.
    """

    take: str
    room: str
    method: str
    si_sdr_db: float
    early_si_sdr_db: float
    tail_db: float
    decay_db_per_s: float
    raw_pitch_accuracy: float
    flutter_db: float
    cpu_s: float


ROOMS: tuple[Room, ...] = (
    Room(name="booth, 0.4 m", size_m=(2.2, 2.0, 2.3), t60_s=0.2, walls=SOFT_WALLS,
         source_m=(0.9, 1.0, 1.6), microphone_m=(1.25, 1.17, 1.5)),
    Room(name="bedroom, 0.5 m", size_m=(4.0, 3.5, 2.5), t60_s=0.35, walls=SOFT_WALLS,
         source_m=(1.3, 1.5, 1.5), microphone_m=(1.75, 1.7, 1.42)),
    Room(name="bedroom, 1.5 m", size_m=(4.0, 3.5, 2.5), t60_s=0.35, walls=SOFT_WALLS,
         source_m=(1.1, 1.2, 1.5), microphone_m=(2.3, 2.08, 1.3)),
    Room(name="living room, 0.6 m", size_m=(6.0, 4.5, 2.6), t60_s=0.5, walls=SOFT_WALLS,
         source_m=(2.1, 1.7, 1.6), microphone_m=(2.6, 2.02, 1.5)),
    Room(name="living room, 2 m", size_m=(6.0, 4.5, 2.6), t60_s=0.5, walls=SOFT_WALLS,
         source_m=(1.4, 1.3, 1.6), microphone_m=(3.05, 2.4, 1.3)),
    Room(name="bathroom, 0.4 m", size_m=(2.6, 2.2, 2.4), t60_s=0.8, walls=HARD_WALLS,
         source_m=(1.0, 0.9, 1.6), microphone_m=(1.34, 1.08, 1.5)),
    Room(name="bathroom, 1 m", size_m=(2.6, 2.2, 2.4), t60_s=0.8, walls=HARD_WALLS,
         source_m=(0.8, 0.7, 1.6), microphone_m=(1.55, 1.32, 1.4)),
    Room(name="classroom, 0.8 m", size_m=(9.0, 7.0, 3.2), t60_s=0.8, walls=HARD_WALLS,
         source_m=(3.4, 2.9, 1.6), microphone_m=(4.0, 3.42, 1.45)),
    Room(name="classroom, 3 m", size_m=(9.0, 7.0, 3.2), t60_s=0.8, walls=HARD_WALLS,
         source_m=(2.6, 2.2, 1.6), microphone_m=(5.0, 3.95, 1.3)),
    Room(name="hall, 0.5 m", size_m=(16.0, 11.0, 6.0), t60_s=1.2, walls=HARD_WALLS,
         source_m=(6.1, 4.3, 1.6), microphone_m=(6.5, 4.58, 1.5)),
    Room(name="hall, 2 m", size_m=(16.0, 11.0, 6.0), t60_s=1.2, walls=HARD_WALLS,
         source_m=(5.0, 4.0, 1.6), microphone_m=(6.7, 5.02, 1.4)),
    Room(name="church, 1 m", size_m=(22.0, 14.0, 9.0), t60_s=1.5, walls=HARD_WALLS,
         source_m=(8.0, 5.5, 1.6), microphone_m=(8.8, 6.08, 1.45)),
)  # fmt: skip


def load_takes(data: Path) -> dict[str, FloatArray]:
    """Return the dry takes by name, mono at 16 kHz, up to 16 s each, stopped three times."""
    takes = {
        name: _read([data / "vocadito" / "Audio" / f"{name}.wav"])
        for name in SUNG_IN
        if (data / "vocadito" / "Audio" / f"{name}.wav").is_file()
    }
    for group in GROUPS:
        paths = sorted((data / "gtsinger" / "audio").glob(f"{group}_*"))
        if paths:
            takes[f"gtsinger_{group}"] = _read(paths)
    if not takes:
        raise InputError(
            f"There are no dry takes in {data}",
            hint="Name the folder that holds vocadito and gtsinger",
        )
    return takes


def load_blind_takes(data: Path) -> dict[str, FloatArray]:
    """Return other dry takes: gtsinger, and the sung sentences of ravdess_song, one after another.

    Raises
    ------
    InputError
        When there are none.
    """
    groups = {
        f"gtsinger_{group}": sorted((data / "gtsinger" / "audio").glob(f"{group}_*"))
        for group in BLIND_GROUPS
    }
    actors = {
        f"ravdess_{actor}": sorted((data / "ravdess_song" / "audio" / actor).glob("*"))
        for actor in BLIND_ACTORS
    }
    takes = {name: _read(paths) for name, paths in (groups | actors).items() if paths}
    if not takes:
        raise InputError(
            f"There are no other dry takes in {data}",
            hint="Name the folder that holds gtsinger and ravdess_song",
        )
    return takes


def blind_rooms() -> tuple[Room, ...]:
    """Return rooms drawn at random, the same every time."""
    random = np.random.default_rng(BLIND_SEED)
    rooms: list[Room] = []
    while len(rooms) < BLIND_ROOMS:
        size_m = np.round(random.uniform((2.0, 1.8, 2.2), (12.0, 9.0, 5.0)), 2)
        t60_s = round(float(np.exp(random.uniform(np.log(0.2), np.log(1.3)))), 2)
        distance_m = float(np.exp(random.uniform(np.log(0.3), np.log(3.0))))
        microphone_m = size_m * random.uniform(0.25, 0.75, 3)
        direction = random.standard_normal(3) * (1, 1, 0.2)
        source_m = microphone_m + distance_m * direction / np.linalg.norm(direction)
        walls = SOFT_WALLS if random.random() < 0.5 else HARD_WALLS
        if np.any(source_m < 0.3) or np.any(source_m > size_m - 0.3):
            continue
        x, y, z = (float(side) for side in size_m)
        room = Room(
            name=f"{x:.0f} x {y:.0f} x {z:.0f} m, {distance_m:.1f} m",
            size_m=(x, y, z),
            source_m=(float(source_m[0]), float(source_m[1]), float(source_m[2])),
            microphone_m=(float(microphone_m[0]), float(microphone_m[1]), float(microphone_m[2])),
            t60_s=t60_s,
            walls=walls,
        )
        try:
            absorption(room)
        except ValueError:  # so dry a room is not this large
            continue
        rooms.append(room)
    return tuple(rooms)


def stopped(dry: FloatArray) -> tuple[FloatArray, list[int]]:
    """Return the take with three silences of 0.7 s after loud moments, and where they begin."""
    dry = dry.copy()
    frame = ANALYSIS_RATE // 50
    level = np.sqrt(np.mean(dry[: dry.size // frame * frame].reshape(-1, frame) ** 2, axis=1))
    ends = []
    third = level.size // N_STOPS
    n_stop = round(STOP_S * ANALYSIS_RATE)
    fade = np.linspace(1, 0, frame, dtype=np.float32)
    for part in range(N_STOPS):
        # The loudest 0.2 s of the middle of each third, so that there is something to ring on.
        low, high = part * third + third // 4, part * third + third // 2
        steady = np.convolve(level, np.ones(10) / 10, "full")[: level.size]
        end = (low + int(np.argmax(steady[low:high])) + 1) * frame
        dry[end : end + frame] *= fade
        dry[end + frame : end + n_stop] = 0
        ends.append(end + frame)
    return dry, ends


def run(
    takes: dict[str, FloatArray],
    methods: dict[str, Method],
    *,
    pitch: Callable[[FloatArray], NDArray[np.float64]],
    rooms: tuple[Room, ...] = ROOMS,
    job: Job = NO_JOB,
) -> list[Row]:
    """Return one row for each take, room and method; the dry takes come first."""
    rows = []
    responses = [
        image_response(room, sample_rate=ANALYSIS_RATE, seed=index)
        for index, room in enumerate(rooms)
    ]
    stages: list[tuple[str, Response | None]] = [("", None)]
    stages += [(room.name, response) for room, response in zip(rooms, responses, strict=True)]
    total, done = len(takes) * len(stages) * len(methods), 0
    for take, audio in takes.items():
        dry, ends = stopped(audio)
        truth = pitch(dry)
        for room, response in stages:
            noise = np.random.default_rng(0).standard_normal(dry.size) * 10 ** (NOISE_DB / 20)
            noise *= float(np.sqrt(np.mean(dry**2)))
            wet, direct, early = dry, dry, dry
            if response is not None:
                first = response.full.copy()
                first[round(EARLY_S * ANALYSIS_RATE) :] = 0
                wet, direct, early = (
                    measures.convolved(dry, each)
                    for each in (response.full, response.direct, first)
                )
            wet = (wet + noise).astype(np.float32)
            if response is None:
                direct = early = wet  # to do no harm is to give back what came in
            for method, work in methods.items():
                job.report(done / total, f"{take} in {room or 'no room'}: {method}")
                done += 1
                started = time.process_time()
                out = work(wet, response)
                spent_s = time.process_time() - started
                tail = measures.tail(out, ends)
                rows.append(
                    Row(
                        take=take,
                        room=room,
                        method=method,
                        si_sdr_db=measures.si_sdr_db(direct, out),
                        early_si_sdr_db=measures.si_sdr_db(early, out),
                        tail_db=tail.level_db,
                        decay_db_per_s=tail.slope_db_per_s,
                        raw_pitch_accuracy=measures.pitch_accuracy(truth, pitch(out)),
                        flutter_db=measures.flutter_db(wet, out, ends),
                        cpu_s=spent_s,
                    )
                )
    return rows


def _read(paths: list[Path]) -> FloatArray:
    parts = []
    for path in paths:
        with open_audio(path) as file:
            parts += [b[0] for b in file.blocks(sample_rate=ANALYSIS_RATE, channels=1)]
    joined: FloatArray = np.concatenate(parts)[: round(LONGEST_S * ANALYSIS_RATE)]
    return joined


def main() -> None:
    """Read the arguments, measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m singcoach.benchmark.rooms")
    parser.add_argument("--data", type=Path, required=True, help="folder of the dry takes")
    parser.add_argument("--json", type=Path, help="write every row here")
    parser.add_argument("--takes", default="", help="only takes whose name holds this")
    parser.add_argument("--methods", default=",".join(METHODS), help="which methods, with commas")
    parser.add_argument(
        "--blind", action="store_true", help="takes and rooms that nothing was set on"
    )
    args = parser.parse_args()
    rooms = blind_rooms() if args.blind else ROOMS
    takes = load_blind_takes(args.data) if args.blind else load_takes(args.data)
    takes = {name: take for name, take in takes.items() if args.takes in name}
    methods = {name: METHODS[name]() for name in args.methods.split(",")}
    rows = run(takes, methods, pitch=measures.pitch_tracker(), rooms=rooms, job=Job(_show))
    from singcoach.benchmark.room_report import tables

    for index, room in enumerate(rooms):
        response = image_response(room, sample_rate=ANALYSIS_RATE, seed=index)
        sys.stdout.write(
            f"{room.name:20} T60 {decay_time_s(response.full, ANALYSIS_RATE):4.2f} s, "
            f"direct to reverberant {direct_to_reverberant_db(response):5.1f} dB\n"
        )
    sys.stdout.write(tables(rows))
    if args.json:
        text = json.dumps([asdict(row) for row in rows], indent=1)
        write_whole(args.json, text.encode())


def _show(fraction: float, stage: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{fraction:6.1%} {stage:70}")


if __name__ == "__main__":
    main()
