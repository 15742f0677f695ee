"""The coach: facts from the measurements, a plan, words for it, and a check of every claim."""

from singcoach.coaching.feedback import write_feedback

__all__ = ["write_feedback"]
