"""Audit: lines are added, the newest is first, and none goes."""

from hepatica.serve.workbench import Workbench


def test_lines_are_kept_in_order(bench: Workbench) -> None:
    before = len(bench.audit.entries())
    for number in range(3):
        bench.audit.record("anna", "saw case", f"case {number % 2}")
    found = bench.audit.entries()
    assert len(found) == before + 3
    assert [each.subject for each in bench.audit.entries(limit=2)] == ["case 0", "case 1"]
    assert [each.user for each in bench.audit.entries(subject="case 0")] == ["anna", "anna"]
    assert found[0].time >= found[-1].time > 1.7e9
