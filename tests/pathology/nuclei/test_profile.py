import numpy as np
import pandas as pd
import pytest

from hepatica.pathology.nuclei.measures import AMONG, FEATURES, KINDS, OF_NUCLEI, PROFILE, profile, profiles


def nuclei(count: int, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.gamma(4, 2, (count, len(FEATURES))), columns=[*FEATURES])
    places = rng.uniform(0, 200, (count, 2))
    return table.assign(x_um=places[:, 0], y_um=places[:, 1], kind=rng.choice(KINDS, count), whole=True, slide="a")


def test_246_numbers_counted_by_hand() -> None:
    """Shape 8, stain 6, texture 4; 4 statistics; 3 classes. Density 3, nearest 9 and its SD 9, clustered 3, edges 6."""
    assert len(FEATURES) == 8 + 6 + 4
    assert len(OF_NUCLEI) == 18 * 4 * 3 == 216
    assert len(AMONG) == 3 + 9 + 9 + 3 + 6 == 30
    assert len(PROFILE) == len(set(PROFILE)) == 246


def test_numbers_are_where_their_names_say() -> None:
    table = nuclei(90)
    found = pd.Series(profile(table, mm2=0.04), index=PROFILE)
    own = table.loc[table["kind"] == "lymphocyte", "eosin_mean"]
    assert found["lymphocyte_eosin_mean_mean"] == pytest.approx(own.mean())
    assert found["lymphocyte_eosin_mean_sd"] == pytest.approx(own.std(ddof=0))
    assert found["lymphocyte_eosin_mean_skewness"] == pytest.approx(own.skew(), rel=0.2)
    assert found["lymphocyte_eosin_mean_upper_decile"] == pytest.approx(own.quantile(0.9))
    assert found["density_lymphocyte"] == pytest.approx(len(own) / 0.04)


def test_cut_nuclei_count_but_are_not_measured_and_too_few_are_missing() -> None:
    table = nuclei(60)
    cut = table.assign(whole=np.arange(60) < 40)
    one, other = (pd.Series(profile(each, mm2=1), index=PROFILE) for each in (table, cut))
    assert one["density_stromal"] == other["density_stromal"]
    assert one["stromal_area_um2_mean"] != other["stromal_area_um2_mean"]
    few = profiles(table, of="slide", names=pd.Index(["a", "b"]), mm2=pd.Series(1.0, index=["a", "b"]))
    assert few.loc["b"].drop([f"density_{kind}" for kind in KINDS]).isna().all()
    assert few.loc["b", "density_stromal"] == 0
    assert few.loc["a"].notna().all()
