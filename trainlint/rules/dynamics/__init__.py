"""What is only seen while a network trains."""
