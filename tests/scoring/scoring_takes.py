"""Takes with a known voice: sung tones with chosen pitch, level, vibrato and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.core.music import Note, Phrase, PitchTrack, Region, Vibrato
from singcoach.core.take import Screening, Take

RATE = 16_000
HOP_S = 0.016


@dataclass(frozen=True, kw_only=True)
class Tone:
    """One sung note: pitch as cents over its own time, and what is done to it."""

    midi: float
    length_s: float
    drift_cents: float = 0.0
    wobble_cents: float = 0.0
    wobble_db: float = 0.0
    vibrato_cents: float = 0.0
    vibrato_hz: float = 6.0
    gain_db: float = 0.0

    def cents(self, t: RealArray) -> RealArray:
        centred = t / self.length_s - 0.5
        return np.asarray(
            100.0 * (self.midi - 69.0)
            + self.drift_cents * centred
            + self.wobble_cents * np.sin(2 * np.pi * 1.7 * t)
            + self.vibrato_cents * np.sin(2 * np.pi * self.vibrato_hz * t)
        )

    def level_db(self, t: RealArray) -> RealArray:
        return np.asarray(self.gain_db + self.wobble_db * np.sin(2 * np.pi * 2.5 * t))


SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def melody(n_notes: int = 24, *, length_s: float = 0.7, **changes: float) -> list[list[Tone]]:
    """Phrases of four notes each, walking over a C major scale."""
    walk = [0, 2, 4, 3, 5, 4, 2, 1, 0, 4, 7, 6]
    tones = [
        Tone(midi=SCALE[walk[i % len(walk)]], length_s=length_s, **changes) for i in range(n_notes)
    ]
    return [tones[i : i + 4] for i in range(0, n_notes, 4)]


def sing(
    phrases: Sequence[Sequence[Tone]],
    *,
    rest_s: float = 0.6,
    lead_s: float = 0.3,
    noise_db: float = -60.0,
    tilt: float = 1.6,
    tuning_cents: float = 0.0,
    kind: str = "solo",
) -> Take:
    """A take whose pitch track and notes are exact and whose audio is a sum of harmonics."""
    pieces: list[RealArray] = [np.zeros(round(lead_s * RATE))]
    notes: list[Note] = []
    spans: list[tuple[float, float]] = []
    contours: list[tuple[float, Tone]] = []
    at_s = len(pieces[0]) / RATE
    for tones in phrases:
        start = at_s
        for tone in tones:
            n = round(tone.length_s * RATE)
            t = np.arange(n) / RATE
            f0 = 440.0 * 2.0 ** ((tone.cents(t) + tuning_cents) / 1200.0)
            phase = 2 * np.pi * np.cumsum(f0) / RATE
            voice = sum(
                (np.sin(k * phase) * (k * f0 < 7000) / k**tilt for k in range(1, 30)), np.zeros(n)
            )
            fade = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.03)
            pieces.append(0.1 * voice * fade * 10 ** (tone.level_db(t) / 20.0))
            held = Vibrato(rate_hz=tone.vibrato_hz, extent_cents=tone.vibrato_cents, regularity=0.9)
            notes.append(
                Note(
                    onset_s=at_s,
                    offset_s=at_s + tone.length_s,
                    midi=round(tone.midi),
                    cents_deviation=100.0 * (tone.midi - round(tone.midi)),
                    vibrato=held if tone.vibrato_cents > 12.0 else None,
                )
            )
            contours.append((at_s, tone))
            at_s += n / RATE
        spans.append((start, at_s))
        pieces.append(np.zeros(round(rest_s * RATE)))
        at_s += round(rest_s * RATE) / RATE
    audio = np.concatenate(pieces)
    noise = np.random.default_rng(7).standard_normal(len(audio)) * 0.1 * 10 ** (noise_db / 20.0)
    times = np.arange(int(len(audio) / RATE / HOP_S)) * HOP_S
    f0_hz = np.full(len(times), np.nan)
    for start, tone in contours:
        inside = (times >= start + 0.01) & (times < start + tone.length_s - 0.01)
        cents = tone.cents(times[inside] - start) + tuning_cents
        f0_hz[inside] = 440.0 * 2.0 ** (cents / 1200.0)
    vocal = (audio + noise).astype(np.float32)
    return make_take(
        vocal,
        PitchTrack(
            times_s=times, f0_hz=f0_hz, confidence=np.where(np.isnan(f0_hz), 0.0, 0.95), hop_s=HOP_S
        ),
        tuple(notes),
        tuple(Phrase(start_s=a, end_s=b) for a, b in spans),
        kind=kind,
    )


def make_take(
    vocal: FloatArray,
    pitch: PitchTrack,
    notes: tuple[Note, ...],
    phrases: tuple[Phrase, ...],
    *,
    kind: str = "solo",
) -> Take:
    voiced_s = float(np.isfinite(pitch.f0_hz).sum() * pitch.hop_s)
    enough = voiced_s >= 5.0
    return Take(
        duration_s=len(vocal) / RATE,
        kind="mixture" if kind == "mixture" else "solo",
        vocal=vocal,
        vocal_raw=vocal,
        sample_rate=RATE,
        pitch=pitch,
        notes=notes,
        regions=tuple(Region(start_s=p.start_s, end_s=p.end_s, kind="singing") for p in phrases),
        phrases=phrases,
        screening=Screening(
            verdict="pass" if enough else "insufficient",
            pitch_accuracy=None,
            rhythm_accuracy=None,
            pitch_reference=None,
            rhythm_reference=None,
            key=None,
            tuning_cents=None,
            voiced_s=voiced_s,
            recording_quality=None,
            reasons=() if enough else ("less than 10 s of singing",),
        ),
    )


def with_gain(take: Take, gain: float) -> Take:
    vocal = (take.vocal * np.float32(gain)).astype(np.float32)
    return replace(take, vocal=vocal, vocal_raw=vocal)


def delayed(take: Take, frames: int) -> Take:
    """The same take after ``frames`` pitch frames of silence."""
    shift_s = frames * HOP_S
    silence = np.zeros(round(shift_s * RATE), dtype=np.float32)
    vocal = np.concatenate([silence, take.vocal])
    pitch = take.pitch
    total = len(pitch.times_s) + frames
    return replace(
        take,
        duration_s=take.duration_s + shift_s,
        vocal=vocal,
        vocal_raw=vocal,
        pitch=PitchTrack(
            times_s=np.arange(total) * HOP_S,
            f0_hz=np.concatenate([np.full(frames, np.nan), pitch.f0_hz]),
            confidence=np.concatenate([np.zeros(frames), pitch.confidence]),
            hop_s=HOP_S,
        ),
        notes=tuple(
            replace(n, onset_s=n.onset_s + shift_s, offset_s=n.offset_s + shift_s)
            for n in take.notes
        ),
        phrases=tuple(
            Phrase(start_s=p.start_s + shift_s, end_s=p.end_s + shift_s) for p in take.phrases
        ),
    )


def without_seconds(take: Take, start_s: float, end_s: float) -> Take:
    """The take with what was sung in these seconds taken out of notes, pitch and phrases.

    A phrase that they only touch stays whole: cutting it would make new phrase ends.
    """

    def outside(start: float, end: float) -> bool:
        return not start_s <= (start + end) / 2 <= end_s

    f0_hz = take.pitch.f0_hz.copy()
    times = take.pitch.times_s
    f0_hz[(times >= start_s) & (times <= end_s)] = np.nan
    return replace(
        take,
        pitch=replace(take.pitch, f0_hz=f0_hz),
        notes=tuple(n for n in take.notes if outside(n.onset_s, n.offset_s)),
        phrases=tuple(p for p in take.phrases if outside(p.start_s, p.end_s)),
    )


def change_one(
    phrases: Sequence[Sequence[Tone]], phrase: int, note: int, change: Callable[[Tone], Tone]
) -> list[list[Tone]]:
    """The same melody with one tone changed."""
    out = [list(tones) for tones in phrases]
    out[phrase][note] = change(out[phrase][note])
    return out
