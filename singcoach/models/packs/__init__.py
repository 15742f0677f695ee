"""The user's model packs: recognising published files, adding and removing.

``adding.add`` and ``staging.remove`` are the two changes; ``singcoach.models.installed`` reads what
is there. How each kind of hostile file is refused is told in ``docs/packs.md``.
"""
