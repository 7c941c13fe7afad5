"""Wang 2021: NoduleNet and HCCNet on CT, against readers and pathology."""
