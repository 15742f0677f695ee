"""The coach's words in every language: one folder of data each, the same keys in all of them."""

from singcoach.coaching.languages.catalogue import Catalogue, ExerciseWords
from singcoach.coaching.languages.reading import catalogue_of, localised
from singcoach.core.languages import LANGUAGES

__all__ = ["LANGUAGES", "Catalogue", "ExerciseWords", "catalogue_of", "localised"]
