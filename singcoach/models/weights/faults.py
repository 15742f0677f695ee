"""Sentences for weight files that are refused."""

from __future__ import annotations

from singcoach.errors import ModelError

DAMAGED_HINT = "Fetch the file again from where it is published"
UNSAFE_HINT = "Use it only in the safetensors form, which cannot carry code"


def damaged(name: str, reason: str) -> ModelError:
    """Return the error for a file that is cut, overwritten or inconsistent."""
    return ModelError(f"{name} is damaged: {reason}", hint=DAMAGED_HINT)


def unsafe(name: str, reason: str) -> ModelError:
    """Return the error for a file that asks for more than data."""
    return ModelError(f"{name} is refused: {reason}", hint=UNSAFE_HINT)


def unusable(name: str, reason: str, hint: str = "") -> ModelError:
    """Return the error for a file that is whole but of no use here."""
    return ModelError(
        f"{name} cannot be used: {reason}",
        hint=hint or "Give a checkpoint as its authors publish it",
    )


def shown(text: object, most: int = 80) -> str:
    """Return foreign text as one short printable word or phrase."""
    clean = "".join(c if c.isprintable() else "?" for c in str(text)[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"
