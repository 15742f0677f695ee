"""Norms of the heads from a folder of recordings: ``python -m singcoach.scoring.norms --data DIR``.

Rewrites the numbers of ``models/heads-rules.toml`` (or ``--out``): median, scale and quantiles of
every measure, and centre and spread of every head. Weights, signs and margins stay as written by
hand. The folder is laid out as the shared development data are; its recordings never ship.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach import resources
from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.core.take import Take
from singcoach.dsp.offset import without_offset
from singcoach.errors import InputError
from singcoach.files import write_whole
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import Session, open_session
from singcoach.pitch.f0 import track_pitch
from singcoach.pitch.notes import find_notes
from singcoach.regions.detector import SingingDetector
from singcoach.regions.phrases import find_phrases
from singcoach.regions.regions import find_regions
from singcoach.scoring.heads import standardise
from singcoach.scoring.measures import UNITS, read_measures
from singcoach.scoring.score import whole_take_readings
from singcoach.scoring.specs import QUANTILE_LEVELS, Norm, bounds_of, read_limits
from singcoach.screening.backing import analyse_backing
from singcoach.screening.rules import screen

MARKER = "# Made by `python -m singcoach.scoring.norms`; do not edit below.\n"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Files that make one take of the norms: the voice in parts, and its accompaniment."""

    name: str
    voice: tuple[Path, ...]
    backing: Path | None = None


def find_recordings(data: Path) -> Iterator[Recording]:
    """Yield the recordings of the norms: karaoke, a cappella, professional phrases, home takes.

    Raises
    ------
    InputError
        When the folder holds none of them.
    """
    found = False
    for voice in sorted((data / "nycu_first" / "vocal").glob("*.flac")):
        music = data / "nycu_first" / "music" / voice.name
        found = True
        yield Recording(name=f"karaoke {voice.stem}", voice=(voice,), backing=music)
    for singer in sorted((data / "pesnq_edelweiss" / "audio").glob("*")):
        found = True
        yield Recording(
            name=f"a cappella {singer.name}", voice=tuple(sorted(singer.glob("*.flac")))
        )
    for voice in sorted((data / "gtsinger" / "audio").glob("*.flac")):
        found = True
        yield Recording(name=f"professional {voice.stem}", voice=(voice,))
    for voice in sorted((data / "vocadito" / "Audio").glob("*.wav")):
        found = True
        yield Recording(name=f"home {voice.stem}", voice=(voice,))
    if not found:
        raise InputError(
            f"There are no recordings for norms in {data}",
            hint="Give the folder that holds nycu_first, pesnq_edelweiss, gtsinger and vocadito",
        )


def read_voice(recording: Recording) -> FloatArray:
    """Join the parts of a voice, 16 kHz mono, shape ``(n_samples,)``."""
    return np.concatenate(
        [
            without_offset(read_audio(path, sample_rate=ANALYSIS_RATE, channels=1)[0])
            for path in recording.voice
        ]
    )


def make_take(
    voice: FloatArray, *, backing: FloatArray | None, session: Session, detector: SingingDetector
) -> Take:
    """Analyse a separated or solo voice as the chain does, without dereverb and encoder."""
    pitch = track_pitch(voice, session=session)
    regions = find_regions(
        voice, sample_rate=ANALYSIS_RATE, pitch=pitch, events=detector.track(voice)
    )
    notes = find_notes(pitch, voice, sample_rate=ANALYSIS_RATE)
    music = analyse_backing(backing, sample_rate=ANALYSIS_RATE) if backing is not None else None
    return Take(
        duration_s=len(voice) / ANALYSIS_RATE,
        kind="solo" if backing is None else "mixture",
        vocal=voice,
        vocal_raw=voice,
        sample_rate=ANALYSIS_RATE,
        pitch=pitch,
        notes=notes,
        regions=regions,
        phrases=find_phrases(voice, sample_rate=ANALYSIS_RATE, pitch=pitch, regions=regions),
        screening=screen(
            voice,
            sample_rate=ANALYSIS_RATE,
            pitch=pitch,
            notes=notes,
            regions=regions,
            backing=music,
        ),
        backing=music,
    )


