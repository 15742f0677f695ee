"""How much memory is free, what fits into it, and weights that stay in their file."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_manifests import manifest, table
from onnx import TensorProto, helper

from singcoach.errors import ModelError
from singcoach.models import memory as memory_module
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.models.memory import (
    FreeMemory,
    NotEnoughMemoryError,
    host_memory,
    plan_batch,
    require_host,
    return_freed_memory,
    usable,
)
from singcoach.models.sessions import open_session, release_memory
from singcoach.models.skeleton import NotAModelError, skeleton

GB = 1_000_000_000


# --- what is free -----------------------------------------------------------------------------


def _write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n", encoding="utf-8")


def _process_in(root: Path, lines: str) -> None:
    _write(root / "proc/self", cgroup=lines)


def test_this_machine_has_memory() -> None:
    found = host_memory()
    assert 0 < found.free_bytes <= found.total_bytes <= psutil.virtual_memory().total


def test_a_container_of_version_2_is_the_limit(tmp_path: Path) -> None:
    _process_in(tmp_path, "0::/box/inner")
    _write(tmp_path / "sys/fs/cgroup/box", memory__max=GB, memory__current=GB // 2)
    _write(tmp_path / "sys/fs/cgroup/box/inner", memory__max="max", memory__current=GB // 4)
    assert host_memory(root=tmp_path) == FreeMemory(free_bytes=GB // 2, total_bytes=GB)


def test_files_kept_in_memory_count_as_free(tmp_path: Path) -> None:
    _process_in(tmp_path, "0::/")
    statistics = "anon 5\nactive_file 7\ninactive_file 300000000\nslab 1"
    _write(
        tmp_path / "sys/fs/cgroup",
        memory__max=GB,
        memory__current=GB // 2,
        memory__stat=statistics,
    )
    assert host_memory(root=tmp_path).free_bytes == GB // 2 + 300_000_000


def test_a_container_of_version_1_is_the_limit(tmp_path: Path) -> None:
    _process_in(tmp_path, "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/")
    # Inside the container its own group is mounted at the top: the path of the host is not there.
    _write(
        tmp_path / "sys/fs/cgroup/memory",
        memory__limit_in_bytes=GB,
        memory__usage_in_bytes=GB // 4,
        memory__stat="total_inactive_file 50000000",
    )
    assert host_memory(root=tmp_path).free_bytes == GB - GB // 4 + 50_000_000


def test_a_full_container_has_nothing_free(tmp_path: Path) -> None:
    _process_in(tmp_path, "0::/")
    _write(tmp_path / "sys/fs/cgroup", memory__max=GB, memory__current=GB + 5)
    assert host_memory(root=tmp_path).free_bytes == 0


@pytest.mark.parametrize(
    "lines", ["", "0::/", "nonsense", "0::/../../etc", "4:memory:/a\n0::/b", ":::::"]
)
def test_without_limits_the_machine_counts(tmp_path: Path, lines: str) -> None:
    _process_in(tmp_path, lines)
    _write(tmp_path / "sys/fs/cgroup/memory", memory__limit_in_bytes=9223372036854771712,
           memory__usage_in_bytes=5)  # fmt: skip
    assert host_memory(root=tmp_path).total_bytes == psutil.virtual_memory().total


def test_an_address_space_that_is_limited_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    limit = psutil.Process().memory_info().vms + 500_000_000
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (limit, limit))
    assert host_memory().free_bytes == pytest.approx(500_000_000, abs=50_000_000)


# --- what fits --------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    free=st.integers(0, 100 * GB),
    fixed=st.integers(0, 10 * GB),
    item=st.integers(1, 5 * GB),
    at_most=st.integers(1, 64),
)
def test_a_planned_batch_fits_and_is_the_largest(
    free: int, fixed: int, item: int, at_most: int
) -> None:
    room = usable(free)
    try:
        batch = plan_batch(free, bytes_fixed=fixed, bytes_per_item=item, at_most=at_most)
    except NotEnoughMemoryError:
        assert fixed + item > room
        return
    assert fixed + batch * item <= room
    assert batch & (batch - 1) == 0
    assert 1 <= batch <= at_most
    assert 2 * batch > at_most or fixed + 2 * batch * item > room


def test_a_plan_that_does_not_fit_says_what_is_needed_and_free() -> None:
    with pytest.raises(NotEnoughMemoryError) as refused:
        plan_batch(GB, bytes_fixed=2 * GB, bytes_per_item=700_000_000, at_most=4)
    assert "3.0 GB" in refused.value.message
    assert "1.0 GB are free" in refused.value.message
    assert refused.value.hint
    assert isinstance(refused.value, ModelError)


@pytest.mark.parametrize(
    "bad",
    [{"at_most": 0}, {"bytes_fixed": -1}, {"bytes_per_item": 0}],
)
def test_numbers_out_of_range_are_value_errors(bad: dict[str, int]) -> None:
    good = {"bytes_fixed": 0, "bytes_per_item": 1, "at_most": 1}
    with pytest.raises(ValueError, match="would work"):
        plan_batch(GB, **{**good, **bad})


def test_the_host_keeps_something_for_everything_else() -> None:
    memory = FreeMemory(free_bytes=GB, total_bytes=8 * GB)
    require_host(GB // 2, memory=memory)
    with pytest.raises(NotEnoughMemoryError, match="big-net needs"):
        require_host(GB - 1, memory=memory, name="big-net")


def test_giving_memory_back_does_no_harm_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    return_freed_memory()
    monkeypatch.setattr(memory_module.sys, "platform", "win32")
    memory_module._malloc_trim.cache_clear()
    return_freed_memory()
    memory_module._malloc_trim.cache_clear()


# --- weights that stay in the file ------------------------------------------------------------

N = 128


def _model_bytes(*, n_large: int = 1) -> bytes:
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal((N, N)).astype(np.float32) for _ in range(2)]
    bias = rng.standard_normal(N).astype(np.float32)
    tensors = [
        helper.make_tensor(name, TensorProto.FLOAT, array.shape, array.tobytes(), raw=True)
        for name, array in (("a", weights[0]), ("b", weights[1]), ("bias", bias))
    ]
    large = np.ones((N, 16_384), np.float32)
    for i in range(n_large):
        tensors.append(
            helper.make_tensor(f"w{i}", TensorProto.FLOAT, large.shape, large.tobytes(), raw=True)
        )
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["y"]),
        helper.make_node("MatMul", ["y", "b"], ["z"]),
        helper.make_node("Add", ["z", "bias"], ["added"]),
    ]
    last = "added"
    for i in range(n_large):
        nodes += [
            helper.make_node("MatMul", ["x", f"w{i}"], [f"wide{i}"]),
            helper.make_node("ReduceMax", [f"wide{i}"], [f"highest{i}"], axes=[1]),
            helper.make_node("Add", [last, f"highest{i}"], [f"sum{i}"]),
        ]
        last = f"sum{i}"
    nodes.append(helper.make_node("Identity", [last], ["out"]))
    shape = ["n", N]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
        initializer=tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def _installed(folder: Path, content: bytes) -> VerifiedModel:
    (folder / "toy.onnx").write_bytes(content)
    text = manifest(table(size=len(content), sha256=hashlib.sha256(content).hexdigest()))
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    return Catalogue([folder]).require("pitch")


def _mapped(model: VerifiedModel) -> VerifiedModel:
    with model.path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return VerifiedModel(entry=model.entry, content=memoryview(mapping))


def test_weights_in_the_file_give_the_same_bits(tmp_path: Path) -> None:
    model = _installed(tmp_path, _model_bytes())
    x = np.random.default_rng(4).standard_normal((5, N)).astype(np.float32)
    parsed = open_session(model, threads=1)
    mapped = open_session(_mapped(model), threads=1)
    assert mapped.input_names == ("x",)
    np.testing.assert_array_equal(parsed.run({"x": x})[0], mapped.run({"x": x})[0])


def test_weights_are_found_behind_links_and_in_folders_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "Modèles 模型 (1)"
    folder.mkdir()
    model = _installed(folder, _model_bytes())
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    x = {"x": np.ones((2, N), np.float32)}
    (expected,) = open_session(model, threads=1).run(x)
    for place in (folder, link):
        found = Catalogue([place]).require("pitch")
        np.testing.assert_array_equal(open_session(_mapped(found), threads=1).run(x)[0], expected)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_large_model_takes_its_size_once(tmp_path: Path) -> None:
    """Parsed from its bytes it takes three times its size."""
    content = _model_bytes(n_large=9)  # of 8 MB each
    model = _installed(tmp_path, content)
    assert model.is_mapped
    code = """
