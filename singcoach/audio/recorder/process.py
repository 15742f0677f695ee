"""The recorder's own process: ``python -m singcoach.audio.recorder.process``.

It reads one line of JSON (settings, the file to make), then the lines ``stop`` or nothing. When
its standard input ends, the window has gone: the take is finished and left for
:func:`singcoach.audio.recorder.recover_takes`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from singcoach.audio.recorder import messages
from singcoach.audio.recorder.capture import Capture
from singcoach.audio.recorder.feed import Feed
from singcoach.audio.recorder.session import identity
from singcoach.audio.recorder.streams import PortAudio
from singcoach.audio.recorder.values import RecorderState
from singcoach.errors import SingCoachError

_SWITCH_S = 0.001
_HIGH_ON_WINDOWS = 0x80
"""HIGH_PRIORITY_CLASS of SetPriorityClass."""


def main() -> None:
    """Record as the first line of standard input says; ends the process itself."""
    _let_the_window_decide()
    request = json.loads(sys.stdin.readline())
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    sys.stdout = sys.stderr  # whatever a driver prints, the pipe holds messages only
    code = 0
    try:
        _record(request, pipe)
    except SingCoachError as fault:
        state = RecorderState(fault=fault, finished=True)
        _send(pipe, messages.STATE, messages.state_to_json(state))
        code = fault.exit_code
    # A driver whose device is gone may hang in what Python and PortAudio do at the end.
    sys.stderr.flush()
    os._exit(code)


def _record(request: dict[str, Any], pipe: BinaryIO) -> None:
    window = request["window"]
    capture = Capture(
        messages.settings_from_row(request["settings"]),
        path=None if request["path"] is None else Path(request["path"]),
        backend=PortAudio(),
        window=(int(window[0]), float(window[1])),
        recorder=identity(),
    )
    signal.signal(signal.SIGTERM, lambda _signal, _frame: capture.stop())
    _hurry()
    threading.Thread(target=_listen, args=(capture,), name="commands", daemon=True).start()
    capture.open()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_S)
    feed = Feed(capture, pipe)
    feed.start()
    capture.run()
    outcome = capture.finish()
    if feed.finish():
        _send(pipe, messages.STATE, messages.state_to_json(capture.state()))
        row = {
            "frames": outcome.frames,
            "sample_rate": outcome.sample_rate,
            "dropouts": outcome.dropouts,
            "backing_offset_s": outcome.backing_offset_s,
            "warnings": list(outcome.warnings),
            "fault": None if outcome.fault is None else messages.fault_to_row(outcome.fault),
        }
        _send(pipe, messages.DONE, json.dumps(row).encode())
    capture.close()


def _hurry() -> None:
    """Ask to be run before other programs; most systems grant it to nobody, and that is fine."""
    process = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError):
        process.nice(_HIGH_ON_WINDOWS if sys.platform == "win32" else -10)


def _listen(capture: Capture) -> None:
    for line in sys.stdin:
        if line.strip() == "stop":
            break
    capture.stop()


def _send(pipe: BinaryIO, kind: bytes, content: bytes) -> None:
    try:
        pipe.write(messages.pack(kind, content))
    except OSError as error:  # the window has gone; the take is safe
        sys.stderr.write(f"the window does not listen: {error}\n")


def _let_the_window_decide() -> None:
    """Ctrl-C and a closed terminal reach the window too; it says here what to do."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


if __name__ == "__main__":
    main()
