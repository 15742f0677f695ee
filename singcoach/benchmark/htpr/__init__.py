"""H-TPR: do the tiers that the scores make sound like tiers to people?

Human-in-the-loop Tiered Perceptual Ranking (VocalVerse, arXiv 2512.06999) asks whether high, middle
and low singing are told apart as listeners tell them apart, not whether a score is "right".
"""
