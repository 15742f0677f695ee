"""Child process of the reader fuzzing: reads what arrives on stdin as a recording or a song.

Protocol: 8 bytes of kind (padded with zeros), 4 bytes of length, content; answered by one line.
"""

from __future__ import annotations

import struct
import sys
import traceback
from pathlib import Path

import numpy as np

from singcoach.audio.reading import open_audio
from singcoach.errors import InputError
from singcoach.songs.ultrastar import read_song

MEMORY_BYTES = 6 << 30


def limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def read_recording(path: Path) -> None:
    with open_audio(path) as file:
        n_samples = 0
        for block in file.blocks(sample_rate=16_000, channels=1, block_s=5.0):
            assert block.dtype == np.float32
            assert block.shape[0] == 1
            assert block.shape[1] > 0
            assert np.isfinite(block).all()
            n_samples += block.shape[1]
        assert n_samples > 0
        assert file.decoded_s <= 7_300.0
        assert all(warning.endswith(".") for warning in file.warnings)
        assert file.info.duration_s >= 0.0


def check_song(path: Path) -> None:
    song = read_song(path)
    assert song.notes
    assert song.bpm > 0
    before = 0.0
    for note in song.notes:
        assert before <= note.onset_s < note.offset_s < 1e6
        assert 0 <= note.midi <= 127
        before = note.offset_s - 1e-9


def answer(kind: str, path: Path) -> str:
    try:
        if kind == "song":
            check_song(path)
        else:
            read_recording(path)
    except InputError as error:
        if not error.message or "\n" in error.message:
            return f"bad sentence: {error.message!r}"
        return f"refused: {error.message!a}"
    except BaseException:  # noqa: BLE001 - whatever escapes is a finding
        return "traceback: " + traceback.format_exc().replace("\n", " | ")
    return "read"


def main() -> None:
    limit_memory()
    folder = Path(sys.argv[1])
    stream = sys.stdin.buffer
    while len(header := stream.read(12)) == 12:
        kind_bytes, length = struct.unpack(">8sI", header)
        kind = kind_bytes.rstrip(b"\0").decode()
        path = folder / f"take.{kind}"
        path.write_bytes(stream.read(length))
        line = answer(kind, path)
        sys.stdout.write(line.encode("ascii", "replace").decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
