"""The ear of the process of the language model: sound into the model's state, through mtmd.

mtmd is llama.cpp's library for models that hear. A projector file holds an encoder of sound and
the layers that turn what it hears into rows as wide as the model's words. Here every window of 30 s
becomes such rows, one window after another, and the texts are then written from there.
"""

from __future__ import annotations

import base64
import ctypes
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray

WINDOW_S: Final = 30
WINDOW_SAMPLES: Final = WINDOW_S * ANALYSIS_RATE
MOST_PIECE_SAMPLES: Final = 10 * ANALYSIS_RATE
MOST_SAMPLES: Final = 3600 * ANALYSIS_RATE
_LEAST_SAMPLES: Final = ANALYSIS_RATE // 10
_TEXT, _SOUND = 0, 2
_CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{{ '<|im_start|>assistant\\n' }}"
)


class EarError(RuntimeError):
    """The projector, or the model with it, cannot hear."""


def encode_sound(audio: FloatArray) -> str:
    """Return samples as text for a line of the protocol."""
    return base64.b64encode(np.ascontiguousarray(audio, dtype="<f4").tobytes()).decode("ascii")


def decode_sound(text: str) -> FloatArray:
    """Return the samples of a text.

    Raises
    ------
    ValueError
        When it is no such text, too long, or a sample is not finite.
    """
    content = base64.b64decode(text, validate=True)
    if len(content) % 4 or len(content) > 4 * MOST_PIECE_SAMPLES:
        raise ValueError(f"{len(content)} bytes of sound")
    audio = np.frombuffer(content, dtype="<f4").astype(np.float32)
    if not np.isfinite(audio).all():
        raise ValueError("sound that is no number")
    return audio


