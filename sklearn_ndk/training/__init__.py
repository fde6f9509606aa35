"""Training samples, and the ensemble of networks trained on them."""
