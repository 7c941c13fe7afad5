"""R random: the random numbers of R's default generators, so that examples published with a seed can be made again."""

import math

import numpy as np

_SCALE = 2.3283064365386963e-10
_LN2_SUMS = np.cumsum([math.log(2) ** k / math.factorial(k) for k in range(1, 17)])


class RRandom:
    """`set.seed(seed)` of R 3.6 or later: Mersenne Twister, and Ahrens and Dieter's exponential numbers (1972)."""

    def __init__(self, seed: int) -> None:
        states = [seed]
        for _ in range(675):
            states.append((69069 * states[-1] + 1) % 2**32)
        self._bits = np.random.MT19937()
        key = np.array(states[-624:], np.uint32)
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": 624}}

    def uniform(self, count: int) -> np.ndarray:
        """`runif(count)`."""
        return np.array([self._one() for _ in range(count)])

    def exponential(self, count: int) -> np.ndarray:
        """`rexp(count)`."""
        return np.array([self._exponential() for _ in range(count)])

    def _one(self) -> float:
        return int(self._bits.random_raw()) * _SCALE

    def _exponential(self) -> float:
        sum_, u = 0.0, 2 * self._one()
        while u <= 1:
            sum_, u = sum_ + _LN2_SUMS[0], 2 * u
        u -= 1
        if u <= _LN2_SUMS[0]:
            return float(sum_ + u)
        least, place = self._one(), 0
        while True:
            least, place = min(least, self._one()), place + 1
            if u <= _LN2_SUMS[place]:
                return float(sum_ + least * _LN2_SUMS[0])
