"""Documents read back."""

from __future__ import annotations

import json

import pytest
from report_samples import make_assessment

from singcoach.errors import InputError
from singcoach.report.document import to_document
from singcoach.report.parsing import parse_assessment


@pytest.mark.parametrize("without", [(), ("breath", "timbre", "emotion", "technique")])
@pytest.mark.parametrize("feedback", [True, False])
def test_a_document_comes_back_as_the_values_that_make_it(
    without: tuple[str, ...], feedback: bool
) -> None:
    document = to_document(make_assessment(without=without, feedback=feedback))
    kept = json.loads(json.dumps(document))
    assert to_document(parse_assessment(kept)) == document


def test_what_a_document_does_not_hold_is_unknown() -> None:
    found = parse_assessment(to_document(make_assessment()))
    assert found.screening.pitch_reference is None
    assert found.screening.key is not None
    assert found.screening.key.name == "F# minor"


@pytest.mark.parametrize("damage", ["dimensions", "overall", "schema"])
def test_a_damaged_document_is_refused(damage: str) -> None:
    document = to_document(make_assessment())
    del document[damage]
    with pytest.raises(InputError, match="damaged"):
        parse_assessment(document)
