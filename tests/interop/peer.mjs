// A small Fedify server: one actor, `alice`, with RSA and Ed25519 keys, over plain http on loopback.
//
//   node peer.mjs HOST PORT CONTROL_PORT
//
// It keeps every POST to an inbox together with what Fedify thinks of it: `believed` is what the server itself went
// by (it stops at the first of LD signature, proof, HTTP signature that holds), and `http`, `ld` and `proof` are each
// asked for on their own afterwards, with Fedify's own verifiers (null: the message carries none).
//
// The control API speaks JSON on CONTROL_PORT:
//
//   GET  /received    every POST to an inbox so far: status, scheme, auth, activity
//   GET  /followers   ids of the actors that follow alice
//   POST /follow      {actor}                   alice follows this actor (an http URL; handles are https only)
//   POST /undo        {actor}                   alice takes that follow back
//   POST /note        {content}                 Create{Note} to alice's followers
//   POST /sign        {scheme, inbox, tamper?}  posts a Note whose only proof is one HTTP signature of this scheme,
//                                               "cavage" or "rfc9421"; `tamper` changes the body after signing
//   POST /refuse      {scheme}                  answer 401 to this scheme from now on (null: to none)

import { AsyncLocalStorage } from "node:async_hooks";
import { createServer } from "node:http";
import {
  createFederation,
  detachSignature,
  exportJwk,
  generateCryptoKeyPair,
  importJwk,
  InProcessMessageQueue,
  MemoryKvStore,
  signRequest,
  verifyJsonLd,
  verifyObject,
  verifyRequest,
} from "@fedify/fedify";
import { Accept, Activity, Create, Endpoints, Follow, Note, Object as AnyObject, Person, PUBLIC_COLLECTION, Undo }
  from "@fedify/vocab";
import { configure } from "@logtape/logtape";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";

const BODY_LIMIT = 1024 * 1024;
const SPECS = { cavage: "draft-cavage-http-signatures-12", rfc9421: "rfc9421" };

const [host, port, controlPort] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const origin = `http://${host}:${port}`;

const received = [];
const followers = new Map();
const follows = new Map();
const posts = new Map();
let refusedScheme = null;

const current = new AsyncLocalStorage();

/** Which of the three proofs Fedify believed, from the event it leaves on its inbox span. */
function believed(attributes) {
  if (attributes["ld_signatures.verified"]) return "ld";
  if (attributes["http_signatures.verified"]) return "http";
  return attributes["activitypub.activity.verified"] ? "proof" : null;
}

const inboxSpans = {
  onStart() {},
  onEnd(span) {
    const entry = current.getStore();
    const event = span.events.find((each) => each.name === "activitypub.activity.received");
    if (entry && event) entry.believed = believed(event.attributes);
  },
  async forceFlush() {},
  async shutdown() {},
};

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue(),
  allowPrivateAddress: true,
  tracerProvider: new BasicTracerProvider({ spanProcessors: [inboxSpans] }),
});
const context = () => federation.createContext(new URL(origin), undefined);

const keyPairs = await Promise.all([
  generateRsaKeyPair(),
  generateCryptoKeyPair("Ed25519"),
]);

/** RSA-2048: Fedify's own generator makes 4096 bits, which costs seconds and shows nothing more. */
async function generateRsaKeyPair() {
  const pair = await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
    true,
    ["sign", "verify"],
  );
  return {
    privateKey: await importJwk(await exportJwk(pair.privateKey), "private"),
    publicKey: await importJwk(await exportJwk(pair.publicKey), "public"),
  };
}

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    if (identifier !== "alice") return null;
    const keys = await ctx.getActorKeyPairs(identifier);
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: "Alice (exercise)",
      inbox: ctx.getInboxUri(identifier),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      followers: ctx.getFollowersUri(identifier),
      publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((each) => each.multikey),
    });
  })
  .setKeyPairsDispatcher((_ctx, identifier) => (identifier === "alice" ? keyPairs : []));

federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({ items: [...followers.values()] }));

federation.setObjectDispatcher(Note, "/notes/{id}", (_ctx, { id }) => posts.get(id) ?? null);

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Follow, async (ctx, follow) => {
    const follower = await follow.getActor(ctx);
    if (follower?.id == null || follower.inboxId == null) return;
    followers.set(follower.id.href, { id: follower.id, inboxId: follower.inboxId, endpoints: follower.endpoints });
    const accept = new Accept({ id: newId("accepts"), actor: follow.objectId, object: follow });
    await ctx.sendActivity({ identifier: "alice" }, follower, accept);
  })
  .on(Undo, async (ctx, undo) => {
    if ((await undo.getObject(ctx)) instanceof Follow) followers.delete(undo.actorId.href);
  })
  .on(Activity, () => {});

function newId(kind) {
  return new URL(`/${kind}/${crypto.randomUUID()}`, origin);
}

function newNote(content) {
  const id = crypto.randomUUID();
  const note = new Note({
    id: new URL(`/notes/${id}`, origin),
    attribution: context().getActorUri("alice"),
    content,
    published: Temporal.Now.instant(),
    to: PUBLIC_COLLECTION,
    cc: context().getFollowersUri("alice"),
  });
  posts.set(id, note);
  return new Create({
    id: new URL(`/notes/${id}#create`, origin),
    actor: context().getActorUri("alice"),
    object: note,
    to: PUBLIC_COLLECTION,
    cc: context().getFollowersUri("alice"),
  });
}

