"""The chain with the user's packs: small networks of the public layout with made-up weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from singcoach import resources
from singcoach.audio.reading import read_audio
from singcoach.audio.writing import write_wav
from singcoach.chain.assess import AssessedTake, assess
from singcoach.chain.cache import Cache
from singcoach.chain.clock import Clock
from singcoach.chain.engine import Engine, Roformer
from singcoach.chain.separating import dry_voice
from singcoach.chain.settings import Settings
from singcoach.chain.stems import write_stems
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models import memory
from singcoach.models.memory import FreeMemory
from singcoach.models.packs.adding import add
from singcoach.models.packs.staging import remove
from singcoach.models.roformer.config import RoformerConfig
from singcoach.models.roformer.synthetic import write_checkpoint
from singcoach.separation.roformer_pack import open_roformer

TAKE = resources.assets_dir() / "vocadito_14.flac"
SONG = resources.assets_dir() / "slow_motion_dream.mp3"
BEST = Settings(profile="best", feedback=False)
SMALL = RoformerConfig(dim=16, depth=1, heads=2, dim_head=8)
SLOWER = RoformerConfig(dim=16, depth=1, heads=2, dim_head=8, sample_rate=32_000, chunk_size=96_000)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a pack for separation and one for dereverb."""
    home = tmp_path_factory.mktemp("packs")
    checkpoints = tmp_path_factory.mktemp("checkpoints")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SINGCOACH_HOME", str(home))
        for role, seed in (("separation", 1), ("dereverb", 2)):
            path = checkpoints / f"{role}.safetensors"
            write_checkpoint(path, SMALL, seed, form=".safetensors")
            add([path], trust=True, role=role)
    return home


