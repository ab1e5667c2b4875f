"""The language server: linting while the user types, over the protocol that editors speak."""
