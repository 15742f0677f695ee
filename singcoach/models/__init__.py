"""Model files: what is shipped or added, whether it is intact, and where and how it is run.

The only home of ``onnxruntime``, ``torch``, ``onnx``, ``safetensors`` and ``ctranslate2``.
"""
