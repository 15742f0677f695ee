"""A language model that hears: what its process makes of sound, and what it does with bad files."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from real_models import needs_runtime
from tiny_ears import (
    CONFIG,
    WINDOW_TOKENS,
    RandomEncoder,
    projector_entry,
    random_layers,
    reference_rows,
    write_tiny_projector,
)
from tiny_gguf import N_EMBED, entry_of, tiny_gguf

from singcoach.core.arrays import FloatArray
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.language import Request
from singcoach.models.language.hearing import HearingModel, open_heard, windows_of
from singcoach.models.language.mmproj import Layers, project, write_projector
from singcoach.models.language.mtmd import (
    MOST_PIECE_SAMPLES,
    WINDOW_SAMPLES,
    Ear,
    decode_sound,
    encode_sound,
)

pytestmark = needs_runtime

SYSTEM = "You are a coach who hears."
ASKED = Request(
    system=SYSTEM,
    user="What do you hear?",
    grammar='root ::= ("It is " | "I hear ") [a-z]{6,12} "."',
    seed=7,
    most_tokens=60,
)
FREE = dataclasses.replace(ASKED, grammar="root ::= [a-z]{40}")
TIMEOUT_S = 60.0


def song(seconds: float, *, seed: int = 0) -> FloatArray:
    """A voice-like sound that is nowhere the same."""
    times_s = np.arange(int(seconds * 16_000)) / 16_000
    f0_hz = 200.0 + 20.0 * np.sin(times_s * (1.0 + seed)) + 3.0 * times_s
    phase = 2.0 * np.pi * np.cumsum(f0_hz) / 16_000
    tone = sum(np.sin(n * phase) / n for n in range(1, 4))
    noise = np.random.default_rng(seed).normal(0.0, 0.01, len(times_s))
    return np.asarray(0.1 * tone + noise, dtype=np.float32)


@pytest.fixture(scope="module")
def long_song() -> FloatArray:
    return song(150.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ears") / "tiny.gguf"
    path.write_bytes(tiny_gguf())
    return path


@pytest.fixture(scope="module")
def projector(model: Path) -> Path:
    return write_tiny_projector(model.with_name("ear.gguf"))


def start(model: Path, projector: Path, *, duration_s: float = 75.0) -> HearingModel:
    return HearingModel(entry_of(model), projector_entry(projector), duration_s=duration_s)


@pytest.mark.parametrize("seconds", [0.2, 7.0, 29.99, 30.0])
def test_rows_are_those_of_a_torch_network(model: Path, projector: Path, seconds: float) -> None:
    import llama_cpp

    loaded = llama_cpp.Llama(str(model), n_ctx=512, verbose=False)
    ear = Ear(loaded, projector, n_threads=1)
    audio = song(seconds) * np.float32(4.0)
    rows = ear.rows(audio)
    ear.close()
    loaded.close()
    wanted = project(random_layers(seed=3), reference_rows(RandomEncoder(seed=3), audio))
    assert rows.shape == wanted.shape == (WINDOW_TOKENS, N_EMBED)
    assert rows.std() > 0.5
    # The library computes convolutions and attention in float16.
    assert np.abs(rows - wanted).max() < 0.01 * rows.std()


def test_a_whole_song_is_heard_window_by_window(model: Path, projector: Path) -> None:
    with start(model, projector) as ears:
        heard = [
            ears.hear(song(seconds), system=SYSTEM, timeout_s=TIMEOUT_S)
            for seconds in (5.0, 30.0, 30.2, 75.0)
        ]
    assert [one.n_windows for one in heard] == [1, 1, 2, 3]
    words = heard[0].n_tokens - WINDOW_TOKENS
    assert [one.n_tokens - words for one in heard] == [WINDOW_TOKENS * n for n in (1, 1, 2, 3)]


def test_texts_follow_the_grammar_the_seed_and_the_song(model: Path, projector: Path) -> None:
    written = {}
    changed = song(70.0)
    changed[-16_000:] = song(1.0, seed=5)  # the last second, in the third window
    for name, audio in (("one", song(70.0)), ("same", song(70.0)), ("other", changed)):
        with start(model, projector) as ears:
            ears.hear(audio, system=SYSTEM, about="pitch: 3.5", timeout_s=TIMEOUT_S)
            texts = [ears.write(dataclasses.replace(FREE, seed=s), timeout_s=20) for s in range(4)]
            assert ears.write(dataclasses.replace(FREE, seed=2), timeout_s=20.0) == texts[2]
            within = ears.write(ASKED, timeout_s=20.0)
        assert within.whole
        assert within.text.startswith(("It is ", "I hear "))
        assert all(len(text.text) == 40 and text.whole for text in texts)
        written[name] = texts
    assert written["one"] == written["same"]
    assert written["one"] != written["other"]


def test_a_new_song_leaves_nothing_of_the_old_one(model: Path, projector: Path) -> None:
    with start(model, projector) as ears:
        ears.hear(song(40.0, seed=1), system=SYSTEM, timeout_s=TIMEOUT_S)
        ears.write(FREE, timeout_s=20.0)
        ears.hear(song(20.0), system=SYSTEM, about="facts", timeout_s=TIMEOUT_S)
        after = ears.write(FREE, timeout_s=20.0)
    with start(model, projector) as ears:
        ears.hear(song(20.0), system=SYSTEM, about="facts", timeout_s=TIMEOUT_S)
        assert ears.write(FREE, timeout_s=20.0) == after
        ears.hear(song(20.0), system=SYSTEM, about="other facts", timeout_s=TIMEOUT_S)
        assert ears.write(FREE, timeout_s=20.0) != after


def test_a_song_is_heard_whatever_the_request_begins_with(model: Path, projector: Path) -> None:
    pair = entry_of(model), projector_entry(projector)
    with open_heard(pair, song(5.0), system=SYSTEM, about="facts", timeout_s=TIMEOUT_S) as ears:
        wanted = ears.write(FREE, timeout_s=20.0)
        assert ears.write(dataclasses.replace(FREE, system="Other."), timeout_s=20.0) == wanted
    n_threads = threading.active_count()
    with pytest.raises(ModelError):
        open_heard(pair, np.zeros(0, np.float32), system=SYSTEM, timeout_s=TIMEOUT_S)
    assert threading.active_count() == n_threads


def test_before_a_song_it_writes_as_one_that_does_not_hear(model: Path, projector: Path) -> None:
    from singcoach.models.language import LanguageModel

    with LanguageModel(entry_of(model)) as plain, start(model, projector) as ears:
        assert ears.write(FREE, timeout_s=20.0) == plain.write(FREE, timeout_s=20.0)


@pytest.mark.parametrize(
    "audio",
    [np.zeros(0, np.float32), np.full(16_000, np.nan, np.float32)],
    ids=["empty", "no numbers"],
)
def test_sound_that_is_none_is_an_error(model: Path, projector: Path, audio: FloatArray) -> None:
    with start(model, projector) as ears, pytest.raises(ModelError):
        ears.hear(audio, system=SYSTEM, timeout_s=TIMEOUT_S)


def test_how_loud_a_recording_is_does_not_matter(model: Path, projector: Path) -> None:
    written = []
    for gain in (0.125, 1.0):
        with start(model, projector) as ears:
            ears.hear(song(5.0) * np.float32(gain), system=SYSTEM, timeout_s=TIMEOUT_S)
            written.append(ears.write(FREE, timeout_s=20.0))
    assert written[0] == written[1]


def test_silence_is_heard(model: Path, projector: Path) -> None:
    with start(model, projector) as ears:
        ears.hear(np.zeros(32_000, np.float32), system=SYSTEM, timeout_s=TIMEOUT_S)
        assert ears.write(ASKED, timeout_s=20.0).whole


def test_a_song_longer_than_was_said_is_an_error(
    model: Path, projector: Path, long_song: FloatArray
) -> None:
    entries = entry_of(model), projector_entry(projector)
    ears = HearingModel(*entries, duration_s=1.0, n_context=512)
    with ears, pytest.raises(ModelError) as caught:
        ears.hear(long_song, system=SYSTEM, timeout_s=TIMEOUT_S)
    assert "does not fit" in caught.value.detail


def test_two_channels_are_a_bug(model: Path, projector: Path) -> None:
    with start(model, projector) as ears, pytest.raises(ValueError, match="n_samples"):
        ears.hear(np.zeros((2, 100), np.float32), system=SYSTEM, timeout_s=TIMEOUT_S)


def test_projector_of_another_model_is_refused(model: Path, tmp_path: Path) -> None:
    wide = write_tiny_projector(tmp_path / "wide.gguf", width=2 * N_EMBED)
    n_threads = threading.active_count()
    with pytest.raises(ModelError, match="cannot be run"):
        HearingModel(entry_of(model), projector_entry(wide, width=2 * N_EMBED), duration_s=10.0)
    assert threading.active_count() == n_threads


def test_projector_with_another_digest_is_refused(model: Path, projector: Path) -> None:
    entry = projector_entry(projector, sha256="0" * 64)
    with pytest.raises(ModelError, match="damaged"):
        HearingModel(entry_of(model), entry, duration_s=10.0)


def test_projector_that_a_pack_does_not_describe_is_refused(model: Path, projector: Path) -> None:
    for config in ("", "{}", "[]", '{"kind": "siglip", "width": 32, "window_tokens": 1}'):
        entry = dataclasses.replace(projector_entry(projector), config=config)
        with pytest.raises(ModelError, match="cannot hear"):
            HearingModel(entry_of(model), entry, duration_s=10.0)


@pytest.mark.parametrize("place", [0, 4, 30, 200, 700, 3000, 60_000, -1])
def test_damaged_projector_is_an_error_at_most(model: Path, projector: Path, place: int) -> None:
    content = bytearray(projector.read_bytes())
    content = content[:-5000] if place < 0 else content
    if place >= 0:
        content[place : place + 8] = b"\xff" * 8
    damaged = projector.with_name(f"damaged{place}.gguf")
    damaged.write_bytes(content)
    # Weights that are merely wrong still hear; the program lives on either way.
    with contextlib.suppress(ModelError), start(model, damaged) as ears:
        ears.hear(song(2.0), system=SYSTEM, timeout_s=TIMEOUT_S)
        assert ears.write(ASKED, timeout_s=20.0).n_tokens > 0


def test_language_model_in_place_of_a_projector_is_refused(model: Path) -> None:
    with pytest.raises(ModelError, match="cannot be run"):
        HearingModel(entry_of(model), projector_entry(model), duration_s=10.0)


class Unchecked(Layers):
    """Layers whose shapes nobody looks at."""

    def check(self, n_dims: int) -> None:
        assert n_dims


def test_projector_at_which_the_library_ends_its_process_is_an_error(
    model: Path, tmp_path: Path
) -> None:
    layers = random_layers(seed=1, stack=8)
    unchecked = Unchecked(**{f.name: getattr(layers, f.name) for f in dataclasses.fields(layers)})
    path = tmp_path / "eight.gguf"
    write_projector(path, RandomEncoder(seed=1), CONFIG, unchecked, name="eight", kind="f32")
    with pytest.raises(ValueError, match="divisor"):
        write_projector(path, RandomEncoder(seed=1), CONFIG, layers, name="eight")
    n_threads = threading.active_count()
    with pytest.raises(ModelError), start(model, path) as ears:
        ears.hear(song(3.0), system=SYSTEM, timeout_s=TIMEOUT_S)
    assert threading.active_count() == n_threads


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_killed_while_hearing_is_an_error(
    model: Path, projector: Path, long_song: FloatArray
) -> None:
    ears = start(model, projector, duration_s=150.0)
    timer = threading.Timer(0.5, os.kill, (ears.process_id, signal.SIGKILL))
    timer.start()
    with pytest.raises(ModelError):
        ears.hear(long_song, system=SYSTEM, timeout_s=TIMEOUT_S)
    timer.join()
    assert not ears.usable
    with pytest.raises(ModelError):
        ears.hear(song(1.0), system=SYSTEM, timeout_s=TIMEOUT_S)


def test_cancelling_while_hearing_takes_less_than_a_second(
    model: Path, projector: Path, long_song: FloatArray
) -> None:
    ears = start(model, projector, duration_s=150.0)
    job = Job()
    asked_s: list[float] = []

    def cancel() -> None:
        asked_s.append(time.monotonic())
        job.cancel()

    timer = threading.Timer(0.5, cancel)
    timer.start()
    with pytest.raises(Cancelled):
        ears.hear(long_song, system=SYSTEM, timeout_s=TIMEOUT_S, job=job)
    assert time.monotonic() - asked_s[0] < 1.0
    timer.join()
    assert not ears.usable


def test_too_little_time_is_an_error(model: Path, projector: Path, long_song: FloatArray) -> None:
    with start(model, projector, duration_s=150.0) as ears, pytest.raises(ModelError):
        ears.hear(long_song, system=SYSTEM, timeout_s=0.5)


def test_sound_without_a_projector_is_an_error(model: Path, projector: Path) -> None:
    from singcoach.models.language import LanguageModel

    with LanguageModel(entry_of(model)) as plain, pytest.raises(ModelError):
        HearingModel.hear(plain, song(1.0), system=SYSTEM, timeout_s=TIMEOUT_S)  # type: ignore[arg-type]


def test_sound_travels_as_text() -> None:
    audio = song(0.1)
    np.testing.assert_array_equal(decode_sound(encode_sound(audio)), audio)
    too_long = encode_sound(np.zeros(MOST_PIECE_SAMPLES + 1, np.float32))
    for text, why in (
        ("é", "ASCII"),
        ("AAA", "padding"),
        ("AAAAAA==AA", "data after padding"),
        ("AAAAAAA=", "5 bytes"),
        (too_long, "bytes of sound"),
        (encode_sound(np.array([np.inf], np.float32)), "no number"),
    ):
        with pytest.raises(ValueError, match=why):
            decode_sound(text)


def test_windows_of_a_song() -> None:
    assert [windows_of(n) for n in (0, 1, WINDOW_SAMPLES, WINDOW_SAMPLES + 1)] == [0, 1, 1, 2]
