"""Statements are made once for each shape of a question."""

from matrix.core.delivery import WAITS, DeliveryState
from storage import statements
from storage.tables import TABLES


def test_what_an_index_is_about_stands_in_the_statement() -> None:
    """A parameter there would have SQLite plan the statement anew for every value."""
    asked = statements.question({"state": DeliveryState.PENDING, "error": WAITS, "person": "p"})
    assert set(asked.values) == {"person__"}
    found = statements.find(TABLES["deliveries"][1], asked.terms, "id", limit=False, offset=False)
    assert "state = 'pending'" in str(found)
    assert f"error = '{WAITS}'" in str(found)


def test_what_is_no_word_of_ours_stays_a_parameter() -> None:
    asked = statements.question({"error": "it's 'odd'", "state": None, "text": "a"})
    assert asked.values == {"error__": "it's 'odd'", "text__": "a"}
