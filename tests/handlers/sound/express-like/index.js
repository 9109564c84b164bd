const express = require("./express");
const { verifySlack } = require("./verify-slack");
const { DynamoDBClient, UpdateItemCommand } = require("@aws-sdk/client-dynamodb");

const db = new DynamoDBClient({});
const app = express();

app.use(verifySlack(process.env.SLACK_SIGNING_SECRET));

app.post("/slack", async (request, response) => {
  const form = new URLSearchParams(request.rawBody);
  await db.send(
    new UpdateItemCommand({
      TableName: process.env.TABLE_NAME,
      Key: { service: { S: form.get("text") } },
      UpdateExpression: "SET requested_by = :user",
      ExpressionAttributeValues: { ":user": { S: form.get("user_id") } },
    }),
  );
  response.status(200).send("Requested");
});

exports.handler = app.lambda();
