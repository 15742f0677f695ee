"""Curves of a singer's scores over time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from singcoach.library.shelf import Shelf, moment, stamp
from singcoach.library.trend import find_change
from singcoach.library.values import Judged, ProgressCurve, ProgressPoint, StoredScore


class ProgressShelf(Shelf):
    """Reading curves from the stored scores."""

    def all_scores(self) -> dict[tuple[str, str], StoredScore]:
        """Return every stored score by take and dimension (``overall`` is one of them)."""
        return {
            (row["take_id"], row["dimension"]): StoredScore(
                score=row["score"], low=row["low"], high=row["high"]
            )
            for row in self._database.read("SELECT * FROM scores")
        }

    def progress(
        self,
        singer_id: str,
        dimension: Judged,
        song_id: str | None = None,
        *,
        since: datetime | None = None,
    ) -> ProgressCurve:
        """Return the curve of one dimension, with the verdict of :mod:`singcoach.library.trend`.

        Parameters
        ----------
        song_id
            Only takes of this song; of all songs without.
        since
            Only takes from then on; the verdict looks at these alone.
        """
        query = """
            SELECT takes.id, takes.title, takes.made_s, scores.score, scores.low, scores.high
            FROM takes CROSS JOIN scores ON scores.take_id = takes.id
            WHERE takes.singer_id = ? AND scores.dimension = ? AND takes.deleted_s IS NULL
                AND scores.score IS NOT NULL AND scores.low IS NOT NULL AND scores.high IS NOT NULL
        """
        values: list[Any] = [singer_id, dimension]
        if song_id is not None:
            query += " AND takes.song_id = ?"
            values.append(song_id)
        if since is not None:
            query += " AND takes.made_s >= ?"
            values.append(stamp(since))
        rows = self._database.read(query + " ORDER BY takes.made_s, takes.id", values)
        found = find_change(
            [row["made_s"] for row in rows],
            [row["score"] for row in rows],
            [row["low"] for row in rows],
            [row["high"] for row in rows],
        )
        return ProgressCurve(
            singer_id=singer_id,
            dimension=dimension,
            points=tuple(
                ProgressPoint(
                    take_id=row["id"],
                    title=row["title"],
                    made_at=moment(row["made_s"]),
                    score=row["score"],
                    low=row["low"],
                    high=row["high"],
                )
                for row in rows
            ),
            trend=found.trend,
            sittings=found.sittings,
            change=found.change,
            margin=found.margin,
        )
