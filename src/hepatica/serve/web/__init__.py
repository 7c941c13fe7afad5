"""Web: what every request and every answer passes: limits, headers, counts, and how faults are answered."""
