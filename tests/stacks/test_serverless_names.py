"""The logical ids that the Serverless Framework makes of names, and the way back."""

from __future__ import annotations

import pytest

from threatmodel.reading.problems import Place
from threatmodel.stacks.serverless.names import key_of, logical
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Scalar, Table

PLACE = Place("serverless.yml", 1, 1)


@pytest.mark.parametrize(
    ("name", "own", "key"),
    [
        (logical("orders-to-search"), "shop-dev-orders-to-search", "orders-to-search"),
        (logical("order_bot"), "shop-dev-order_bot", "order_bot"),
        (logical("my-dashboard"), "shop-dev-my-dashboard", "my-dashboard"),
        ("MyDashboard", "shop-dev-myDashboard", "myDashboard"),
        ("Dashboard", "shop-dev-dashboard", "dashboard"),
        (logical("orders-to-search"), "a-name-of-its-own", ""),
        ("Orders", "shop-dev-orders", ""),
    ],
)
def test_the_key_of_a_function(name: str, own: str, key: str) -> None:
    properties = Table({"FunctionName": Scalar(own, PLACE)}, PLACE)
    resource = Resource(name=f"{name}LambdaFunction", type="AWS::Lambda::Function", properties=properties, place=PLACE)
    assert key_of(resource) == key


def test_the_name_of_a_bus() -> None:
    properties = Table({"Name": Scalar("custom-events", PLACE)}, PLACE)
    name = f"{logical('custom-events')}EventBridgeEventBus"
    assert (
        key_of(Resource(name=name, type="AWS::Events::EventBus", properties=properties, place=PLACE)) == "custom-events"
    )
