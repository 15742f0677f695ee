"""Stand-ins for what takes long: an analyser that hears nothing, recordings of a moment."""

from __future__ import annotations

import importlib.util
import json
import threading
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from singcoach.chain.analysis_process import AnalysisResult
from singcoach.chain.analysis_protocol import AnalysisRequest
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import NO_JOB, Job

_DOCUMENTS = Path(__file__).resolve().parents[1] / "library" / "library_documents.py"


def document(overall: float = 3.0) -> dict[str, Any]:
    """A whole assessment, as the chain would write it."""
    spec = importlib.util.spec_from_file_location("library_documents_of_gui", _DOCUMENTS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, Any] = module.document(overall=overall)
    return made


@dataclass
class FakeAnalyser:
    """Writes a real assessment without hearing anything; obeys the names of the recordings."""

    requests: list[AnalysisRequest] = field(default_factory=list)
    stop_at: int | None = None
    hold: threading.Event | None = None
    """Works until it is set."""

    def analyse(
        self, request: AnalysisRequest, job: Job = NO_JOB, *, on_sentence: Any = None
    ) -> AnalysisResult:
        self.requests.append(request)
        job.report(0.5, "listening")
        if self.hold is not None:
            while not self.hold.wait(0.01):
                job.report(0.5, "listening")
        if self.stop_at is not None and len(self.requests) > self.stop_at:
            raise Cancelled
        if "model" in request.name:
            raise ModelError("The model swift-f0 is damaged", hint="Install again")
        if "bug" in request.name:
            raise KeyError("ours")
        text = json.dumps(document())
        (request.folder / "assessment.json").write_text(text, encoding="utf-8")
        if on_sentence is not None:
            on_sentence("summary", 0, "Well sung.")
        return AnalysisResult(
            folder=request.folder, duration_s=0.1, seconds=2.0, providers=("CPUExecutionProvider",)
        )

    def close(self) -> None:
        self.requests.clear()


def write_recording(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x00\x10\x00\xf0" * 400)
    return path
