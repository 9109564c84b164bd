import { verify } from "./verify.mjs";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});

// The API invokes this export
export async function handler(event) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!verify(event.headers, body)) return { statusCode: 401, body: "" };
  const form = new URLSearchParams(body.toString("utf8"));
  await lambda.send(
    new InvokeCommand({
      FunctionName: process.env.WORKER_FUNCTION,
      InvocationType: "Event",
      Payload: JSON.stringify({ text: form.get("text"), url: form.get("response_url") }),
    }),
  );
  return { statusCode: 200, body: "On it" };
}

// A function of its own, which only the first one may invoke
export async function worker({ text, url }) {
  await fetch(url, { method: "POST", body: JSON.stringify({ text: `Deployed ${text}` }) });
}
