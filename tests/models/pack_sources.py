"""Whole files as they are published, made up and small: what `singcoach models add` takes."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from hostile_networks import gguf, gguf_text, onnx_network
from hostile_packs import roformer, safetensors, spec
from torch_bytes import checkpoint, named, plain, storage, table, tensor

from singcoach.models.whisper.config import WhisperConfig
from singcoach.models.whisper.names import Layout

WHISPER = WhisperConfig(n_mels=80, n_dims=64, n_hidden=128, n_blocks=4, n_heads=1, n_positions=64)


def whisper_weights(layout: Layout) -> dict[str, Any]:
    """Return made-up weights under the names of a layout (not CTranslate2's)."""
    rng = np.random.default_rng(5)
    return {
        layout.source(name): (0.1 * rng.standard_normal(WHISPER.shape(name))).astype(np.float32)
        for name in WHISPER.names(WHISPER.n_blocks)
    }


def torch_file(weights: dict[str, Any], *, half: bool = False, **beside: object) -> bytes:
    """Return the zip form of ``{"model_state_dict": weights, **beside}``."""
    dtype, kind = (np.float16, "HalfStorage") if half else (np.float32, "FloatStorage")
    items = {}
    data = {}
    for i, (name, values) in enumerate(weights.items()):
        stored = values.astype(dtype)
        strides = tuple(step // stored.itemsize for step in stored.strides)
        place = storage(str(i), stored.size, named("torch", kind))
        items[name] = tensor(stored.shape, strides, stored=place)
        data[str(i)] = stored.tobytes()
    inner = b"}(" + b"".join(plain(n) + v for n, v in items.items()) + b"u"
    content = table(**{key: plain(v) for key, v in beside.items()}, model_state_dict=inner)
    return checkpoint(content, data)


def safetensors_file(weights: dict[str, Any], *, bfloat16: bool = False) -> bytes:
    header: dict[str, Any] = {}
    data = b""
    for name, values in weights.items():
        raw = values.tobytes()
        if bfloat16:
            raw = (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        dtype = "BF16" if bfloat16 else "F32"
        header[name] = spec(list(values.shape), len(data), len(data) + len(raw), dtype)
        data += raw
    return safetensors(header, data)


def write_roformer(folder: Path, name: str = "vocals.ckpt") -> Path:
    path = folder / name
    path.write_bytes(roformer())
    return path


def write_openai(folder: Path) -> Path:
    path = folder / "base.pt"
    weights = whisper_weights(Layout(name="openai", prefix="encoder."))
    weights["decoder.token_embedding.weight"] = np.zeros((10, 64), np.float32)
    dims = {"n_mels": 80, "n_audio_ctx": 64, "n_audio_state": 64, "n_audio_head": 1}
    path.write_bytes(torch_file(weights, half=True, dims=dims))
    return path


def write_transformers(folder: Path) -> Path:
    hub = folder / "whisper-own"
    hub.mkdir()
    weights = whisper_weights(Layout(name="transformers", prefix="model.encoder."))
    (hub / "model.safetensors").write_bytes(safetensors_file(weights))
    config = {"model_type": "whisper", "encoder_attention_heads": 1}
    (hub / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (hub / "flax_model.msgpack").write_bytes(b"another form of the same")
    return hub


def write_qwen_audio(folder: Path) -> Path:
    """Write the folder without the pieces of the language model, which are not needed."""
    hub = folder / "Qwen2-Audio-Own"
    hub.mkdir()
    weights = whisper_weights(Layout(name="transformers", prefix="audio_tower."))
    names = sorted(weights)
    halves = {"1": names[:30], "2": names[30:]}
    places = {"language_model.lm_head.weight": "model-00003-of-00003.safetensors"}
    for number, part in halves.items():
        shard = f"model-0000{number}-of-00003.safetensors"
        content = safetensors_file({n: weights[n] for n in part}, bfloat16=True)
        (hub / shard).write_bytes(content)
        places |= dict.fromkeys(part, shard)
    index = {"metadata": {}, "weight_map": places}
    (hub / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    config = {"model_type": "qwen2_audio", "audio_config": {"encoder_attention_heads": 1}}
    (hub / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return hub


def write_ctranslate2(folder: Path) -> Path:
    made = folder / "whisper-ct2"
    made.mkdir()
    layout = Layout(name="ctranslate2", prefix="encoder/")
    rng = np.random.default_rng(5)
    variables = {}
    for name in WHISPER.names(WHISPER.n_blocks):
        shape = WHISPER.shape(name)
        owner = name.split(".")[-2] if "." in name else ""
        if owner in ("q", "k", "v"):
            shape = (3 * shape[0], *shape[1:])
        values = (0.1 * rng.standard_normal(shape)).astype(np.float16)
        variables[layout.source(name)] = values
    content = struct.pack("<I", 6) + _ct2_text("WhisperSpec")
    content += struct.pack("<II", 3, len(variables))
    for name, values in variables.items():
        content += _ct2_text(name) + struct.pack("<B", values.ndim)
        content += struct.pack(f"<{values.ndim}I", *values.shape)
        content += struct.pack("<BI", 4, values.nbytes) + values.tobytes()
    (made / "model.bin").write_bytes(content + struct.pack("<I", 0))
    (made / "config.json").write_text("{}", encoding="utf-8")
    (made / "tokenizer.json").write_text("{}", encoding="utf-8")
    return made


def _ct2_text(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def write_onnx(folder: Path) -> Path:
    path = folder / "quality.onnx"
    path.write_bytes(onnx_network().SerializeToString())
    return path


def write_gguf_pair(folder: Path) -> list[Path]:
    model, projector = folder / "tiny-Q8_0.gguf", folder / "mmproj-tiny.gguf"
    tokens = (9, struct.pack("<IQ", 8, 1) + gguf_text("a"))
    width = (4, struct.pack("<I", 64))
    model.write_bytes(
        gguf(pairs={"tokenizer.ggml.tokens": tokens, "llama.embedding_length": width})
    )
    projector.write_bytes(gguf(architecture="clip", pairs=hearing_pairs()))
    return [model, projector]


def hearing_pairs(
    *, kind: str = "ultravox", width: int = 64, stack: int = 10, hears: bool = True
) -> dict[str, tuple[int, bytes]]:
    """The settings of a projector."""
    return {
        "general.type": (8, gguf_text("mmproj")),
        "clip.has_audio_encoder": (7, struct.pack("<?", hears)),
        "clip.projector_type": (8, gguf_text(kind)),
        "clip.audio.projection_dim": (4, struct.pack("<I", width)),
        "clip.audio.projector.stack_factor": (4, struct.pack("<I", stack)),
    }
