"""Published forms become packs: roles, files, hashes, names; added again from a folder; removed."""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hostile_networks import gguf, gguf_text, onnx_network
from pack_sources import (
    safetensors_file,
    write_ctranslate2,
    write_gguf_pair,
    write_onnx,
    write_openai,
    write_qwen_audio,
    write_roformer,
    write_transformers,
)
from torch_bytes import checkpoint

from singcoach import resources
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.catalogue import Catalogue, verify
from singcoach.models.installed import packs_dir, read_packs
from singcoach.models.packs import publications
from singcoach.models.packs.adding import add
from singcoach.models.packs.publications import known_publications, parse_publications
from singcoach.models.packs.staging import remove
from singcoach.models.sessions import open_session


def roles_of(pack):
    return {(entry.role, entry.part) for entry in pack.entries}


def test_a_roformer_becomes_a_network_and_weights(tmp_path):
    pack = add([write_roformer(tmp_path)], trust=True)
    assert pack.id == "vocals"
    assert roles_of(pack) == {("separation", "network"), ("separation", "weights")}
    assert pack.entries[0].id == "vocals"
    assert '"family": "mel-band-roformer"' in pack.entries[0].config
    for entry in pack.entries:
        verify(entry)
    session = open_session(Catalogue.default().require("separation", "network", pack="vocals"))
    (masks,) = session.run({"spectrum": np.zeros((1, 130, 5, 2), np.float32)})
    assert masks.shape == (1, 1, 130, 5, 2)


@pytest.mark.parametrize(
    ("name", "role", "expected"),
    [
        ("vocals.ckpt", None, "separation"),
        ("vocals.ckpt", "dereverb", "dereverb"),
        ("my_DeReverb_v2.ckpt", None, "dereverb"),
        ("de-reverb.ckpt", None, "dereverb"),
        ("de-reverb.ckpt", "separation", "separation"),
    ],
)
def test_the_role_of_a_roformer_comes_from_its_name_or_the_user(tmp_path, name, role, expected):
    pack = add([write_roformer(tmp_path, name)], trust=True, role=role)
    assert {entry.role for entry in pack.entries} == {expected}


@pytest.mark.parametrize("write", [write_openai, write_transformers, write_ctranslate2])
def test_every_form_of_whisper_becomes_both_encoders(tmp_path, write):
    pack = add([write(tmp_path)], trust=True)
    assert roles_of(pack) == {("encoder_general", ""), ("encoder_singing", "")}
    catalogue = Catalogue.default()
    for role in ("encoder_general", "encoder_singing"):
        session = open_session(catalogue.require(role, pack=pack.id))
        outputs = session.run({"mel": np.zeros((1, 80, 100), np.float32)})
        assert outputs[0].shape == (1, 50, 64)


def test_one_role_of_whisper_can_be_asked_for(tmp_path):
    pack = add([write_openai(tmp_path)], trust=True, role="encoder_singing")
    assert roles_of(pack) == {("encoder_singing", "")}


def test_of_qwen_audio_only_the_pieces_with_the_tower_are_needed(tmp_path):
    pack = add([write_qwen_audio(tmp_path)], trust=True)
    assert pack.id == "qwen2-audio-own"
    assert roles_of(pack) == {("encoder_general", "")}
    assert pack.provenance is not None
    assert [source.file for source in pack.provenance.sources] == [
        "model-00001-of-00003.safetensors",
        "model-00002-of-00003.safetensors",
    ]


def test_an_onnx_network_and_a_language_model_are_taken_over_as_they_are(tmp_path):
    onnx = write_onnx(tmp_path)
    pack = add([onnx], trust=True)
    assert roles_of(pack) == {("recording_quality", "")}
    assert pack.entries[0].sample_rate == 16_000
    assert pack.entries[0].path.read_bytes() == onnx.read_bytes()
    pair = write_gguf_pair(tmp_path)
    pack = add(pair, trust=True, name="tiny-llm")
    assert roles_of(pack) == {("language_model", "model"), ("language_model", "projector")}
    for entry, source in zip(pack.entries, pair, strict=True):
        assert entry.path.read_bytes() == source.read_bytes()
    only = add([pair[0]], trust=True)
    assert roles_of(only) == {("language_model", "model")}


