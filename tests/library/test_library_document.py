"""docs/library.md says what the code does."""

from __future__ import annotations

from pathlib import Path

from singcoach.library import folders
from singcoach.library.archive import SUFFIX
from singcoach.library.recovery import KEPT_DELETED
from singcoach.library.trend import FEWEST_SITTINGS, LEVEL, SITTING_S

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "library.md").read_text(encoding="utf-8")


def test_the_page_names_the_files_and_the_limits() -> None:
    for name in (folders.TAKE_RECORD, folders.ASSESSMENT, folders.CURVES, folders.VOCALS, SUFFIX):
        assert name in TEXT
    assert f"Below {FEWEST_SITTINGS} sittings" in TEXT
    assert f"less than {SITTING_S / 3600:.0f} hours apart" in TEXT
    assert f"at {100 * LEVEL:.0f} %" in TEXT
    assert f"for {KEPT_DELETED.days} days" in TEXT
