"""What the window draws of one take, small enough to keep beside every recording.

The pitch, the waveform as minima and maxima, notes, phrases, the written song, the backing's
beats and key: an hour takes about 4 MB, so that a take opens without being analysed again.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast, get_args

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray, RealArray, read_only
from singcoach.core.music import Key, Note, Phrase, SongNote, SongNoteKind, Vibrato
from singcoach.core.take import Take, TakeKind
from singcoach.errors import InputError
from singcoach.files import write_whole

PEAKS_PER_S: Final = 50
"""Minima and maxima of the waveform kept a second."""

FORMAT: Final = 1
_MOST_BYTES: Final = 256 << 20
"""What a file of curves may unpack to; two hours take about 20 MB."""
_KINDS: Final[tuple[str, ...]] = get_args(SongNoteKind)
_HINT: Final = "Analyse the take again"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeCurves:
    """The drawable part of one analysed take; arrays are read-only.

    Attributes
    ----------
    duration_s
        Length of the take.
    kind
        Whether the voice had to be separated from a mixture.
    times_s, f0_hz, confidence
        Pitch frames, ascending, shape ``(n,)``; ``f0_hz`` is NaN where unvoiced; confidence 0..1.
    peaks
        Lowest and highest sample of every 1/``PEAKS_PER_S`` s, shape ``(m, 2)``, float32. Row ``i``
        starts at ``i / PEAKS_PER_S``; the last one may cover less.
    notes, phrases
        What was sung, in order of time.
    song
        The notes of the written song; empty without one.
    beats_s
        Beats of the accompaniment; empty when none were found.
    backing_key, sung_key
        Key and tuning of the accompaniment and of the voice; None without.
    tuning_cents
        Offset of the take's own scale from A4 = 440 Hz; None when unknown.
    """

    duration_s: float
    times_s: RealArray
    f0_hz: RealArray
    confidence: RealArray
    peaks: FloatArray
    notes: tuple[Note, ...]
    phrases: tuple[Phrase, ...]
    kind: TakeKind = "solo"
    song: tuple[SongNote, ...] = ()
    beats_s: RealArray = field(default_factory=lambda: read_only(np.zeros(0)))
    backing_key: Key | None = None
    sung_key: Key | None = None
    tuning_cents: float | None = None


def curves_of(
    take: Take, *, audio: FloatArray | None = None, sample_rate: int | None = None
) -> TakeCurves:
    """Return what the window draws of an analysed take.

    Parameters
    ----------
    audio, sample_rate
        The sound whose waveform is drawn, shape ``(n_samples,)`` or ``(n_channels, n_samples)``;
        without it the take's own voice is taken.
    """
    if (audio is None) != (sample_rate is None):
        raise ValueError("audio and sample_rate come together")
    sound = take.vocal if audio is None else audio
    rate = take.sample_rate if sample_rate is None else sample_rate
    return TakeCurves(
        duration_s=float(take.duration_s),
        kind=take.kind,
        times_s=_real(take.pitch.times_s),
        f0_hz=_real(take.pitch.f0_hz),
        confidence=_real(take.pitch.confidence),
        peaks=waveform_peaks(sound, sample_rate=rate),
        notes=tuple(take.notes),
        phrases=tuple(take.phrases),
        song=() if take.song is None else tuple(take.song.notes),
        beats_s=_real(() if take.backing is None else take.backing.beats_s),
        backing_key=None if take.backing is None else take.backing.key,
        sung_key=take.screening.key,
        tuning_cents=take.screening.tuning_cents,
    )


def waveform_peaks(audio: FloatArray, *, sample_rate: int) -> FloatArray:
    """Return minima and maxima of every 1/``PEAKS_PER_S`` s, shape ``(m, 2)``, over all channels.

    Borders lie at the sample nearest to their time, so nothing drifts over hours. Samples that are
    not numbers count as silence; no samples give shape ``(0, 2)``.
    """
    if sample_rate < PEAKS_PER_S:
        raise ValueError(f"sample_rate is {sample_rate} Hz; 16000 or 44100 would work")
    sound = np.nan_to_num(np.atleast_2d(np.asarray(audio, np.float32)), nan=0.0)
    n_samples = sound.shape[-1]
    if n_samples == 0:
        return read_only(np.zeros((0, 2), np.float32))
    n_peaks = -(-n_samples * PEAKS_PER_S // sample_rate)
    borders = np.round(np.arange(n_peaks) * (sample_rate / PEAKS_PER_S)).astype(np.int64)
    borders = np.minimum(borders, n_samples - 1)
    low = np.minimum.reduceat(sound.min(axis=0), borders)
    high = np.maximum.reduceat(sound.max(axis=0), borders)
    return read_only(np.stack([low, high], axis=1).astype(np.float32))


def save_curves(path: Path, curves: TakeCurves) -> None:
    """Write curves to ``path`` (.npz), whole or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    target = io.BytesIO()
    np.savez_compressed(
        target,
        times_s=curves.times_s,
        f0_hz=curves.f0_hz,
        confidence=curves.confidence.astype(np.float32),
        peaks=curves.peaks,
        notes=_note_table(curves.notes),
        phrases=_table([(phrase.start_s, phrase.end_s) for phrase in curves.phrases], 2),
        song=_table(
            [
                (note.onset_s, note.offset_s, note.midi, _KINDS.index(note.kind), note.line)
                for note in curves.song
            ],
            5,
        ),
        beats_s=curves.beats_s,
        words=_packed(_words(curves)),
    )
    write_whole(path, target.getvalue())


