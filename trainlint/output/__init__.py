"""From diagnoses to text and JSON; knows neither syntax trees nor torch."""
