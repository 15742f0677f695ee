"""The torch form of a pack: its weights in the network, on a device, in a precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from singcoach.errors import ModelError
from singcoach.models.roformer.config import RoformerConfig


def load_network(
    path: Path, config: RoformerConfig, *, device: str = "cpu", dtype: str = "float32"
) -> Any:
    """Return the network with the weights of a pack, ready to run.

    Parameters
    ----------
    path
        ``weights.safetensors`` of a pack, verified.
    config
        The configuration that the manifest keeps beside it.
    device
        As torch names it, such as ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    dtype
        ``"float32"``, ``"bfloat16"`` or ``"float16"``. Angles and lengths of vectors stay in
        float32 in any case, and so do the spectra and masks outside.

    Returns
    -------
    MelBandRoformer
        Takes and gives float32 tensors on ``device``; see its ``check`` for stopping.

    Raises
    ------
    ModelError
        When the file does not hold the weights of this configuration. Torch's own errors when
        memory is short pass through.

    Notes
    -----
    Tensors go from the file to the device one by one: beside the network itself only one of them
    is in memory. Needs torch.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    from singcoach.models.roformer.network import MelBandRoformer

    with torch.device("meta"):
        network = MelBandRoformer(config)
    kind = getattr(torch, dtype)
    tensors: dict[str, Any] = {}
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a mapping
                wanted = torch.float32 if name.endswith("rotary_embed.freqs") else kind
                tensors[name] = file.get_tensor(name).to(device=device, dtype=wanted)
    except (SafetensorError, OSError) as error:
        raise _unfit(path, error) from error
    try:
        network.load_state_dict(tensors, strict=True, assign=True)
    except RuntimeError as error:  # what torch raises for names and shapes
        raise _unfit(path, error) from error
    return network.to(device).eval().requires_grad_(False)


def _unfit(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path.name} does not hold the weights of this MelBand Roformer",
        hint="Remove the pack and add its checkpoint again",
        detail=str(error),
    )