def load_curves(path: Path) -> TakeCurves:
    """Read curves. Never runs code from the file, and never unpacks more than 256 MB.

    Raises
    ------
    InputError
        The file is missing, damaged, or not one of ours.
    """
    try:
        return _from_arrays(_read_arrays(path))
    except FileNotFoundError:
        raise InputError("The take has no curves yet", hint="Analyse the take") from None
    except (
        OSError,
        EOFError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        SyntaxError,
        MemoryError,
        NotImplementedError,
        RuntimeError,
        RecursionError,
        OverflowError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            "The take's curves are damaged", hint=_HINT, detail=f"{type(error).__name__}: {error}"
        ) from error


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(path) as archive:
        if sum(max(0, entry.file_size) for entry in archive.infolist()) > _MOST_BYTES:
            raise ValueError("the curves are larger than any take")
        arrays: dict[str, NDArray[Any]] = {}
        left = _MOST_BYTES
        for name in (*_SHAPES, "words"):
            with archive.open(f"{name}.npy") as member:
                data = member.read(left + 1)  # the sizes of the directory may lie
            left -= len(data)
            if left < 0:
                raise ValueError("the curves are larger than any take")
            arrays[name] = _array(data)
    return arrays


def _array(data: bytes) -> NDArray[Any]:
    """Return the array of one member; a header that promises more than there is is not believed."""
    header = io.BytesIO(data)
    version = np.lib.format.read_magic(header)
    if version != (1, 0):
        raise ValueError(f"array format {version}")
    shape, _, kind = np.lib.format.read_array_header_1_0(header)
    if math.prod(shape) * kind.itemsize != len(data) - header.tell():
        raise ValueError("an array has another size than its header says")
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


_SHAPES: Final[dict[str, tuple[int | None, ...]]] = {
    "times_s": (None,),
    "f0_hz": (None,),
    "confidence": (None,),
    "peaks": (None, 2),
    "notes": (None, 8),
    "phrases": (None, 2),
    "song": (None, 5),
    "beats_s": (None,),
}


