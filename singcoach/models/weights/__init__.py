"""Checkpoints that people publish, opened as tables of tensors without running anything in them."""

from singcoach.models.weights.opening import open_weights
from singcoach.models.weights.weightfile import WeightFile

__all__ = ["WeightFile", "open_weights"]
