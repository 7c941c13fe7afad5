"""Targets: the metabolites and lipids that are measured, and the sums that are told beside them."""

METABOLITES15 = (
    "Ala", "Bet", "Cho", "Cr", "Glc", "Gln", "Glu", "Gly", "Glycg", "GPC", "GSH", "Ins", "Lac", "PCh", "Tau",
)  # fmt: skip
"""Fifteen metabolites of the liver (ours; the paper tells how many, not which)."""

LIPIDS5 = ("Lip09", "Lip13", "Lip16", "Lip21", "Lip28")
"""Five lipid resonances between 0.5 and 4.2 ppm (ours; the paper tells how many, not which)."""

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
"""What line widths do not tell apart, added up where all parts are there (ours)."""
