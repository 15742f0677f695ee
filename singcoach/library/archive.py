"""One take as one file: written for another computer, and read with suspicion.

A ``.singcoach`` file is a ZIP archive with ``manifest.json`` (the take's record; name, size and
SHA-256 of every other member), the recording, and where there are any the assessment, the curves
and the separated voice. Names are a closed list, sizes are counted while they are unpacked, every
content is checked before it enters the library, and nothing in an archive is ever run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from singcoach.audio.hashing import sha256_file
from singcoach.errors import InputError, OutputError
from singcoach.files import cannot_write, make_folder, refuse_overwriting, whole_file
from singcoach.jobs import NO_JOB, Job
from singcoach.library.curves import load_curves
from singcoach.library.database import fold
from singcoach.library.folders import (
    ASSESSMENT,
    CURVES,
    TAKE_RECORD,
    VOCALS,
    new_id,
    read_record,
    remove_tree,
)
from singcoach.library.incoming import UNPACKED
from singcoach.library.keeping import is_assessment
from singcoach.library.records import TakeRecord, is_recording, parse_record
from singcoach.library.shelf import now, stamp
from singcoach.library.store import Library
from singcoach.library.values import LibraryTake, UndoToken

SUFFIX: Final = ".singcoach"
MANIFEST: Final = "manifest.json"
FORMAT: Final = "singcoach.take/1"
_BLOCK_BYTES: Final = 1 << 20
_LARGEST: Final[Mapping[str, int]] = {
    MANIFEST: 16 << 20,
    ASSESSMENT: 64 << 20,
    CURVES: 256 << 20,
    VOCALS: 2 << 30,
}
_LARGEST_RECORDING: Final = 8 << 30
_HINT: Final = "Ask for the file again, or choose another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    """What an archive says of itself."""

    record: TakeRecord
    sizes: Mapping[str, int]
    hashes: Mapping[str, str]


def export_take(library: Library, take_id: str, path: Path, job: Job = NO_JOB) -> None:
    """Write a take with all that belongs to it as one file, whole or not at all.

    Raises
    ------
    InputError
        There is no such take, or its recording is gone.
    OutputError
        No permission, disk full.
    Cancelled
        ``job`` was stopped.
    """
    take = library.take(take_id)
    folder = library.folder_of(take_id)
    library.write_take_record(take_id)
    record = read_record(folder / TAKE_RECORD)
    names = [take.recording.name, ASSESSMENT, CURVES, VOCALS]
    present = [name for name in names if (folder / name).is_file()]
    if record is None or take.recording.name not in present:
        raise InputError(f"The recording of {take.title} is no longer there")
    refuse_overwriting(path, [folder / name for name in present])
    total = sum((folder / name).stat().st_size for name in present)
    with (
        whole_file(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        members: dict[str, dict[str, Any]] = {}
        done = 0
        for name in present:
            with (
                (folder / name).open("rb") as source,
                archive.open(_entry(name), "w", force_zip64=True) as sink,
            ):
                members[name] = _pour(source, sink, done, total, job)
            done += members[name]["size"]
        manifest = {"format": FORMAT, "take": record, "files": members}
        archive.writestr(_entry(MANIFEST), json.dumps(manifest, ensure_ascii=False, indent=1))


def import_take(
    library: Library, path: Path, *, singer_id: str | None = None, job: Job = NO_JOB
) -> LibraryTake:
    """Bring a take that :func:`export_take` wrote into the library.

    A take that is here already (same take, same recording) gets the notes that it does not have
    yet, so that a teacher can send a take back. Singer and song are those of the archive, where the
    library knows them by id or name, else new ones.

    Parameters
    ----------
    singer_id
        Whose take it becomes instead.

    Raises
    ------
    InputError
        The file is no take, damaged or hostile; nothing of it is kept.
    OutputError
        No permission, disk full.
    Cancelled
        ``job`` was stopped.
    """
    folder = library.folder / "takes" / f"{UNPACKED}{new_id()}.{library.owner}"
    make_folder(folder)
    try:
        with _told(path):
            manifest = _unpack(path, folder, job)
        _check_contents(path, folder, manifest)
        return _keep(library, folder, manifest, singer_id, job)
    finally:
        remove_tree(folder)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    return entry


def _pour(source: IO[bytes], sink: IO[bytes], done: int, total: int, job: Job) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    while block := source.read(_BLOCK_BYTES):
        job.report((done + size) / max(1, total), "writing the take")
        sink.write(block)
        digest.update(block)
        size += len(block)
    return {"size": size, "sha256": digest.hexdigest()}


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn whatever a damaged archive makes the readers raise into one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path.name} does not exist", hint="Check the name") from error
    except (
        EOFError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            f"{path.name} is no take of SingCoach, or it is damaged",
            hint=_HINT,
            detail=f"{type(error).__name__}: {error}",
        ) from error
    except OSError as error:
        raise InputError(
            f"{path.name} could not be read", hint="Check the drive", detail=str(error)
        ) from error


def _unpack(path: Path, folder: Path, job: Job) -> _Manifest:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if len(entries) > 8 or len(set(names)) != len(names):
            raise ValueError("more members than a take has")
        for entry in entries:
            _check_entry(entry)
        with archive.open(MANIFEST) as member:
            text = member.read(_LARGEST[MANIFEST] + 1)
        if len(text) > _LARGEST[MANIFEST]:
            raise ValueError("the manifest is too large")
        manifest = _manifest(json.loads(text.decode("utf-8")))
        if set(manifest.sizes) != set(names) - {MANIFEST}:
            raise ValueError("the manifest names other members than there are")
        if manifest.record.recording not in manifest.sizes:
            raise ValueError("no recording")
        total = sum(manifest.sizes.values())
        _check_room(folder, total)
        done = 0
        for name, size in manifest.sizes.items():
            with archive.open(name) as member:
                found = _unpack_one(member, folder / name, size, done, total, job)
            if found != manifest.hashes[name]:
                raise ValueError(f"{name} is not what was sent")
            done += size
    return manifest


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    largest = _LARGEST.get(name, _LARGEST_RECORDING if is_recording(name) else -1)
    if largest < 0:
        raise ValueError(f"a member called {name[:80]!r}")
    if entry.flag_bits & 0x1:
        raise ValueError("an encrypted member")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("an unusual compression")
    if entry.file_size > largest:
        raise ValueError(f"{name} is too large")


def _manifest(words: Mapping[str, Any]) -> _Manifest:
    if words["format"] != FORMAT:
        raise ValueError(f"format {words['format']!r}")
    files = {str(name): file for name, file in words["files"].items()}
    sizes = {name: int(file["size"]) for name, file in files.items()}
    if any(size < 0 for size in sizes.values()):
        raise ValueError("a negative size")
    return _Manifest(
        record=parse_record(words["take"]),
        sizes=sizes,
        hashes={name: str(file["sha256"]) for name, file in files.items()},
    )


def _check_room(folder: Path, n_bytes: int) -> None:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if n_bytes > free:
        raise OutputError("The disk is full; the take was not imported", hint="Free some space")


def _unpack_one(member: IO[bytes], target: Path, size: int, done: int, total: int, job: Job) -> str:
    """Unpack ``size`` bytes and no more; return their SHA-256."""
    digest, found = hashlib.sha256(), 0
    try:
        sink = target.open("wb")
    except OSError as error:
        raise cannot_write(target, error) from error
    with sink:
        while block := member.read(_BLOCK_BYTES):
            job.report((done + found) / max(1, total), "reading the take")
            found += len(block)
            if found > size:
                raise ValueError(f"{target.name} is larger than the manifest says")
            digest.update(block)
            try:
                sink.write(block)
            except OSError as error:
                raise cannot_write(target, error) from error
    if found != size:
        raise ValueError(f"{target.name} is shorter than the manifest says")
    return digest.hexdigest()


def _check_contents(path: Path, folder: Path, manifest: _Manifest) -> None:
    """Look at every content before it enters: sound, an assessment by its schema, curves."""
    from singcoach.audio.reading import open_audio

    recording = folder / manifest.record.recording
    if manifest.record.origin != "recorded":  # a recorded one is kept whatever it holds
        with open_audio(recording):
            pass
    damaged = InputError(f"{path.name} holds a damaged take", hint=_HINT)
    if ASSESSMENT in manifest.sizes:
        document = read_record(folder / ASSESSMENT)
        if document is None or not is_assessment(document):
            raise damaged
    if CURVES in manifest.sizes:
        load_curves(folder / CURVES)
    if VOCALS in manifest.sizes:
        with open_audio(folder / VOCALS):
            pass


def _keep(
    library: Library, folder: Path, manifest: _Manifest, singer_id: str | None, job: Job
) -> LibraryTake:
    record = manifest.record
    here = _same_take(library, manifest, job)
    if here is not None:
        library.add_missing_notes(here.id, record.notes)
        return library.take(here.id)
    singer = singer_id or _singer_for(library, record)
    song = _song_for(library, record)
    taken = library.has_take(record.id)
    notes = [{**note, "id": new_id()} for note in record.notes] if taken else list(record.notes)
    identity = new_id() if taken else record.id
    row = {
        "id": identity,
        "title": record.title,
        "singer_id": singer,
        "song_id": song,
        "made_s": record.made_s,
        "added_s": stamp(now()),
        "origin": record.origin,
        "duration_s": record.duration_s,
        "recording": record.recording,
        "deleted_s": None,
    }
    library.keep_whole(
        folder / record.recording,
        row,
        notes=notes,
        files={name: folder / name for name in manifest.sizes if name != record.recording},
        document=read_record(folder / ASSESSMENT),
        job=job,
    )
    return library.take(identity)


def _same_take(library: Library, manifest: _Manifest, job: Job) -> LibraryTake | None:
    """Return the take of the library that this one is; a deleted one comes back."""
    if not library.has_take(manifest.record.id):
        return None
    take = library.take(manifest.record.id)
    same = (
        take.recording.is_file()
        and sha256_file(take.recording, job) == manifest.hashes[manifest.record.recording]
    )
    if same and take.deleted_at is not None:
        library.undo(UndoToken(kind="take", id=take.id, name=take.title))
    return take if same else None


def _singer_for(library: Library, record: TakeRecord) -> str:
    singers = library.singers()
    for singer in singers:
        if singer.id == record.singer_id:
            return singer.id
    for singer in singers:
        if fold(singer.name) == fold(record.singer):
            return singer.id
    return library.add_singer(record.singer or "?").id


def _song_for(library: Library, record: TakeRecord) -> str | None:
    if record.song_id is None or not record.song:
        return None
    songs = library.songs()
    for song in songs:
        if song.id == record.song_id:
            return song.id
    for song in songs:
        if (fold(song.title), fold(song.artist)) == (fold(record.song), fold(record.artist)):
            return song.id
    return library.add_song(record.song, record.artist).id
