"""The sequence model's training step in PyTorch; `bench/README.md` says how."""
