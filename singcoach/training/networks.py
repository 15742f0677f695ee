"""The small networks that are trained: pooling over the whole song in three ways, then one number.

Modules are made inside :func:`make_member`, so that importing this costs no torch. Every layer has
a counterpart in the ONNX graph (:mod:`singcoach.models.heads.graph`), by the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MLP_WIDTH = 32
RNN_WIDTH = 32
RNN_HIDDEN = 24
TRANSFORMER_WIDTH = 48
TRANSFORMER_HEADS = 4
TRANSFORMER_BLOCKS = 2
HIDDEN = 32
MAX_PARAMETERS = 200_000
ROW_LIMIT = 4.0
"""Standardised rows are cut at this many deviations: an odd recording must not shout."""

_DROPOUT = 0.3
_ROW_DROPOUT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a member takes: number of measures (0: none) and columns of a row (0: none)."""

    architecture: str
    n_measures: int
    n_columns: int


def make_member(shape: Shape) -> Any:
    """Return an untrained member (torch module), weights from torch's own generator.

    Its call takes measures ``(n, 2 * n_measures)`` (standardised, then 1 where missing), rows
    ``(n, n_rows, n_columns)`` standardised, zero where there is none, and a mask ``(n, n_rows)``,
    1.0 where there is a row; it returns ``(n,)``.
    """
    import torch
    from torch import nn

    class Pool(nn.Module):  # type: ignore[misc]  # torch is not looked into
        """What the three ways of pooling share."""

        def thinned(self, x: Any) -> Any:
            return nn.functional.dropout(x, _ROW_DROPOUT, self.training)

    class MlpPool(Pool):
        width = 2 * MLP_WIDTH

        def __init__(self) -> None:
            super().__init__()
            self.project = nn.Linear(shape.n_columns, MLP_WIDTH)
            self.attend = nn.Linear(MLP_WIDTH, 1)

        def forward(self, rows: Any, mask: Any) -> Any:
            x = torch.relu(self.project(self.thinned(rows)))
            weights = torch.softmax(self.attend(x)[..., 0] + 1e4 * (mask - 1.0), dim=1) * mask
            attended = (weights[..., None] * x).sum(1)
            mean = (mask[..., None] * x).sum(1) / mask.sum(1, keepdim=True).clamp(min=1.0)
            return torch.cat([attended, mean], dim=1)

    class RnnPool(Pool):
        width = 2 * RNN_HIDDEN

        def __init__(self) -> None:
            super().__init__()
            self.project = nn.Linear(shape.n_columns, RNN_WIDTH)
            self.gru = nn.GRU(RNN_WIDTH, RNN_HIDDEN, batch_first=True, bidirectional=True)

        def forward(self, rows: Any, mask: Any) -> Any:
            x = torch.relu(self.project(self.thinned(rows)))
            lengths = mask.sum(1).long().clamp(min=1)
            packed = nn.utils.rnn.pack_padded_sequence(
                x, lengths, batch_first=True, enforce_sorted=False
            )
            x, _ = nn.utils.rnn.pad_packed_sequence(
                self.gru(packed)[0], batch_first=True, total_length=rows.shape[1]
            )
            return (mask[..., None] * x).sum(1) / mask.sum(1, keepdim=True).clamp(min=1.0)

    class Block(nn.Module):  # type: ignore[misc]
        """Attention and a small network, each behind a normalisation, each added to its input."""

        def __init__(self) -> None:
            super().__init__()
            width = TRANSFORMER_WIDTH
            self.norm_1 = nn.LayerNorm(width)
            self.mix = nn.Linear(width, 3 * width)
            self.join = nn.Linear(width, width)
            self.norm_2 = nn.LayerNorm(width)
            self.widen = nn.Linear(width, 2 * width)
            self.narrow = nn.Linear(2 * width, width)

        def forward(self, x: Any, allowed: Any) -> Any:
            n, length, width = x.shape
            mixed = self.mix(self.norm_1(x)).reshape(n, length, 3, TRANSFORMER_HEADS, -1)
            query, key, value = mixed.permute(2, 0, 3, 1, 4)
            scores = query @ key.transpose(-1, -2) / (width // TRANSFORMER_HEADS) ** 0.5
            weights = torch.softmax(scores + allowed[:, None, None, :], dim=-1)
            heard = (weights @ value).transpose(1, 2).reshape(n, length, width)
            x = x + nn.functional.dropout(self.join(heard), _ROW_DROPOUT, self.training)
            return x + self.narrow(torch.relu(self.widen(self.norm_2(x))))

    class TransformerPool(Pool):
        width = TRANSFORMER_WIDTH

        def __init__(self) -> None:
            super().__init__()
            self.project = nn.Linear(shape.n_columns, TRANSFORMER_WIDTH)
            self.summary = nn.Parameter(0.02 * torch.randn(TRANSFORMER_WIDTH))
            self.blocks = nn.ModuleList([Block() for _ in range(TRANSFORMER_BLOCKS)])
            self.norm = nn.LayerNorm(TRANSFORMER_WIDTH)

        def forward(self, rows: Any, mask: Any) -> Any:
            # Rows carry no place: what counts is what was sung, not when, and any length will do.
            x = self.project(self.thinned(rows))
            first = self.summary.expand(len(x), 1, TRANSFORMER_WIDTH)
            x = torch.cat([first, x], dim=1)
            allowed = 1e4 * (nn.functional.pad(mask, (1, 0), value=1.0) - 1.0)
            for block in self.blocks:
                x = block(x, allowed)
            return self.norm(x[:, 0])

    class Member(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            pools = {"mlp": MlpPool, "rnn": RnnPool, "transformer": TransformerPool}
            self.pool = pools[shape.architecture]() if shape.n_columns else None
            width = self.pool.width if self.pool is not None else 0
            self.hidden = nn.Linear(width + 2 * shape.n_measures, HIDDEN)
            self.last = nn.Linear(HIDDEN, 1)

        def forward(self, measures: Any, rows: Any, mask: Any) -> Any:
            parts = [self.pool(rows, mask)] if self.pool is not None else []
            if shape.n_measures:
                parts.append(measures)
            x = nn.functional.dropout(torch.cat(parts, dim=1), _DROPOUT, self.training)
            x = nn.functional.dropout(torch.relu(self.hidden(x)), _DROPOUT, self.training)
            return self.last(x)[:, 0]

    member = Member()
    n_parameters = sum(p.numel() for p in member.parameters())
    if n_parameters > MAX_PARAMETERS:
        raise ValueError(f"{n_parameters} parameters; at most {MAX_PARAMETERS} are meant")
    return member
