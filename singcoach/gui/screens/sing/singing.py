"""What happens on the stage: the microphone, the sound, the take; sixty looks a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from singcoach import resources
from singcoach.audio.recorder.values import RecorderState, RecordingSettings
from singcoach.chain.guide import make_backing
from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.screens.sing.hearing import Heard, Hearing, StartRecording
from singcoach.gui.screens.sing.preparing import Preparing
from singcoach.gui.screens.sing.stage import Stage
from singcoach.gui.tasks import Task
from singcoach.gui.texts import text
from singcoach.gui.view_models.sing_keeping import KeptTake, SungTo, keep_take
from singcoach.gui.view_models.sing_session import SingSession
from singcoach.jobs import Job
from singcoach.library.values import LibrarySong

if TYPE_CHECKING:
    from singcoach.gui.settings import AppSettings

FRAME_MS: Final = 16
_LONGEST_FRAME_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """The sound that is to be played, and how late these devices hear themselves."""

    backing: Path | None
    latency_s: float


class Singing(QObject):
    """Works the stage. What runs is one of: nothing but listening, playing, a take, practice."""

    keeping = Signal()
    """A take is being put into the library."""
    kept_nothing = Signal()
    """It was too short, or could not be kept; the stage stays."""

    def __init__(
        self,
        context: AppContext,
        stage: Stage,
        preparing: Preparing,
        start_recording: StartRecording | None,
    ) -> None:
        super().__init__(stage)
        self._context, self._stage, self._preparing = context, stage, preparing
        self._hearing = Hearing(start_recording)
        self.session: SingSession | None = None
        self._song: LibrarySong | None = None
        self._ready: _Ready | None = None
        self._readying: Task[_Ready] | None = None
        self._playing = False
        self._practising = False
        self._faulty = False
        self._looked_s = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.look)
        stage.record_asked.connect(self.toggle_recording)
        stage.play_asked.connect(self.toggle_playing)
        stage.restart_asked.connect(self.restart)
        stage.loop_asked.connect(self.toggle_loop)
        stage.punch_asked.connect(self.punch)
        stage.key_stepped.connect(self.change_key)
        stage.tempo_stepped.connect(self.change_tempo)
        stage.count_in_changed.connect(self._on_count_in_changed)
        stage.guide_changed.connect(self._on_guide_changed)
        stage.bar.sought.connect(self.seek)
        stage.bar.stepped.connect(self.step_phrase)
        stage.sound_asked.connect(lambda: context.navigate("sound"))

    # --- coming and going ---------------------------------------------------------------------

    @property
    def is_recording(self) -> bool:
        """Whether a take runs that will be kept."""
        return self._hearing.keeps

    @property
    def is_busy(self) -> bool:
        """Whether a take or practice runs."""
        return self._hearing.keeps or self._practising

    def begin(self, session: SingSession, song: LibrarySong | None) -> None:
        """Go on stage with a song, or with none."""
        self.session, self._song = session, song
        self._ready = None
        self.open_microphone()

    def leave(self) -> None:
        """Let go of microphone and sound; a take that runs is kept all the same."""
        if self._readying is not None:
            self._readying.cancel()
            self._readying = None
            self._stage.show_working(None)
        self._stop_playing()
        if self.is_recording:
            self.finish(then_review=False)
        self._close_microphone()
        self._practising = False
        self._timer.stop()

    def open_microphone(self) -> None:
        """Listen without keeping anything: for the meter and the own line."""
        if self.session is None or self._hearing.is_open:
            return
        settings = self._context.settings
        self._open(RecordingSettings(input=settings.input_device, keep=False))
        self._show_running()

    def _open(self, settings: RecordingSettings) -> bool:
        try:
            self._hearing.open(settings, resources.user_data_dir() / "recordings")
        except SingCoachError as error:
            self._on_fault(error)
            return False
        self._faulty = False
        self._stage.sound.hide()
        self._stage.show_message("", text("sing.opening"))
        self._looked_s = time.monotonic()
        self._timer.start()
        return True

    def _close_microphone(self) -> None:
        recorder = self._hearing.take()
        if recorder is not None:
            # Ending takes some tenths of a second, which nobody has to wait for.
            self._context.tasks.run(lambda _job: recorder.stop(), on_failed=_ignored)
        self._stage.meter.reset()

    # --- sixty times a second -----------------------------------------------------------------

    def look(self) -> None:
        """Take what is new from the microphone and show it."""
        now_s = time.monotonic()
        passed_s = min(_LONGEST_FRAME_S, now_s - self._looked_s)
        self._looked_s = now_s
        session = self.session
        if session is None:
            return
        heard = self._hearing.hear()
        if heard is not None:
            self._show_microphone(session, heard, passed_s)
        if self._playing:
            self._follow_player(session, heard)
        elif heard is not None and self.is_busy:
            self._follow_take(session, heard)
        elif heard is not None and session.song is None:
            self._follow_free(session, heard)

    def _show_microphone(self, session: SingSession, heard: Heard, passed_s: float) -> None:
        state = heard.state
        if state.fault is not None:
            self._on_recorder_fault(state)
            return
        if not state.started:
            return
        warning = session.listen(
            state.level_db, state.peak_db, seconds=passed_s, silent_s=state.silent_s
        )
        self._stage.meter.show_level(state.level_db, state.peak_db, clipped=warning == "clip")
        words = ""
        if not warning and self.is_recording:
            words = text("sing.recording")
            if state.disk_free_s < 300.0:
                words = text("sing.disk_low")
            elif (slips := state.overflows + state.stalls) > 0:
                words = text("sing.slips", count=slips)
        elif not warning and self._practising:
            words = text("sing.practising")
        self._stage.show_message(warning, words)

    def _follow_take(self, session: SingSession, heard: Heard) -> None:
        state = heard.state
        if not state.started:
            return
        session.hear(heard.points, offset_s=heard.base_s + state.backing_offset_s)
        position_s = session.song_time(state.position_s)
        session.position_s = max(0.0, position_s)
        self._stage.show_moment(position_s, count=session.beats_left(position_s), running=True)
        if session.is_over(position_s):
            if self._practising:
                self._practise_again()
            else:
                self.finish()

    def _follow_player(self, session: SingSession, heard: Heard | None) -> None:
        player = self._context.player
        position_s = session.song_time(player.position_s)
        session.position_s = min(position_s, session.duration_s)
        if heard is not None and heard.state.started and heard.points:
            # Another clock plays: what is heard now belongs to what is played now.
            newest_s = heard.points[-1].time_s
            session.hear(heard.points, offset_s=player.position_s - newest_s)
        self._stage.show_moment(position_s, running=True)
        if session.section is not None and session.is_over(position_s):
            player.seek(session.heard_time(session.start_s))
        elif not player.playing:
            self._stop_playing()

    def _follow_free(self, session: SingSession, heard: Heard) -> None:
        """Without a song and before a take, the line runs on with the microphone."""
        if heard.state.started:
            session.hear(heard.points, offset_s=heard.base_s)
            self._stage.show_moment(heard.state.recorded_s, running=False)

    # --- faults -------------------------------------------------------------------------------

    def _on_recorder_fault(self, state: RecorderState) -> None:
        if self._hearing.keeps:
            self.finish()
            return
        self._practising = False
        self._close_microphone()
        if state.fault is not None:
            self._on_fault(state.fault)

    def _on_fault(self, error: SingCoachError) -> None:
        """Tell once, below the lane; the song can still be heard and seen."""
        self._faulty = True
        self._practising = False
        self._stage.show_message("silent", f"{error.message}. {error.hint}".strip())
        self._stage.sound.show()
        if not self._playing:
            self._timer.stop()
        self._show_running()

    # --- what the singer does -----------------------------------------------------------------

    def toggle_recording(self) -> None:
        """Start a take (or practice, where a section is marked), or end it."""
        if self.is_recording:
            self.finish()
        elif self._practising:
            self._end_practice()
        else:
            self._with_sound(self._start)

    def toggle_playing(self) -> None:
        """Play the song without keeping anything, or pause it; a take that runs ends."""
        session = self.session
        if session is None or session.song is None or self.is_busy:
            self.toggle_recording()
        elif self._playing:
            self._stop_playing()
        else:
            self._with_sound(self._play)

    def stop(self) -> bool:
        """End whatever runs; False when nothing did."""
        if self.is_recording:
            self.finish()
        elif self._practising:
            self._end_practice()
        elif self._playing:
            self._stop_playing()
        elif self._readying is not None:
            self._readying.cancel()
            self._readying = None
            self._stage.show_working(None)
        else:
            return False
        return True

    def punch(self) -> None:
        """Sing this phrase again; a take that runs is kept as far as it came."""
        session = self.session
        if session is None or not session.phrases:
            return
        at = session.phrase_at(session.position_s, grace_s=0.05)
        start_s = session.phrases[at].start_s if at is not None else session.phrases[0].start_s
        if self._practising:
            self._practise_again()
            return
        if self.is_recording:
            self.finish(then_review=False)
        self._stop_playing()
        session.go_to(start_s)
        self._with_sound(self._start)

    def restart(self) -> None:
        """Go to the beginning."""
        self.seek(0.0)

    def seek(self, time_s: float) -> None:
        """Go to a second of the song; not while a take runs."""
        if self.session is None or self.is_busy or self.session.song is None:
            return
        self.session.go_to(time_s)
        if self._playing:
            self._context.player.seek(self.session.heard_time(self.session.position_s))
        self._stage.show_moment(self.session.position_s, running=self._playing)

    def seek_by(self, seconds: float) -> None:
        """Go forth or back."""
        if self.session is not None:
            self.seek(self.session.position_s + seconds)

    def step_phrase(self, steps: int) -> None:
        """Go to another phrase."""
        if self.session is not None and not self.is_busy:
            self.session.step_phrase(steps)
            self.seek(self.session.position_s)

    def toggle_loop(self) -> None:
        """Mark the phrase at this place for practice and go to it, or unmark it."""
        self._change(SingSession.toggle_loop)
        if self.session is not None and self.session.section is not None:
            self.seek(self.session.section[0])

    def widen_loop(self, steps: int) -> None:
        """Let the marked section end a phrase later."""
        self._change(lambda session: session.widen_loop(steps))

    def change_key(self, steps: int) -> None:
        """Sing higher or lower by semitones."""
        self._change(lambda session: session.change_key(session.semitones + steps), sounds=True)

    def change_tempo(self, steps: int) -> None:
        """Sing faster or slower."""
        self._change(lambda session: session.change_tempo(steps), sounds=True)

    def _on_count_in_changed(self, wanted: bool) -> None:
        self._change(lambda session: setattr(session, "count_in", wanted))

    def _on_guide_changed(self, level: float) -> None:
        self._change(lambda session: setattr(session, "guide_level", level), sounds=True)

    def _change(self, change: Callable[[SingSession], object], *, sounds: bool = False) -> None:
        if self.session is None or self.session.song is None or self.is_busy:
            return
        if sounds:
            self._stop_playing()
            self._ready = None
        change(self.session)
        self._stage.show_choices()

    # --- the sound ----------------------------------------------------------------------------

    def _with_sound(self, then: Callable[[SingSession, _Ready], None]) -> None:
        """Make the sound in its key and tempo, if it is not made yet, and go on."""
        session = self.session
        if session is None or self._readying is not None:
            return
        if self._ready is not None:
            then(session, self._ready)
            return
        song, settings, library = self._song, self._context.settings, self._context.library
        folder = library.song_folder(song.id) / "singing" if song is not None else None
        semitones, tempo, level = session.semitones, session.tempo, session.guide_level

        def make(job: Job) -> _Ready:
            backing = None
            if session.song is not None and folder is not None:
                backing = make_backing(
                    session.song,
                    folder,
                    semitones=semitones,
                    tempo=tempo,
                    guide_level=level,
                    job=job,
                )
            latency_s = _known_latency_s(settings) if backing is not None else 0.0
            return _Ready(backing=backing, latency_s=latency_s)

        def done(ready: _Ready) -> None:
            self._readying = None
            self._stage.show_working(None)
            if self.session is session:
                self._ready = ready
                then(session, ready)

        def failed(error: SingCoachError) -> None:
            self._readying = None
            self._stage.show_working(None)
            self._context.tell_fault(error)

        self._stage.show_working(0.0)
        self._readying = self._context.tasks.run(
            make,
            done,
            failed,
            lambda fraction, _stage: self._stage.show_working(fraction),
            owner=self,
        )

    def _play(self, session: SingSession, ready: _Ready) -> None:
        if ready.backing is None:
            return
        backing, player = ready.backing, self._context.player

        def start(_nothing: object) -> None:
            if self.session is not session or self.is_busy or self._ready is not ready:
                return
            if session.section is not None or session.is_over(session.position_s + 0.2):
                session.go_to(session.start_s if session.section is not None else 0.0)
            session.begin()
            player.play(session.heard_time(session.position_s))
            self._playing = True
            self._looked_s = time.monotonic()
            self._timer.start()
            self._show_running()

        self._context.tasks.run(lambda job: player.load_file(backing, job), start, owner=self)

    def _stop_playing(self) -> None:
        if self._playing:
            self._playing = False
            self._context.player.pause()
            if not self._hearing.is_open:
                self._timer.stop()
            self._show_running()

    # --- takes --------------------------------------------------------------------------------

    def _start(self, session: SingSession, ready: _Ready) -> None:
        self._stop_playing()
        practice = session.section is not None
        if not practice and session.song is not None and session.is_over(session.position_s + 1.0):
            session.go_to(0.0)
        self._close_microphone()
        session.begin()
        settings = self._context.settings
        start_s = session.heard_time(session.start_s)
        opened = self._open(
            RecordingSettings(
                input=settings.input_device,
                output=settings.output_device,
                backing=ready.backing,
                start_s=start_s,
                count_in_s=session.count_in_s,
                clicks_s=session.clicks_s(),
                preroll_backing=start_s > 0.0,
                monitor=settings.monitor,
                latency_s=ready.latency_s,
                keep=not practice,
            )
        )
        self._practising = practice and opened
        if session.song is not None:
            self._stage.show_moment(session.start_s)
        self._show_running()

    def _practise_again(self) -> None:
        self._practising = False
        self._with_sound(self._start)

    def _end_practice(self) -> None:
        self._practising = False
        self._close_microphone()
        if self.session is not None:
            self.session.go_to(self.session.start_s)
            self._stage.show_moment(self.session.position_s)
        self.open_microphone()

    def finish(self, *, then_review: bool = True) -> None:
        """End the take and put it into the library, then into the analysis."""
        session, ready, song = self.session, self._ready, self._song
        recorder = self._hearing.take()
        if recorder is None or session is None:
            return
        self._timer.stop()
        self._stage.meter.reset()
        self._show_running()
        context = self._context
        library, singer_id = context.library, context.singer_id()
        guided = session.song
        sung_to = SungTo(
            title=song.title if song is not None else text("sing.free_take"),
            song_id=song.id if song is not None else None,
            artist=song.artist if song is not None else "",
            notes=guided.notes if guided is not None and not guided.estimated else (),
            semitones=session.semitones,
            tempo=session.tempo,
            backing=ready.backing if ready is not None else None,
        )

        def keep(job: Job) -> KeptTake | None:
            return keep_take(recorder, sung_to, library=library, singer_id=singer_id, job=job)

        def done(kept: KeptTake | None) -> None:
            if kept is not None:
                for warning in kept.warnings[:2]:
                    context.tell(warning, kind="warning")
                context.analysis.add_take(kept.take_id, **kept.options)
                context.library_changed.emit()
            if then_review and kept is not None:
                self.session = None
                context.navigate("review", take_id=kept.take_id)
            elif then_review:
                self._stay()

        def failed(error: SingCoachError) -> None:
            context.tell_fault(error)
            if then_review:
                self._stay()

        if then_review:
            self._preparing.show_keeping(sung_to.title)
            self.keeping.emit()
        context.tasks.run(
            keep,
            done,
            failed,
            lambda fraction, _stage: self._preparing.show_progress(fraction),
            owner=self,
        )

    def _stay(self) -> None:
        self.kept_nothing.emit()
        self.open_microphone()

    def _show_running(self) -> None:
        self._stage.show_running(
            recording=self.is_recording, practising=self._practising, playing=self._playing
        )


def _known_latency_s(settings: AppSettings) -> float:
    """Return the calibrated delay of the devices in use; 0 when they were never calibrated."""
    from singcoach.audio.devices import choose_input, choose_output, list_devices, pair_key

    if not settings.latencies:
        return 0.0
    try:
        devices = list_devices()
        pair = pair_key(
            choose_input(devices, settings.input_device),
            choose_output(devices, settings.output_device),
        )
    except SingCoachError:
        return 0.0  # opening the devices tells what is wrong with them
    kept = settings.latencies.get(pair)
    return kept.latency_ms / 1000.0 if kept is not None else 0.0


def _ignored(_error: SingCoachError) -> None:
    """What was only listened to has nothing to lose."""