def test_a_language_model_says_how_it_wants_to_be_asked(tmp_path):
    path = tmp_path / "taught.gguf"
    path.write_bytes(gguf(pairs={"singcoach.prompt": (8, gguf_text("facts"))}))
    (entry,) = add([path], trust=True).entries
    assert entry.prompt == "facts"
    (again,) = add([entry.folder], trust=True, name="again").entries
    assert again.prompt == "facts"
    path.write_bytes(gguf(pairs={"singcoach.prompt": (8, gguf_text("loudly"))}))
    with pytest.raises(ModelError, match="asked"):
        add([path], trust=True, name="other")


def test_the_same_file_gives_the_same_bytes_and_no_date_in_them(tmp_path):
    source = write_roformer(tmp_path)
    first = add([source], trust=True, name="first")
    again = add([source], trust=True, name="second")
    assert [e.sha256 for e in first.entries] == [e.sha256 for e in again.entries]
    made = [
        (pack.folder / name).read_text(encoding="utf-8").replace(pack.id, "ID")
        for pack in (first, again)
        for name in ("manifest.toml", f"{pack.id}.md")
    ]
    assert made[:2] == made[2:]
    assert not re.search(r"20\d\d-\d\d-\d\d", "".join(made))


def test_a_pack_says_where_it_came_from_and_may_not_be_written(tmp_path):
    source = write_roformer(tmp_path)
    pack = add([source], trust=True)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    provenance = tomllib.loads((pack.folder / "provenance.toml").read_text(encoding="utf-8"))
    assert provenance["source"] == [
        {"file": "vocals.ckpt", "sha256": digest, "size": source.stat().st_size}
    ]
    assert digest in pack.card.read_text(encoding="utf-8")
    assert all(path.stat().st_mode & 0o222 == 0 for path in pack.folder.iterdir())


def test_a_file_that_is_not_known_needs_trust_and_is_not_parsed(tmp_path, monkeypatch):
    path = tmp_path / "evil.ckpt"
    path.write_bytes(b"anything")
    with pytest.raises(ModelError, match="not known") as caught:
        add([path])
    assert hashlib.sha256(b"anything").hexdigest() in caught.value.message
    assert "--trust" in caught.value.hint
    assert not packs_dir().exists()


def known(monkeypatch, path: Path, **changes: object) -> None:
    """Let ``path`` be a publication."""
    keys = {
        "id": "somebodys-net", "title": "Net by Somebody", "roles": ["dereverb"], "licence": "MIT",
        "published": "https://example.org/net", "stated": "in this test",
        "files": [
            {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        ],
        **changes,
    }  # fmt: skip
    monkeypatch.setattr(
        publications, "known_publications", lambda: (publications._publication(keys),)
    )


def test_a_known_file_needs_no_trust_and_brings_its_name_role_and_licence(tmp_path, monkeypatch):
    path = write_roformer(tmp_path)
    known(monkeypatch, path)
    pack = add([path])
    assert pack.id == "somebodys-net"
    assert {entry.role for entry in pack.entries} == {"dereverb"}
    assert {entry.licence for entry in pack.entries} == {"MIT"}
    assert pack.entries[0].published == "https://example.org/net"
    assert pack.provenance is not None
    assert pack.provenance.publication == "somebodys-net"


def test_a_file_that_only_looks_known_is_named(tmp_path, monkeypatch):
    path = write_roformer(tmp_path)
    known(monkeypatch, path)
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ModelError, match="looks like Net by Somebody but is another file"):
        add([path])


def test_a_name_is_given_once_unless_replaced(tmp_path):
    source = write_roformer(tmp_path)
    first = add([source], trust=True, name="net")
    with pytest.raises(ModelError, match="already") as caught:
        add([source], trust=True, name="net", role="dereverb")
    assert "--replace" in caught.value.hint
    second = add([source], trust=True, name="net", role="dereverb", replace=True)
    assert {entry.role for entry in first.entries} == {"separation"}
    assert {entry.role for entry in second.entries} == {"dereverb"}
    assert [pack.id for pack in read_packs()] == ["net"]
    assert sorted(p.name for p in packs_dir().iterdir()) == [".changes.lock", "net"]


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "Upper", "con", "", "x" * 60, "a\n"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match="cannot be the name"):
        add([write_roformer(tmp_path)], trust=True, name=name)


