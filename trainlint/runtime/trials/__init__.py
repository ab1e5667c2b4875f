"""What a probe and the searches for a rate and a batch size share: tries that are undone."""
