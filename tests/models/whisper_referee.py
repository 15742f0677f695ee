"""The same made-up encoder in the transformers library."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from singcoach.models.whisper.config import WhisperConfig
from singcoach.models.whisper.names import Layout
from singcoach.models.whisper.synthetic import tensor_maker

SMALL = WhisperConfig(n_mels=80, n_dims=128, n_hidden=512, n_blocks=4, n_heads=2, n_positions=100)
SMALL_128 = WhisperConfig(
    n_mels=128, n_dims=128, n_hidden=512, n_blocks=3, n_heads=2, n_positions=100
)
SMALL_TOWER = WhisperConfig(
    n_mels=128, n_dims=128, n_hidden=512, n_blocks=4, n_heads=2, n_positions=100, pooling=2
)


def referee(
    config: WhisperConfig,
    *,
    seed: int = 0,
    n_blocks: int | None = None,
    n_positions: int | None = None,
    halves: bool = False,
):
    """Return a function from mel ``(n_mels, 2 n_positions)`` to features ``(n, n_dims)``."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers", reason="the referee is not installed")
    n_blocks = n_blocks or config.n_blocks
    n_positions = n_positions or config.n_positions
    sizes = {
        "num_mel_bins": config.n_mels,
        "d_model": config.n_dims,
        "encoder_layers": n_blocks,
        "encoder_attention_heads": config.n_heads,
        "encoder_ffn_dim": config.n_hidden,
        "max_source_positions": n_positions,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if config.pooling == 2:
            encoder = transformers.Qwen2AudioEncoder(transformers.Qwen2AudioEncoderConfig(**sizes))
        else:
            whole = transformers.WhisperConfig(
                **sizes, decoder_layers=1, decoder_ffn_dim=8, decoder_attention_heads=1
            )
            encoder = transformers.WhisperModel(whole).encoder
    layout = Layout(name="transformers", prefix="")
    make = tensor_maker(config, seed)
    state = {}
    for name in config.names(n_blocks):
        values = make(name)
        if name == "positions":
            values = values[:n_positions]
        if halves:
            values = values.astype(np.float16).astype(np.float32)
        state[layout.source(name)] = torch.from_numpy(np.ascontiguousarray(values))
    encoder.load_state_dict(state, strict=True)
    encoder.eval()

    def encode(mel):
        with torch.no_grad():
            return encoder(torch.from_numpy(mel[None])).last_hidden_state[0].numpy()

    return encode


def picture(config: WhisperConfig, n_columns: int) -> np.ndarray:
    """Return noise with the size and the slow changes of a log-mel picture."""
    rng = np.random.default_rng(n_columns)
    slow = np.cumsum(rng.standard_normal((config.n_mels, n_columns)), axis=1) * 0.05
    noise = 0.3 * rng.standard_normal((config.n_mels, n_columns))
    return np.clip(slow + noise, -1.5, 1.5).astype(np.float32)
