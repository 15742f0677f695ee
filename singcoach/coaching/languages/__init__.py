"""The coach's words in every language: one folder of data each, the same keys in all of them."""

from singcoach.coaching.languages.catalogue import Catalogue, ExerciseWords
from singcoach.coaching.languages.reading import LANGUAGES, catalogue_of, localised

__all__ = ["LANGUAGES", "Catalogue", "ExerciseWords", "catalogue_of", "localised"]