class Ear:
    """A projector that is loaded beside a language model.

    Parameters
    ----------
    model
        The ``llama_cpp.Llama`` that it belongs to.
    path
        The projector.

    Raises
    ------
    EarError
        When it does not load, or does not hear.
    """

    def __init__(self, model: Any, path: Path, *, n_threads: int) -> None:
        from llama_cpp import mtmd_cpp

        self._model, self._mtmd = model, mtmd_cpp
        options = mtmd_cpp.mtmd_context_params_default()
        options.use_gpu = False
        options.print_timings = False
        options.n_threads = n_threads
        self._marker = mtmd_cpp.mtmd_default_marker().decode("utf-8")
        self._context = mtmd_cpp.mtmd_init_from_file(
            str(path).encode("utf-8"), model.model, options
        )
        if not self._context:
            raise EarError("the projector does not load, or does not belong to the model")
        if not mtmd_cpp.mtmd_support_audio(self._context):
            raise EarError("the projector sees pictures and hears nothing")
        rate = mtmd_cpp.mtmd_get_audio_sample_rate(self._context)
        if rate != ANALYSIS_RATE:
            raise EarError(f"the projector wants {rate} Hz")
        self._pieces: list[FloatArray] = []
        self._state: list[int] = []
        self._tail = ""
        self._system: str | None = None

    @property
    def system(self) -> str | None:
        """The first part of the prompt that the sound was heard under; None before."""
        return self._system

    def take(self, audio: FloatArray) -> None:
        """Keep the next piece of the sound; what was heard before is forgotten."""
        if self._system is not None:
            self._system, self._pieces = None, []
        if sum(len(piece) for piece in self._pieces) + len(audio) > MOST_SAMPLES:
            raise ValueError("too much sound")
        self._pieces.append(audio)

    def hear(self, system: str, about: str, alive: Callable[[float], None]) -> tuple[int, int]:
        """Put the model where it has read ``system``, heard all sound and read ``about``.

        Returns
        -------
        The number of windows and of tokens, text and sound.

        Raises
        ------
        EarError
            When the sound does not fit into the model's state, or cannot be computed.
        """
        audio = np.concatenate([*self._pieces, np.zeros(0, np.float32)])
        windows = [audio[n : n + WINDOW_SAMPLES] for n in range(0, len(audio), WINDOW_SAMPLES)]
        windows = [w for w in windows if len(w) >= _LEAST_SAMPLES]
        if not windows:
            raise EarError("there is no sound")
        before, between, after = self._prompt(system)
        self._model.reset()
        self._state = []
        for n, window in enumerate(windows):
            alive(n / len(windows))
            if n == 0:
                self._eval(self._words(before))
            self._take_in(window)
        self._eval(self._words(f"{between}{about}\n" if about else between))
        self._tail, self._system = after, system
        return len(windows), len(self._state)

    def tokens(self, user: str) -> list[int]:
        """Put the model where it has heard everything and nothing else; return the whole prompt.

        Sound stands in it as token 0.
        """
        self._model.n_tokens = len(self._state)
        return [*self._state, *self._words(user + self._tail)]

    def rows(self, window: FloatArray) -> FloatArray:
        """Return what the projector makes of one window, ``(n_tokens, n_embed)``."""
        with self._chunks(self._marker, window) as chunks:
            chunk = next(c for c, kind in chunks if kind == _SOUND)
            if self._mtmd.mtmd_encode_chunk(self._context, chunk) != 0:
                raise EarError("the sound cannot be computed")
            shape = (self._mtmd.mtmd_input_chunk_get_n_tokens(chunk), self._model.n_embd())
            numbers = self._mtmd.mtmd_get_output_embd(self._context)
            pointer = ctypes.cast(numbers, ctypes.POINTER(ctypes.c_float))
            return np.ctypeslib.as_array(pointer, shape).astype(np.float32)

    def close(self) -> None:
        """Free the projector."""
        if self._context:
            self._mtmd.mtmd_free(self._context)
            self._context = None

    def _prompt(self, system: str) -> tuple[str, str, str]:
        """The prompt before the sound, between it and the question, and after the question."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        sound, asked = (f"[{secrets.token_hex(8)}]" for _ in range(2))
        model = self._model
        template = model.metadata.get("tokenizer.chat_template") or _CHATML
        bos, eos = (
            model.detokenize([token], special=True).decode("utf-8", "replace") if token >= 0 else ""
            for token in (model.token_bos(), model.token_eos())
        )
        formatter = Jinja2ChatFormatter(template=template, eos_token=eos, bos_token=bos)
        whole = formatter(
            messages=[
                {"role": "system", "content": system},
                {"role": "user", "content": f"{sound}\n{asked}"},
            ]
        ).prompt
        before, _, rest = whole.partition(sound)
        between, _, after = rest.partition(asked)
        if not after and not rest.endswith(asked):
            raise EarError("the model's form of a conversation cannot be used")
        return before, between, after

    def _take_in(self, window: FloatArray) -> None:
        with self._chunks(self._marker, window) as chunks:
            heard = False
            for chunk, kind in chunks:
                if kind == _TEXT:
                    self._eval(self._chunk_tokens(chunk))
                elif not heard:  # further windows are the silence that the library adds
                    self._hear(chunk)
                    heard = True

    def _eval(self, tokens: list[int]) -> None:
        if not tokens:
            return
        self._check_room(len(tokens))
        self._model.eval(tokens)
        self._state += tokens

    def _hear(self, chunk: Any) -> None:
        n_tokens = int(self._mtmd.mtmd_input_chunk_get_n_tokens(chunk))
        self._check_room(n_tokens)
        model, place = self._model, ctypes.c_int32(0)
        failed = self._mtmd.mtmd_helper_eval_chunk_single(
            self._context,
            model._ctx.ctx,
            chunk,
            ctypes.c_int32(model.n_tokens),
            ctypes.c_int32(0),
            model.n_batch,
            False,
            ctypes.byref(place),
        )
        if failed or place.value != model.n_tokens + n_tokens:
            raise EarError("the sound cannot be computed")
        model.input_ids[model.n_tokens : place.value] = 0
        model.n_tokens = place.value
        self._state += [0] * n_tokens

    def _check_room(self, n_tokens: int) -> None:
        if self._model.n_tokens + n_tokens > self._model.n_ctx():
            raise EarError(f"the sound does not fit into {self._model.n_ctx()} tokens")

    def _words(self, text: str) -> list[int]:
        if not text:
            return []
        tokens = self._model.tokenize(text.encode("utf-8"), add_bos=False, special=True)
        return [int(token) for token in tokens]

    def _chunk_tokens(self, chunk: Any) -> list[int]:
        n = ctypes.c_size_t()
        tokens = self._mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(n))
        return [int(tokens[place]) for place in range(n.value)]

    @contextmanager
    def _chunks(self, text: str, sound: FloatArray) -> Iterator[list[tuple[Any, int]]]:
        library = self._mtmd
        samples = np.ascontiguousarray(sound, dtype=np.float32)
        pointer = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        bitmap = library.mtmd_bitmap_init_from_audio(len(samples), pointer)
        chunks = library.mtmd_input_chunks_init()
        try:
            content = text.encode("utf-8")
            asked = library.mtmd_input_text(
                text=content, text_len=len(content), add_special=False, parse_special=True
            )
            bitmaps = (library.mtmd_bitmap_p_ctypes * 1)(bitmap)
            if library.mtmd_tokenize(self._context, chunks, ctypes.byref(asked), bitmaps, 1) != 0:
                raise EarError("the sound cannot be taken apart")
            found = [
                library.mtmd_input_chunks_get(chunks, n)
                for n in range(library.mtmd_input_chunks_size(chunks))
            ]
            yield [(chunk, int(library.mtmd_input_chunk_get_type(chunk))) for chunk in found]
        finally:
            library.mtmd_input_chunks_free(chunks)
            library.mtmd_bitmap_free(bitmap)
