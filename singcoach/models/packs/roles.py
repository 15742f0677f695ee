"""Roles that a pack can fill."""

from __future__ import annotations

ROFORMER_ROLES = ("separation", "dereverb")
WHISPER_ROLES = ("encoder_general", "encoder_singing")
HUBERT_ROLES = ("encoder_singing",)
HEADS_ROLE = "heads"
ADDABLE_ROLES = (
    *ROFORMER_ROLES,
    *("pitch", "recording_quality"),
    *WHISPER_ROLES,
    *("language_model", "heads"),
)
"""Roles that ``--role`` may name."""

LANGUAGE_ROLE = "language_model"

PARTS_WITHOUT_USE = ((LANGUAGE_ROLE, "projector"),)
"""Roles with their parts that can be filled and that no command reads yet."""
