"""Checkpoints that torch writes, read without torch; torch is the referee."""

from __future__ import annotations

import collections
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from torch_bytes import call, checkpoint, legacy, named, plain, storage, table, tensor

from singcoach.errors import ModelError
from singcoach.models.weights import open_weights

torch = pytest.importorskip("torch")
FORMS = {"zip": {}, "old": {"_use_new_zipfile_serialization": False}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.ckpt"


def tensors() -> dict[str, object]:
    """Return one tensor of every kind: element types, strides, offsets, shared data, shapes."""
    seed = torch.Generator().manual_seed(3)
    base = torch.randn(6, 8, generator=seed)
    return {
        "plain": base,
        "transposed": base.t(),
        "every second": base[::2, 1::3],
        "a row": base[3],
        "number": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "four": torch.randn(2, 3, 4, 5, generator=seed).permute(3, 1, 0, 2),
        "half": torch.randn(7, generator=seed).half(),
        "brain": torch.randn(3, 5, generator=seed).bfloat16().t(),
        "double": torch.randn(4, generator=seed).double(),
        "parameter": torch.nn.Parameter(torch.randn(3, generator=seed)),
        "long": torch.arange(-3, 5),
        "int": torch.arange(5, dtype=torch.int32),
        "short": torch.arange(5, dtype=torch.int16),
        "byte": torch.arange(5, dtype=torch.uint8),
        "char": torch.arange(-5, 5, dtype=torch.int8),
        "bool": torch.tensor([True, False, True]),
        "one wide": torch.randn(1, generator=seed).expand(1, 1, 1),
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_kind_of_tensor_is_read_as_torch_reads_it(path, form, protocol):
    expected = tensors()
    torch.save(expected, path, pickle_protocol=protocol, **FORMS[form])
    with open_weights(path) as weights:
        assert list(weights.shapes) == list(expected)
        for name, value in expected.items():
            values = value.detach()
            is_narrow = values.dtype in (torch.half, torch.bfloat16)
            referee = (values.float() if is_narrow else values).numpy()
            read = weights.read(name)
            assert weights.shapes[name] == tuple(values.shape)
            assert weights.dtypes[name] == str(values.dtype).removeprefix("torch.")
            assert read.dtype == referee.dtype
            assert read.flags.c_contiguous
            np.testing.assert_array_equal(read, referee)


@pytest.mark.parametrize("form", FORMS)
def test_plain_values_beside_the_tensors_are_kept_and_others_passed_by(path, form):
    content = {
        "model_state_dict": torch.nn.Linear(2, 3).state_dict(),
        "dims": {"n_mels": 80, "n_audio_ctx": 1500},
        "epoch": -7,
        "loss": 0.25,
        "note": "ä",
        "done": True,
        "nothing": None,
        "sizes": torch.Size([1, 2]),
        "names": ["a", ("b", 3)],
        "kinds": {"x"},
        "raw": b"bytes",
        "big": 2**70,
        "where": torch.device("cpu"),
        "type": torch.float16,
        "best": np.float64(3.5),
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 1e-3}]},
    }
    torch.save(content, path, **FORMS[form])
    with open_weights(path) as weights:
        assert set(weights.shapes) == {"weight", "bias"}
        kept = dict(weights.metadata)
    assert kept["dims"] == {"n_mels": 80, "n_audio_ctx": 1500}
    assert (kept["epoch"], kept["loss"], kept["note"], kept["done"]) == (-7, 0.25, "ä", True)
    assert kept["names"] == ["a", ["b", 3]]
    assert kept["big"] == 2**70
    assert kept["nothing"] is None
    assert kept["sizes"] == [1, 2]
    assert not {"raw", "where", "best", "optimizer"} & kept.keys()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: t,
        lambda t: {"state_dict": t},
        lambda t: {"model_state_dict": t, "epoch": 3},
        lambda t: {"state": t, "best": 1.0},
        lambda t: {"model": {"state_dict": t}},
        lambda t: collections.OrderedDict((f"module.{k}", v) for k, v in t.items()),
        lambda t: {f"module.model.{k}": v for k, v in t.items()},
        lambda t: {"state_dict": {f"model.{k}": v for k, v in t.items()}},
        lambda t: {"band": {"one": t["band.one"]}, "mask": {"two": t["mask.two"]}},
    ],
)
def test_wrappers_and_prefixes_are_peeled(path, wrap):
    torch.save(wrap({"band.one": torch.ones(2), "mask.two": torch.zeros(3)}), path)
    with open_weights(path) as weights:
        assert dict(weights.shapes) == {"band.one": (2,), "mask.two": (3,)}


def test_a_prefix_of_some_names_only_stays(path):
    torch.save({"model.a": torch.ones(1), "b": torch.ones(1)}, path)
    with open_weights(path) as weights:
        assert set(weights.shapes) == {"model.a", "b"}


def test_data_that_is_shared_lies_once_in_the_file_and_is_read_for_each(path):
    one = torch.arange(1_000.0)
    torch.save({"a": one, "b": one, "c": one[500:]}, path)
    assert path.stat().st_size < 8_000
    with open_weights(path) as weights:
        np.testing.assert_array_equal(weights.read("a"), weights.read("b"))
        np.testing.assert_array_equal(weights.read("c"), np.arange(500.0, 1000.0))