/** What Fedify's verifiers say of a POST, each asked on its own; the keys come from our actor as for any delivery. */
async function verdicts(request, json) {
  const ctx = context();
  const options = { documentLoader: ctx.documentLoader, contextLoader: ctx.contextLoader };
  const proven = (cls, document) => verifyObject(cls, document, options).then((found) => found != null);
  const key = await verifyRequest(request, options);
  const unsigned = detachSignature(json); // the proof was made before the LD signature and does not cover it
  const embedded = json.object != null && typeof json.object === "object" && "proof" in json.object
    ? { "@context": json["@context"], ...json.object }
    : null;
  return {
    http: key?.id?.href ?? null,
    httpOwner: key?.ownerId?.href ?? null,
    ld: "signature" in json ? await verifyJsonLd(json, options) : null,
    proof: "proof" in json ? await proven(Activity, unsigned) : null,
    objectProof: embedded ? await proven(AnyObject, embedded) : null,
  };
}

async function answerInbox(request) {
  const scheme = request.headers.has("Signature-Input") ? "rfc9421" : request.headers.has("Signature") ? "cavage" : null;
  const copy = request.clone();
  const text = await request.clone().text();
  const entry = { path: new URL(request.url).pathname, scheme, status: null, believed: null, auth: null };
  let answer;
  if (scheme !== null && scheme === refusedScheme) {
    answer = new Response(`${scheme} is refused here`, { status: 401 });
  } else {
    answer = await current.run(entry, () => federation.fetch(request, { contextData: undefined }));
  }
  entry.status = answer.status;
  try {
    entry.activity = JSON.parse(text);
    entry.auth = await verdicts(copy, entry.activity);
  } catch (error) {
    entry.error = String(error);
  }
  received.push(entry);
  return answer;
}

function answerPeers(request) {
  const isInbox = request.method === "POST" && new URL(request.url).pathname.endsWith("/inbox");
  return isInbox ? answerInbox(request) : federation.fetch(request, { contextData: undefined });
}

async function sign({ scheme, inbox, tamper }) {
  const ctx = context();
  const [rsa] = await ctx.getActorKeyPairs("alice");
  const create = newNote(`<p>Signed with ${scheme}. This is an exercise.</p>`);
  const body = JSON.stringify(await create.toJsonLd({ format: "compact", contextLoader: ctx.contextLoader }));
  const unsigned = new Request(inbox, {
    method: "POST",
    headers: { "Content-Type": "application/activity+json", "Accept": "application/activity+json" },
    body,
  });
  const signed = await signRequest(unsigned, rsa.privateKey, rsa.keyId, { spec: SPECS[scheme] });
  const answer = await fetch(inbox, {
    method: "POST",
    headers: signed.headers,
    body: tamper ? body.replace("exercise", "exercisE") : body,
    redirect: "manual",
    signal: AbortSignal.timeout(15_000),
  });
  return { status: answer.status, text: await answer.text(), id: create.id.href };
}

async function follow({ actor }) {
  const ctx = context();
  const target = await ctx.lookupObject(actor);
  if (target?.inboxId == null) throw new Error(`no actor with an inbox at ${actor}`);
  const activity = new Follow({ id: newId("follows"), actor: ctx.getActorUri("alice"), object: target.id });
  follows.set(target.id.href, { activity, target });
  await ctx.sendActivity({ identifier: "alice" }, target, activity);
  return { id: activity.id.href };
}

async function undo({ actor }) {
  const found = follows.get(actor);
  if (!found) throw new Error(`alice does not follow ${actor}`);
  follows.delete(actor);
  const ctx = context();
  const activity = new Undo({ id: newId("undos"), actor: ctx.getActorUri("alice"), object: found.activity });
  await ctx.sendActivity({ identifier: "alice" }, found.target, activity);
  return { id: activity.id.href };
}

async function note({ content }) {
  const create = newNote(content);
  await context().sendActivity({ identifier: "alice" }, "followers", create, { preferSharedInbox: true });
  return { id: create.id.href, object: create.objectId.href };
}

const control = {
  "GET /received": () => received,
  "GET /followers": () => [...followers.keys()],
  "GET /ready": () => ({ actor: context().getActorUri("alice").href, inbox: context().getInboxUri("alice").href }),
  "POST /follow": follow,
  "POST /undo": undo,
  "POST /note": note,
  "POST /sign": sign,
  "POST /refuse": ({ scheme }) => ({ refused: (refusedScheme = scheme) }),
};

async function answerControl(request) {
  const path = `${request.method} ${new URL(request.url).pathname}`;
  if (!(path in control)) return Response.json({ error: `no ${path}` }, { status: 404 });
  try {
    return Response.json(await control[path](request.method === "POST" ? await request.json() : {}));
  } catch (error) {
    return Response.json({ error: String(error?.stack ?? error) }, { status: 500 });
  }
}

function listen(answer, onPort) {
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    let size = 0;
    for await (const chunk of incoming) {
      size += chunk.length;
      if (size > BODY_LIMIT) return outgoing.writeHead(413).end();
      chunks.push(chunk);
    }
    const request = new Request(`http://${host}:${onPort}${incoming.url}`, {
      method: incoming.method,
      headers: new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
      body: ["GET", "HEAD"].includes(incoming.method) ? undefined : Buffer.concat(chunks),
    });
    try {
      const response = await answer(request);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    } catch (error) {
      console.error(error);
      outgoing.writeHead(500).end(String(error));
    }
  });
  return new Promise((resolve) => server.listen(onPort, host, () => resolve(server)));
}

await configure({
  sinks: { stderr: (record) => process.stderr.write(`${record.level} ${record.category.join(".")} ${
    record.message.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join("")}\n`) },
  loggers: [
    { category: "fedify", lowestLevel: "info", sinks: ["stderr"] },
    { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
  ],
});
process.on("SIGTERM", () => process.exit(0));
await listen(answerPeers, port);
await listen(answerControl, controlPort);
console.error(`alice listens on ${origin}`);
