"""Reading values that publishers wrote by other programs: DataSets, templates, misfits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sparkplug.errors import ValueUnreadable
from sparkplug.fact import Template
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from sparkplug.wire.value import read_template, read_value


def data_set() -> Message.DataSet:
    """Two columns and one row."""
    raw = Message.DataSet(num_of_columns=2, columns=["a", "b"], types=[Datatype.INT32, Datatype.STRING])
    elements = raw.rows.add().elements
    elements.add(int_value=2**32 - 1)
    elements.add(string_value="x")
    return raw


def motor() -> Message.Template:
    """An instance in data: one member, without its datatype."""
    raw = Message.Template(template_ref="Motor", is_definition=False)
    raw.metrics.add(name="rpm", int_value=2**32 - 3)
    return raw


@pytest.mark.spec("tck-id-payloads-dataset-column-size")
@pytest.mark.spec("tck-id-payloads-dataset-types-def")
@pytest.mark.spec("tck-id-payloads-dataset-types-type")
@pytest.mark.spec("tck-id-payloads-dataset-parameter-type-req")
@pytest.mark.spec("tck-id-payloads-dataset-column-num-headers")
@pytest.mark.spec("tck-id-payloads-dataset-types-num")
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda raw: raw.columns.append("c"), "3 names and 2 types"),
        (lambda raw: raw.types.append(Datatype.INT8), "2 names and 3 types"),
        (lambda raw: setattr(raw, "num_of_columns", 5), "a DataSet of 5 columns"),
        (lambda raw: raw.rows.add(), "0 cells for 2 columns"),
        (lambda raw: setattr(raw.rows[0].elements[0], "string_value", "x"), "does not fit its column"),
        (lambda raw: raw.types.__setitem__(0, Datatype.DATASET), "no datatype of a DataSet column"),
    ],
)
def test_a_data_set_that_contradicts_itself_is_unreadable(
    spoil: Callable[[Message.DataSet], object], reason: str
) -> None:
    raw = data_set()
    spoil(raw)

    with pytest.raises(ValueUnreadable, match=reason):
        read_value(Datatype.DATASET, "dataset_value", raw, {})


@pytest.mark.spec("tck-id-payloads-template-instance-members-data")
def test_an_instance_in_data_is_read_by_its_definition() -> None:
    definitions = {"Motor": {"rpm": Datatype.INT32, "amps": Datatype.FLOAT}}

    assert read_template(motor(), definitions) == Template(ref="Motor", is_definition=False, members={"rpm": -3})


def test_a_member_of_unknown_datatype_is_unreadable() -> None:
    with pytest.raises(ValueUnreadable, match="'rpm' has no datatype"):
        read_template(motor(), {})


@pytest.mark.parametrize(
    ("datatype", "field", "raw"),
    [
        (Datatype.INT32, "string_value", "oops"),
        (Datatype.BOOLEAN, "int_value", 1),
        (Datatype.STRING, "string_value", b"\xff"),
        (Datatype.TEMPLATE, "int_value", 1),
        (Datatype.PROPERTY_SET, "int_value", 1),
        (Datatype.UNKNOWN, "int_value", 1),
        (99, "int_value", 1),
        (Datatype.INT32, "extension_value", None),
    ],
)
def test_a_value_that_does_not_fit_its_datatype_is_unreadable(datatype: int, field: str, raw: object) -> None:
    with pytest.raises(ValueUnreadable):
        read_value(datatype, field, raw, {})