@pytest.mark.parametrize(
    ("write", "role"),
    [(write_roformer, "pitch"), (write_openai, "separation"), (write_onnx, "dereverb")],
)
def test_a_role_that_does_not_fit_is_refused(tmp_path, write, role):
    with pytest.raises(ModelError, match=role):
        add([write(tmp_path)], trust=True, role=role)
    assert read_packs() == ()


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    with pytest.raises(ModelError, match="belong together"):
        add([write_roformer(tmp_path), write_onnx(tmp_path)], trust=True)
    model, _ = write_gguf_pair(tmp_path)
    with pytest.raises(ModelError, match="both a model"):
        add([model, model], trust=True)


@pytest.mark.parametrize("write", [write_roformer, write_openai, write_onnx])
def test_a_copied_pack_can_be_added_elsewhere(tmp_path, monkeypatch, write):
    pack = add([write(tmp_path)], trust=True)
    stick = tmp_path / "stick" / "renamed"
    shutil.copytree(pack.folder, stick)
    monkeypatch.setenv("SINGCOACH_HOME", str(tmp_path / "other machine"))
    assert read_packs() == ()
    with pytest.raises(ModelError, match="not known"):
        add([stick])
    again = add([stick], trust=True)
    assert again.id == pack.id
    assert roles_of(again) == roles_of(pack)
    for old, new in zip(pack.entries, again.entries, strict=True):
        assert (old.sha256, old.config, old.source) == (new.sha256, new.config, new.source)
        verify(new)
    assert again.provenance is not None
    assert pack.provenance is not None
    assert again.provenance.sources == pack.provenance.sources


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_of_a_hubs_cache_are_followed(tmp_path):
    """Hubs keep the files elsewhere, under their hash; the user names the links."""
    hub = write_transformers(tmp_path)
    (tmp_path / "blobs").mkdir()
    for path in list(hub.iterdir()):
        path.rename(tmp_path / "blobs" / path.name)
        path.symlink_to(tmp_path / "blobs" / path.name)
    assert len(add([hub], trust=True).entries) == 2
    file = write_roformer(tmp_path / "blobs")
    (tmp_path / "vocals.ckpt").symlink_to(file)
    assert len(add([tmp_path / "vocals.ckpt"], trust=True).entries) == 2


def test_removing_takes_the_pack_and_leaves_the_others(tmp_path):
    source = write_roformer(tmp_path)
    for name in ("one", "two"):
        add([source], trust=True, name=name)
    remove("one")
    assert [pack.id for pack in read_packs()] == ["two"]
    assert sorted(p.name for p in packs_dir().iterdir()) == [".changes.lock", "two"]
    with pytest.raises(ModelError, match="no pack 'one'") as caught:
        remove("one")
    assert "two" in caught.value.hint


@pytest.mark.parametrize("name", ["..", ".changes.lock", "../data", "", "/"])
def test_removing_never_leaves_the_folder_of_packs(tmp_path, name):
    add([write_roformer(tmp_path)], trust=True)
    with pytest.raises(ModelError):
        remove(name)
    assert len(read_packs()) == 1


def test_the_newest_usable_pack_of_a_role_counts(tmp_path):
    source = write_roformer(tmp_path)
    for name in ("b-first", "a-second"):
        add([source], trust=True, name=name)
    catalogue = Catalogue.default()
    newest = catalogue.newest_pack("separation")
    assert newest is not None
    assert newest.id == "a-second"
    (newest.folder / "manifest.toml").chmod(0o644)
    (newest.folder / "manifest.toml").write_text("nonsense", encoding="utf-8")
    newest = Catalogue.default().newest_pack("separation")
    assert newest is not None
    assert newest.id == "b-first"
    assert Catalogue.default().newest_pack("pitch") is None


