// A small Fedify server over plain http on loopback: `alice`, and two more that she may move to: `bob`, who names her
// in alsoKnownAs, and `carol`, who does not. Each has an RSA and an Ed25519 key.
//
//   node peer.mjs HOST PORT CONTROL_PORT
//
// It keeps every POST to an inbox together with what Fedify thinks of it: `believed` is what the server itself went
// by (it stops at the first of LD signature, proof, HTTP signature that holds), and `http`, `ld` and `proof` are each
// asked for on their own afterwards, with Fedify's own verifiers (null: the message carries none). `objectProof` is that
// of the embedded object; Fedify fetches no did:key, so the key in it is handed to her verifier here.
//
// The control API speaks JSON on CONTROL_PORT:
//
//   GET  /received    every POST to an inbox so far: status, scheme, auth, activity
//   GET  /followers?of=NAME                     ids of the actors that follow alice, bob or carol
//   GET  /lookup?uri=URI                        what Fedify reads at this address, in her own words
//   POST /follow      {actor}                   alice follows this actor (an http URL; handles are https only)
//   POST /undo        {actor}                   alice takes that follow back
//   POST /note        {content}                 Create{Note} to alice's followers
//   POST /say         {type, object, to}        any activity by alice about this id (or ids), sent to this actor
//   POST /move        {target}                  alice tells her followers that she is bob or carol now
//   POST /sign        {scheme, inbox, tamper?}  posts a Note whose only proof is one HTTP signature of this scheme,
//                                               "cavage" or "rfc9421"; `tamper` changes the "body" after signing,
//                                               or the body and its "digest", so that only the signature is wrong
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
  verifyProof,
  verifyRequest,
} from "@fedify/fedify";
import * as vocab from "@fedify/vocab";
import { configure } from "@logtape/logtape";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";

const { Accept, Activity, Create, DataIntegrityProof, Endpoints, Follow, Move, Note, Person, PUBLIC_COLLECTION, Undo } =
  vocab;
const BODY_LIMIT = 1024 * 1024;
const SPECS = { cavage: "draft-cavage-http-signatures-12", rfc9421: "rfc9421" };

const [host, port, controlPort] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const origin = `http://${host}:${port}`;

const received = [];
const followers = { alice: new Map(), bob: new Map(), carol: new Map() };
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
    if (!(identifier in followers)) return null;
    const keys = await ctx.getActorKeyPairs(identifier);
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: `${identifier} (exercise)`,
      aliases: identifier === "bob" ? [ctx.getActorUri("alice")] : [],
      inbox: ctx.getInboxUri(identifier),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      followers: ctx.getFollowersUri(identifier),
      publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((each) => each.multikey),
    });
  })
  .setKeyPairsDispatcher((_ctx, identifier) => (identifier in followers ? keyPairs : []));

federation.setFollowersDispatcher("/users/{identifier}/followers", (_ctx, identifier) => ({
  items: [...followers[identifier].values()],
}));

