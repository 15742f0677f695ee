"""Impulse responses of box-shaped rooms by the image method, absorption depending on pitch.

Every wall mirrors the source; the mirrors of the mirrors are the reflections, each with the delay
of its distance and the loss of the walls and of the air on its way, in octave bands. Images beyond
the first order are moved by a few centimetres, because an exact box rings in a way that no real
room with furniture does.

Source: Allen and Berkley, "Image method for efficiently simulating small-room acoustics", JASA
65(4), 1979; jitter of the images after De Sena et al., "On the modeling of rectangular geometries
in room acoustic simulations", IEEE TASLP 23(4), 2015; air after ISO 9613-1 at 20 degrees and 50 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SOUND_M_PER_S = 343.0
BAND_CENTRES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
AIR_DB_PER_M = (0.0004, 0.0013, 0.0027, 0.0047, 0.0099, 0.0297, 0.105)
"""Loss in air at the band centres."""

HARD_WALLS = (0.75, 0.80, 0.90, 1.0, 1.1, 1.15, 1.2)
"""Absorption relative to that at 1 kHz: plaster, tiles, glass."""
SOFT_WALLS = (0.55, 0.70, 0.90, 1.0, 1.1, 1.15, 1.15)
"""The same with carpets, curtains and upholstery, which take little from low notes."""

JITTER_M = 0.06
OVERSAMPLING = 4
_MAX_ABSORPTION = 0.97
_IMAGES_AT_A_TIME = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A box with a singer and a microphone in it.

    Attributes
    ----------
    size_m
        Length, width and height.
    source_m, microphone_m
        Their places, measured from the same corner; inside of the box.
    t60_s
        Decay time by 60 dB at 1 kHz that the walls are chosen for (Eyring's formula).
    walls
        Absorption in each band relative to that at 1 kHz.
    name
        What tables call it.
    """

    size_m: tuple[float, float, float]
    source_m: tuple[float, float, float]
    microphone_m: tuple[float, float, float]
    t60_s: float
    walls: tuple[float, ...] = HARD_WALLS
    name: str = ""

    @property
    def distance_m(self) -> float:
        """How far the singer stands from the microphone."""
        return float(np.linalg.norm(np.subtract(self.source_m, self.microphone_m)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a room does to a sound.

    Attributes
    ----------
    full
        float64 ``(n_samples,)``: the response from the arrival of the direct sound on, which has
        the gain 1 there.
    direct
        float64, same shape: the direct sound alone.
    """

    full: NDArray[np.float64]
    direct: NDArray[np.float64]


def absorption(room: Room) -> NDArray[np.float64]:
    """Return the share of energy that the walls take at each reflection, in each band.

    Raises
    ------
    ValueError
        When no wall is absorbent enough for so short a decay.
    """
    length, width, height = room.size_m
    volume_m3 = length * width * height
    surface_m2 = 2 * (length * width + length * height + width * height)
    at_1khz = 1 - np.exp(-24 * np.log(10) * volume_m3 / (SOUND_M_PER_S * surface_m2 * room.t60_s))
    if at_1khz > _MAX_ABSORPTION:
        raise ValueError(f"t60_s is {room.t60_s}; this room is that dry only with {at_1khz:.2f}")
    shares: NDArray[np.float64] = np.minimum(at_1khz * np.asarray(room.walls), _MAX_ABSORPTION)
    return shares


def image_response(
    room: Room, *, sample_rate: int, seed: int = 0, longest_s: float | None = None
) -> Response:
    """Return the impulse response of a room.

    Parameters
    ----------
    room
        The box and the two places.
    sample_rate
        In Hz; bands above half of it are left out.
    seed
        Of the displacement of the images.
    longest_s
        Where the response ends; None: after 1.1 times the decay time.

    Returns
    -------
    Response
        The same for the same arguments. The full response holds everything that arrives until its
        end, also early reflections of every order.

    Raises
    ------
    ValueError
        For places outside of the box, or a decay that no wall gives.
    """
    size = np.asarray(room.size_m, np.float64)
    for place in (room.source_m, room.microphone_m):
        if np.any(np.asarray(place) <= 0) or np.any(np.asarray(place) >= size):
            raise ValueError(f"{place} is not inside of a room of {room.size_m}")
    n_bands = sum(centre < sample_rate / 2 for centre in BAND_CENTRES_HZ)
    losses = 1 - absorption(room)[:n_bands]
    air_db_per_m = np.asarray(AIR_DB_PER_M[:n_bands])
    rate = OVERSAMPLING * sample_rate
    reach_m = room.distance_m + SOUND_M_PER_S * (longest_s or 1.1 * room.t60_s)
    n_fine = int((reach_m - room.distance_m) / SOUND_M_PER_S * rate) + 2
    fine = np.zeros((n_bands, n_fine))
    first = np.zeros((n_bands, n_fine))
    random = np.random.default_rng(seed)
    for distance_m, order in _images(room, reach_m, random):
        at = (distance_m - room.distance_m) / SOUND_M_PER_S * rate
        index = np.floor(at).astype(np.int64)
        part = at - index
        for band in range(n_bands):
            gain = losses[band] ** (order / 2) * 10 ** (-air_db_per_m[band] * distance_m / 20)
            gain *= room.distance_m / distance_m
            for step, share in ((0, 1 - part), (1, part)):
                fine[band] += np.bincount(index + step, gain * share, n_fine)[:n_fine]
        if np.any(order == 0):
            first[:, 0] = 10 ** (-air_db_per_m * room.distance_m / 20)
    gain_at_start = first[:, :1].max()
    return Response(
        full=_joined_bands(fine / gain_at_start, sample_rate),
        direct=_joined_bands(first / gain_at_start, sample_rate),
    )


def decay_time_s(
    response: NDArray[np.float64], sample_rate: int, *, upper_db: float = -5, lower_db: float = -25
) -> float:
    """Return the decay time by 60 dB from the slope between two levels of the backward integral.

    NaN where the response does not fall that far. Source: Schroeder, JASA 37(3), 1965; ISO 3382.
    """
    energy = np.cumsum((response**2)[::-1])[::-1]
    level_db = 10 * np.log10(np.maximum(energy, 1e-30) / max(energy[0], 1e-30))
    chosen = np.flatnonzero((level_db <= upper_db) & (level_db >= lower_db))
    if chosen.size < 2 or level_db[-1] > lower_db:
        return float("nan")
    slope, _ = np.polyfit(chosen / sample_rate, level_db[chosen], 1)
    return float(-60 / slope)


def direct_to_reverberant_db(response: Response) -> float:
    """Return the energy of the direct sound relative to that of everything after it, in dB."""
    rest = response.full - response.direct
    return float(10 * np.log10(np.sum(response.direct**2) / max(float(np.sum(rest**2)), 1e-30)))


def _images(room: Room, reach_m: float, random: np.random.Generator):  # type: ignore[no-untyped-def]
    """Yield distances and orders of the mirrored sources within reach, some at a time."""
    size = np.asarray(room.size_m)
    source = np.asarray(room.source_m)
    microphone = np.asarray(room.microphone_m)
    axes = []
    for axis in range(3):
        n_boxes = int(np.ceil(reach_m / (2 * size[axis]))) + 1
        box = np.arange(-n_boxes, n_boxes + 1)
        place = np.concatenate(
            (2 * box * size[axis] + source[axis], 2 * box * size[axis] - source[axis])
        )
        order = np.concatenate((np.abs(2 * box), np.abs(2 * box - 1)))
        offset = place - microphone[axis]
        kept = np.abs(offset) <= reach_m
        axes.append((offset[kept], order[kept]))
    (x, x_order), (y, y_order), (z, z_order) = axes
    plane = (x[:, None] ** 2 + y[None, :] ** 2).ravel()
    plane_order = (x_order[:, None] + y_order[None, :]).ravel()
    near = plane <= reach_m**2
    plane, plane_order = plane[near], plane_order[near]
    n_rows = max(1, _IMAGES_AT_A_TIME // z.size)
    for start in range(0, plane.size, n_rows):
        distance_m = np.sqrt(plane[start : start + n_rows, None] + z[None, :] ** 2).ravel()
        order = (plane_order[start : start + n_rows, None] + z_order[None, :]).ravel()
        moved = random.uniform(-JITTER_M, JITTER_M, distance_m.size)
        distance_m = np.where(order > 1, distance_m + moved, distance_m)
        kept = (distance_m <= reach_m) & (distance_m >= room.distance_m - 1e-9)
        yield distance_m[kept], order[kept]


def _joined_bands(fine: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the sum of the bands at ``sample_rate``, each limited to its octave.

    The octaves overlap by raised cosines over the logarithm of the frequency and add up to 1; the
    filters have no phase. Below 60 Hz, where the images of a rigid box pile up and no voice is,
    a causal high-pass takes off.
    """
    import scipy.signal

    n_bands, n_fine = fine.shape
    n_fft = 2 ** int(np.ceil(np.log2(n_fine + OVERSAMPLING * sample_rate // 50)))
    frequency_hz = np.fft.rfftfreq(n_fft, 1 / (OVERSAMPLING * sample_rate))
    octave = np.log2(np.maximum(frequency_hz, 1e-3) / BAND_CENTRES_HZ[0])
    octave = np.clip(octave, 0, n_bands - 1)
    spectrum = np.zeros(frequency_hz.size, np.complex128)
    for band in range(n_bands):
        weight = np.cos(np.clip(np.abs(octave - band), 0, 1) * np.pi / 2) ** 2
        spectrum += weight * np.fft.rfft(fine[band], n_fft)
    n_out_fft = n_fft // OVERSAMPLING
    kept = spectrum[: n_out_fft // 2 + 1].copy()
    edge_hz = frequency_hz[: kept.size]
    kept *= np.clip((sample_rate / 2 - edge_hz) / (0.05 * sample_rate), 0, 1)
    joined = np.fft.irfft(kept, n_out_fft)[: -(-n_fine // OVERSAMPLING)]
    sections = scipy.signal.butter(2, 60.0, "highpass", fs=sample_rate, output="sos")
    passed: NDArray[np.float64] = scipy.signal.sosfilt(sections, joined)
    return passed
