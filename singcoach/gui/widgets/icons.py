"""The icons, drawn from short descriptions on a grid of 24 by 24.

A description is a list of strokes, parted by ``;``: ``M x y x y ...`` a line through points,
``Z x y x y ...`` the same, closed, ``C x y r`` a circle, ``R x y w h r`` a rounded rectangle,
``A x y r start sweep`` an arc in degrees (anticlockwise from three o'clock). A leading ``*`` fills.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from singcoach.gui.theme import colour

_GRID: Final = 24.0
_SCALES: Final = (1.0, 2.0, 3.0)
_PEN: Final = 1.7

ICONS: Final[dict[str, str]] = {
    "home": "M 4 11 12 4 20 11; M 6 10 6 20 18 20 18 10; M 10 20 10 14 14 14 14 20",
    "microphone": "R 9 3 6 11 3; A 12 11 6.5 180 180; M 12 17.5 12 21; M 8.5 21 15.5 21",
    "queue": "M 12 3 12 14; M 7.5 9.5 12 14 16.5 9.5; M 4 15 4 20 20 20 20 15",
    "library": "R 4 4 4 16 1; R 10 4 4 16 1; M 16.5 5 19.5 4.4 21 19.4 18 20 16.5 5",
    "compare": "M 4 8 20 8; M 16.5 4.5 20 8 16.5 11.5; M 20 16 4 16; M 7.5 12.5 4 16 7.5 19.5",
    "progress": "M 4 4 4 20 20 20; M 7.5 15 11 11 14 13.5 19.5 7",
    "review": "M 3 12 5 12 7 7 10 17 13 4 16 20 18.5 9 20 12 21.5 12",
    "settings": "M 4 7 13 7; M 17 7 20 7; C 15 7 2; M 4 12 7 12; M 11 12 20 12; C 9 12 2; "
    "M 4 17 13 17; M 17 17 20 17; C 15 17 2",
    "sound": "R 9 3 6 11 3; A 12 11 6.5 180 180; M 12 17.5 12 21; M 8.5 21 15.5 21",
    "speaker": "Z 4 9.5 8 9.5 12.5 5.5 12.5 18.5 8 14.5 4 14.5; A 13 12 4 -50 100; "
    "A 13 12 7.5 -50 100",
    "headphones": "A 12 13 8 0 180; R 3.5 13 4 7 2; R 16.5 13 4 7 2",
    "play": "*Z 7.5 5 19 12 7.5 19",
    "pause": "*R 6.5 5 4 14 1; *R 13.5 5 4 14 1",
    "stop": "*R 6 6 12 12 2",
    "record": "*C 12 12 7",
    "loop": "A 12 12 7.5 60 250; M 12.6 4.8 15.8 5.5 14.6 8.6",
    "repeat": "M 6 9 6 7 18 7 18 12; M 15.5 9.5 18 12 20.5 9.5; M 18 15 18 17 6 17 6 12; "
    "M 3.5 14.5 6 12 8.5 14.5",
    "fit": "M 3.5 5 3.5 19; M 20.5 5 20.5 19; M 7 12 17 12; M 9.5 9 6.5 12 9.5 15; "
    "M 14.5 9 17.5 12 14.5 15",
    "restart": "M 5 5 5 19; *Z 19 5 8 12 19 19",
    "back": "M 20 12 4.5 12; M 11 5.5 4.5 12 11 18.5",
    "forward": "M 4 12 19.5 12; M 13 5.5 19.5 12 13 18.5",
    "chevron-right": "M 9.5 5.5 16 12 9.5 18.5",
    "chevron-left": "M 14.5 5.5 8 12 14.5 18.5",
    "chevron-down": "M 5.5 9 12 15.5 18.5 9",
    "chevron-up": "M 5.5 15 12 8.5 18.5 15",
    "plus": "M 12 5 12 19; M 5 12 19 12",
    "minus": "M 5 12 19 12",
    "close": "M 6 6 18 18; M 18 6 6 18",
    "check": "M 4.5 12.5 10 18 20 6.5",
    "good": "C 12 12 8.5; M 8 12.3 11 15.3 16.2 9",
    "warning": "Z 12 3.5 21.5 20 2.5 20; M 12 9.5 12 14.5; *C 12 17.2 0.5",
    "error": "C 12 12 8.5; M 12 7.3 12 13; *C 12 16.3 0.5",
    "info": "C 12 12 8.5; M 12 11 12 16.5; *C 12 7.8 0.5",
    "folder": "Z 3.5 6 9.5 6 11.5 8.5 20.5 8.5 20.5 19 3.5 19",
    "file": "Z 6 3.5 14 3.5 18.5 8 18.5 20.5 6 20.5; M 14 3.5 14 8 18.5 8",
    "note": "M 9.5 17.5 9.5 5 19 3.5 19 15.5; C 7 17.5 2.5; C 16.5 15.5 2.5",
    "search": "C 10.5 10.5 6; M 15 15 20.5 20.5",
    "delete": "M 4 6.5 20 6.5; M 9 6.5 9 4 15 4 15 6.5; M 6 6.5 7 20.5 17 20.5 18 6.5; "
    "M 10 10.5 10 16.5; M 14 10.5 14 16.5",
    "undo": "M 8.5 4.5 4 9 8.5 13.5; M 4 9 14 9; A 14 14 5 -90 180; M 14 19 9 19",
    "export": "M 12 14.5 12 3.5; M 7.5 8 12 3.5 16.5 8; M 4 15 4 20 20 20 20 15",
    "import": "M 12 3 12 14; M 7.5 9.5 12 14 16.5 9.5; M 4 15 4 20 20 20 20 15",
    "edit": "Z 4 20 5 15.5 15.5 5 19 8.5 8.5 19; M 13 7.5 16.5 11",
    "person": "C 12 8 4; A 12 21 8 15 150",
    "clock": "C 12 12 8.5; M 12 7 12 12 15.5 14",
    "star": "Z 12 3.5 14.6 9.2 20.8 9.9 16.2 14 17.5 20.2 12 17 6.5 20.2 7.8 14 3.2 9.9 9.4 9.2",
    "lock": "R 5 11 14 9.5 2; A 12 11 4 0 180",
    "more": "*C 6 12 1.3; *C 12 12 1.3; *C 18 12 1.3",
    "menu": "M 4 7 20 7; M 4 12 20 12; M 4 17 20 17",
    "filter": "M 4 6 20 6; M 7 12 17 12; M 10 18 14 18",
    "guide": "C 12 12 8.5; A 12 12 4.5 -60 120; *C 12 12 1.2",
}
"""What there is, by name."""


def icon_path(name: str) -> list[tuple[QPainterPath, bool]]:
    """Return the strokes of an icon on the grid, each with whether it is filled.

    Raises
    ------
    ValueError
        There is no such icon.
    """
    if name not in ICONS:
        raise ValueError(f"no icon is called {name!r}")
    return [_stroke(part.strip()) for part in ICONS[name].split(";")]


def _stroke(description: str) -> tuple[QPainterPath, bool]:
    filled = description.startswith("*")
    kind, *words = description.removeprefix("*").split()
    values = [float(word) for word in words]
    path = QPainterPath()
    if kind in ("M", "Z"):
        points = [QPointF(x, y) for x, y in zip(values[::2], values[1::2], strict=True)]
        path.moveTo(points[0])
        for point in points[1:]:
            path.lineTo(point)
        if kind == "Z":
            path.closeSubpath()
    elif kind == "C":
        x, y, r = values
        path.addEllipse(QPointF(x, y), r, r)
    elif kind == "R":
        x, y, width, height, r = values
        path.addRoundedRect(QRectF(x, y, width, height), r, r)
    elif kind == "A":
        x, y, r, start, sweep = values
        box = QRectF(x - r, y - r, 2 * r, 2 * r)
        path.arcMoveTo(box, start)
        path.arcTo(box, start, sweep)
    else:
        raise ValueError(f"no stroke is called {kind!r}")
    return path, filled


def paint_icon(painter: QPainter, name: str, box: QRectF, ink: QColor) -> None:
    """Draw an icon into ``box``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / _GRID, box.height() / _GRID)
    pen = QPen(ink, _PEN)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    for path, filled in icon_path(name):
        painter.setBrush(ink if filled else Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
    painter.restore()


def icon_pixmap(name: str, pixels: int, ink: QColor, *, scale: float = 1.0) -> QPixmap:
    """Return an icon as a picture of ``pixels`` by ``pixels`` device-independent pixels."""
    pixmap = QPixmap(round(pixels * scale), round(pixels * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_icon(painter, name, QRectF(0, 0, pixels, pixels), ink)
    painter.end()
    return pixmap


def icon(name: str, ink: str = "text", *, checked_ink: str = "accent", pixels: int = 20) -> QIcon:
    """Return an icon in colours of the theme in force, sharp on dense screens too.

    Ask again when the theme changes (the buttons of :mod:`singcoach.gui.widgets.base` do). Drawn
    once for each theme: a screen has dozens, and screens are filled again at every visit.
    """
    inks = tuple(colour(part).name() for part in (ink, checked_ink, "line_strong"))
    key = (name, pixels, inks)
    if key not in _drawn:
        _drawn[key] = _draw(name, pixels, inks)
    return QIcon(_drawn[key])


_drawn: dict[tuple[str, int, tuple[str, ...]], QIcon] = {}


def _draw(name: str, pixels: int, inks: tuple[str, ...]) -> QIcon:
    result = QIcon()
    states = (
        (QIcon.Mode.Normal, QIcon.State.Off),
        (QIcon.Mode.Normal, QIcon.State.On),
        (QIcon.Mode.Disabled, QIcon.State.Off),
    )
    for (mode, state), ink in zip(states, inks, strict=True):
        for scale in _SCALES:
            result.addPixmap(icon_pixmap(name, pixels, QColor(ink), scale=scale), mode, state)
    return result


ICON_SIZE: Final = QSize(20, 20)
