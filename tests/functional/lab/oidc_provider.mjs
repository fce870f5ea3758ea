// npm's oidc-provider over TLS on loopback, for the functional tests: people sign in with any
// password. Settings as JSON on standard input; "ready" on standard output.
//
//     node oidc_provider.mjs PACKAGES < settings.json

import crypto from "node:crypto";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import url from "node:url";

const packages = process.argv[2];
const entry = path.join(packages, "oidc-provider", "lib", "index.js");
const { default: Provider } = await import(url.pathToFileURL(entry));
const settings = JSON.parse(fs.readFileSync(0, "utf8"));

function key(kind, options, kid, alg) {
  const { privateKey } = crypto.generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: "jwk" }), kid, alg, use: "sig" };
}

const issuer = `https://localhost:${settings.port}`;
const provider = new Provider(issuer, {
  clients: settings.clients,
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  pkce: { methods: ["S256"], required: () => true },
  responseTypes: ["code"],
  cookies: { keys: [crypto.randomBytes(16).toString("hex")] },
  jwks: {
    keys: [
      key("rsa", { modulusLength: 2048 }, `rsa-${settings.generation}`, "RS256"),
      key("ec", { namedCurve: "P-256" }, `ec-${settings.generation}`, "ES256"),
    ],
  },
  async findAccount(_, id) {
    const known = settings.people[id] ?? {};
    return {
      accountId: id,
      async claims() {
        return { email: `${id}@brand.example`, email_verified: true, ...known, sub: id };
      },
    };
  },
});

const options = { cert: fs.readFileSync(settings.cert), key: fs.readFileSync(settings.key) };
https.createServer(options, provider.callback()).listen(settings.port, "127.0.0.1", () => {
  process.stdout.write("ready\n");
});
