"""From a running training to diagnoses; the only part of trainlint that imports torch."""
