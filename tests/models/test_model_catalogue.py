from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from model_manifests import CONTENT, manifest, table

import singcoach.models.catalogue as catalogue_module
from singcoach import resources
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.catalogue import Catalogue, load, user_models_dir, verify
from singcoach.models.installed import packs_dir


def test_a_whole_file_is_returned_with_its_entry(folder):
    model = Catalogue([folder]).require("pitch")
    assert model.content == CONTENT
    assert model.entry.id == "toy"
    assert model.path == folder / "toy.onnx"
    verify(model.entry)


def test_a_role_without_a_model_is_a_model_error(folder):
    catalogue = Catalogue([folder])
    assert catalogue.find("separation", "vocals") is None
    assert catalogue.find("pitch", "vocals") is None
    with pytest.raises(ModelError, match="separation \\(vocals\\)") as caught:
        catalogue.require("separation", "vocals")
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("check", [load, verify])
def test_a_damaged_byte_a_cut_file_and_a_longer_file_are_refused(folder, check):
    (entry,) = Catalogue([folder]).entries
    for content in (b"X" + CONTENT[1:], CONTENT[:-1], CONTENT + b"X", b""):
        entry.path.write_bytes(content)
        with pytest.raises(ModelError, match="damaged") as caught:
            check(entry)
        assert caught.value.hint


@pytest.mark.parametrize("check", [load, verify])
def test_a_missing_file_and_a_folder_in_its_place_are_refused(folder, check):
    (entry,) = Catalogue([folder]).entries
    entry.path.unlink()
    with pytest.raises(ModelError, match="missing"):
        check(entry)
    entry.path.mkdir()
    with pytest.raises(ModelError):
        check(entry)


def test_nothing_parses_a_file_with_the_wrong_hash(folder, monkeypatch):
    import onnxruntime

    def never(*_args, **_kwargs):
        pytest.fail("a parser saw unverified bytes")

    monkeypatch.setattr(onnxruntime, "InferenceSession", never)
    (folder / "toy.onnx").write_bytes(b"X" + CONTENT[1:])
    with pytest.raises(ModelError):
        Catalogue([folder]).require("pitch")


@pytest.mark.parametrize("check", [load, verify])
def test_checking_can_be_watched_and_cancelled(folder, check):
    stages = []
    (entry,) = Catalogue([folder]).entries
    check(entry, Job(lambda _fraction, stage: stages.append(stage)))
    assert set(stages) == {"checking toy"}
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        check(entry, job)