federation.setObjectDispatcher(Note, "/notes/{id}", (_ctx, { id }) => posts.get(id) ?? null);

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Follow, async (ctx, follow) => {
    const follower = await follow.getActor(ctx);
    const followed = ctx.parseUri(follow.objectId)?.identifier;
    if (follower?.id == null || follower.inboxId == null || !(followed in followers)) return;
    const { id, inboxId, endpoints } = follower;
    followers[followed].set(id.href, { id, inboxId, endpoints });
    const accept = new Accept({ id: newId("accepts"), actor: follow.objectId, object: follow });
    await ctx.sendActivity({ identifier: followed }, follower, accept);
  })
  .on(Undo, async (ctx, undo) => {
    const undone = await undo.getObject(ctx);
    if (undone instanceof Follow) followers[ctx.parseUri(undone.objectId)?.identifier]?.delete(undo.actorId.href);
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
  const key = await verifyRequest(request, options);
  const unsigned = detachSignature(json); // the proof was made before the LD signature and does not cover it
  const activityProof = () => verifyObject(Activity, unsigned, options).then((found) => found != null);
  return {
    http: key?.id?.href ?? null,
    httpOwner: key?.ownerId?.href ?? null,
    ld: "signature" in json ? await verifyJsonLd(json, options) : null,
    proof: "proof" in json ? await activityProof() : null,
    objectProof: json.object?.proof ? await verifyEmbedded(json.object, options) : null,
  };
}

/** Whether the proof of an embedded object holds; a did:key is its own key, and nobody has to be asked for it. */
async function verifyEmbedded(document, { documentLoader, contextLoader }) {
  const loader = (url) => url.startsWith("did:key:") ? didKey(url) : documentLoader(url);
  const context = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"];
  const proof = await DataIntegrityProof.fromJsonLd({ ...document.proof, "@context": context }, { contextLoader });
  return await verifyProof(document, proof, { documentLoader: loader, contextLoader }) != null;
}

function didKey(url) {
  const [controller, publicKeyMultibase] = url.split("#");
  if (controller !== `did:key:${publicKeyMultibase}`) throw new Error(`${url} names another key than its own`);
  const context = "https://w3id.org/security/multikey/v1";
  const document = { "@context": context, id: url, type: "Multikey", controller, publicKeyMultibase };
  return { documentUrl: url, contextUrl: null, document };
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
  const sent = tamper ? body.replace("exercise", "exercisE") : body;
  const headers = new Headers(signed.headers);
  if (tamper === "digest") {
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(sent))).toString("base64");
    if (headers.has("Digest")) headers.set("Digest", `SHA-256=${digest}`);
    if (headers.has("Content-Digest")) headers.set("Content-Digest", `sha-256=:${digest}:`);
  }
  const answer = await fetch(inbox, {
    method: "POST",
    headers,
    body: sent,
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

async function say({ type, object, to }) {
  const ctx = context();
  const recipient = await ctx.lookupObject(to);
  if (recipient?.inboxId == null) throw new Error(`no actor with an inbox at ${to}`);
  const activity = new vocab[type]({
    id: newId(type.toLowerCase()),
    actor: ctx.getActorUri("alice"),
    objects: [object].flat().map((each) => new URL(each)),
    to: PUBLIC_COLLECTION,
  });
  await ctx.sendActivity({ identifier: "alice" }, recipient, activity);
  return { id: activity.id.href };
}

async function move({ target }) {
  const ctx = context();
  const alice = ctx.getActorUri("alice");
  const activity = new Move({ id: newId("moves"), actor: alice, object: alice, target: ctx.getActorUri(target) });
  await ctx.sendActivity({ identifier: "alice" }, "followers", activity, { preferSharedInbox: true });
  return { id: activity.id.href, target: activity.targetId.href };
}

async function lookup({ uri }) {
  const ctx = context();
  const found = await ctx.lookupObject(uri);
  return found === null ? null : await found.toJsonLd({ format: "expand", contextLoader: ctx.contextLoader });
}

const control = {
  "GET /received": () => received,
  "GET /followers": ({ of }) => [...followers[of].keys()],
  "GET /lookup": lookup,
  "GET /ready": () => ({ actor: context().getActorUri("alice").href, inbox: context().getInboxUri("alice").href }),
  "POST /follow": follow,
  "POST /undo": undo,
  "POST /note": note,
  "POST /say": say,
  "POST /move": move,
  "POST /sign": sign,
  "POST /refuse": ({ scheme }) => ({ refused: (refusedScheme = scheme) }),
};

async function answerControl(request) {
  const url = new URL(request.url);
  const path = `${request.method} ${url.pathname}`;
  if (!(path in control)) return Response.json({ error: `no ${path}` }, { status: 404 });
  try {
    const asked = request.method === "POST" ? await request.json() : Object.fromEntries(url.searchParams);
    return Response.json(await control[path](asked));
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