def test_checksums_that_torch_left_out_are_not_missed(path):
    from torch.serialization import get_crc32_options, set_crc32_options

    before = get_crc32_options()
    set_crc32_options(False)
    try:
        torch.save({"a": torch.ones(5)}, path)
    finally:
        set_crc32_options(before)
    with open_weights(path) as weights:
        np.testing.assert_array_equal(weights.read("a"), np.ones(5))


def test_bytes_put_together_by_hand_are_what_torch_understands(path):
    """The hostile checkpoints of the tests differ from a good one by what they name alone."""
    data = np.arange(6, dtype=np.float32)
    old = tensor(stored=storage(view=plain(None)))
    for content in (
        checkpoint(table(a=tensor()), {"0": data.tobytes()}, extra={"a/version": b"3\n"}),
        legacy(table(a=old), data=(6).to_bytes(8, "little") + data.tobytes()),
    ):
        path.write_bytes(content)
        referee = torch.load(path, weights_only=True)["a"].numpy()
        np.testing.assert_array_equal(referee, data.reshape(2, 3))
        with open_weights(path) as weights:
            np.testing.assert_array_equal(weights.read("a"), referee)


def test_a_piece_of_a_piece_in_the_old_form_is_found(path):
    """Before torch 0.4 a storage could be a view into another: key, offset, length."""
    data = np.arange(6, dtype=np.float32)
    stored = storage(view=plain(("1", 2, 3)))
    path.write_bytes(
        legacy(
            table(a=tensor((3,), (1,), stored=stored)),
            data=(6).to_bytes(8, "little") + data.tobytes(),
        )
    )
    with open_weights(path) as weights:
        np.testing.assert_array_equal(weights.read("a"), [2, 3, 4])


def test_only_one_tensor_is_in_memory_at_a_time(path):
    import tracemalloc

    torch.save({f"layer {i}": torch.ones(500_000) for i in range(10)}, path)
    tracemalloc.start()
    try:
        with open_weights(path) as weights:
            for name in weights.shapes:
                weights.read(name)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 3 * 2_000_000


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch", "UntypedStorage"),
        ("torch.storage", "_load_from_bytes"),
        ("torch._utils", "_rebuild_qtensor"),
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch._utils", "_rebuild_wrapper_subclass"),
        ("torch._utils", "_rebuild_device_tensor_from_numpy"),
        ("torch._tensor", "_rebuild_from_type_v2"),
        ("torch.nn.modules.linear", "Linear"),
        ("torch.jit._pickle", "restore_type_tag"),
        ("pytorch_lightning.utilities", "AttributeDict"),
        ("omegaconf.dictconfig", "DictConfig"),
        ("pathlib", "PosixPath"),
        ("argparse", "Namespace"),
        ("copyreg", "_reconstructor"),
        ("torch", "os.system"),
        ("collections", "OrderedDict.__init__"),
        ("collections.abc", "OrderedDict"),
        ("builtins", "set.__class__"),
    ],
)
def test_a_name_that_is_not_a_tensors_part_refuses_the_file_and_is_told(path, module, name):
    path.write_bytes(checkpoint(table(a=call(named(module, name)))))
    with pytest.raises(ModelError) as caught:
        open_weights(path)
    assert f"{module}.{name}" in caught.value.message


def test_names_are_never_imported(path, monkeypatch):
    import builtins
    import importlib

    def never(*args: object, **_keys: object) -> None:
        pytest.fail(f"imported {args[0]}")

    path.write_bytes(checkpoint(table(a=call(named("this", "s")))))
    monkeypatch.setattr(importlib, "import_module", never)
    real = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda n, *a, **k: never(n) if n == "this" else real(n, *a, **k)
    )
    with pytest.raises(ModelError):
        open_weights(path)


def test_a_reader_says_which_file_and_which_tensor(path):
    values = np.arange(6, dtype=np.float32).tobytes()
    content = checkpoint(table(a=tensor()), {"0": values})
    path.write_bytes(content.replace(values, values[::-1]))
    with open_weights(path) as weights, pytest.raises(ModelError, match=r"model\.ckpt.*of a is"):
        weights.read("a")


def test_a_file_that_shrinks_while_it_is_open_is_an_error_and_no_crash(path):
    stored = storage(n=1 << 20)
    content = table(a=tensor((1 << 20,), (1,), stored=stored))
    path.write_bytes(checkpoint(content, {"0": bytes(4 << 20)}))
    with open_weights(path) as weights:
        path.write_bytes(b"")
        with pytest.raises(ModelError, match="ends within a"):
            weights.read("a")


def test_an_archive_whose_folder_has_another_name_is_read(path):
    torch.save({"a": torch.ones(2)}, path)
    target = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            inner = name.split("/", 1)[1]
            archive.writestr(f"renamed on the way/{inner}", source.read(name))
    path.write_bytes(target.getvalue())
    with open_weights(path) as weights:
        np.testing.assert_array_equal(weights.read("a"), [1, 1])


def test_a_storage_of_bytes_only_is_refused(path):
    stored = storage(kind=named("torch.storage", "UntypedStorage"))
    path.write_bytes(checkpoint(table(a=tensor(stored=stored))))
    with pytest.raises(ModelError, match="UntypedStorage"):
        open_weights(path)
