import numpy as np
import torch

from hepatica.networks import Autoencoder, Stacked, reconstruction_loss


def test_parameters_of_the_papers_size_by_hand() -> None:
    """15,629 genes, 365 miRNAs and methylation of 19,883 genes through 500, 100 and 500 units."""
    columns = 15_629 + 365 + 19_883
    with torch.device("meta"):
        network = Autoencoder(columns, hidden=500, bottleneck=100, dropout=0.5)
    wanted = (columns * 500 + 500) + (500 * 100 + 100) + (100 * 500 + 500) + (500 * columns + columns)
    assert sum(each.numel() for each in network.parameters()) == wanted == 36_013_977


def test_reading_has_a_column_of_activations_and_the_bottleneck() -> None:
    network = Autoencoder(7, hidden=5, bottleneck=3, dropout=0.5).eval()
    values = torch.rand(4, 7)
    found = network(values)
    assert found.logits.shape == (4, 8)
    first = network.layers[0](values).tanh()
    middle = network.layers[1](first).tanh()
    last = network.layers[2](middle).tanh()
    torch.testing.assert_close(found.signature, middle)
    torch.testing.assert_close(found.logits[:, :-1], network.write(last))
    torch.testing.assert_close(found.logits[:, -1], sum(each.abs().sum(dim=1) for each in (first, middle, last)))


def test_loss_is_cross_entropy_and_a_share_of_the_activations() -> None:
    found, wanted = torch.tensor([[0.0, 0.0, 3.0]]), torch.tensor([[0.2, 0.9]])
    torch.testing.assert_close(reconstruction_loss(0.1)(found, wanted), torch.tensor(np.log(2) + 0.3).float())


def test_each_table_of_a_patient_has_length_one() -> None:
    stacked = Stacked([0, 0, 1, 1])
    stacked.fit(np.array([[3, 4, 5, 12], [3, 4, 5, 12]], np.float32), most_missing=0.2)
    found = stacked(torch.tensor([[3.0, 4, 5, 12], [6, 8, torch.nan, 12]]))
    torch.testing.assert_close(found, torch.tensor([[3 / 5, 4 / 5, 5 / 13, 12 / 13]] * 2))  # the mean of 5 is 5


def test_a_table_below_zero_is_raised_and_a_column_of_many_gaps_left_out() -> None:
    stacked = Stacked([0, 0, 0, 1])
    values = np.array([[-1, 2, np.nan, 7], [1, -3, np.nan, 7], [1, 0, 9, 7]], np.float32)
    stacked.fit(values, most_missing=0.5)
    assert stacked.kept.tolist() == [1, 1, 0, 1]
    torch.testing.assert_close(stacked.floor, torch.tensor([-3.0, -3, -3, 0]))
    torch.testing.assert_close(stacked(torch.tensor([[0.0, 1, 5, 2]])), torch.tensor([[3 / 5, 4 / 5, 0, 1]]))
