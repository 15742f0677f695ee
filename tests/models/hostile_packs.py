"""Damaged and malicious checkpoints for `singcoach models add`, each made by its own function.

Whatever would run code makes the file ``CANARY`` in the current folder, so that it would be seen.
"""

from __future__ import annotations

import functools
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch_bytes import call, checkpoint, legacy, named, plain, storage, table, tensor, whole

CANARY = "canary"
Build = Callable[[Path], list[Path]]
CASES: dict[str, Build] = {}


def file_case(what: str, name: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Register a function that returns the content of a single file."""

    def register(make: Callable[[], bytes]) -> Callable[[], bytes]:
        def build(folder: Path) -> list[Path]:
            path = folder / name
            path.write_bytes(make())
            return [path]

        assert what not in CASES
        CASES[what] = build
        return make

    return register


def ckpt(what: str, content: bytes, storages: dict[str, bytes] | None = None) -> None:
    """Register a torch checkpoint with a given pickle."""
    file_case(what, "model.ckpt")(lambda: checkpoint(content, storages))


class Runs:
    """Pickles to a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def pickled(value: object, protocol: int = 2) -> bytes:
    return pickle.dumps({"state_dict": value}, protocol)


OPEN = f"open({CANARY!r}, 'w')"

# Pickles that would run something ------------------------------------------------------------

ckpt("pickle: os.system", pickled(Runs(os.system, f"touch {CANARY}")))
ckpt("pickle: eval", pickled(Runs(eval, OPEN)))
ckpt("pickle: exec", pickled(Runs(exec, OPEN)))
ckpt("pickle: builtins.open", pickled(Runs(open, CANARY, "w")))
ckpt("pickle: builtins.getattr", pickled(Runs(getattr, "x", "upper")))
ckpt("pickle: functools.partial", pickled(functools.partial(os.system, f"touch {CANARY}")))
# Written out, because Qt's binding puts another function into the place of this one.
ckpt("pickle: __import__", b"\x80\x02c__builtin__\n__import__\nX\x04\x00\x00\x00this\x85R.")
ckpt(
    "pickle: torch.load of another file",
    table(conv1=call(named("torch.serialization", "load"), plain("b"))),
)
ckpt("pickle: torch.hub", table(conv1=call(named("torch.hub", "load"), plain("x/y"))))
ckpt(
    "pickle: numpy array of objects",
    table(conv1=call(named("numpy.core.multiarray", "_reconstruct"), plain((0,)), plain(b"b"))),
)
ckpt(
    "pickle: call hidden in a tensor",
    table(conv1=tensor(hooks=call(named("posix", "system"), plain(f"touch {CANARY}")))),
)
ckpt("pickle: STACK_GLOBAL", pickled(Runs(os.system, f"touch {CANARY}"), 4))
ckpt(
    "pickle: INST",
    whole(b"}(" + plain("a") + b"(" + plain(f"touch {CANARY}") + b"iposix\nsystem\nu"),
)
ckpt("pickle: OBJ", whole(b"}(" + plain("a") + b"(" + named("collections", "OrderedDict") + b"ou"))
ckpt("pickle: NEWOBJ", whole(b"}(" + plain("a") + named("collections", "OrderedDict") + b")\x81u"))
ckpt("pickle: EXT1", whole(b"}(" + plain("a") + b"\x82\x01u"))
ckpt(
    "pickle: BUILD sets the inside of an object",
    whole(b"}(" + plain("a") + tensor() + plain({"x": 1}) + b"bu"),
)
ckpt("pickle: call of a result", whole(b"}(" + plain("a") + plain("text") + b")Ru"))
ckpt("pickle: text persistent id with an odd escape", whole(b"Pposix \\qsystem\n"))
ckpt("pickle: text persistent id", whole(b"Pposix system\n"))
ckpt("pickle: persistent id of no storage", table(conv1=plain("x") + b"Q"))
ckpt("pickle: persistent id with a function", table(conv1=storage(kind=named("posix", "system"))))
ckpt("pickle: persistent id with another word", table(conv1=storage(word="module")))
ckpt(
    "pickle: storage of a foreign module", table(conv1=storage(kind=named("evil", "FloatStorage")))
)
ckpt("pickle: protocol 0", pickled([1, 2], 0))
ckpt("pickle: DUP", whole(b"}(" + plain("a") + b"2u"))

# Pickles that would swallow memory or time ---------------------------------------------------


def _table_bomb() -> bytes:
    """Each table holds the one before ten times: unfolded they would be 10 ** 12 tensors."""
    made = plain("0") + b"}q\x00(" + plain("t") + tensor() + b"u"
    for i in range(1, 13):
        held = b"".join(plain(f"k{k}") + b"h" + bytes([i - 1]) for k in range(10))
        made += plain(str(i)) + b"}q" + bytes([i]) + b"(" + held + b"u"
    return whole(b"}(" + made + b"u")


ckpt("bomb: tables of tables of tables", _table_bomb())
ckpt(
    "bomb: a table that holds itself",
    whole(b"}q\x00(" + plain("a") + b"h\x00" + plain("b") + b"h\x00u"),
)
ckpt("bomb: lists 100000 deep", whole(b"}(" + plain("a") + b"]" * 100_000 + b"a" * 99_999 + b"u"))
ckpt("bomb: text that claims 2^60 bytes", whole(b"\x8d" + struct.pack("<Q", 1 << 60) + b"x"))
ckpt("bomb: number of 600 digits", whole(b"}(" + plain("n") + b"\x8a\xff" + b"\x7f" * 255 + b"u"))
ckpt("bomb: number of 100000 digits", whole(b"\x8b" + struct.pack("<i", 50_000) + b"\x7f" * 50_000))


def _copied(function: bytes, value: bytes, n: int = 200) -> bytes:
    """Call a harmless name again and again with one large value, which is recalled each time."""
    calls = b"h\x00h\x01\x85R" * n
    return whole(b"}" + plain("x") + b"(" + function + b"q\x00" + value + b"q\x01" + calls + b"ts")


_LONG_TEXT = b"X" + struct.pack("<I", 999_999) + b"a" * 999_999
_LONG_LIST = b"](" + b"K\x01" * 400_000 + b"e"
_LONG_PAIRS = b"](" + b"".join(b"K" + bytes([i]) + b"N\x86" for i in range(256)) * 400 + b"e"

ckpt("bomb: a text encoded 200 times", _copied(named("_codecs", "encode"), _LONG_TEXT))
ckpt("bomb: a list copied 200 times", _copied(named("builtins", "set"), _LONG_LIST))
ckpt("bomb: a table made 200 times", _copied(named("collections", "OrderedDict"), _LONG_PAIRS))

# Tensors that do not fit ---------------------------------------------------------------------

ckpt("tensor: 2^60 elements from one", table(conv1=tensor((1 << 30, 1 << 30), (0, 0))))
ckpt("tensor: a size beyond reason", table(conv1=tensor((1 << 50,), (0,))))
ckpt("tensor: negative size", table(conv1=tensor((-2, 3), (3, 1))))
ckpt("tensor: negative stride", table(conv1=tensor((2, 3), (-3, 1), offset=3)))
ckpt("tensor: negative offset", table(conv1=tensor((1,), (1,), offset=-1)))
ckpt("tensor: strides beyond the data", table(conv1=tensor((2, 3), (1 << 40, 1))))
ckpt("tensor: offset beyond the data", table(conv1=tensor((2, 3), (3, 1), offset=1)))
ckpt("tensor: strides of another rank", table(conv1=tensor((2, 3), (1,))))
ckpt("tensor: 200 dimensions", table(conv1=tensor((1,) * 200, (1,) * 200)))
ckpt("tensor: data shorter than claimed", table(conv1=tensor()), {"0": bytes(20)})
ckpt("tensor: data missing", table(conv1=tensor()), {"1": bytes(24)})
ckpt(
    "tensor: half the size is text",
    table(
        a=call(
            named("torch._utils", "_rebuild_tensor_v2"),
            storage(),
            plain(0),
            plain("23"),
            plain((1,)),
        )
    ),
)
ckpt(
    "tensor: quantised storage",
    table(conv1=tensor(stored=storage(kind=named("torch", "QInt8Storage")))),
)
ckpt("checkpoint: no tensors", table(conv1=plain(1)))
ckpt("checkpoint: not a table", whole(plain([1, 2])))
ckpt("checkpoint: recalls what was never kept", whole(b"}(" + plain("a") + b"h\x07u"))
ckpt("checkpoint: another network", table(conv1=tensor()))

# Archives ------------------------------------------------------------------------------------


@file_case("zip: entry ../../evil", "model.ckpt")
def _traversal() -> bytes:
    return checkpoint(table(conv1=tensor()), extra={"a/../../evil": b"x"})


@file_case("zip: entry /etc/evil", "model.ckpt")
def _absolute() -> bytes:
    return checkpoint(table(conv1=tensor()), extra={"/etc/evil": b"x"})


@file_case("zip: bomb", "model.ckpt")
def _zip_bomb() -> bytes:
    return checkpoint(
        table(conv1=tensor((5_000_000,), (1,), stored=storage(n=5_000_000))),
        {"0": bytes(20_000_000)},
        method=zipfile.ZIP_DEFLATED,
    )


@file_case("zip: link", "model.ckpt")
def _zip_link() -> bytes:
    return checkpoint(table(conv1=tensor()), {"0": b"/etc/passwd"}, links=("a/data/0",))


@file_case("zip: encrypted", "model.ckpt")
def _encrypted() -> bytes:
    content = bytearray(checkpoint(table(conv1=tensor())))
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


@file_case("zip: an entry twice", "model.ckpt")
def _twice() -> bytes:
    content = checkpoint(table(conv1=tensor()), {"0": bytes(24), "1": bytes(24)})
    return content.replace(b"a/data/1", b"a/data/0")


@file_case("zip: an entry with two names", "model.ckpt")
def _two_names() -> bytes:
    content = checkpoint(table(conv1=tensor()))
    at = content.index(b"a/data/0")
    return content[:at] + b"a/data/9" + content[at + 8 :]


@file_case("zip: entries that overlap", "model.ckpt")
def _overlapping() -> bytes:
    name = b"a/data/1"
    inner = b"PK\x03\x04" + bytes(22) + struct.pack("<HH", len(name), 0) + name + bytes(24)
    content = bytearray(checkpoint(table(conv1=tensor()), {"0": inner, "1": bytes(24)}))
    at = content.rindex(b"PK\x01\x02")  # where the directory tells of the entry a/data/1
    content[at + 42 : at + 46] = struct.pack("<I", content.index(inner))
    return bytes(content)


@file_case("zip: wrong checksum", "model.ckpt")
def _wrong_checksum() -> bytes:
    return roformer(
        lambda content: content.replace(struct.pack("<f", 0.5), struct.pack("<f", 0.25), 1)
    )


@file_case("zip: no checkpoint inside", "model.ckpt")
def _other_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return target.getvalue()


@file_case("zip: TorchScript with code", "model.pt")
def _torchscript() -> bytes:
    return checkpoint(
        table(conv1=tensor()), extra={"a/code/__torch__.py": b"x", "a/constants.pkl": b"x"}
    )


@file_case("zip: the other byte order", "model.ckpt")
def _big_endian() -> bytes:
    return checkpoint(table(conv1=tensor())).replace(b"little", b"bigbig")


@file_case("zip: table of entries of 2 GB", "model.ckpt")
def _long_directory() -> bytes:
    content = bytearray(checkpoint(table(conv1=tensor())))
    content[-10:-6] = struct.pack("<I", 0x7FFF_FFFF)
    return bytes(content)


@file_case("zip: table of entries of 2 GB told by the zip64 record alone", "model.ckpt")
def _long_wide_directory() -> bytes:
    content = checkpoint(table(conv1=tensor()))
    at = content.rfind(b"PK\x05\x06")
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 0x7FFF_FFFF, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    return content[:at] + wide + locator + content[at:]


@file_case("zip: table of entries of 2 GB where the locator points", "model.ckpt")
def _long_directory_elsewhere() -> bytes:
    content = _long_wide_directory()
    at = content.rfind(b"PK\x06\x07")
    return content[:at] + bytes(56) + content[at:]


@file_case("zip: cut in the middle", "model.ckpt")
def _cut() -> bytes:
    content = checkpoint(table(conv1=tensor()))
    return content[: len(content) // 2]


@file_case("old form: os.system", "model.pth")
def _legacy_evil() -> bytes:
    return legacy(pickled(Runs(os.system, f"touch {CANARY}")))


@file_case("old form: cut", "model.pth")
def _legacy_cut() -> bytes:
    return legacy(table(conv1=tensor()))[:-5]


@file_case("old form: goes on after its end", "model.pth")
def _legacy_longer() -> bytes:
    return legacy(table(conv1=tensor())) + b"more"


@file_case("old form: data that claims 2^60 elements", "model.pth")
def _legacy_huge() -> bytes:
    return legacy(table(conv1=tensor()), data=struct.pack("<q", 1 << 60) + bytes(24))


# safetensors ---------------------------------------------------------------------------------


def safetensors(header: object, data: bytes = bytes(24), length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def spec(shape: list[Any], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


SAFETENSORS: dict[str, bytes] = {
    "header of 1 TB": safetensors({"conv1": spec([6], 0, 24)}, length=1 << 40),
    "header of 9 MB": struct.pack("<Q", 9 << 20) + b'{"a":"' + b"a" * ((9 << 20) - 8) + b'"}',
    "header of 2 million tables": struct.pack("<Q", 6_000_008)
    + b'{"a":['
    + b"{}," * 1_999_999
    + b"{} ]}",
    "tensors that overlap": safetensors({"conv1": spec([6], 0, 24), "conv2": spec([2], 16, 24)}),
    "a gap": safetensors({"conv1": spec([2], 0, 8), "conv2": spec([2], 16, 24)}),
    "a tensor outside the file": safetensors({"conv1": spec([12], 0, 48)}),
    "bytes that do not fit the shape": safetensors({"conv1": spec([7], 0, 24)}),
    "negative size": safetensors({"conv1": spec([-6], 0, 24)}),
    "shape that overflows": safetensors({"conv1": spec([1 << 40, 1 << 40], 0, 24)}),
    "unknown element type": safetensors({"conv1": spec([6], 0, 24, "F33")}),
    "a name twice": safetensors(b'{"a": 1, "a": 2}'),
    "JSON 100000 deep": safetensors(b'{"a":' + b"[" * 100_000 + b"}"),
    "no JSON": safetensors(b"{nonsense}"),
    "metadata that is no text": safetensors({"__metadata__": {"a": 1}, "conv2": spec([6], 0, 24)}),
    "goes on after its end": safetensors({"conv1": spec([6], 0, 24)}, bytes(30)),
    "cut": safetensors({"conv1": spec([6], 0, 24)}, bytes(20)),
    "a tensor with more keys": safetensors({"conv1": {**spec([6], 0, 24), "hook": "os.system"}}),
}
for _what, _content in SAFETENSORS.items():
    file_case(f"safetensors: {_what}", "model.safetensors")(functools.partial(bytes, _content))


@file_case("safetensors: weights that are no numbers", "model.safetensors")
def _nan() -> bytes:
    return roformer_safetensors(lambda name, values: values * np.nan)


@file_case("safetensors: weights beyond float32", "model.safetensors")
def _infinite() -> bytes:
    return roformer_safetensors(lambda name, values: values.astype(np.float64) * 1e200)


@file_case("safetensors: one layer missing", "model.safetensors")
def _missing_layer() -> bytes:
    return roformer_safetensors(lambda name, values: None if "to_gates.bias" in name else values)


def _sharded(index: object, folder: Path) -> list[Path]:
    hub = folder / "hub"
    hub.mkdir()
    (hub / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (hub / "one.safetensors").write_bytes(safetensors({"conv1": spec([6], 0, 24)}))
    return [hub]


def shards(what: str, index: object) -> None:
    CASES[f"pieces: {what}"] = functools.partial(_sharded, index)


shards("a piece outside the folder", {"weight_map": {"conv1": "../one.safetensors"}})
shards("a tensor that is not there", {"weight_map": {"conv2": "one.safetensors"}})
shards("a piece that is not there", {"weight_map": {"conv1": "two.safetensors"}})
shards("an index without places", {"weight_map": [1]})


# CTranslate2 ---------------------------------------------------------------------------------


def _text(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def ctranslate2(n_variables: int = 1, n_bytes: int = 24, data: bytes = bytes(24)) -> bytes:
    head = struct.pack("<I", 6) + _text("WhisperSpec") + struct.pack("<II", 3, n_variables)
    variable = _text("w") + struct.pack("<BIIBI", 2, 2, 3, 0, n_bytes)
    return head + variable + data + struct.pack("<I", 0)


for _what, _content in {
    "cut": ctranslate2()[:-9],
    "a billion variables": ctranslate2(n_variables=1 << 30),
    "bytes that do not fit the shape": ctranslate2(n_bytes=1 << 30),
    "another network": ctranslate2(),
}.items():
    file_case(f"CTranslate2: {_what}", "model.bin")(functools.partial(bytes, _content))


# A small true network to break ---------------------------------------------------------------


@functools.cache
def _roformer_tensors() -> dict[str, Any]:
    from singcoach.models.roformer.config import RoformerConfig, expected_shapes

    config = RoformerConfig(
        dim=8, depth=1, num_bands=4, heads=1, dim_head=4, stft_n_fft=128, stft_win_length=128,
        stft_hop_length=32, chunk_size=2048,
    )  # fmt: skip
    return {n: np.full(s, 0.5, np.float32) for n, s in expected_shapes(config).items()}


def roformer(change: Callable[[bytes], bytes] = bytes) -> bytes:
    """Return a small MelBand Roformer in torch's form, with ``change`` made to its bytes."""
    items = {}
    data = {}
    for i, (name, values) in enumerate(_roformer_tensors().items()):
        strides = tuple(step // 4 for step in values.strides)
        items[name] = tensor(values.shape, strides, stored=storage(str(i), values.size))
        data[str(i)] = values.tobytes()
    content = table(**items)
    return change(checkpoint(content, data))


def roformer_safetensors(change: Callable[[str, Any], Any] = lambda _name, values: values) -> bytes:
    """Return a small MelBand Roformer as safetensors; ``change`` may drop tensors (None)."""
    header: dict[str, Any] = {}
    data = b""
    for name, values in _roformer_tensors().items():
        changed = change(name, values)
        if changed is not None:
            dtype = "F64" if changed.dtype == np.float64 else "F32"
            raw = changed.tobytes()
            header[name] = spec(list(changed.shape), len(data), len(data) + len(raw), dtype)
            data += raw
    return safetensors(header, data)


# What is no checkpoint at all ----------------------------------------------------------------


@file_case("other: a web page", "MelBand.ckpt")
def _page() -> bytes:
    return b"<!doctype html><html><body>Please log in</body></html>"


@file_case("other: a pointer instead of the file", "MelBand.ckpt")
def _pointer() -> bytes:
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 913106900\n"


@file_case("other: nothing", "empty.ckpt")
def _nothing() -> bytes:
    return b""


@file_case("other: a bare pickle", "model.pt")
def _bare() -> bytes:
    return pickled(Runs(os.system, f"touch {CANARY}"))


def _empty_folder(folder: Path) -> list[Path]:
    (folder / "empty").mkdir()
    return [folder / "empty"]


CASES["other: an empty folder"] = _empty_folder


def _pipe(folder: Path) -> list[Path]:
    os.mkfifo(folder / "model.ckpt")
    return [folder / "model.ckpt"]


CASES["other: a pipe"] = _pipe
CASES["other: a device"] = lambda _folder: [Path("/dev/zero")]
CASES["other: a file that is not there"] = lambda folder: [folder / "missing.ckpt"]