def _from_arrays(arrays: dict[str, NDArray[Any]]) -> TakeCurves:
    for name, shape in _SHAPES.items():
        array = arrays[name]
        if array.dtype.kind != "f" or array.ndim != len(shape):
            raise ValueError(f"{name} is no table of numbers")
        if len(shape) == 2 and array.shape[1] != shape[1]:
            raise ValueError(f"{name} has {array.shape[1]} columns")
    n_frames = arrays["times_s"].size
    if arrays["f0_hz"].size != n_frames or arrays["confidence"].size != n_frames:
        raise ValueError("the pitch has rows of different length")
    for name in ("times_s", "notes", "phrases", "song", "beats_s", "peaks"):
        columns = arrays[name][:, :4] if name == "notes" else arrays[name]
        if not np.isfinite(columns).all():
            raise ValueError(f"{name} holds what is no number")
    words = json.loads(bytes(np.asarray(arrays["words"], np.uint8)).decode("utf-8"))
    if words["format"] != FORMAT:
        raise ValueError(f"format {words['format']!r}")
    syllables = [str(text) for text in words["syllables"]]
    if words["kind"] not in get_args(TakeKind):
        raise ValueError(f"kind {words['kind']!r}")
    return TakeCurves(
        duration_s=_number(words["duration_s"]),
        kind=cast("TakeKind", words["kind"]),
        times_s=_real(arrays["times_s"]),
        f0_hz=_real(arrays["f0_hz"]),
        confidence=_real(arrays["confidence"]),
        peaks=read_only(arrays["peaks"].astype(np.float32)),
        notes=tuple(_note(row) for row in arrays["notes"].tolist()),
        phrases=tuple(Phrase(start_s=row[0], end_s=row[1]) for row in arrays["phrases"].tolist()),
        song=tuple(
            SongNote(
                onset_s=row[0],
                offset_s=row[1],
                midi=int(row[2]),
                syllable=syllable,
                kind=cast("SongNoteKind", _KINDS[int(row[3])]),
                line=int(row[4]),
            )
            for row, syllable in zip(arrays["song"].tolist(), syllables, strict=True)
        ),
        beats_s=_real(arrays["beats_s"]),
        backing_key=_key(words["backing_key"]),
        sung_key=_key(words["sung_key"]),
        tuning_cents=None if words["tuning_cents"] is None else _number(words["tuning_cents"]),
    )


def _words(curves: TakeCurves) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "duration_s": curves.duration_s,
        "kind": curves.kind,
        "syllables": [note.syllable for note in curves.song],
        "backing_key": _key_words(curves.backing_key),
        "sung_key": _key_words(curves.sung_key),
        "tuning_cents": curves.tuning_cents,
    }


def _key_words(key: Key | None) -> dict[str, Any] | None:
    if key is None:
        return None
    return {
        "tonic": key.tonic,
        "mode": key.mode,
        "tuning_cents": float(key.tuning_cents),
        "strength": float(key.strength),
    }


def _key(words: Any) -> Key | None:
    if words is None:
        return None
    tonic, mode = int(words["tonic"]), words["mode"]
    if not 0 <= tonic < 12 or mode not in ("major", "minor"):
        raise ValueError(f"key {tonic} {mode!r}")
    return Key(
        tonic=tonic,
        mode=mode,
        tuning_cents=_number(words["tuning_cents"]),
        strength=_number(words["strength"]),
    )


def _note_table(notes: Sequence[Note]) -> RealArray:
    rows = []
    for note in notes:
        vibrato = note.vibrato
        shape = (
            (np.nan,) * 4
            if vibrato is None
            else (vibrato.rate_hz, vibrato.extent_cents, vibrato.regularity, vibrato.presence)
        )
        rows.append((note.onset_s, note.offset_s, note.midi, note.cents_deviation, *shape))
    return _table(rows, 8)


def _note(row: list[float]) -> Note:
    vibrato = None
    if np.isfinite(row[4:]).all():
        vibrato = Vibrato(rate_hz=row[4], extent_cents=row[5], regularity=row[6], presence=row[7])
    return Note(
        onset_s=row[0],
        offset_s=row[1],
        midi=int(row[2]),
        cents_deviation=row[3],
        vibrato=vibrato,
    )


def _table(rows: Sequence[Sequence[float]], n_columns: int) -> RealArray:
    return np.asarray(rows, np.float64).reshape(len(rows), n_columns)


def _packed(words: dict[str, Any]) -> NDArray[np.uint8]:
    text = json.dumps(words, ensure_ascii=False, allow_nan=False)
    return np.frombuffer(text.encode("utf-8", "replace"), np.uint8)


def _real(values: Any) -> RealArray:
    return read_only(np.array(values, np.float64))


def _number(value: Any) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{number} is no number")
    return number
