"""What was sung: fundamental frequency, notes, vibrato, tuning, key, and the shape of each note."""

from singcoach.pitch.f0 import track_pitch
from singcoach.pitch.key import estimate_key, key_of_histogram
from singcoach.pitch.notes import find_notes
from singcoach.pitch.shape import NoteShape, measure_shape, measure_shapes
from singcoach.pitch.tuning import Tuning, estimate_tuning, tuning_drift
from singcoach.pitch.vibrato import measure_vibrato, vibrato_share

__all__ = [
    "NoteShape",
    "Tuning",
    "estimate_key",
    "estimate_tuning",
    "find_notes",
    "key_of_histogram",
    "measure_shape",
    "measure_shapes",
    "measure_vibrato",
    "track_pitch",
    "tuning_drift",
    "vibrato_share",
]
