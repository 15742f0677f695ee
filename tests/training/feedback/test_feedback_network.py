from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from small_llamas import write_llama

from singcoach.errors import ModelError
from singcoach.models.gguf import open_gguf
from singcoach.models.gguf.writing import number_setting, text_setting
from singcoach.training.feedback.llama import adapted_names, forward, load_weights, shape_of
from singcoach.training.feedback.tokens import BEGIN, END, Tokenizer, prompt

torch = pytest.importorskip("torch")
needs_runtime = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)
TEXT = prompt("Be kind.", "At 0:42 the note's flat; you'll see: naïve “3.5”\n\n  ok_1 the\tyou")


@needs_runtime
def test_tokens_and_logits_are_those_of_llama_cpp(tmp_path: Path) -> None:
    """Keys and values in float32, as here; llama.cpp would round them to float16."""
    import llama_cpp

    path = write_llama(tmp_path / "small.gguf")
    exact = llama_cpp.GGML_TYPE_F32
    peer = llama_cpp.Llama(
        str(path),
        n_ctx=256,
        n_threads=1,
        logits_all=True,
        verbose=False,
        type_k=exact,
        type_v=exact,
    )
    with open_gguf(path) as file:
        shape = shape_of(file)
        tokens = Tokenizer(file.settings).encode(TEXT)
        weights = load_weights(file, shape)
    assert tokens == peer.tokenize(TEXT.encode(), add_bos=False, special=True)
    peer.eval(tokens)
    expected = np.array(peer.scores[: len(tokens)])
    with torch.no_grad():
        found = forward(weights, shape, torch.tensor([tokens]))[0].numpy()
    assert expected.std() > 1.0
    np.testing.assert_allclose(found, expected, atol=0.001 * expected.std())


def test_what_comes_later_changes_nothing_before(tmp_path: Path) -> None:
    with open_gguf(write_llama(tmp_path / "small.gguf")) as file:
        shape = shape_of(file)
        weights = load_weights(file, shape)
    first = torch.tensor([[5, 6, 7, 8], [5, 6, 9, 1]])
    with torch.no_grad():
        logits = forward(weights, shape, first)
        at = torch.tensor([[True, False, False, True], [False, True, False, False]])
        some = forward(weights, shape, first, at=at)
    torch.testing.assert_close(logits[0, :2], logits[1, :2])
    assert (logits[0, 2] - logits[1, 2]).abs().max() > 0.01
    torch.testing.assert_close(some, logits[at])


def test_an_addition_is_the_same_as_changed_weights(tmp_path: Path) -> None:
    with open_gguf(write_llama(tmp_path / "small.gguf")) as file:
        shape = shape_of(file)
        weights = load_weights(file, shape)
    draw = torch.Generator().manual_seed(3)
    adapters = {
        name: (
            torch.randn(2, weights[name].shape[1], generator=draw),
            torch.randn(weights[name].shape[0], 2, generator=draw),
        )
        for name in adapted_names(shape)
    }
    merged = weights | {n: weights[n] + 0.1 * b @ a for n, (a, b) in adapters.items()}
    tokens = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        added = forward(weights, shape, tokens, adapters=adapters, scale=0.1)
        torch.testing.assert_close(added, forward(merged, shape, tokens), rtol=1e-3, atol=1e-3)


def test_tokens_give_the_text_back(tmp_path: Path) -> None:
    with open_gguf(write_llama(tmp_path / "small.gguf")) as file:
        tokens = Tokenizer(file.settings)
    assert tokens.decode(tokens.encode(TEXT)) == TEXT
    assert tokens.encode(f"{BEGIN}{END}") == [1, 2]
    assert len(tokens.encode(" the")) == 1
    assert tokens.encode("") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"general.architecture": text_setting("qwen2")},
        {"llama.block_count": number_setting(3)},
        {"llama.block_count": number_setting(0)},
        {"llama.attention.head_count": number_setting(0)},
        {"llama.attention.head_count_kv": number_setting(3)},
        {"llama.embedding_length": text_setting("wide")},
    ],
)
def test_another_network_is_refused(tmp_path: Path, changes: dict[str, bytes]) -> None:
    path = write_llama(tmp_path / "small.gguf", changes=changes)
    with open_gguf(path) as file, pytest.raises(ModelError):
        shape_of(file)


def test_tokens_of_another_kind_are_refused() -> None:
    with pytest.raises(ModelError, match="kind"):
        Tokenizer({"tokenizer.ggml.model": "llama"})
    with pytest.raises(ModelError, match="incomplete"):
        Tokenizer({"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm"})
