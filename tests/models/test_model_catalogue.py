from __future__ import annotations

import hashlib

import pytest
from model_manifests import CONTENT, manifest, table

from singcoach import resources
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.catalogue import Catalogue, load, user_models_dir, verify


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


def test_verifying_can_be_cancelled(folder):
    job = Job()
    job.cancel()
    (entry,) = Catalogue([folder]).entries
    with pytest.raises(Cancelled):
        verify(entry, job)


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


def test_every_shipped_file_is_the_one_that_the_manifest_names():
    for entry in Catalogue.default().entries:
        verify(entry)
