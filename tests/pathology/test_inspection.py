"""Inspection: what is wrong with a slide is measured, drawn and pointed out before any training."""

from scipy.ndimage import gaussian_filter

from hepatica.pathology.inspection import EDGES, inspect


def test_what_is_out_of_focus_or_marked_is_pointed_out(slides):
    good = slides.picture(width=1280, height=1024)
    marked = good.copy()
    marked[20:100] = (40, 70, 190)
    pictures = {"good": good, "blurred": gaussian_filter(good, (3, 3, 0)), "marked": marked}
    paths = {name: slides.tiff(each, name=f"{name}.tif") for name, each in pictures.items()}
    found = {name: inspect(slides.specimen(path)) for name, path in paths.items()}
    assert found["good"].doubts == ("less than 1 mm2 of tissue",)
    assert found["blurred"].doubts[1:] == ("100% of the tissue is out of focus",)
    assert found["marked"].doubts[1:] == ("pen ink, which is left out",)
    assert found["marked"].facts["ink"] == "8%"
    for mark, name in ((EDGES[0], "good"), (EDGES[1], "marked")):
        assert (found[name].picture == mark).all(axis=-1).sum() > 300
    assert not (found["good"].picture == EDGES[1]).all(axis=-1).any()
