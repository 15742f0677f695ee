"""What a converter says about each file that it wrote for a pack."""

from __future__ import annotations

from dataclasses import dataclass

from singcoach.models.manifest import TensorSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFile:
    """One file of a pack in the making; its size and hash are taken when it is installed.

    Attributes
    ----------
    file
        Plain file name inside the pack's folder.
    role, part
        What the file is for, as in the manifest; ``part`` may be empty.
    sample_rate
        Rate in Hz of the audio that the network expects; None where it takes no audio.
    inputs, outputs
        Tensors; empty for files that are not graphs.
    config
        JSON text of what the code that runs the file must know; empty where there is nothing.
    prompt
        Of a language model: how it was taught to be asked, as in the manifest.
    """

    file: str
    role: str
    part: str = ""
    sample_rate: int | None = None
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    config: str = ""
    prompt: str = ""
