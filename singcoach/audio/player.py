"""Playing recordings: from anywhere, in loops, slowly, two of them in step."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.audio.outputs import BUFFER_S, Loudspeaker, OpenOutput, Output, SilentOutput
from singcoach.audio.playhead import Playhead, Section
from singcoach.audio.sounds import ArraySound, Sound, open_sound
from singcoach.core.arrays import FloatArray
from singcoach.errors import DeviceError
from singcoach.jobs import NO_JOB, Job

_BLOCK_S = 0.03
_IDLE_S = 3.0
_ANY_RATE = 48_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """The play head was at ``position_s`` at ``when_s``, moving at ``speed``."""

    position_s: float
    when_s: float
    speed: float


class Player:
    """Plays one recording, or one of two that keep the same position.

    All methods return at once and may be called from any thread. Without a usable loudspeaker time
    passes in silence, and :meth:`take_fault` tells why, once.

    Parameters
    ----------
    output
        :attr:`singcoach.audio.devices.AudioDevice.key`; None is the system's default.
    open_output
        For tests; the loudspeaker by default.
    """

    def __init__(self, output: str | None = None, *, open_output: OpenOutput | None = None) -> None:
        self._wanted = output
        self._open_output = open_output
        self._changed = threading.Condition()
        self._sounds: tuple[Sound, ...] = ()
        self._offset_s = 0.0
        self._chosen = 0
        self._gain = 1.0
        self._section: Section | None = None
        self._turn = 0
        self._clock: _Clock | None = None
        self._rest_s = 0.0
        self._shown_s = 0.0
        self._fault: DeviceError | None = None
        self._closing = False
        self._reopen = False
        self._thread: threading.Thread | None = None

    # --- what is played ---------------------------------------------------------------------

    def load(self, audio: FloatArray, *, sample_rate: int) -> None:
        """Take ``audio`` of shape ``(channels, n_samples)`` or ``(n_samples,)`` to play."""
        self.set_sounds(ArraySound(audio, sample_rate=sample_rate))

    def load_file(self, path: Path, job: Job = NO_JOB) -> None:
        """Take a file to play; may decode for seconds, so call it beside the window's thread.

        Raises
        ------
        InputError
            It cannot be read.
        """
        self.set_sounds(open_sound(path, job=job))

    def load_pair(
        self, first: Path, second: Path, *, offset_s: float = 0.0, job: Job = NO_JOB
    ) -> None:
        """Take two files that are compared; both are open at the rate of the first.

        Parameters
        ----------
        offset_s
            The moment ``t`` of the first belongs to ``t + offset_s`` of the second.
        """
        sound = open_sound(first, job=job.part(0.0, 0.5))
        try:
            other = open_sound(second, sample_rate=sound.sample_rate, job=job.part(0.5, 1.0))
        except BaseException:
            sound.close()
            raise
        self.set_sounds(sound, other, offset_s=offset_s)

    def set_sounds(
        self, sound: Sound, other: Sound | None = None, *, offset_s: float = 0.0
    ) -> None:
        """Stop and take what is open already; the player closes it when it has something else."""
        if other is not None and other.sample_rate != sound.sample_rate:
            raise ValueError(f"{other.sample_rate} Hz beside {sound.sample_rate} Hz")
        self.stop()
        with self._changed:
            old, self._sounds = self._sounds, (sound,) if other is None else (sound, other)
            self._offset_s, self._chosen, self._rest_s = offset_s, 0, 0.0
        for unused in old:
            unused.close()

    def unload(self) -> None:
        """Stop and let go of the recording, so that its file may be moved or deleted."""
        self.stop()
        with self._changed:
            old, self._sounds = self._sounds, ()
        for unused in old:
            unused.close()

    def choose(self, index: int) -> None:
        """Play the first (0) or the second (1) of a pair from here on, at the same moment."""
        with self._changed:
            if not 0 <= index < max(1, len(self._sounds)):
                raise ValueError(f"there is no sound {index}")
            self._chosen = index

    def set_offset(self, offset_s: float) -> None:
        """Let ``t`` of the first belong to ``t + offset_s`` of the second from here on.

        Two takes without a common accompaniment differ by an offset that changes along them.
        Played slowly, it holds from the next :meth:`choose` or :meth:`play`.
        """
        self._offset_s = offset_s

    # --- playing ----------------------------------------------------------------------------

    def play(
        self,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        loop: bool = False,
        speed: float = 1.0,
    ) -> None:
        """Play from ``start_s`` (None: where it stands) to ``end_s`` (None: the end).

        Parameters
        ----------
        loop
            Begin again at ``start_s`` every time the end is reached.
        speed
            0.25..4 with the key unchanged; 0.5 is half as fast.
        """
        if not 0.25 <= speed <= 4.0:
            raise ValueError(f"speed is {speed}; 0.5 would work")
        with self._changed:
            if not self._sounds or self._closing:
                return
            duration_s = self.duration_s
            end = duration_s if end_s is None else min(max(0.0, end_s), duration_s)
            begin = self.position_s if start_s is None else min(max(0.0, start_s), duration_s)
            first = begin
            if begin >= end:
                first = begin = 0.0 if start_s is None else begin
            if begin >= end:
                return
            self._section = Section(first_s=first, begin_s=begin, end_s=end, loop=loop, speed=speed)
            self._begin()

    def pause(self) -> None:
        """Stop where it is; :meth:`play` without a start goes on from here."""
        with self._changed:
            self._rest_s = self.position_s
            self._halt()

    def stop(self) -> None:
        """Stop and go back to the beginning."""
        with self._changed:
            self._rest_s = 0.0
            self._halt()

    def seek(self, position_s: float) -> None:
        """Go somewhere else, playing on if it plays; a loop is kept when the place is inside."""
        with self._changed:
            target = min(max(0.0, position_s), self.duration_s)
            section = self._section
            if section is None:
                self._rest_s = target
                return
            inside = section.begin_s <= target < section.end_s
            self._section = Section(
                first_s=target,
                begin_s=section.begin_s if inside else target,
                end_s=section.end_s if inside else self.duration_s,
                loop=section.loop and inside,
                speed=section.speed,
            )
            self._begin()

    @property
    def position_s(self) -> float:
        """Second of the first sound that is heard now."""
        with self._changed:
            section, clock = self._section, self._clock
            if section is None:
                return self._rest_s
            if clock is None:
                return section.first_s
            moved_s = (time.monotonic() - clock.when_s) * clock.speed
            position_s = clock.position_s + min(moved_s, 2.0 * BUFFER_S * clock.speed)
            if position_s < section.begin_s and section.first_s >= section.begin_s:
                wrapped_s = section.end_s - (section.begin_s - position_s)
                return max(section.begin_s, wrapped_s) if section.loop else section.first_s
            position_s = min(position_s, section.end_s)
            if not section.loop:  # the driver's delay wavers at the start; time does not go back
                position_s = self._shown_s = max(self._shown_s, position_s)
            return position_s

    @property
    def playing(self) -> bool:
        """Whether it plays, or is about to."""
        return self._section is not None

    @property
    def duration_s(self) -> float:
        """Length of the first sound in seconds; 0 when nothing is loaded."""
        sounds = self._sounds
        return sounds[0].n_frames / sounds[0].sample_rate if sounds else 0.0

    @property
    def gain_db(self) -> float:
        """Loudness; 0 plays it as it is."""
        return float(20.0 * np.log10(max(self._gain, 1e-6)))

    @gain_db.setter
    def gain_db(self, value: float) -> None:
        self._gain = float(10.0 ** (min(value, 24.0) / 20.0))

    # --- devices ----------------------------------------------------------------------------

    def use_output(self, output: str | None) -> None:
        """Play through another device from the next time on."""
        with self._changed:
            self._wanted = output
            self._reopen = True

    def take_fault(self) -> DeviceError | None:
        """Return why nothing is heard, if so; None when asked again."""
        with self._changed:
            fault, self._fault = self._fault, None
            return fault

    def close(self) -> None:
        """Stop, end the thread, let go of the device and the files."""
        with self._changed:
            self._halt()
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=5.0)
        for sound in self._sounds:
            sound.close()
        self._sounds = ()

    # --- the thread -------------------------------------------------------------------------

    def _begin(self) -> None:
        self._turn += 1
        self._clock = None
        self._shown_s = 0.0 if self._section is None else self._section.first_s
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="player", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _halt(self) -> None:
        self._section = None
        self._clock = None
        self._turn += 1
        self._changed.notify_all()

    def _run(self) -> None:
        output: Output | None = None
        opened: tuple[int, int] | None = None
        while True:
            with self._changed:
                if self._section is None and not self._closing:
                    self._changed.wait(_IDLE_S if output is not None else None)
                section, turn, sounds = self._section, self._turn, self._sounds
                closing = self._closing
            if closing or section is None or not sounds:
                if output is not None:
                    output.close()
                output = opened = None
                if closing:
                    return
                continue
            shape = (sounds[0].sample_rate, 2)
            if output is None or opened != shape or self._reopen:
                if output is not None:
                    output.close()
                output, opened, self._reopen = self._opened(*shape), shape, False
            output = self._play_section(section, turn, sounds, output)

    def _opened(self, sample_rate: int, channels: int) -> Output:
        try:
            if self._open_output is not None:
                return self._open_output(sample_rate, channels)
            return Loudspeaker(self._wanted, sample_rate, channels)
        except DeviceError as fault:
            self._note(fault)
            return SilentOutput(sample_rate, channels)

    def _note(self, fault: DeviceError) -> None:
        with self._changed:
            self._fault = fault

    def _play_section(
        self, section: Section, turn: int, sounds: tuple[Sound, ...], output: Output
    ) -> Output:
        """Play until the end or until something else is wanted; return the output to use on."""
        rate = sounds[0].sample_rate
        head = Playhead(sounds, section, offset_s=self._offset_s)
        n_frames = round(_BLOCK_S * rate)
        while self._turn == turn:
            head.set_offset(self._offset_s)
            block = head.read(n_frames, self._chosen)
            if block.shape[0] == 0:
                self._end(section, turn, output)
                return output
            sound = np.clip(block * np.float32(self._gain), -1.0, 1.0)
            try:
                output.write(sound)
            except DeviceError as fault:
                self._note(fault)
                output.close()
                output = SilentOutput(rate, sound.shape[1])
                output.write(sound)
            with self._changed:
                if self._turn == turn:
                    heard_s = head.position_s - output.latency_s * section.speed
                    self._clock = _Clock(
                        position_s=heard_s, when_s=time.monotonic(), speed=section.speed
                    )
        output.halt()
        return output

    def _end(self, section: Section, turn: int, output: Output) -> None:
        """Let what is queued be heard, then rest at the end."""
        rate = self._sounds[0].sample_rate if self._sounds else _ANY_RATE
        silence = np.zeros((round(_BLOCK_S * rate), 2), np.float32)
        with contextlib.suppress(DeviceError):  # it has just played: nothing is missed
            for _ in range(math.ceil(output.latency_s / _BLOCK_S)):
                if self._turn != turn:
                    break
                output.write(silence)
        output.halt()
        with self._changed:
            if self._turn == turn:
                self._rest_s = section.end_s
                self._section = None
                self._clock = None
