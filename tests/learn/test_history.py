import json

from hepatica.learn import Epoch, History


def test_json_and_back() -> None:
    epochs = (
        Epoch(train_loss=0.1 + 0.2, learning_rate=1e-4),
        Epoch(train_loss=0.2, learning_rate=1e-5, validation_loss=0.3, validation_accuracy=1.0),
    )
    history = History(epochs=epochs, best=1, monitor="train_loss", stopped_early=False)
    assert History.from_dict(json.loads(json.dumps(history.as_dict()))) == history
