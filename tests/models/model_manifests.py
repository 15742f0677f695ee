"""Manifests for tests, valid but for what a test changes."""

from __future__ import annotations

import hashlib

CONTENT = b"not a real model, but real bytes" * 100


def table(**changes: object) -> str:
    """Return one valid ``[[model]]`` table with some keys changed; None takes a key out."""
    keys: dict[str, object] = {
        "id": "toy",
        "role": "pitch",
        "version": "1",
        "file": "toy.onnx",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "size": len(CONTENT),
        "licence": "MIT",
        "source": "made for a test",
    }
    keys.update(changes)
    lines = [f"{key} = {toml(value)}" for key, value in keys.items() if value is not None]
    return "[[model]]\n" + "\n".join(lines) + "\n"


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in value)
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    return str(value)


def manifest(*tables: str) -> str:
    return 'schema = "singcoach.models/1"\n' + "\n".join(tables)
