import logging
import warnings

import pytest
from lightning.fabric.utilities.warnings import PossibleUserWarning

from hepatica.learn.quiet import quiet


def test_notes_and_advice_are_silent_only_within(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    with quiet():
        assert not logger.isEnabledFor(logging.INFO)
        warnings.warn("use more workers", PossibleUserWarning, stacklevel=1)
    assert logger.isEnabledFor(logging.INFO)
    with pytest.raises(PossibleUserWarning):
        warnings.warn("use more workers", PossibleUserWarning, stacklevel=1)


def test_other_warnings_pass_and_levels_come_back_after_an_error() -> None:
    with pytest.raises(UserWarning, match="listen"), quiet():
        warnings.warn("listen", UserWarning, stacklevel=1)
    assert logging.getLogger("lightning.pytorch").level == logging.INFO
