"""Liu 2022: MobileNetV2_HCC_Class from resection to transplantation and a public cohort."""
