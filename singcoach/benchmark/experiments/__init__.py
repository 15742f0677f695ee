"""The paper's experiments on the recordings at hand: ``python -m singcoach.benchmark.experiments``.

Rerun as a whole or one by one; every table says how many recordings it stands on and how far off
it may be. ``docs/experiments.md`` is what the program writes.
"""
