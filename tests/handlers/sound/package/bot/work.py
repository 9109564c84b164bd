import boto3

dynamodb = boto3.client("dynamodb")


def approve(settings, deployment, user):
    dynamodb.update_item(
        TableName=settings.table,
        Key={"id": {"S": deployment}},
        UpdateExpression="SET approved_by = :user",
        ExpressionAttributeValues={":user": {"S": user}},
    )
