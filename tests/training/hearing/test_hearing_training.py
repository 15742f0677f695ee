"""An ear learns what can be heard, is judged on other singers, and becomes the same projector."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import small_llamas
from real_models import needs_runtime
from small_corpora import SINGERS, SimpleEncoder, write_corpus
from small_llamas import N_EMBED, write_llama
from tiny_ears import RandomEncoder, reference_rows
from tiny_gguf import entry_of

from singcoach.cli.main import main
from singcoach.coaching.hearing import LISTEN, QUESTION, answers_grammar
from singcoach.errors import Cancelled, InputError, ModelError
from singcoach.jobs import Job
from singcoach.models.gguf import open_gguf
from singcoach.models.language import Request
from singcoach.models.language.mmproj import project, write_projector
from singcoach.models.language.projector import Projector
from singcoach.models.whisper.config import WhisperConfig
from singcoach.training.hearing.ear import EDITS, Ear, Recipe, class_of
from singcoach.training.hearing.features import (
    N_FEATURES,
    STACK,
    features_of,
    hear_window,
    waves,
)
from singcoach.training.hearing.judging import folds_of
from singcoach.training.hearing.run import TrainedEar, train_hearing
from singcoach.training.hearing.through_words import ANSWERS, open_listener

torch = pytest.importorskip("torch")
RECIPE = Recipe(n_inner=8, steps=40, batch=12, rate=0.01, words_steps=4, words_batch=2, folds=2)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "takes")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    patch = pytest.MonkeyPatch()
    # The answers begin with different tokens, as those of SmolLM2 do.
    patch.setattr(small_llamas, "_JOINED", ("b r", "br o", "d r", "u n", "un e"))
    path = write_llama(tmp_path_factory.mktemp("model") / "small.gguf", seed=4)
    patch.undo()
    return path


def train(
    corpus: Path, model: Path, folder: Path, *, resume: bool = False, job: Job | None = None
) -> TrainedEar:
    return train_hearing(
        corpus, model, folder, session=SimpleEncoder(), encoder_sha256="0" * 64,
        recipe=RECIPE, resume=resume, job=job or Job(),
    )  # fmt: skip


def test_what_can_be_heard_is_heard_in_other_singers(
    corpus: Path, model: Path, tmp_path: Path
) -> None:
    trained = train(corpus, model, tmp_path)
    for judged in (trained.alone, trained.through):
        by_issue = {one.issue: one for one in judged}
        breathy = by_issue["breathy"]
        assert (breathy.n_takes, breathy.n_clean, breathy.n_singers) == (8, 4, 4)
        assert by_issue["harsh"].auc.value is None
        assert not by_issue["monotone"].heard  # it cannot be heard
    alone = {one.issue: one for one in trained.alone}
    assert alone["breathy"].auc.value is not None
    assert alone["breathy"].auc.value > 0.9
    assert alone["breathy"].heard
    report = json.loads(trained.report.read_text())
    assert report["n_singers"] == len(SINGERS)
    assert report["shippable"] is True
    assert len(report["losses_through"]) == RECIPE.words_steps


class _StopAtSecondFold(Job):
    def __init__(self) -> None:
        super().__init__()
        self._seen = 0

    def report(self, fraction: float, stage: str) -> None:
        if fraction > 0.56 and stage.startswith("teaching"):
            self.cancel()
        super().report(fraction, stage)


def test_a_stopped_training_goes_on_to_the_same_ear(
    corpus: Path, model: Path, tmp_path: Path
) -> None:
    whole = train(corpus, model, tmp_path / "whole")
    with pytest.raises(Cancelled):
        train(corpus, model, tmp_path / "parts", job=_StopAtSecondFold())
    assert (tmp_path / "parts" / "running" / "state.json").is_file()
    parts = train(corpus, model, tmp_path / "parts", resume=True)
    assert parts.report.read_bytes() == whole.report.read_bytes()
    for name, weight in whole.ear.weights.items():
        np.testing.assert_array_equal(weight.detach(), parts.ear.weights[name].detach())
    assert not (tmp_path / "parts" / "running").exists()


def test_takes_are_heard_once(corpus: Path, model: Path, tmp_path: Path) -> None:
    for least, n_runs in ((0.6, 16), (0.0, 4), (0.0, 0)):
        session = SimpleEncoder()
        train_hearing(
            corpus, model, tmp_path, session=session, encoder_sha256="0" * 64, through_folds=0,
            recipe=dataclasses.replace(RECIPE, least_severity=least),
        )  # fmt: skip
        assert session.n_runs == n_runs


def test_too_few_singers_are_told(corpus: Path, model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few singers"):
        train_hearing(
            corpus, model, tmp_path, session=SimpleEncoder(), encoder_sha256="0" * 64,
            recipe=dataclasses.replace(RECIPE, folds=5),
        )  # fmt: skip


def test_a_model_that_cannot_tell_the_answers_apart_is_refused(tmp_path: Path) -> None:
    with (
        open_gguf(write_llama(tmp_path / "other.gguf")) as file,
        pytest.raises(ModelError, match="apart"),
    ):
        open_listener(file)


def test_waves_are_orthonormal() -> None:
    np.testing.assert_allclose(waves() @ waves().T, np.eye(len(waves())), atol=1e-6)


def random_ear(width: int, *, seed: int = 2) -> Ear:
    draw = np.random.default_rng(seed)
    words = draw.normal(size=(len(ANSWERS), width)).astype(np.float32)
    scale = draw.uniform(0.5, 2.0, N_FEATURES).astype(np.float32)
    return Ear(scale=scale, words=words, recipe=dataclasses.replace(RECIPE, seed=seed))


def test_the_projector_is_the_trained_ear() -> None:
    rows = np.random.default_rng(1).normal(0.0, 2.0, (1500, 512)).astype(np.float32)
    ear = random_ear(24)
    with torch.no_grad():
        wanted = ear.rows(torch.from_numpy(features_of(rows))).numpy()
    found = project(ear.layers(), rows)
    assert found.shape == wanted.shape == (1500 // STACK, 24)
    assert np.abs(found - wanted).max() < 1e-4 * wanted.std()


@needs_runtime
def test_llama_cpp_answers_as_the_network_that_was_trained_through(
    model: Path, tmp_path: Path
) -> None:
    from singcoach.models.language.hearing import HearingModel

    config = WhisperConfig(
        n_mels=80, n_dims=512, n_hidden=256, n_blocks=1, n_heads=8, n_positions=1500
    )
    encoder, path = RandomEncoder(seed=5, config=config), tmp_path / "mmproj.gguf"

    class Session:
        def run(self, inputs: dict[str, np.ndarray], /) -> list[np.ndarray]:
            return [self.rows[None]]

    session, expected, answers = Session(), [], []
    with open_gguf(model) as file:
        listener = open_listener(file)
    ear = random_ear(N_EMBED)
    with torch.no_grad():  # rows as large as words, so that they decide
        ear.weights["out"] *= 30.0
    write_projector(path, encoder, config, ear.layers(), name="ear", kind="f32")
    about = Projector(kind="ultravox", width=N_EMBED, window_tokens=1500 // STACK)
    entry = dataclasses.replace(entry_of(path), part="projector", config=about.to_json())
    draw = np.random.default_rng(0)
    asked = Request(
        system=LISTEN, user=QUESTION, grammar=answers_grammar(), temperature=0.0, most_tokens=20
    )
    with HearingModel(entry_of(model), entry, duration_s=30.0) as ears:
        for n in range(4):
            times_s = np.arange(64_000) / 16_000
            sound = np.sin(2 * np.pi * 150.0 * (n + 1) * times_s) + draw.normal(0, 0.1 * n, 64_000)
            audio = (0.5 * sound / np.abs(sound).max()).astype(np.float32)
            session.rows = reference_rows(encoder, audio, config)
            features = features_of(hear_window(audio, session))
            with torch.no_grad():
                logits = listener.logits(ear, torch.from_numpy(features[None]))[0]
            expected.append(ANSWERS[int(logits.argmax())])
            ears.hear(audio, system=LISTEN, timeout_s=60.0)
            answers.append(ears.write(asked, timeout_s=20.0).text)
    assert answers == expected
    assert len(set(expected)) > 1


def test_every_fault_of_the_corpus_has_words(corpus: Path) -> None:
    from singcoach.training.corpus import read_corpus
    from singcoach.training.edits import EDIT_KINDS

    assert set(EDITS) == set(EDIT_KINDS) - {"neutral"}
    rows = read_corpus(corpus)
    assert {row.edit: class_of(row) for row in rows}["neutral"] == len(ANSWERS) - 1
    assert class_of(dataclasses.replace(rows[0], edit="something")) is None
    folds = folds_of(rows, 2)
    assert all(
        len({f for r, f in zip(rows, folds, strict=True) if r.singer == s}) == 1 for s in SINGERS
    )


def test_command_trains_and_says_what_is_heard(
    corpus: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("singcoach.models.sessions.open_session", lambda _: SimpleEncoder())
    arguments = ["train", "hearing", "--corpus", str(corpus), "--model", str(model)]
    arguments += ["--out", str(tmp_path), "--steps", "20", "--words-steps", "1", "--folds", "2"]
    assert main([*arguments, "--through-folds", "0"]) == 0
    told = capsys.readouterr().out
    assert "alone, better than chance:" in told
    assert "hearing.json" in told
    assert (tmp_path / "ear.safetensors").is_file()
