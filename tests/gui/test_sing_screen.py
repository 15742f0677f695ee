"""The sing screen with a stand-in for the recorder: songs, the stage, takes, faults, keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from singcoach.audio.recorder.values import RecordedTake, RecorderState
from singcoach.audio.writing import write_wav
from singcoach.chain.guide import GuidedSong
from singcoach.core.music import SongNote
from singcoach.errors import DeviceError
from singcoach.gui.screens.sing import SingScreen
from singcoach.gui.view_models.sing_session import SingSession

RATE = 16_000


class FakeRecorder:
    """Records a tone; its clock is moved by the test."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.folder = folder
        self.seconds = 0.0
        self.read = 0
        self.fault = None
        self.stopped = False

    @property
    def read_position_s(self):
        return self.read / RATE

    def poll(self):
        offset_s = self.settings.start_s - self.settings.count_in_s
        return RecorderState(
            recorded_s=self.seconds,
            position_s=self.seconds + offset_s,
            backing_offset_s=offset_s,
            level_db=-18.0,
            peak_db=-9.0,
            sample_rate=RATE,
            started=self.fault is None,
            fault=self.fault,
            finished=self.fault is not None,
        )

    def read_new(self):
        end = round(self.seconds * RATE)
        times_s = np.arange(self.read, end) / RATE
        self.read = end
        return (0.2 * np.sin(2 * np.pi * 261.63 * times_s)).astype(np.float32)

    def stop(self):
        self.stopped = True
        path = None
        if self.settings.keep and self.seconds > 0.0:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"take-{id(self)}.wav"
            audio = np.zeros((1, round(self.seconds * RATE)), np.float32)
            write_wav(path, audio, sample_rate=RATE, subtype="PCM_16")
        return RecordedTake(
            path=path,
            duration_s=self.seconds,
            sample_rate=RATE,
            dropouts=0,
            backing_offset_s=0.0,
            latency_s=0.0,
        )


@pytest.fixture
def recorders():
    return []


@pytest.fixture
def screen(context, qtbot, recorders, monkeypatch):
    def start(settings, folder):
        recorders.append(FakeRecorder(settings, folder))
        return recorders[-1]

    queued = []
    monkeypatch.setattr(type(context), "analysis", _Queue(queued), raising=False)
    made = SingScreen(context, start_recording=start)
    made.queued = queued
    qtbot.addWidget(made)
    made.resize(1024, 700)
    made.show()
    made.enter()
    yield made
    made.leave()
    qtbot.waitUntil(lambda: not context.tasks.busy)


class _Queue:
    def __init__(self, queued):
        self.queued = queued

    def add_take(self, take_id, **options):
        self.queued.append((take_id, options))

    def close(self):
        self.queued.clear()


def guided():
    notes = tuple(
        SongNote(
            onset_s=1.0 + k,
            offset_s=1.8 + k,
            midi=60,
            syllable="la",
            kind="normal",
            line=k // 4,
        )
        for k in range(8)
    )
    return GuidedSong(
        instrumental=None,
        vocals=None,
        notes=notes,
        estimated=False,
        text=None,
        tuning_cents=0.0,
        duration_s=10.0,
        beat_s=0.5,
    )


def on_stage(screen):
    session = SingSession(guided())
    screen.stage.show_session(session, "Song", "")
    screen._pages.setCurrentWidget(screen.stage)
    screen.singing.begin(session, None)
    return session


def test_an_empty_library_offers_the_song_that_ships(screen):
    assert screen._pages.currentWidget() is screen.choice
    assert not screen.choice.search.isVisibleTo(screen.choice)


def test_songs_are_found_by_their_words(screen, context):
    for title in ("Red", "Blue"):
        context.library.add_song(title, "Me")
    screen.choice.search.setText("blu")
    screen.choice.stop()
    screen._show_songs()
    words = [w.text() for w in screen.choice.findChildren(type(screen.stage.score)) if w.text()]
    assert "Blue" in words
    assert "Red" not in words


def test_a_free_take_goes_to_the_library_and_on_to_its_review(screen, context, qtbot, recorders):
    gone = []
    context.navigated.connect(lambda name, arguments: gone.append((name, arguments)))
    screen.sing_freely()
    assert not recorders[-1].settings.keep
    screen.singing.toggle_recording()
    qtbot.waitUntil(lambda: len(recorders) == 2)
    assert recorders[1].settings.keep
    assert not recorders[1].settings.monitor
    recorders[1].seconds = 1.5
    screen.singing.look()
    assert screen.singing.is_recording
    screen.singing.toggle_recording()
    qtbot.waitUntil(lambda: bool(gone))
    takes = context.library.takes()
    assert [take.id for take in takes] == [gone[0][1]["take_id"]] == [screen.queued[0][0]]
    assert gone[0][0] == "review"
    assert context.library.take(takes[0].id).recording.is_file()


