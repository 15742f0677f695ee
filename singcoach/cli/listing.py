"""Which files a batch holds; the window asks the same (:mod:`singcoach.audio.listing`)."""

from __future__ import annotations

from singcoach.audio.listing import AUDIO_SUFFIXES, Batch, audio_in, list_audio

__all__ = ["AUDIO_SUFFIXES", "Batch", "audio_in", "list_audio"]