def test_a_damaged_pack_stops_nothing_else(tmp_path):
    pack = add([write_roformer(tmp_path)], trust=True)
    (pack.folder / "provenance.toml").unlink()
    catalogue = Catalogue.default()
    assert catalogue.require("pitch").entry.id == "swift-f0"
    (damaged,) = catalogue.packs
    assert damaged.fault is not None
    assert damaged.entries == ()
    with pytest.raises(ModelError, match="damaged"):
        catalogue.require("separation", "network", pack=pack.id)
    remove(pack.id)
    assert read_packs() == ()


def test_every_step_can_be_cancelled(tmp_path):
    source = write_roformer(tmp_path)
    stages: list[str] = []
    add([source], trust=True, name="whole", job=Job(lambda _f, stage: stages.append(stage)))
    assert len(set(stages)) >= 4

    for n in range(0, len(stages), max(1, len(stages) // 12)):
        job = Job()
        calls = iter(range(10_000))
        job._on_progress = lambda _f, _s, n=n, job=job, calls=calls: (
            job.cancel() if next(calls) == n else None
        )
        with pytest.raises(Cancelled):
            add([source], trust=True, name="stopped", job=job)
    assert sorted(p.name for p in packs_dir().iterdir()) == [".changes.lock", "whole"]


def _many_texts() -> bytes:
    return gguf(pairs={"t": (9, struct.pack("<IQ", 8, 30_000) + bytes(8 * 30_000))})


def _many_parts() -> bytes:
    return onnx_network().SerializeToString() + b"\x10\x01" * 30_000


def _many_tensors() -> bytes:
    return safetensors_file({f"conv{i}": np.zeros(1, np.float32) for i in range(30_000)})


def _many_instructions() -> bytes:
    return checkpoint(b"\x80\x02}" + b"X\x01\x00\x00\x00xNs" * 30_000 + b".")


@pytest.mark.parametrize("make", [_many_texts, _many_parts, _many_tensors, _many_instructions])
def test_looking_into_a_large_file_can_be_watched_and_cancelled(tmp_path, make):
    path = tmp_path / "large"
    path.write_bytes(make())
    stages = []

    def cancel(_fraction: float, stage: str) -> None:
        stages.append(stage)
        if stage == "looking into large":
            job.cancel()

    job = Job(cancel)
    with pytest.raises(Cancelled):
        add([path], trust=True, job=job)
    assert stages[-1] == "looking into large"
    assert not packs_dir().exists()


def test_a_finished_pack_with_parts_of_two_networks_is_refused(tmp_path):
    pack = add([write_roformer(tmp_path)], trust=True)
    stick = tmp_path / "stick"
    for old, new, most in (
        ('\\"chunk_size\\": 352800', '\\"chunk_size\\": 176400', 1),
        ('\\"stft_n_fft\\": 128', '\\"stft_n_fft\\": 256', -1),
        ('part = "network"', 'part = "weights"', 1),
    ):
        shutil.copytree(pack.folder, stick)
        (stick / "manifest.toml").chmod(0o644)
        text = (stick / "manifest.toml").read_text(encoding="utf-8")
        assert old in text
        (stick / "manifest.toml").write_text(text.replace(old, new, most), encoding="utf-8")
        with pytest.raises(ModelError):
            add([stick], trust=True, name="other")
        shutil.rmtree(stick)
    assert [one.id for one in read_packs()] == [pack.id]


def test_the_known_publications_are_well_formed_and_name_no_other_place_than_their_own():
    found = {publication.id: publication for publication in known_publications()}
    assert found["kim-mel-band-roformer"].files[0].size == 913_106_900
    assert {p.roles for p in found.values() if p.id.startswith("whisper-")} == {
        ("encoder_general", "encoder_singing")
    }
    for publication in found.values():
        if publication.id.startswith("whisper-"):
            assert publication.files[0].sha256 in publication.published
    text = (resources.models_dir() / "publications.toml").read_text(encoding="utf-8")
    for broken in (
        text.replace("sha256", "sha1"),
        text.replace('roles = ["separation"]', 'roles = ["cooking"]'),
        text.replace("https://", "ftp://"),
        text + text.split("\n\n", 2)[2],
        text.replace("publications/1", "publications/9"),
    ):
        with pytest.raises((ValueError, KeyError)):
            parse_publications(broken)
