import json

import numpy as np

from hepatica.evaluate.audit.findings import Finding


def test_plain_values_and_no_endless_lists() -> None:
    found = Finding(row="A", contradictions=("one",), repairs=(), possible=np.tile([[44, 3, 10, 38]], (12, 1)))
    assert found.as_dict() == {
        "row": "A",
        "contradictions": ["one"],
        "repairs": [],
        "notes": [],
        "possible": {"number": 12, "tables": [{"tp": 44, "fp": 3, "fn": 10, "tn": 38}] * 10},
        "repaired": None,
    }
    assert json.loads(json.dumps(found.as_dict())) == found.as_dict()