def measure_all(data: Path) -> dict[str, RealArray]:
    """Every measure over every recording, NaN where missing, each of shape ``(n_recordings,)``."""
    catalogue = Catalogue.default()
    session = open_session(catalogue.require("pitch"))
    columns: dict[str, list[float]] = {name: [] for name in UNITS}
    with SingingDetector(catalogue.require("singing_detector")) as detector:
        for recording in find_recordings(data):
            backing = recording.backing
            take = make_take(
                read_voice(recording),
                backing=(
                    read_audio(backing, sample_rate=ANALYSIS_RATE, channels=1)[0]
                    if backing is not None
                    else None
                ),
                session=session,
                detector=detector,
            )
            readings = read_measures(take) | whole_take_readings(take)
            for name, column in columns.items():
                column.append(readings[name].value())
            _LOG.info("%s", recording.name)
    return {name: np.asarray(column) for name, column in columns.items()}


def make_norms(columns: Mapping[str, RealArray]) -> dict[str, Norm]:
    """Median, robust scale (inter-quartile range / 1.349) and quantiles of every measure."""
    norms = {}
    for name, column in columns.items():
        values = column[np.isfinite(column)]
        if not len(values):
            continue
        quartiles = np.percentile(values, [25.0, 75.0])
        scale = float(quartiles[1] - quartiles[0]) / 1.349
        # A measure that is mostly one value (no breaks) has no quartile range: standard deviation.
        scale = max(scale, 0.5 * float(values.std()), 1e-3)
        norms[name] = Norm(
            median=_rounded(float(np.median(values))),
            scale=_rounded(scale),
            quantiles=tuple(_rounded(float(q)) for q in np.percentile(values, QUANTILE_LEVELS)),
        )
    return norms


def rewrite(text: str, columns: Mapping[str, RealArray]) -> str:
    """Return the heads' file with new norms, centres and spreads.

    Parameters
    ----------
    text
        The file as it is; its weights decide the centres and spreads.
    columns
        From :func:`measure_all`.
    """
    import tomllib

    head_text = text.split(MARKER, maxsplit=1)[0]
    tables = tomllib.loads(head_text)["heads"]
    norms = make_norms(columns)
    for dimension in DIMENSIONS:
        weights = tables[dimension]["weights"]
        limits = read_limits(tables[dimension].get("limits", {}), weights, f"heads.{dimension}")
        bounds = {name: bounds_of(weights[name], limit) for name, limit in limits.items()}
        z = np.stack(
            [standardise(columns[name], norms[name], bounds.get(name)) for name in weights]
        )
        w = np.array(list(weights.values()), dtype=np.float64)[:, None]
        ok = np.isfinite(z)
        positions = np.where(ok, w * np.where(ok, z, 0.0), 0.0).sum(0) / (np.abs(w) * ok).sum(0)
        low, middle, high = np.percentile(positions[np.isfinite(positions)], [16.0, 50.0, 84.0])
        head_text = _set(head_text, dimension, "centre", float(middle))
        head_text = _set(head_text, dimension, "spread", float(high - low) / 2.0)
    lines = [head_text + MARKER]
    for name, norm in norms.items():
        quantiles = ", ".join(repr(q) for q in norm.quantiles)
        lines.append(
            f"\n[measures.{name}]\nmedian = {norm.median!r}\nscale = {norm.scale!r}\n"
            f"quantiles = [{quantiles}]\n"
        )
    return "".join(lines)


def _set(text: str, dimension: str, key: str, value: float) -> str:
    pattern = rf"(\[heads\.{dimension}\]\n(?:[^\[\n][^\n]*\n)*?{key} = )[^\n]*"
    return re.sub(pattern, rf"\g<1>{_rounded(value)!r}", text, count=1)


def _rounded(value: float) -> float:
    """Four significant digits: more would only pretend."""
    return float(f"{value:.4g}")


def main() -> None:
    """Read the arguments and rewrite the file."""
    parser = argparse.ArgumentParser(prog="python -m singcoach.scoring.norms", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--heads", type=Path, default=resources.models_dir() / "heads-rules.toml")
    parser.add_argument("--out", type=Path, help="file to write; the heads' file itself by default")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    text = arguments.heads.read_text(encoding="utf-8")
    write_whole(arguments.out or arguments.heads, rewrite(text, measure_all(arguments.data)))


if __name__ == "__main__":
    main()
