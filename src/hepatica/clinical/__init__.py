"""Clinical: tables of covariates, laboratory values and visits, one row a patient, and scores of them."""
