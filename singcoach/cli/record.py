"""``singcoach record``: a take from the microphone, the devices, and their delay."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.progress import ConsoleProgress
from singcoach.errors import OutputError
from singcoach.files import cannot_write, check_output

if TYPE_CHECKING:
    from singcoach.audio.recorder import RecordedTake, Recording, RecordingSettings
    from singcoach.jobs import Job

_LOOK_S = 0.1
_SOON_FULL_S = 600.0
_LONGEST_S = 2 * 3600.0


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "record", parents=[common], help="record a take, list sound devices, measure their delay"
    )
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument(
        "--out",
        type=choices.plain_path,
        metavar="PATH",
        help="the wav file to record; Ctrl-C ends the take and keeps it",
    )
    goal.add_argument(
        "--list-devices", action="store_true", help="show microphones and loudspeakers"
    )
    goal.add_argument(
        "--calibrate",
        action="store_true",
        help="measure the delay from loudspeaker to recording with chirps",
    )
    parser.add_argument("--input", metavar="NAME", help="microphone (default: the system's)")
    parser.add_argument("--output", metavar="NAME", help="loudspeaker (default: the system's)")
    parser.add_argument(
        "--backing",
        type=choices.plain_path,
        metavar="AUDIO",
        help="a recording to play while you sing; the take keeps step with it",
    )
    parser.add_argument(
        "--latency-ms",
        type=_milliseconds,
        default=0.0,
        metavar="MS",
        help="delay that --calibrate found (default: 0)",
    )
    parser.add_argument(
        "--seconds", type=_seconds, metavar="S", help="end by itself after so many seconds"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked and return the exit code."""
    if args.list_devices:
        return _list()
    if args.calibrate:
        return _calibrate(args)
    return _record(args)


def _list() -> int:
    from singcoach.audio.devices import list_devices

    devices = list_devices()
    for device in devices:
        uses = [
            f"{count} {words}{'' if count == 1 else 's'}"
            for count, words in ((device.inputs, "input"), (device.outputs, "output"))
            if count
        ]
        default = "  (the system's choice)" if device.is_default else ""
        show(f"{device.name}  [{device.host_api}]  {', '.join(uses)}, "
             f"{device.default_rate} Hz{default}")  # fmt: skip
    if not devices:
        say("no sound device was found", "Recordings from files can be assessed without one")
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from singcoach.audio.latency import measure_latency

    source, sink = _device_keys(args)
    with ConsoleProgress("chirps") as job:
        latency = measure_latency(source, sink, job=job)
    show(f"delay {latency.ms:.1f} ms, quality {latency.quality:.2f}, {latency.repeats} chirps")
    if not latency.good:
        say(
            "the delay is not sure",
            "Turn the loudspeaker up, keep quiet, and measure again",
        )
    return 0


def _record(args: argparse.Namespace) -> int:
    from singcoach.audio.recorder import RecordingSettings, start_recording

    check_output(args.out, [args.backing])
    source, sink = _device_keys(args)
    settings = RecordingSettings(
        input=source,
        output=sink,
        backing=args.backing,
        latency_s=args.latency_ms / 1_000.0,
    )
    folder = args.out.resolve().parent
    with ConsoleProgress(args.out.name) as job, start_recording(settings, folder) as recording:
        _wait(recording, args.seconds, job)
        take = recording.stop()
    if take.path is None:
        raise take.fault or OutputError("Nothing was recorded", hint="Record again")
    take = _refined(take, settings)
    _give_name(take.path or args.out, args.out)
    for warning in take.warnings:
        say(warning)
    show(str(args.out))
    if args.backing is not None:
        show(f"the take begins at {take.backing_offset_s:.4f} s of {args.backing.name}")
    if take.fault is not None:
        say(take.fault)
        return take.fault.exit_code
    return 0


def _wait(recording: Recording, seconds: float | None, job: Job) -> None:
    """Wait for the end: so many seconds, Ctrl-C, or a fault."""
    wanted_s = _LONGEST_S if seconds is None else seconds
    warned = False
    try:
        while not (state := recording.poll()).finished and recording.read_position_s < wanted_s:
            stage = f"recording {state.recorded_s:.0f} s, {state.level_db:.0f} dB"
            job.report(0.0 if seconds is None else state.recorded_s / wanted_s, stage)
            recording.read_new()
            if state.disk_free_s < _SOON_FULL_S and not warned:
                warned = True
                left_s = state.disk_free_s
                room = f"{left_s:.0f} seconds" if left_s < 90.0 else f"{left_s / 60.0:.0f} minutes"
                say(f"the disk has room for {room} more", "Free some space")
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        if recording.poll().recorded_s == 0.0:
            raise


def _refined(take: RecordedTake, settings: RecordingSettings) -> RecordedTake:
    if settings.backing is None:
        return take
    from singcoach.audio.alignment import refine_offset

    with ConsoleProgress("aligning") as job:
        return refine_offset(take, settings.backing, job=job)


def _give_name(made: Path, wanted: Path) -> None:
    from singcoach.audio.recorder import forget_note

    try:
        made.replace(wanted)
    except OSError as error:
        raise cannot_write(wanted, error) from error
    forget_note(made)


def _device_keys(args: argparse.Namespace) -> tuple[str | None, str | None]:
    """Return the keys of the devices that were named; raises DeviceError for unknown ones."""
    if args.input is None and args.output is None:
        return None, None
    from singcoach.audio.devices import choose_input, choose_output, list_devices

    devices = list_devices()
    return (
        None if args.input is None else choose_input(devices, args.input).key,
        None if args.output is None else choose_output(devices, args.output).key,
    )


def _seconds(text: str) -> float:
    value = _number(text)
    if not 0.0 < value <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and {_LONGEST_S:.0f} seconds")
    return value


def _milliseconds(text: str) -> float:
    value = _number(text)
    if not 0.0 <= value <= 2_000.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 2000 milliseconds")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value
