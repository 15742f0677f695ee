"""Controlled edits: good singing made worse in one known way, by a known amount."""

from singcoach.training.edits.apply import apply_edit, is_applicable, make_edits
from singcoach.training.edits.kinds import EDIT_DIMENSIONS, EDIT_KINDS, EditKind, Fault

__all__ = [
    "EDIT_DIMENSIONS",
    "EDIT_KINDS",
    "EditKind",
    "Fault",
    "apply_edit",
    "is_applicable",
    "make_edits",
]
