"""The style sheet of the window, written from the colours of a theme.

Widgets say what they are by the property ``role`` (see :mod:`singcoach.gui.widgets.base`).
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

_SHEET = Template("""
QWidget { color: $text; font-size: 14px; }
QMainWindow, QDialog, QWidget[role="window"], QWidget[role="screen"] { background: $background; }
QLabel, QCheckBox, QRadioButton { background: transparent; }
QLabel[role="title"] { font-size: 26px; font-weight: 600; }
QLabel[role="heading"] { font-size: 17px; font-weight: 600; }
QLabel[role="number"] { font-size: 34px; font-weight: 600; }
QLabel[role="hint"] { font-size: 13px; color: $text_soft; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="tag"] {
    font-size: 13px; color: $text_soft; background: $sunken; border-radius: 9px; padding: 1px 8px;
}
QLabel[role="error"] { color: $danger; }
QToolTip {
    background: $text; color: $surface; border: 0; padding: 6px 8px; font-size: 13px;
}

QFrame[role="card"] { background: $surface; border: 1px solid $line; border-radius: 12px; }
QFrame[role="card"][chosen="true"] { border: 2px solid $accent; }
QFrame[role="sunken"] { background: $sunken; border: 0; border-radius: 12px; }
QFrame[role="line"] { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QFrame[role="drop"] { background: $surface; border: 2px dashed $line_strong; border-radius: 12px; }
QFrame[role="drop"][chosen="true"] { background: $accent_soft; border-color: $accent; }
QFrame[role="banner"] { border: 0; border-radius: 8px; background: $accent_soft; }
QFrame[role="banner"][kind="good"] { background: $good_soft; }
QFrame[role="banner"][kind="warning"] { background: $warning_soft; }
QFrame[role="banner"][kind="error"] { background: $danger_soft; }
QFrame[role="sidebar"] { background: $surface; border: 0; border-right: 1px solid $line; }

QPushButton {
    background: $surface; border: 1px solid $line_strong; border-radius: 8px;
    padding: 8px 16px; margin: 2px; min-height: 20px; font-weight: 500;
}
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $sunken; }
QPushButton:disabled { color: $line_strong; border-color: $line; background: $sunken; }
QPushButton:checked { background: $accent_soft; border-color: $accent; }
QPushButton:focus { border: 3px solid $accent; margin: 0; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; }
QPushButton[role="primary"]:hover { background: $accent_hover; }
QPushButton[role="primary"]:disabled {
    background: $sunken; color: $line_strong; border-color: $line;
}
QPushButton[role="primary"]:focus { border: 3px solid $text; margin: 0; }
QPushButton[role="danger"] { color: $danger; border-color: $danger; }
QPushButton[role="link"] {
    background: transparent; border: 1px solid transparent; color: $accent; padding: 4px 8px;
}
QPushButton[role="link"]:hover { background: $accent_soft; }
QPushButton[role="link"]:focus { border: 3px solid $accent; margin: 0; }
QPushButton[role="big"] {
    background: $accent; color: $on_accent; border: 1px solid $accent; border-radius: 12px;
    font-size: 17px; padding: 12px 24px; min-height: 28px;
}
QPushButton[role="big"]:hover { background: $accent_hover; }
QPushButton[role="big"]:focus { border: 3px solid $text; margin: 0; }
QPushButton[role="nav"] {
    background: transparent; border: 0; border-radius: 8px; text-align: left;
    padding: 8px 12px; margin: 2px; font-weight: 500; color: $text_soft;
}
QPushButton[role="nav"]:hover { background: $hover; color: $text; }
QPushButton[role="nav"]:checked { background: $accent_soft; color: $accent; }
QPushButton[role="nav"]:focus { border: 3px solid $accent; margin: 0; padding: 7px 11px; }
QPushButton[role="segment"] {
    background: transparent; border: 1px solid transparent; border-radius: 6px;
    padding: 4px 12px; margin: 2px; color: $text_soft;
}
QPushButton[role="segment"]:hover { color: $text; }
QPushButton[role="segment"]:checked { background: $surface; color: $text; border-color: $line; }
QPushButton[role="segment"]:focus { border: 3px solid $accent; margin: 0; }
QToolButton {
    background: transparent; border: 1px solid transparent; border-radius: 8px;
    padding: 6px; margin: 2px;
}
QToolButton:hover { background: $hover; }
QToolButton:checked { background: $accent_soft; border-color: $accent; }
QToolButton:focus { border: 3px solid $accent; margin: 0; }
QToolButton::menu-indicator { image: none; }

QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDoubleSpinBox {
    background: $surface; border: 1px solid $line_strong; border-radius: 8px;
    padding: 6px 10px; margin: 2px; min-height: 20px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QSpinBox:focus,
QDoubleSpinBox:focus { border: 3px solid $accent; margin: 0; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled {
    color: $line_strong; border-color: $line;
}
QComboBox::drop-down { border: 0; width: 28px; }
QComboBox::down-arrow { image: url("$chevron"); width: 14px; height: 14px; }
QComboBox QAbstractItemView {
    background: $surface; border: 1px solid $line_strong; outline: 0; padding: 4px;
    selection-background-color: $accent_soft; selection-color: $text;
}
QCheckBox, QRadioButton { spacing: 8px; padding: 2px; margin: 2px; }
QCheckBox::indicator {
    width: 16px; height: 16px; border: 1px solid $line_strong; border-radius: 4px;
    background: $surface;
}
QCheckBox::indicator:checked {
    background: $accent; border-color: $accent; image: url("$check");
}
QCheckBox::indicator:disabled { background: $sunken; border-color: $line; }
QCheckBox:focus, QRadioButton:focus { border: 2px solid $accent; border-radius: 6px; padding: 0; }

QListView, QTreeView, QTableView, QListWidget, QTableWidget {
    background: $surface; border: 1px solid $line; border-radius: 12px; outline: 0;
    alternate-background-color: $background; gridline-color: $line;
}
QListView:focus, QTreeView:focus, QTableView:focus { border: 2px solid $accent; }
QListView::item, QTreeView::item, QTableView::item { padding: 6px 8px; border: 0; color: $text; }
QListView::item:hover, QTreeView::item:hover, QTableView::item:hover { background: $hover; }
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected {
    background: $accent_soft; color: $text;
}
QHeaderView { background: transparent; border: 0; }
QHeaderView::section {
    background: $surface; color: $text_soft; border: 0; border-bottom: 1px solid $line;
    padding: 8px; font-size: 13px; font-weight: 500;
}
QTableCornerButton::section { background: $surface; border: 0; }

QScrollArea, QScrollArea > QWidget > QWidget[role="page"] { background: transparent; border: 0; }
QScrollBar { background: transparent; border: 0; margin: 0; }
QScrollBar:vertical { width: 12px; }
QScrollBar:horizontal { height: 12px; }
QScrollBar::handle { background: $line_strong; border-radius: 3px; margin: 3px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar {
    background: $sunken; border: 0; border-radius: 3px; min-height: 6px; max-height: 6px;
}
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QSlider { min-height: 24px; margin: 2px; }
QSlider:focus { border: 2px solid $accent; border-radius: 8px; margin: 0; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $line; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:horizontal {
    width: 16px; height: 16px; margin: -6px 0; border-radius: 8px;
    background: $accent; border: 0;
}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {
    background: $line_strong;
}
QMenu { background: $surface; border: 1px solid $line_strong; border-radius: 8px; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QTabWidget::pane { border: 0; }
QTabBar::tab {
    background: transparent; color: $text_soft; padding: 8px 12px; border: 0;
    border-bottom: 2px solid transparent; margin-right: 4px;
}
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:focus { color: $accent; }
QSplitter::handle { background: $line; }
QWidget[role="dock"] { background: $surface; }
QLabel[role="coach"][large="true"] { font-size: 15px; }
QPushButton[role="score-row"] {
    background: transparent; border: 1px solid transparent; border-radius: 8px;
    padding: 0; margin: 2px; text-align: left;
}
QPushButton[role="score-row"]:hover { background: $hover; }
QPushButton[role="score-row"]:checked { background: $accent_soft; border-color: $accent; }
QPushButton[role="score-row"]:focus { border: 3px solid $accent; margin: 0; }
""")


def style_sheet(colours: Mapping[str, str], *, check: str, chevron: str) -> str:
    """Write the sheet in the colours of a theme, given by name.

    ``check`` and ``chevron`` are the files of the two drawn marks.
    """
    return _SHEET.substitute(colours, check=check, chevron=chevron)
