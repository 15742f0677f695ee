"""The planned sentences in a language model's own words, each checked before anybody sees it."""

from singcoach.coaching.phrasing.writing import Worded, reword, write_feedback_with_model

__all__ = ["Worded", "reword", "write_feedback_with_model"]
