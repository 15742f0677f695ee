"""The first screen: one clear next step, the ways in, the latest takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMessageBox,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from singcoach import resources
from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.texts import text
from singcoach.gui.theme import L, M, S
from singcoach.gui.view_models.home import (
    HomeContent,
    add_demo,
    find_interrupted,
    has_microphone,
    interrupted_words,
    keep_interrupted,
    read_home,
)
from singcoach.gui.widgets.base import (
    Action,
    BigButton,
    Body,
    Card,
    Heading,
    Hint,
    IconLabel,
    LinkButton,
    Page,
    PlainButton,
    ScreenHeader,
    Strong,
    clear,
    row,
)
from singcoach.gui.widgets.row_list import RowList
from singcoach.jobs import Job

if TYPE_CHECKING:
    from singcoach.audio.recorder.values import RecoveredTake
    from singcoach.library.values import LibraryTake

_ROW_PX: Final = 64


class HomeScreen(QWidget):
    """Where everybody starts; nobody has to read anything to go on."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._in_view = False
        self._looked = False
        self._content: HomeContent | None = None
        self._adding = False
        self._build()
        context.library_changed.connect(self._on_context_changed)
        context.take_changed.connect(self._on_context_changed)

    # --- what the window asks ---------------------------------------------------------------

    def enter(self, **_arguments: Any) -> None:
        """Show what there is; the library is opened only after the window is drawn."""
        self._in_view = True
        QTimer.singleShot(0, self, self._on_first_moment)

    def leave(self) -> None:
        """Nothing goes on here."""
        self._in_view = False

    # --- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        page = Page(most_width=960)
        self._header = ScreenHeader(text("home.title"), words=text("home.words"))
        page.body.addWidget(self._header)
        self._cut_off = QVBoxLayout()
        self._cut_off.setSpacing(S)
        page.body.addLayout(self._cut_off)
        page.body.addWidget(self._step_card())
        ways = QHBoxLayout()
        ways.setSpacing(L)
        self._sing_words = Hint(text("home.sing_words"))
        for sign, title, words, screen in (
            ("note", text("home.sing"), self._sing_words, "sing"),
            ("import", text("home.import"), Hint(text("home.import_words")), "queue"),
            ("microphone", text("home.test"), Hint(text("home.test_words")), "sound"),
        ):
            ways.addWidget(self._way(sign, title, words, screen), 1)
        page.body.addLayout(ways)
        page.body.addWidget(self._takes_card())
        page.body.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(page)

    def _step_card(self) -> Card:
        self._step_title = Heading()
        self._step_words = Body()
        self.step_button = BigButton(text("home.step_demo_button"), "play", on_click=self._on_step)
        self.step_button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(text("home.step_demo_running_title"))
        self.progress.hide()
        words = QVBoxLayout()
        words.setSpacing(S)
        words.addWidget(self._step_title)
        words.addWidget(self._step_words)
        words.addWidget(self.progress)
        line = QHBoxLayout()
        line.setSpacing(L)
        line.addLayout(words, 1)
        line.addWidget(self.step_button)
        card = Card()
        card.body.addLayout(line)
        return card

    def _way(self, sign: str, title: str, words: Hint, screen: str) -> Card:
        button = PlainButton(title, on_click=lambda: self._context.navigate(screen))
        card = Card()
        card.body.addWidget(IconLabel(sign, ink="accent", pixels=28))
        words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        card.body.addWidget(words, 1)
        card.body.addWidget(button)
        return card

    def _takes_card(self) -> Card:
        self.rows = RowList(text("home.latest"))
        self.rows.opened.connect(lambda key: self._context.navigate("review", take_id=key))
        self.rows.clicked.connect(lambda _index: self._open_chosen())
        self._trend = Hint()
        everything = LinkButton(
            text("home.all_takes"), on_click=lambda: self._context.navigate("library")
        )
        progress = LinkButton(
            text("home.progress"),
            "progress",
            on_click=lambda: self._context.navigate("progress"),
        )
        self._takes = Card()
        self._takes.body.addLayout(row(Heading(text("home.latest")), 1, progress, everything))
        self._takes.body.addWidget(self._trend)
        self._takes.body.addWidget(self.rows)
        self._takes.hide()
        return self._takes

    # --- showing ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read everything again."""
        content = read_home(self._context.library, singer_id=self._context.settings.singer_id)
        self._content = content
        self._show_step(content)
        self._takes.setVisible(bool(content.rows))
        self.rows.set_rows(content.rows)
        self.rows.setFixedHeight(_ROW_PX * max(1, len(content.rows)) + S)
        self._trend.setText(content.progress)
        self._trend.setVisible(bool(content.progress))
        first = content.step != "sing"
        self._header.set_words(
            text("home.title" if first else "home.title_again"),
            text("home.words" if first else "home.words_again"),
        )

    def _show_step(self, content: HomeContent) -> None:
        step = "demo_running" if self._adding else content.step
        busy = step in ("demo_waits", "demo_running")
        if step == "demo_waits" and not self._context.settings.queue_paused:
            step = "demo_running"
        self._step_title.setText(text(f"home.step_{step}_title"))
        self._step_words.setText(text(f"home.step_{step}_words"))
        self.progress.setVisible(step == "demo_running")
        self.step_button.setVisible(not busy or step == "demo_waits")
        if self.step_button.isVisibleTo(self):
            words = text(f"home.step_{step}_button")
            self.step_button.setText(words)
            self.step_button.setAccessibleName(words)
            self.step_button.set_icon("microphone" if step == "sing" else "play")

    def _show_interrupted(self, takes: list[RecoveredTake]) -> None:
        clear(self._cut_off)
        for take in takes:
            keep = PlainButton(
                text("home.keep"), "check", on_click=_call(self._on_keep_clicked, take)
            )
            discard = LinkButton(
                text("home.discard"), on_click=_call(self._on_discard_clicked, take)
            )
            words = QVBoxLayout()
            words.setSpacing(0)
            words.addWidget(Strong(interrupted_words(take)))
            words.addWidget(Hint(text("home.interrupted_hint")))
            line = QHBoxLayout()
            line.setSpacing(M)
            line.addWidget(IconLabel("record", ink="warning"))
            line.addLayout(words, 1)
            line.addWidget(discard)
            line.addWidget(keep)
            card = Card()
            card.body.addLayout(line)
            self._cut_off.addWidget(card)

    # --- what happens -----------------------------------------------------------------------

    def _on_first_moment(self) -> None:
        if not self._in_view:
            return
        self._look_for_interrupted()
        try:
            self.refresh()
            self._go_on()
        except SingCoachError as error:  # a library that cannot be opened; the window stays
            self._context.tell_fault(error)
        self._context.tasks.run(
            lambda _job: has_microphone(), self._on_microphone_known, owner=self
        )

    def _go_on(self) -> None:
        """Go on, once, with the analyses that an earlier start left."""
        if self._looked:
            return
        self._looked = True
        analysis = self._context.analysis
        analysis.changed.connect(self._on_context_changed)
        analysis.progressed.connect(self._on_progressed)
        if self._context.library.queue(only_open=True):
            analysis.start()

    def _look_for_interrupted(self) -> None:
        folder = resources.user_data_dir() / "recordings"
        self._context.tasks.run(
            lambda _job: find_interrupted(folder), self._show_interrupted, owner=self
        )

    def _on_microphone_known(self, there: bool) -> None:
        self._sing_words.setText(text("home.sing_words" if there else "home.sing_without"))

    def _on_context_changed(self, *_: object) -> None:
        if self._in_view:
            self.refresh()

    def _on_progressed(self, item_id: int, fraction: float, _stage: str) -> None:
        current = self._context.analysis.current
        demo = None if self._content is None else self._content.demo_id
        if current is not None and current.id == item_id and current.take_id == demo:
            self.progress.setValue(round(1000 * fraction))

    def _on_step(self) -> None:
        content = self._content
        if content is None:
            return
        if content.step == "sing":
            self._context.navigate("sing")
        elif content.step == "demo_open":
            self._context.navigate("review", take_id=content.demo_id)
        elif content.step == "demo_waits":
            self._context.analysis.resume()
        elif content.demo_id is not None:
            self._analyse(content.demo_id)
        else:
            self._add_demo()

    def _add_demo(self) -> None:
        library = self._context.library
        singer_id = self._context.singer_id()
        self._context.change_settings(singer_id=singer_id)  # the sample's singer is somebody else
        self._adding = True
        self.progress.setValue(0)
        self.refresh()
        self._context.tasks.run(
            lambda job: add_demo(library, singer_id=singer_id, job=job),
            self._on_demo_added,
            self._on_demo_failed,
            owner=self,
        )

    def _on_demo_added(self, take: LibraryTake) -> None:
        self._adding = False
        self._analyse(take.id)

    def _on_demo_failed(self, error: BaseException) -> None:
        self._adding = False
        self._context.tell_fault(error)
        self.refresh()

    def _analyse(self, take_id: str) -> None:
        self._context.analysis.add_take(take_id)
        self._context.library_changed.emit()

    def _on_keep_clicked(self, take: RecoveredTake) -> None:
        library, singer_id = self._context.library, self._context.singer_id()

        def work(job: Job) -> LibraryTake:
            return keep_interrupted(library, take, singer_id=singer_id, job=job)

        def done(kept: LibraryTake) -> None:
            self._analyse(kept.id)
            self._context.tell(text("home.kept"), kind="good")
            self._look_for_interrupted()

        self._context.tasks.run(work, done, owner=self)

    def _on_discard_clicked(self, take: RecoveredTake) -> None:
        asked = QMessageBox.question(self, text("home.discard"), text("home.discard_sure"))
        if asked != QMessageBox.StandardButton.Yes:
            return

        def work(_job: Job) -> None:
            from singcoach.audio.recorder import discard_take

            discard_take(take)

        self._context.tasks.run(work, lambda _: self._look_for_interrupted(), owner=self)

    def _open_chosen(self) -> None:
        if self.rows.keys:
            self._context.navigate("review", take_id=self.rows.keys[0])


def _call(handler: Any, take: RecoveredTake) -> Action:
    return lambda: handler(take)
