"""RuleSignal: is there enough to judge, and are pitch and rhythm in order."""