def test_a_slip_of_the_finger_keeps_nothing(screen, context, qtbot, recorders):
    screen.sing_freely()
    screen.singing.toggle_recording()
    qtbot.waitUntil(lambda: len(recorders) == 2)
    recorders[1].seconds = 0.2
    screen.singing.finish()
    qtbot.waitUntil(lambda: len(recorders) == 3)
    assert context.library.takes() == []
    assert screen._pages.currentWidget() is screen.stage


def test_leaving_while_a_take_runs_keeps_it(screen, context, qtbot, recorders):
    screen.sing_freely()
    screen.singing.toggle_recording()
    qtbot.waitUntil(lambda: len(recorders) == 2)
    recorders[1].seconds = 2.0
    screen.leave()
    qtbot.waitUntil(lambda: len(context.library.takes()) == 1)
    assert not screen.singing._timer.isActive()
    assert all(recorder.stopped for recorder in recorders)


def test_notes_are_hit_while_the_song_runs_and_its_end_ends_the_take(
    screen, context, qtbot, recorders
):
    session = on_stage(screen)
    session.count_in = True
    screen.singing.toggle_recording()
    qtbot.waitUntil(lambda: len(recorders) == 2)
    recorder = recorders[1]
    assert recorder.settings.count_in_s == 2.0
    assert recorder.settings.clicks_s == (-2.0, -1.5, -1.0, -0.5)
    recorder.seconds = 0.6
    screen.singing.look()
    assert screen.stage.lane._count == 3
    for recorder.seconds in np.arange(0.7, 6.0, 0.05):
        screen.singing.look()
    assert session.overall_hits > 0.9
    assert screen.stage.score.text()
    screen.stage.grab()
    recorder.seconds = 12.1
    screen.singing.look()
    qtbot.waitUntil(lambda: bool(screen.queued))
    assert "song_file" in screen.queued[0][1]


def test_practice_goes_round_and_keeps_nothing(screen, context, qtbot, recorders):
    session = on_stage(screen)
    screen.singing.toggle_loop()
    assert session.section is not None
    screen.singing.toggle_recording()
    qtbot.waitUntil(lambda: len(recorders) == 2)
    assert not recorders[1].settings.keep
    recorders[1].seconds = 30.0
    screen.singing.look()
    qtbot.waitUntil(lambda: len(recorders) == 3)
    assert recorders[2].settings.count_in_s > 0.0
    assert screen.singing.stop()
    qtbot.waitUntil(lambda: not context.tasks.busy)
    assert context.library.takes() == []


def test_a_missing_microphone_is_told_and_the_stage_stays(screen, recorders):
    on_stage(screen)
    recorders[-1].fault = DeviceError("No microphone was found", hint="Plug one in")
    screen.singing.look()
    assert "No microphone was found" in screen.stage.message.text()
    assert screen.stage.sound.isVisibleTo(screen.stage)
    assert screen._pages.currentWidget() is screen.stage


def test_a_microphone_that_goes_away_keeps_what_was_sung(screen, context, qtbot, recorders):
    screen.sing_freely()
    screen.singing.toggle_recording()
    qtbot.waitUntil(lambda: len(recorders) == 2)
    recorders[1].seconds = 3.0
    screen.singing.look()
    recorders[1].fault = DeviceError("The microphone was unplugged")
    screen.singing.look()
    qtbot.waitUntil(lambda: len(context.library.takes()) == 1)


def test_the_keyboard_alone_is_enough(screen, qtbot, recorders):
    session = on_stage(screen)
    screen.activateWindow()
    screen.stage.lane.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    screen.stage.bar.setFocus()
    qtbot.waitUntil(screen.stage.bar.hasFocus)
    qtbot.keyClick(screen.stage.bar, Qt.Key.Key_Up)
    assert session.semitones == 1
    qtbot.keyClick(screen.stage.bar, Qt.Key.Key_BracketLeft)
    assert session.tempo == 0.95
    qtbot.keyClick(screen.stage.bar, Qt.Key.Key_L)
    assert session.loop is not None
    qtbot.keyClick(screen.stage.bar, Qt.Key.Key_L)
    qtbot.keyClick(screen.stage.bar, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: len(recorders) == 2)
    assert recorders[1].settings.keep


def test_a_song_that_cannot_be_read_leads_back_to_the_choice(screen, context, qtbot, tmp_path):
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no sound at all")
    song = context.library.add_song("Broken", audio=broken)
    told = []
    context.told.connect(lambda *words: told.append(words))
    screen.open_song(song.id)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert screen._pages.currentWidget() is screen.choice
