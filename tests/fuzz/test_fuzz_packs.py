"""Broken checkpoints: read or refused with a sentence, in little memory, and nothing is run."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fuzz_budget import budget
from fuzz_mutations import broken
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from hostile_networks import gguf, gguf_text, onnx_network
from hostile_packs import safetensors, spec
from pack_sources import write_ctranslate2
from torch_bytes import call, checkpoint, legacy, named, plain, storage, table, tensor, whole

from singcoach.errors import ModelError
from singcoach.models.packs import gguf as gguf_reader
from singcoach.models.packs import onnx_file
from singcoach.models.weights import open_weights
from singcoach.models.weights.torch_pickle import read_pickle
from singcoach.models.weights.torch_values import TensorName
from singcoach.models.weights.weightfile import OpenFile

MOST_BYTES = 20 << 20
MOST_S = 30.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packs")


@pytest.fixture(scope="module", autouse=True)
def _watched_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def _layers() -> dict[str, bytes]:
    return {
        "a": tensor(),
        "b": tensor((3, 2), (1, 3)),
        "half": tensor((6,), (1,), stored=storage("1", 6, named("torch", "HalfStorage"))),
        "n": plain({"dims": [1, 2.5, None, True, "text"], "big": 2**70}),
    }


def _seeds(folder: Path) -> dict[str, bytes]:
    one = {"0": np.arange(6, dtype=np.float32).tobytes(), "1": bytes(12)}
    old = tensor(stored=storage(view=plain(None)))
    return {
        "zip": checkpoint(table(**_layers()), one),
        "legacy": legacy(table(a=old), data=(6).to_bytes(8, "little") + bytes(24)),
        "safe": safetensors({"a": spec([2, 3], 0, 24), "b": spec([4], 24, 28, "I8")}, bytes(28)),
        "ct2": (write_ctranslate2(folder) / "model.bin").read_bytes()[:4_000],
        "gguf": gguf(
            pairs={
                "general.name": (8, gguf_text("net")),
                "tokens": (
                    9,
                    (8).to_bytes(4, "little") + (1).to_bytes(8, "little") + gguf_text("a"),
                ),
            }
        ),
        "onnx": bytes(onnx_network().SerializeToString()),
    }


@pytest.fixture(scope="module")
def seeds(folder: Path) -> dict[str, bytes]:
    return _seeds(folder)


def read_all(path: Path) -> None:
    with open_weights(path) as weights:
        for name, shape in weights.shapes.items():
            assert weights.read(name).shape == shape


def read_head(read: Callable[[OpenFile], object]) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        file = OpenFile(path)
        try:
            read(file)
        finally:
            file.close()

    return run


READERS: dict[str, Callable[[Path], None]] = {
    "gguf": read_head(gguf_reader.read_head),
    "onnx": read_head(onnx_file.read_head),
}


def check(path: Path, content: bytes, read: Callable[[Path], None]) -> None:
    """Read ``content``: a value or a sentence, soon, and in little memory."""
    path.write_bytes(content)
    before_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    start_s = time.monotonic()
    try:
        read(path)
    except ModelError as error:
        assert error.message  # noqa: PT017 - most inputs are refused, some are not
        assert error.message.isprintable()  # noqa: PT017
    assert tracemalloc.get_traced_memory()[1] - before_bytes < MOST_BYTES
    assert time.monotonic() - start_s < MOST_S


def test_the_whole_seeds_are_read(folder: Path, seeds: dict[str, bytes]) -> None:
    for kind, content in seeds.items():
        if kind != "ct2":  # cut short, so that most of it is its head
            path = folder / f"seed.{kind}"
            path.write_bytes(content)
            READERS.get(kind, read_all)(path)


@budget(0.4)
@given(data=st.data())
def test_broken_files(folder: Path, seeds: dict[str, bytes], data: st.DataObject) -> None:
    kind, content = data.draw(broken(seeds))
    check(folder / f"net.{kind}", content, READERS.get(kind, read_all))


_PIECES = st.one_of(
    st.sampled_from(
        [
            *(b"(", b")", b"t", b"}", b"]", b"u", b"s", b"a", b"e", b"R", b"b", b"Q", b"N", b"0"),
            *(b"\x85", b"\x86", b"\x87", b"\x88", b"\x93", b"\x94", b"\x81", b"h\x00", b"q\x00"),
            *(b"2", b"o", b"1", b"\x8f", b"\x90", b"j\x00\x00\x00\x00", b"."),
            tensor(),
            storage(),
            call(named("collections", "OrderedDict")),
            named("torch", "FloatStorage"),
            named("torch._utils", "_rebuild_tensor_v2"),
            named("torch._utils", "_rebuild_parameter"),
            named("builtins", "set"),
            named("numpy", "dtype"),
            named("os", "system"),
            named("_codecs", "encode"),
            plain("storage"),
            plain("state_dict"),
            plain(-1),
        ]
    ),
    st.integers(-(2**70), 2**70).map(plain),
    st.text(max_size=5).map(plain),
    st.floats().map(plain),
    st.binary(max_size=3),
)


@budget(0.4)
@given(pieces=st.lists(_PIECES, max_size=30), rest=st.booleans())
def test_pickles_out_of_pieces(folder: Path, pieces: list[bytes], rest: bool) -> None:
    body = b"".join(pieces)
    content = whole(b"}(" + plain("a") + body + b"u" if rest else body)
    check(folder / "pieces.ckpt", checkpoint(content), read_all)


@budget(0.2)
@given(
    content=st.binary(max_size=300),
    start=st.sampled_from([b"", b"PK\x03\x04", b"GGUF", b"\x80\x02"]),
)
def test_random_bytes_are_refused(folder: Path, content: bytes, start: bytes) -> None:
    for kind in ("bin", "gguf", "onnx"):
        check(folder / f"random.{kind}", start + content, READERS.get(kind, read_all))


def test_what_a_pickle_describes_is_never_a_thing_of_python(folder: Path) -> None:
    """Whatever the interpreter gives consists of our own descriptions and of plain values."""
    import io

    def kinds(value: object) -> set[type]:
        found = {type(value)}
        for inner in value.values() if isinstance(value, dict) else ():
            found |= kinds(inner)
        for inner in value if isinstance(value, list | tuple) else ():
            found |= kinds(inner)
        return found

    described = read_pickle(io.BytesIO(table(**_layers())), "x")
    plain_kinds = {dict, list, tuple, str, int, float, bool, type(None), bytes}
    assert kinds(described.value) <= {TensorName, *plain_kinds}