import sys
from pathlib import Path
import onnxruntime
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.models.sessions import open_session

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))

open_session(Catalogue.default().require("pitch"), threads=1)
before = status("VmRSS")
model = Catalogue([Path(sys.argv[1])]).require("pitch")
if sys.argv[2] == "parsed":
    model = VerifiedModel(entry=model.entry, content=model.content)
open_session(model, threads=1)
print(status("VmHWM") - before)
"""
    peaks = {
        way: int(
            subprocess.run(
                [sys.executable, "-c", code, str(tmp_path), way],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for way in ("mapped", "parsed")
    }
    for way, peak in peaks.items():
        print(f"{way}: {peak / 1e6:.0f} MB at the peak, {len(content) / 1e6:.0f} MB of file")
    assert peaks["mapped"] < 1.3 * len(content)
    assert peaks["parsed"] > 1.9 * len(content)


def test_a_skeleton_is_a_valid_model_without_the_large_weights(tmp_path: Path) -> None:
    content = _model_bytes()
    small = skeleton(content, "toy.onnx")
    assert len(small) < 2000 < len(content)
    (tmp_path / "toy.onnx").write_bytes(content)
    (tmp_path / "small.onnx").write_bytes(small)
    whole, rebuilt = (onnx.load(tmp_path / name) for name in ("toy.onnx", "small.onnx"))
    for before, after in zip(whole.graph.initializer, rebuilt.graph.initializer, strict=True):
        np.testing.assert_array_equal(
            onnx.numpy_helper.to_array(before), onnx.numpy_helper.to_array(after)
        )
    assert whole.graph.node == rebuilt.graph.node


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with contextlib.suppress(NotAModelError):
        assert len(skeleton(content, "x.onnx")) <= len(content)


@settings(deadline=None)
@given(cut=st.integers(100, 5000))
def test_a_model_that_ends_early_is_refused(cut: int) -> None:
    with pytest.raises(NotAModelError):
        skeleton(_model_bytes()[:-cut], "toy.onnx")


def test_weights_outside_of_the_file_are_refused(tmp_path: Path) -> None:
    elsewhere = skeleton(_model_bytes(), "../../etc/passwd")
    with pytest.raises(NotAModelError, match="outside"):
        skeleton(elsewhere, "toy.onnx")
    with pytest.raises(ModelError, match="cannot be run"):
        open_session(_mapped(_installed(tmp_path, elsewhere)))


def test_the_arena_gives_back_what_a_large_run_took() -> None:
    session = open_session(Catalogue.default().require("separation", "vocals"), threads=1)
    process = psutil.Process()
    session.run({"magnitude": np.zeros((1, 2, 64, 1024), np.float32)})
    release_memory()
    before = process.memory_info().rss
    session.run({"magnitude": np.zeros((1, 2, 64 * 8, 1024), np.float32)})
    held = process.memory_info().rss
    release_memory()
    after = process.memory_info().rss
    assert held - before > 50_000_000
    assert after - before < (held - before) / 4


def test_a_closed_session_says_so() -> None:
    session = open_session(Catalogue.default().require("recording_quality"), threads=1)
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run({"input_1": np.zeros((1, 144160), np.float32)})