@pytest.fixture
def home(folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the home that a test may change."""
    own = tmp_path / "home"
    shutil.copytree(folders, own)
    monkeypatch.setenv("SINGCOACH_HOME", str(own))
    return own


@pytest.fixture
def three_seconds(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    audio = read_audio(SONG, sample_rate=44_100, channels=2)[:, : 3 * 44_100]
    write_wav(path, audio, sample_rate=44_100, subtype="FLOAT")
    return path


def numbers(assessed: AssessedTake) -> dict[str, Any]:
    """What may not differ between two runs."""
    from singcoach.report.document import to_document

    document = to_document(assessed.assessment)
    del document["timings"], document["peak_memory_mb"]
    return document


def used(assessed: AssessedTake) -> dict[str, str]:
    return {model.role: model.id for model in assessed.assessment.models}


@pytest.mark.usefixtures("home")
def test_best_puts_the_packs_in_the_place_of_the_embedded_models(tmp_path: Path) -> None:
    mixture = assess(SONG, settings=BEST, engine=Engine())
    assert used(mixture)["separation"] == "separation"
    assert used(mixture)["dereverb"] == "dereverb"
    assert {"separation_s", "dereverb_s"} <= set(mixture.assessment.timings)
    assert mixture.assessment.warnings == mixture.assessment.scores.warnings
    assert mixture.take.vocal.size == mixture.take.vocal_raw.size
    assert not np.array_equal(mixture.take.vocal, mixture.take.vocal_raw)
    solo = assess(TAKE, settings=BEST, engine=Engine(cache=Cache(tmp_path)))
    assert "separation" not in used(solo)
    assert used(solo)["dereverb"] == "dereverb"


@pytest.mark.usefixtures("home")
def test_other_profiles_keep_to_the_embedded_models() -> None:
    engine = Engine()
    assess(TAKE, settings=BEST, engine=engine)
    balanced = assess(TAKE, settings=Settings(feedback=False), engine=engine)
    assert used(balanced).get("dereverb") != "dereverb"
    fresh = assess(TAKE, settings=Settings(feedback=False), engine=Engine())
    assert numbers(balanced) == numbers(fresh)


@pytest.mark.usefixtures("home")
def test_packs_give_the_same_numbers_anew_and_from_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    first, *others = (
        json.dumps(numbers(assess(SONG, settings=BEST, engine=Engine(cache=cache))))
        for _ in range(3)
    )
    assert all(other == first for other in others)
    assert json.dumps(numbers(assess(SONG, settings=BEST, engine=Engine()))) == first


@pytest.mark.usefixtures("home")
def test_the_stems_of_a_pack_add_up_to_the_recording(tmp_path: Path, three_seconds: Path) -> None:
    embedded = write_stems(three_seconds, tmp_path / "embedded", engine=Engine())
    stems = write_stems(three_seconds, tmp_path / "out", engine=Engine(profile="best"))
    vocals, _ = soundfile.read(stems.vocals, dtype="float32")
    accompaniment, _ = soundfile.read(stems.accompaniment, dtype="float32")
    mixture, _ = soundfile.read(three_seconds, dtype="float32")
    np.testing.assert_allclose(vocals + accompaniment, mixture, atol=1e-6)
    other, _ = soundfile.read(embedded.vocals, dtype="float32")
    assert not np.allclose(vocals, other, atol=1e-3)


class Open:
    """A network that lets everything pass."""

    warnings = notices = ()
    provider = "CPUExecutionProvider"
    changed = False

    def batch_size(self) -> int:
        return 1

    def run(self, inputs: Mapping[str, Any], /) -> list[Any]:
        spectrum = inputs["spectrum"]
        masks = np.zeros((len(spectrum), 1, *spectrum.shape[1:]), np.float32)
        masks[..., 0] = 1.0
        return [masks]

    def stop(self) -> None:
        """Nothing runs."""


@pytest.mark.usefixtures("home")
def test_a_pack_at_another_rate_hears_the_same_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(profile="best")
    separator = engine.roformer("separation")
    slower = Roformer(session=cast("Any", Open()), config=SLOWER, batch=1)
    monkeypatch.setattr(
        engine, "roformer", lambda role, _job=None: slower if role == "dereverb" else separator
    )
    dried = dry_voice(SONG, "0" * 64, None, engine=engine, clock=Clock())
    assert dried is not None
    raw, vocal, accompaniment, _key = dried
    assert accompaniment is not None
    assert raw.size == vocal.size == accompaniment.size
    inside = slice(1000, -1000)
    error = np.sqrt(np.mean((raw - vocal)[inside] ** 2) / np.mean(raw[inside] ** 2))
    assert error < 0.02  # what lies close to 8 kHz may differ: both resample there


@pytest.mark.usefixtures("home")
def test_too_little_memory_uses_the_embedded_models_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = FreeMemory(free_bytes=350_000_000, total_bytes=8_000_000_000)
    monkeypatch.setattr(memory, "host_memory", lambda: few)
    monkeypatch.setattr("singcoach.models.devices.host_memory", lambda: few)
    assessed = assess(SONG, settings=BEST, engine=Engine())
    assert used(assessed)["separation"] == "spleeter-2stems-vocals"
    told = [w for w in assessed.assessment.warnings if "GB of memory" in w]
    assert len(told) == 2
    assert all("embedded model did its work" in warning for warning in told)
    plain = assess(SONG, settings=Settings(feedback=False), engine=Engine())
    assert numbers(assessed)["screening"] == numbers(plain)["screening"]


def test_a_damaged_pack_is_refused_before_it_is_parsed(home: Path) -> None:
    network = next(home.glob("**/packs/dereverb/network.onnx"))
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        assess(TAKE, settings=BEST, engine=Engine())
    assess(TAKE, settings=Settings(feedback=False), engine=Engine())


class Flaky:
    """A session on a card that gives other numbers once and then fails."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.changed = False
        self.provider = "torch cuda"
        self.warnings: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def run(self, inputs: Mapping[str, Any], /) -> list[Any]:
        (masks,) = self._inner.run(inputs)
        if self.provider == "torch cuda":
            self.provider = "torch cuda, then CPUExecutionProvider"
            return [0.5 * masks]
        self.changed = True
        self.warnings = ("the card failed in the middle of the work",)
        return [masks]


@pytest.mark.usefixtures("home")
def test_nothing_is_kept_of_a_take_whose_device_gave_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(kind="mixture", profile="best", feedback=False)
    cache = Cache(tmp_path / "cache")
    good = assess(SONG, settings=settings, engine=Engine())
    true_open = open_roformer

    def open_flaky(*args: Any, **kwargs: Any) -> tuple[Any, RoformerConfig]:
        session, config = true_open(*args, **kwargs)
        return Flaky(session), config

    with monkeypatch.context() as patch:
        patch.setattr("singcoach.chain.engine.open_roformer", open_flaky)
        bad = assess(SONG, settings=settings, engine=Engine(cache=cache))
    assert "the card failed in the middle of the work" in bad.assessment.warnings
    providers = {model.role: model.provider for model in bad.assessment.models}
    assert providers["separation"] == "torch cuda, then CPUExecutionProvider"
    assert not np.array_equal(bad.take.vocal, good.take.vocal)
    again = assess(SONG, settings=settings, engine=Engine(cache=cache))
    assert numbers(again) == numbers(good)


@pytest.mark.usefixtures("home")
def test_memory_that_runs_short_in_a_batch_sets_the_pack_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine()
    first = assess(TAKE, settings=BEST, engine=engine)
    few = FreeMemory(free_bytes=350_000_000, total_bytes=8_000_000_000)
    monkeypatch.setattr("singcoach.models.devices.host_memory", lambda: few)
    second = assess(TAKE, settings=BEST, engine=engine)
    assert used(first)["dereverb"] == "dereverb"
    assert "dereverb" not in used(second)
    assert any("left out as dereverb" in warning for warning in second.assessment.warnings)


def test_a_pack_with_a_damaged_manifest_is_told_and_passed_by(home: Path) -> None:
    manifest = next(home.glob("**/packs/dereverb/manifest.toml"))
    manifest.chmod(0o600)
    manifest.write_text("x = 1\n", encoding="utf-8")
    assessed = assess(TAKE, settings=BEST, engine=Engine())
    assert "dereverb" not in used(assessed)
    told = " ".join(assessed.assessment.warnings)
    assert "The pack dereverb was passed by" in told
    assert "No stronger" not in told


@pytest.mark.usefixtures("home")
def test_a_device_that_is_not_there_is_told_from_the_cache_too(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    told = [
        assess(TAKE, settings=BEST, engine=Engine(cache=cache, device="mps")).assessment.warnings
        for _ in range(2)
    ]
    assert told[0] == told[1]
    assert any("mps" in warning for warning in told[0])
    assert not any("has no effect" in warning for warning in told[0])


@pytest.mark.usefixtures("home")
def test_after_removal_the_embedded_models_work_again() -> None:
    for pack in ("separation", "dereverb"):
        remove(pack)
    assessed = assess(SONG, settings=BEST, engine=Engine())
    assert used(assessed)["separation"].startswith("spleeter")
    assert any("No stronger model packs" in w for w in assessed.assessment.warnings)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("fraction", [0.25, 0.6])
def test_a_stop_ends_both_networks(tmp_path: Path, fraction: float) -> None:
    cache = Cache(tmp_path / "cache")
    job = Job(lambda done, _stage: job.cancel() if done > fraction else None)
    with pytest.raises(Cancelled):
        assess(SONG, settings=BEST, engine=Engine(cache=cache), job=job)
