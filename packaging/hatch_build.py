"""What a built wheel carries beside the package: the shipped models and recordings.

An editable installation reads both where they lie in the checkout and needs no second copy.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShippedFiles(BuildHookInterface):  # type: ignore[type-arg]
    """Puts ``models/`` and ``assets/`` into the wheel, where ``singcoach.resources`` finds them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders to include; ``version`` is the kind of wheel."""
        if version == "editable":
            return
        for folder in ("assets", "models"):
            build_data["force_include"][folder] = f"singcoach/_shipped/{folder}"
