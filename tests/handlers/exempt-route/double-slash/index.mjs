import { verify } from "./lib/verify.mjs";
import { SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";

const machine = new SFNClient({});
const GUARDED = new Set(["/slack/actions", "/slack/commands"]);

const routes = {
  async "slack/actions"(body) {
    const payload = JSON.parse(new URLSearchParams(body).get("payload"));
    for (const action of payload.actions) {
      await machine.send(
        new StartExecutionCommand({
          stateMachineArn: process.env.STATE_MACHINE_ARN,
          input: JSON.stringify({ action: action.action_id, value: action.value, by: payload.user.id }),
        }),
      );
    }
    return { statusCode: 200 };
  },
  async version() {
    return { statusCode: 200, body: "1.4.2" };
  },
};

export const handler = async (event) => {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
  if (GUARDED.has(event.rawPath) && !verify(event.headers, body, process.env.SLACK_SIGNING_SECRET)) {
    return { statusCode: 401, body: "unauthorized" };
  }
  const name = event.rawPath.split("/").filter(Boolean).join("/");
  return Object.hasOwn(routes, name) ? routes[name](body) : { statusCode: 404 };
};
