"""What all halves of trainlint share; standard library only."""
