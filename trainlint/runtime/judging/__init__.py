"""What detectors share: curves, levels, streaks, what theory expects, and the words of remedies."""
