// Resolves imports of handlers: the recording SDK, and the modules beside a handler once per job.

const SDK = new URL("./sdk.cjs", import.meta.url).href;

export async function resolve(specifier, context, next) {
  if (specifier.startsWith("@aws-sdk/")) return { url: SDK, format: "commonjs", shortCircuit: true };
  const found = await next(specifier, context);
  const job = new URL(context.parentURL ?? "file:///").search;
  return job && specifier.startsWith(".") && found.url.endsWith(".mjs") ? { ...found, url: found.url + job } : found;
}
