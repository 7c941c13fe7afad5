"""Scores: those of `hepatica scores`, with their units; nothing is guessed."""

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from hepatica.clinical.scores import SCORES, score

URL = "/api/v1/scores"


def test_every_score_says_what_it_needs(client: TestClient) -> None:
    found = client.get(URL).json()
    assert [each["name"] for each in found] == list(SCORES)
    albi = client.get(f"{URL}/albi").json()
    assert [(each["column"], each["unit"]) for each in albi["needs"]] == [
        (name, {"bilirubin_umol_l": "µmol/L", "albumin_g_l": "g/L"}[name]) for name in SCORES["albi"].inputs
    ]


def test_a_score_is_that_of_the_package(client: TestClient) -> None:
    values = {"bilirubin_umol_l": 20, "albumin_g_l": 38}
    found = client.post(f"{URL}/albi", json={"values": values}).json()["found"]
    expected = score("albi", pd.DataFrame({name: [value] for name, value in values.items()})).iloc[0]
    assert found["albi"] == pytest.approx(expected["albi"])
    assert found["albi_band"] == expected["albi_band"]


def test_a_missing_value_gives_none_and_an_impossible_one_a_sentence(client: TestClient) -> None:
    found = client.post(f"{URL}/albi", json={"values": {"albumin_g_l": 38}}).json()["found"]
    assert found == {"albi": None, "albi_band": None}
    answer = client.post(f"{URL}/albi", json={"values": {"albumin_g_l": -5, "bilirubin_umol_l": 20}})
    assert (answer.status_code, answer.json()["code"]) == (422, "unusable")
    assert client.post(f"{URL}/none", json={"values": {}}).status_code == 404