def test_a_large_file_is_checked_in_blocks(folder, monkeypatch):
    monkeypatch.setattr(catalogue_module, "_BLOCK_BYTES", 3)
    monkeypatch.setattr(catalogue_module, "_MAPPED_FROM_BYTES", 1)
    fractions = []
    (entry,) = Catalogue([folder]).entries
    model = load(entry, Job(lambda fraction, _stage: fractions.append(fraction)))
    assert model.is_mapped
    assert model.content == CONTENT
    assert len(fractions) == -(-len(CONTENT) // 3)
    assert fractions == sorted(fractions)


def test_the_users_manifest_replaces_a_role_whole(folder):
    own = user_models_dir()
    own.mkdir(parents=True)
    (own / "own.onnx").write_bytes(b"own")
    text = manifest(
        table(
            id="own", role="separation", part="vocals", file="own.onnx", size=3,
            sha256=hashlib.sha256(b"own").hexdigest(),
        )
    )  # fmt: skip
    (own / "manifest.toml").write_text(text, encoding="utf-8")
    catalogue = Catalogue.default()
    assert catalogue.require("separation", "vocals").content == b"own"
    assert catalogue.find("separation", "accompaniment") is None
    pitch = catalogue.find("pitch")
    assert pitch is not None
    assert pitch.folder == resources.models_dir()


def test_a_damaged_manifest_of_the_user_is_told_and_not_passed_over():
    user_models_dir().mkdir(parents=True)
    (user_models_dir() / "manifest.toml").write_text("nonsense [", encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        Catalogue.default()


def test_a_large_file_is_mapped_and_checked_like_a_small_one(folder, monkeypatch):
    (entry,) = Catalogue([folder]).entries
    small = load(entry)
    assert not small.is_mapped
    monkeypatch.setattr(catalogue_module, "_MAPPED_FROM_BYTES", 100)
    large = load(entry)
    assert large.is_mapped
    assert large.content == small.content == CONTENT
    assert bytes(large.view) == CONTENT
    assert large.view.readonly
    entry.path.unlink()
    assert bytes(large.view) == CONTENT, "a pack that is removed can still be used"
    entry.path.write_bytes(b"X" + CONTENT[1:])
    with pytest.raises(ModelError, match="damaged"):
        load(entry)


def pack(folder: Path, pack_id: str, added: str, *, role: str = "separation") -> Path:
    """Write a pack with a single small file."""
    made = folder / pack_id
    made.mkdir(parents=True)
    (made / "toy.onnx").write_bytes(CONTENT)
    text = manifest(table(id=pack_id, role=role, part="network", config='{"a": 1}'))
    (made / "manifest.toml").write_text(text, encoding="utf-8")
    (made / "provenance.toml").write_text(
        f'schema = "singcoach.pack/1"\nadded = "{added}"\npublication = ""\nmade_by = "x"\n'
        "source = []\n",
        encoding="utf-8",
    )
    return made


def test_packs_stand_beside_the_embedded_models(folder):
    pack(packs_dir(), "older", "2026-01-01")
    pack(packs_dir(), "newer", "2026-02-01")
    pack(packs_dir(), "other", "2026-03-01", role="dereverb")
    catalogue = Catalogue.default()
    assert [one.id for one in catalogue.packs] == ["other", "newer", "older"]
    assert catalogue.find("separation", "network") is None
    assert catalogue.find("separation", "vocals") is not None
    assert catalogue.find("separation", "vocals", pack="newer") is None
    entry = catalogue.find("separation", "network", pack="older")
    assert entry is not None
    assert (entry.id, entry.config) == ("older", '{"a": 1}')
    assert catalogue.require("separation", "network", pack="older").content == CONTENT
    newest = catalogue.newest_pack("separation")
    assert newest is not None
    assert newest.id == "newer"
    assert catalogue.newest_pack("pitch") is None
    with pytest.raises(ModelError, match="separation"):
        catalogue.require("separation", "network", pack="unknown")


@pytest.mark.parametrize(
    "damage",
    [
        lambda made: (made / "manifest.toml").unlink(),
        lambda made: (made / "manifest.toml").write_text("[", encoding="utf-8"),
        lambda made: (made / "manifest.toml").write_text(manifest("model = []"), encoding="utf-8"),
        lambda made: (made / "provenance.toml").unlink(),
        lambda made: (made / "provenance.toml").write_text("a = 1", encoding="utf-8"),
        lambda made: (made / "provenance.toml").write_bytes(b"\xff"),
        lambda made: made.rename(made.with_name("Not A Name")),
    ],
)
def test_a_damaged_pack_is_told_and_passed_by(damage):
    pack(packs_dir(), "good", "2026-01-01")
    damage(pack(packs_dir(), "bad", "2026-02-01"))
    packs = Catalogue.default().packs
    assert {one.id: one.fault is None for one in packs if one.id == "good"} == {"good": True}
    (bad,) = (one for one in packs if one.id != "good")
    assert bad.fault is not None
    assert bad.entries == ()
    newest = Catalogue.default().newest_pack("separation")
    assert newest is not None
    assert newest.id == "good"


def test_a_pack_whose_file_is_damaged_says_how_to_repair_it():
    made = pack(packs_dir(), "mine", "2026-01-01")
    (made / "toy.onnx").write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError, match="damaged") as caught:
        Catalogue.default().require("separation", "network", pack="mine")
    assert "singcoach models remove mine" in caught.value.hint


def test_every_shipped_file_is_the_one_that_the_manifest_names():
    for entry in Catalogue.default().entries:
        verify(entry)


def test_a_model_that_does_not_ship_counts_once_it_is_built(tmp_path, folder):
    text = manifest(
        table(), table(id="words", role="language_model", file="words.gguf", package="a==1")
    )
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    built = tmp_path / "built"
    catalogue = Catalogue([folder], built=built)
    assert [entry.id for entry in catalogue.entries] == ["toy"]
    assert [entry.id for entry in catalogue.unbuilt] == ["words"]
    assert catalogue.find("language_model") is None
    built.mkdir()
    (built / "words.gguf").write_bytes(CONTENT)
    catalogue = Catalogue([folder], built=built)
    assert catalogue.unbuilt == ()
    assert catalogue.require("language_model").content == CONTENT
    (built / "words.gguf").write_bytes(b"X" + CONTENT[1:])
    with pytest.raises(ModelError, match="damaged") as caught:
        Catalogue([folder], built=built).require("language_model")
    assert "models build words" in caught.value.hint
    (folder / "words.gguf").write_bytes(CONTENT)  # what ships comes first
    assert Catalogue([folder], built=built).require("language_model").path.parent == folder


def test_a_missing_file_of_another_role_is_no_model_to_be_built(folder):
    (folder / "toy.onnx").unlink()
    assert [entry.id for entry in Catalogue([folder]).entries] == ["toy"]
