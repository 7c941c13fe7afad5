"""Networks: quantification and classification of spectra by networks trained on simulation."""

__all__ = [
    "calibration",
    "ccnn",
    "ccnn_training",
    "network_input",
    "norm",
    "novelty",
    "qcnn",
    "qcnn_quantify",
    "qcnn_training",
    "scales",
    "spectral_plan",
]
