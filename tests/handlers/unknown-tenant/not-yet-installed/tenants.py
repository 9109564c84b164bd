import boto3

_dynamodb = boto3.resource("dynamodb")


def find(table, team):
    return _dynamodb.Table(table).get_item(Key={"team": team}).get("Item")
