"""Networks: quantification and classification of spectra by networks trained on simulation."""

__all__ = ["ccnn", "network_input", "novelty", "qcnn", "qcnn_quantify", "qcnn_training", "spectral_plan"]
