"""The texts of a pack: manifest, where it came from, and the card for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from singcoach.models.installed import PACK_SCHEMA, Provenance
from singcoach.models.manifest import SCHEMA_NAME, TensorSpec
from singcoach.models.packfile import PackFile
from singcoach.models.packs.plan import About, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedFile:
    """A file of a pack with the size and hash that it has on the disk."""

    described: PackFile
    sha256: str
    size: int


def manifest_text(pack_id: str, about: About, files: Sequence[FinishedFile]) -> str:
    """Return the manifest of a pack; the first file bears the pack's id."""
    lines = [f"schema = {_quoted(SCHEMA_NAME)}"]
    taken: set[str] = set()
    for file in files:
        described = file.described
        entry_id = _entry_id(pack_id, described, taken)
        taken.add(entry_id)
        lines += [
            "",
            "[[model]]",
            f"id = {_quoted(entry_id)}",
            f"role = {_quoted(described.role)}",
            f"part = {_quoted(described.part)}",
            f"version = {_quoted(about.version)}",
            f"file = {_quoted(described.file)}",
            f"sha256 = {_quoted(file.sha256)}",
            f"size = {file.size}",
            f"licence = {_quoted(about.licence)}",
            f"source = {_quoted(about.source)}",
            f"published = {_quoted(about.published)}",
        ]
        if described.sample_rate is not None:
            lines.append(f"sample_rate = {described.sample_rate}")
        if described.config:
            lines.append(f"config = {_quoted(described.config)}")
        if described.prompt:
            lines.append(f"prompt = {_quoted(described.prompt)}")
        for key, specs in (("inputs", described.inputs), ("outputs", described.outputs)):
            if specs:
                lines.append(f"{key} = [{', '.join(map(_tensor, specs))}]")
    return "\n".join(lines) + "\n"


def provenance_text(provenance: Provenance) -> str:
    """Return where a pack came from, as TOML."""
    lines = [
        f"schema = {_quoted(PACK_SCHEMA)}",
        f"added = {_quoted(provenance.added)}",
        f"publication = {_quoted(provenance.publication)}",
        f"made_by = {_quoted(provenance.made_by)}",
    ]
    if not provenance.sources:
        lines.append("source = []")
    for source in provenance.sources:
        lines += [
            "",
            "[[source]]",
            f"file = {_quoted(source.file)}",
            f"sha256 = {_quoted(source.sha256)}",
            f"size = {source.size}",
        ]
    return "\n".join(lines) + "\n"


def card_text(
    pack_id: str, about: About, plan: Plan, provenance: Provenance, files: Sequence[FinishedFile]
) -> str:
    """Return the card of a pack: what it is, where it came from, under which licence."""
    lines = [
        f"# {pack_id}",
        "",
        f"{about.title}: {plan.what}, added by the user of this machine.",
        "",
        f"- Role: {', '.join(f'`{role}`' for role in plan.roles)}",
        f"- Licence of the weights: {about.licence}",
        f"- Published: {about.published or 'not known to SingCoach; the user vouched for it'}",
    ]
    lines += [
        f"- Made from: {source.file}, {source.size} bytes, SHA-256 {source.sha256}"
        for source in provenance.sources
    ]
    lines += [f"- {note}" for note in plan.notes]
    lines += [
        "",
        "Nothing in the given files was run to make it. Files:",
        "",
        *(f"- {f.described.file}: {f.size} bytes, SHA-256 {f.sha256}" for f in files),
    ]
    if plan.card:
        lines += ["", "What came with it, unchecked:", "", plan.card]
    return "\n".join(lines) + "\n"


def write_texts(folder: Path, texts: dict[str, str]) -> None:
    """Write the texts of a pack into its folder; raises OSError."""
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _entry_id(pack_id: str, described: PackFile, taken: set[str]) -> str:
    """Return the pack's id for its first file, the id with part or role for the others."""
    if not taken:
        return pack_id
    for word in (described.part, described.role):
        entry_id = f"{pack_id}-{word.replace('_', '-')}"
        if word and entry_id not in taken:
            return entry_id
    return f"{pack_id}-{len(taken) + 1}"


def _tensor(spec: TensorSpec) -> str:
    shape = ", ".join(_quoted(size) if isinstance(size, str) else str(size) for size in spec.shape)
    return f"{{ name = {_quoted(spec.name)}, dtype = {_quoted(spec.dtype)}, shape = [{shape}] }}"


def _quoted(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
