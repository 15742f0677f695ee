"""Score heads that are networks, as ONNX files."""
