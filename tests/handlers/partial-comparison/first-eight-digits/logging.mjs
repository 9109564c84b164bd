// Signatures are credentials for five minutes: logs get the start of them only
export const short = (signature) => signature.slice(0, 11);

export const log = (what, details) => console.log(JSON.stringify({ what, ...details }));
