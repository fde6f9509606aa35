"""Independent answers that the tests compare with."""
