"""Devices by name and host API, and what PortAudio says wrongly or not at all."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from singcoach.audio import device_faults, devices
from singcoach.audio.devices import (
    AudioDevice,
    choose_input,
    choose_output,
    devices_here,
    index_of,
    list_devices,
    pair_key,
)
from singcoach.errors import DeviceError


def _row(name: str, api: int, inputs: int, outputs: int) -> dict[str, Any]:
    return {
        "name": name, "hostapi": api, "max_input_channels": inputs,
        "max_output_channels": outputs, "default_samplerate": 44_100.0,
    }  # fmt: skip


def _portaudio(
    rows: list[dict[str, Any]], apis: list[str], defaults: list[tuple[int, int]]
) -> SimpleNamespace:
    table = tuple(
        {
            "name": name,
            "devices": [index for index, row in enumerate(rows) if row["hostapi"] == number],
            "default_input_device": defaults[number][0],
            "default_output_device": defaults[number][1],
        }
        for number, name in enumerate(apis)
    )
    return SimpleNamespace(
        query_hostapis=lambda: table,
        query_devices=lambda: rows,
        default=SimpleNamespace(device=defaults[0]),
    )


def test_recipes_of_alsa_are_no_devices():
    rows = [_row("hw:0", 0, 2, 2), _row("dmix", 0, 0, 2), _row("pulse", 0, 32, 32)]
    found = devices_here(_portaudio(rows, ["ALSA"], [(2, 2)]))
    assert [device.key for device in found] == ["ALSA|hw:0", "ALSA|pulse"]
    assert [device.is_default for device in found] == [False, True]


def test_windows_shows_each_device_once_and_its_own_default():
    rows = [
        _row("Microphone (USB Audio Devi", 0, 1, 0),
        _row("Microphone (USB Audio Device)", 1, 1, 0),
        _row("Speakers", 1, 0, 2),
    ]
    found = devices_here(_portaudio(rows, ["MME", "Windows WASAPI"], [(0, -1), (1, 2)]))
    assert [device.name for device in found] == ["Microphone (USB Audio Device)", "Speakers"]
    assert found[0].is_default_input
    assert found[1].is_default_output


def test_no_device_is_an_empty_list():
    assert devices_here(_portaudio([], ["ALSA"], [(-1, -1)])) == []


def _device(name: str, inputs: int = 1, outputs: int = 2, default: bool = False) -> AudioDevice:
    return AudioDevice(
        name=name, host_api="ALSA", inputs=inputs, outputs=outputs, default_rate=48_000,
        is_default_input=default, is_default_output=default,
    )  # fmt: skip


def test_devices_are_chosen_by_key_name_or_part_of_it():
    usb, built_in = _device("USB Microphone", outputs=0), _device("Built-in", default=True)
    both = [usb, built_in]
    assert choose_input(both) == built_in
    assert choose_input(both, usb.key) == usb
    assert choose_input(both, "usb microphone") == usb
    assert choose_input(both, "usb") == usb
    assert choose_output(both) == built_in
    assert choose_input([usb]) == usb
    assert pair_key(usb, built_in) == "ALSA|USB Microphone + ALSA|Built-in"
    with pytest.raises(DeviceError, match="USB Microphone is not connected"):
        choose_output(both, usb.key)
    with pytest.raises(DeviceError, match="No microphone"):
        choose_input([_device("x", inputs=0)])
    with pytest.raises(DeviceError, match="No loudspeaker"):
        choose_output([usb])


def test_a_device_is_found_again_under_another_number():
    rows = [_row("new", 0, 1, 1), _row("USB", 0, 1, 0)]
    assert index_of(_device("USB"), _portaudio(rows, ["ALSA"], [(0, 0)])) == 1
    with pytest.raises(DeviceError, match="not connected"):
        index_of(_device("gone"), _portaudio(rows, ["ALSA"], [(0, 0)]))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9985, "in use by another program"),
        (-9996, "no longer there"),
        (-9997, "sample rate"),
        (-9998, "channels"),
        (-9993, "cannot be used together"),
        (-9999, "could not be opened"),
        (-1, "could not be opened"),
    ],
)
def test_every_number_of_portaudio_becomes_a_sentence_with_a_hint(code, words):
    fault = device_faults.from_portaudio(Exception("text", code), "Mic")
    assert words in fault.message
    assert fault.hint
    assert fault.exit_code == 5
    assert device_faults.is_wrong_rate(Exception("text", code)) == (code == -9997)


def test_errors_without_a_number_are_understood():
    assert device_faults.code_of(Exception()) == 0
    assert device_faults.code_of(Exception("a", "b")) == 0


def test_a_sound_system_that_cannot_be_asked_is_one_sentence(monkeypatch):
    def answer(output: bytes, error: bytes = b"") -> Any:
        return lambda *_given, **_more: SimpleNamespace(stdout=output, stderr=error)

    monkeypatch.setattr(subprocess, "run", answer(b"", b"PortAudio library not found"))
    with pytest.raises(DeviceError, match="sound system") as caught:
        list_devices()
    assert "PortAudio library" in caught.value.detail
    monkeypatch.setattr(subprocess, "run", answer(b"ALSA says hello\n\n[]\n"))
    assert list_devices() == []

    def hang(*_given: Any, **_more: Any) -> None:
        raise subprocess.TimeoutExpired("python", 20)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(DeviceError, match="sound system"):
        list_devices()


def test_asking_needs_no_sound_library_in_this_process():
    program = (
        "import sys; import singcoach.audio.devices, singcoach.audio.recorder, "
        "singcoach.audio.player; "
        "heavy = {'sounddevice', 'librosa', 'scipy.signal', 'torch'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_list_is_sorted_with_the_defaults_first(monkeypatch):
    rows = b'[{"name": "a", "host_api": "ALSA", "inputs": 1, "outputs": 0, "default_rate": 1, '
    rows += b'"is_default_input": false, "is_default_output": false}, '
    rows += b'{"name": "b", "host_api": "ALSA", "inputs": 1, "outputs": 0, "default_rate": 1, '
    rows += b'"is_default_input": true, "is_default_output": false}]'
    monkeypatch.setattr(
        subprocess, "run", lambda *_given, **_more: SimpleNamespace(stdout=rows, stderr=b"")
    )
    assert [device.name for device in list_devices()] == ["b", "a"]
    assert devices.pair_key(*list_devices()) == "ALSA|b + ALSA|a"
