from pathlib import Path

from hepatica.report.documents.card import plain


def test_the_card_says_what_the_model_is_and_where_it_departs_from_its_paper(finished: Path) -> None:
    card = (finished / "card.md").read_text(encoding="utf-8")
    assert card.startswith("# Model card: li_2025_cnn_sasm (phantom)\n")
    for told in ("Departures (", "Unclear:", "12,303,980", "10.1186/s12916-025-03977-4", "not a medical device"):
        assert told in card


def test_the_card_lists_settings_that_were_changed(finished: Path) -> None:
    card = (finished / "card.md").read_text(encoding="utf-8")
    assert "- `side` = 64 (system: 224)" in card
    assert "`dropout`" not in card


def test_tables_of_the_card_are_whole(finished: Path) -> None:
    lines = (finished / "card.md").read_text(encoding="utf-8").splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert tables
    assert {line.count("|") for line in tables} == {4, 5}


def test_names_that_are_markdown_are_shown_as_they_are() -> None:
    assert plain("A | B\n<img src=x> [l](http://x) `c` **d**") == r"A \| B \<img src=x> [l]\(http://x) \`c\` \*\*d\*\*"
    assert plain("0.80 [0.70, 0.90] (n = 40)") == "0.80 [0.70, 0.90] (n = 40)"
