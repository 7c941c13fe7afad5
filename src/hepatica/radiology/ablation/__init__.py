"""Ablation: scans before and after it, brought onto each other, and the margin between tumour and ablation zone."""
