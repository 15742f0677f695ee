"""GGUF files as data: settings and tensors read strictly, blocks taken apart, files written."""

from singcoach.models.gguf.reading import GgufFile, TensorAt, open_gguf
from singcoach.models.gguf.writing import Tensor, write_gguf

__all__ = ["GgufFile", "Tensor", "TensorAt", "open_gguf", "write_gguf"]
