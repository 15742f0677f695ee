"""Model files: what is shipped, whether it is intact, and how it is run.

The only home of ``onnxruntime``; ``torch``, ``onnx`` and ``ctranslate2`` only below ``build``.
"""
