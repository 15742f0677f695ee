"""Damaged and malicious networks and pack folders for `singcoach models add`."""

from __future__ import annotations

import functools
import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hostile_packs import CANARY, CASES, Runs, file_case, pickled
from model_manifests import manifest
from model_manifests import table as entry

from singcoach.models.roformer.config import RoformerConfig, config_to_json
from singcoach.models.whisper.config import GENERAL

# ONNX ----------------------------------------------------------------------------------------


def onnx_network(**changes: Any) -> Any:
    """Return a model with the inputs and outputs of the recording-quality network."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("ReduceMean", ["input_1"], ["mean"], axes=[1], keepdims=1),
        helper.make_node(
            changes.get("op", "MatMul"), ["mean", "w"], ["Identity:0"],
            domain=changes.get("domain", ""),
        ),
    ]  # fmt: skip
    weight = helper.make_tensor(
        "w", TensorProto.FLOAT, [1, 3], np.ones(3, np.float32).tobytes(), raw=True
    )
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("input_1", TensorProto.FLOAT, ["N", 144160])],
        [helper.make_tensor_value_info("Identity:0", TensorProto.FLOAT, ["N", 3])],
        [weight],
    )
    domains = {"", changes.get("domain", "")}
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid(d, 13 if not d else 1) for d in sorted(domains)],
        ir_version=8,
    )  # fmt: skip


def onnx_case(what: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    def register(change: Callable[[Any], None]) -> Callable[[Any], None]:
        def make() -> bytes:
            model = onnx_network()
            change(model)
            return bytes(model.SerializeToString())

        file_case(f"ONNX: {what}", "network.onnx")(make)
        return change

    return register


def _external(model: Any, place: str) -> None:
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = 1
    weight.external_data.add(key="location", value=place)


@onnx_case("weights in ../../etc/passwd")
def _outside(model: Any) -> None:
    _external(model, "../../etc/passwd")


@onnx_case("weights in /etc/passwd")
def _outside_absolute(model: Any) -> None:
    _external(model, "/etc/passwd")


@onnx_case("weights in a file beside it")
def _beside(model: Any) -> None:
    _external(model, "weights.bin")


@onnx_case("outside weights hidden in an operator's constant")
def _outside_constant(model: Any) -> None:
    from onnx import helper

    hidden = helper.make_tensor("h", 1, [1], b"\0\0\0\0", raw=True)
    hidden.ClearField("raw_data")
    hidden.external_data.add(key="location", value="../x")
    model.graph.node.append(helper.make_node("Constant", [], ["h"], value=hidden))


@onnx_case("outside weights hidden in a branch")
def _outside_branch(model: Any) -> None:
    from onnx import helper

    inner = helper.make_graph([], "inner", [], [])
    inner.initializer.append(helper.make_tensor("h", 1, [1], b"\0\0\0\0", raw=True))
    inner.initializer[0].ClearField("raw_data")
    inner.initializer[0].data_location = 1
    model.graph.node.append(helper.make_node("If", ["w"], [], then_branch=inner, else_branch=inner))


@onnx_case("operator of an unknown origin")
def _custom(model: Any) -> None:
    model.graph.node[1].domain = "evil.ops"


@onnx_case("operator that runs Python")
def _script(model: Any) -> None:
    model.graph.node[1].domain = "com.microsoft"
    model.graph.node[1].op_type = "PythonOp"


@onnx_case("operator that loads a compiled file")
def _context(model: Any) -> None:
    model.graph.node[1].domain = "com.microsoft"
    model.graph.node[1].op_type = "EPContext"


@onnx_case("a tensor of 2^60 elements")
def _huge(model: Any) -> None:
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([1 << 30, 1 << 30])


@onnx_case("a tensor of negative size")
def _negative(model: Any) -> None:
    model.graph.initializer[0].dims[0] = -1


@onnx_case("functions of its own")
def _function(model: Any) -> None:
    model.functions.add(name="f", domain="evil")


@onnx_case("no role here")
def _no_role(model: Any) -> None:
    model.graph.input[0].name = "pixels"


@onnx_case("an input that nothing gives")
def _dangling(model: Any) -> None:
    model.graph.node[1].input[1] = "nowhere"


@onnx_case("graphs 12 deep")
def _deep(model: Any) -> None:
    from onnx import helper

    inner = helper.make_graph([], "inner", [], [])
    for _ in range(12):
        outer = helper.make_graph([], "outer", [], [])
        outer.node.append(helper.make_node("If", ["w"], [], then_branch=inner))
        inner = outer
    model.graph.node.append(helper.make_node("Loop", [], [], body=inner))


@file_case("ONNX: a million parts", "network.onnx")
def _onnx_parts() -> bytes:
    return bytes(onnx_network().SerializeToString()) + b"\x10\x01" * 1_000_000


def _onnx_with(op: str = "MatMul", **texts: str) -> bytes:
    model = onnx_network(op=op)
    for key, value in texts.items():
        model.metadata_props.add(key=f"singcoach.{key}", value=value)
    return bytes(model.SerializeToString())


for _role in ("heads", "notes", "singing_detector", "language_model"):
    file_case(f"ONNX: says that it is {_role}", "network.onnx")(
        functools.partial(_onnx_with, role=_role, config="{}")
    )
file_case("ONNX: says that it is separation, without settings", "network.onnx")(
    functools.partial(_onnx_with, role="separation", part="network", config="{}")
)
file_case("ONNX: says that it is separation, with settings of another network", "network.onnx")(
    functools.partial(
        _onnx_with, role="separation", config=config_to_json(RoformerConfig(dim=16, depth=1))
    )
)
file_case("ONNX: says that it is an encoder, with settings of another network", "network.onnx")(
    functools.partial(_onnx_with, role="encoder_general", config=GENERAL.to_json())
)


@file_case("ONNX: cut", "network.onnx")
def _onnx_cut() -> bytes:
    return bytes(onnx_network().SerializeToString())[:-40]


# GGUF ----------------------------------------------------------------------------------------


def gguf_text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def gguf(
    *,
    version: int = 3,
    pairs: dict[str, tuple[int, bytes]] | None = None,
    n_pairs: int | None = None,
    tensors: tuple[tuple[str, tuple[int, ...], int, int], ...] = (("w", (32,), 0, 0),),
    n_tensors: int | None = None,
    data: bytes = bytes(128),
    architecture: str = "llama",
) -> bytes:
    """Return a GGUF file; a tensor is its name, shape, type and offset."""
    settings = {"general.architecture": (8, gguf_text(architecture)), **(pairs or {})}
    head = b"GGUF" + struct.pack(
        "<IQQ",
        version,
        len(tensors) if n_tensors is None else n_tensors,
        len(settings) if n_pairs is None else n_pairs,
    )
    for key, (kind, value) in settings.items():
        head += gguf_text(key) + struct.pack("<I", kind) + value
    for name, shape, kind, offset in tensors:
        head += gguf_text(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset)
    return head + bytes(-len(head) % 32) + data


for _what, _content in {
    "2^60 tensors": gguf(n_tensors=1 << 60),
    "2^60 settings": gguf(n_pairs=1 << 60),
    "text of 2^62 bytes": gguf(pairs={"x": (8, struct.pack("<Q", 1 << 62))}),
    "list of 2^61 items": gguf(pairs={"x": (9, struct.pack("<IQ", 4, 1 << 61))}),
    "list of 10^7 texts that are not there": gguf(
        pairs={"x": (9, struct.pack("<IQ", 8, 10_000_000))}
    ),
    "list of 10^9 numbers": gguf(pairs={"x": (9, struct.pack("<IQ", 0, 1_000_000_000))}),
    "list of lists": gguf(pairs={"x": (9, struct.pack("<IQ", 9, 1))}),
    "setting of an unknown type": gguf(pairs={"x": (99, b"")}),
    "version 9": gguf(version=9),
    "tensor outside the file": gguf(tensors=(("w", (32,), 0, 1 << 40),)),
    "tensor larger than the file": gguf(tensors=(("w", (1 << 39,), 0, 0),)),
    "sizes that overflow": gguf(tensors=(("w", (1 << 40, 1 << 40, 1 << 40), 0, 0),)),
    "tensors that overlap": gguf(tensors=(("v", (32,), 0, 0), ("w", (8,), 0, 32))),
    "9 dimensions": gguf(tensors=(("w", (1,) * 9, 0, 0),)),
    "tensor off its step": gguf(tensors=(("w", (8,), 0, 7),)),
    "step of 3 bytes": gguf(pairs={"general.alignment": (4, struct.pack("<I", 3))}),
    "unknown element type": gguf(tensors=(("w", (32,), 77, 0),)),
    "cut": gguf()[:40],
    "only an adapter": gguf(pairs={"general.type": (8, gguf_text("adapter"))}),
    "only a projector": gguf(architecture="clip"),
}.items():
    file_case(f"GGUF: {_what}", "model.gguf")(functools.partial(bytes, _content))


# Pack folders --------------------------------------------------------------------------------

_PROVENANCE = """schema = "singcoach.pack/1"
added = "2026-01-01"
publication = ""
made_by = "x"
source = []
"""


def _pack(folder: Path, content: bytes | None = None, **changes: Any) -> Path:
    made = folder / "usb"
    made.mkdir()
    content = bytes(onnx_network().SerializeToString()) if content is None else content
    keys: dict[str, Any] = {
        "id": "mine",
        "role": "recording_quality",
        "file": "network.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "inputs": [{"name": "input_1", "dtype": "float32", "shape": ["N", 144160]}],
        **changes,
    }
    (made / "manifest.toml").write_text(manifest(entry(**keys)), encoding="utf-8")
    (made / "provenance.toml").write_text(_PROVENANCE, encoding="utf-8")
    (made / "network.onnx").write_bytes(content)
    return made


def pack_case(what: str) -> Callable[[Callable[[Path], Path]], Callable[[Path], Path]]:
    def register(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        CASES[f"pack: {what}"] = lambda folder: [make(folder)]
        return make

    return register


def good_pack(folder: Path) -> Path:
    """Return a pack folder with nothing wrong."""
    return _pack(folder)


for _what, _changes in {
    "manifest with ../network.onnx": {"file": "../network.onnx"},
    "manifest with /etc/passwd": {"file": "/etc/passwd"},
    "wrong hash": {"sha256": "0" * 64},
    "wrong size": {"size": 7},
    "unknown key": {"run": "os.system"},
    "role that is none": {"role": "shell"},
    "settings that are no JSON": {"config": "{oops"},
    "role that no pack fills": {"role": "notes"},
    "part that nobody uses": {"part": "vocals"},
    "separation without settings": {"role": "separation", "part": "network", "config": "{}"},
    "an encoder with settings of another network": {
        "role": "encoder_general",
        "config": GENERAL.to_json(),
    },
    "a language model that is none": {"role": "language_model", "part": "model"},
    "other inputs than the file's": {"inputs": []},
}.items():
    CASES[f"pack: {_what}"] = functools.partial(
        lambda changes, folder: [_pack(folder, **changes)], _changes
    )


@pack_case("network is a link out of it")
def _pack_link(folder: Path) -> Path:
    made = _pack(folder)
    (folder / "secret").write_bytes((made / "network.onnx").read_bytes())
    (made / "network.onnx").unlink()
    (made / "network.onnx").symlink_to("../secret")
    return made


@pack_case("network is a link to a device")
def _pack_device(folder: Path) -> Path:
    made = _pack(folder)
    (made / "network.onnx").unlink()
    (made / "network.onnx").symlink_to("/dev/zero")
    return made


@pack_case("network is a pipe")
def _pack_pipe(folder: Path) -> Path:
    made = _pack(folder)
    (made / "network.onnx").unlink()
    os.mkfifo(made / "network.onnx")
    return made


@pack_case("network is a folder")
def _pack_folder(folder: Path) -> Path:
    made = _pack(folder)
    (made / "network.onnx").unlink()
    (made / "network.onnx").mkdir()
    return made


@pack_case("network is missing")
def _pack_missing(folder: Path) -> Path:
    made = _pack(folder)
    (made / "network.onnx").unlink()
    return made


@pack_case("manifest is a link")
def _pack_manifest_link(folder: Path) -> Path:
    made = _pack(folder)
    (made / "manifest.toml").rename(folder / "other.toml")
    (made / "manifest.toml").symlink_to("../other.toml")
    return made


@pack_case("no word on where it came from")
def _pack_no_provenance(folder: Path) -> Path:
    made = _pack(folder)
    (made / "provenance.toml").unlink()
    return made


@pack_case("a pickle named network.onnx")
def _pack_pickle(folder: Path) -> Path:
    return _pack(folder, content=pickled(Runs(os.system, f"touch {CANARY}")))


@pack_case("a script")
def _pack_script(folder: Path) -> Path:
    made = _pack(folder, file="network.py")
    (made / "network.onnx").rename(made / "network.py")
    return made
