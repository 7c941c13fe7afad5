"""Bae 2025: qCNNs and cCNNs on 1H-MRS of the liver, against least squares and against chance."""
