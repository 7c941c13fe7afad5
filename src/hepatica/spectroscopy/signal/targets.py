"""Targets: the metabolites and lipids that are measured, and the sums reported with them."""

METABOLITES15 = (
    "Ala", "Bet", "Cho", "Cr", "Glc", "Gln", "Glu", "Gly", "Glycg", "GPC", "GSH", "Ins", "Lac", "PCh", "Tau",
)  # fmt: skip
"""Fifteen metabolites of the liver (ours; the paper gives the number, not the names)."""

LIPIDS5 = ("Lip09", "Lip13", "Lip16", "Lip21", "Lip28")
"""Five lipid resonances between 0.5 and 4.2 ppm (ours; the paper gives the number, not the names)."""

LCM5 = ("L09", "L13", "L16", "L20", "L53")
"""The five lipid sums of LCModel's spectrum type liver-4, for those who compare with it."""

LIVER20 = METABOLITES15 + LIPIDS5
"""The default targets of the simulator, of every quantifier and of the networks."""

BRAIN17 = (
    "Ala", "Asp", "Cr", "GABA", "Glc", "Gln", "GSH", "Glu", "GPC", "Ins", "Lac", "NAA", "NAAG", "PCh", "PCr", "Scyllo",
    "Tau",
)  # fmt: skip
"""Metabolites of a brain, those of LCModel's test, to try files of phantoms and of brains."""

SUMS = {
    "tCho": ("Cho", "GPC", "PCh"),
    "tCho+Bet": ("Cho", "GPC", "PCh", "Bet"),
    "Glx": ("Glu", "Gln"),
    "Glc+Glycg": ("Glc", "Glycg"),
    "tCr": ("Cr", "PCr"),
    "tNAA": ("NAA", "NAAG"),
    "Lipids": LIPIDS5,
}
"""Sums of components that line widths do not separate, where all of them are present (ours)."""
