"""A sound card for tests: a PulseAudio of their own, whose loudspeaker is its microphone.

``from sound_card import sound_card`` in a test module or conftest makes the fixture known.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

RATE = 48_000
_START_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundCard:
    """A running sound server that programs of this process and its children find."""

    environment: dict[str, str]
    server: subprocess.Popen[bytes]

    def control(self, *words: str) -> str:
        """Run ``pactl`` and return what it says."""
        done = subprocess.run(
            ["pactl", *words], env=self.environment, capture_output=True, text=True, timeout=20
        )
        if done.returncode:
            raise OSError(done.stderr.strip())
        return done.stdout.strip()

    def add_loop(self, name: str) -> str:
        """Add a loudspeaker whose monitor is the default microphone; return its module."""
        module = self.control(
            "load-module", "module-null-sink", f"sink_name={name}", f"rate={RATE}", "channels=2"
        )
        self.control("set-default-sink", name)
        self.control("set-default-source", f"{name}.monitor")
        return module


@contextlib.contextmanager
def running_sound_card() -> Iterator[SoundCard]:
    """Start a sound server, point this process at it, and end it."""
    # Not below pytest's folders: the name of a socket must be short.
    home = Path(tempfile.mkdtemp(prefix="scpulse"))
    changes = {
        "PULSE_RUNTIME_PATH": str(home / "run"),
        "PULSE_STATE_PATH": str(home / "state"),
        "PULSE_CLIENTCONFIG": str(home / "client.conf"),
    }
    (home / "client.conf").write_text("autospawn = no\n")
    (home / "run").mkdir()
    (home / "state").mkdir()
    before = {name: os.environ.get(name) for name in (*changes, "PULSE_SERVER")}
    os.environ.pop("PULSE_SERVER", None)
    os.environ.update(changes)
    environment = dict(os.environ)
    server = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--system=false", "--exit-idle-time=-1",
         "--high-priority=yes", "--realtime=yes", "--load=module-native-protocol-unix"],
        env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    card = SoundCard(environment=environment, server=server)
    listener: subprocess.Popen[bytes] | None = None
    try:
        _wait_for(card, server)
        card.add_loop("loop")
        # Somebody who always listens keeps the server from rendering two seconds at a time.
        listener = subprocess.Popen(
            ["parec", "--latency-msec=10", "-d", "loop.monitor", "--raw"],
            env=card.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        yield card
    finally:
        for process in (listener, server):
            if process is not None:
                process.terminate()
                process.wait(10)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(card: SoundCard, server: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + _START_S
    while server.poll() is None:
        with contextlib.suppress(OSError):
            card.control("info")
            return
        if time.monotonic() > until_s:
            break
        time.sleep(0.1)
    raise RuntimeError("the sound server does not start")


@pytest.fixture(scope="session")
def sound_card() -> Iterator[SoundCard]:
    """A sound card whose microphone hears exactly what its loudspeaker plays."""
    missing = [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]
    if not missing:
        try:
            import sounddevice  # noqa: F401
        except (ImportError, OSError) as error:
            missing = [str(error)]
    if missing:
        reason = f"no sound card can be made here: {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_sound_card() as card:
        yield card
