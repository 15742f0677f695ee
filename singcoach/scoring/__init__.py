"""Four dimensions of singing, scored from measures with signs and norms that are data."""

from singcoach.scoring.score import score_take

__all__ = ["score_take"]
