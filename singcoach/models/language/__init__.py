"""A local language model in a process of its own, which may die without harm to the program."""

from singcoach.models.language.process import LanguageModel
from singcoach.models.language.protocol import Request, Written

__all__ = ["LanguageModel", "Request", "Written"]
